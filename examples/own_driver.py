"""A driver of one's own: a prover that reads a theorem a line, kept warm by the pool, put to the conformance suite."""

from porism import Check, Pool, Trust, Verdict
from porism.provers import Capabilities, Driver, Framing, Job, Language, Launch, Session
from porism.testing import StandIn, conformance

VERDICTS = {"accepted": Verdict.PROVED, "false": Verdict.REFUTED, "incomplete": Verdict.INCOMPLETE}


class Lines(Driver):
    """Talks to a program that answers each line with a line."""

    name = "Lines"

    def capabilities(self) -> Capabilities:
        """It reads Lean, or something like it, and survives SIGINT."""
        return Capabilities(languages=frozenset({Language.LEAN4}), interruptible=True)

    def version(self) -> str:
        """What is printed beside each verdict."""
        return "Lines 1.0"

    def launch(self, header: str) -> Launch:
        """That there is a launch means that processes are kept; the pool starts and ends them."""
        prover = StandIn("lines")
        return Launch(program=prover.program, args=prover.args, framing=Framing.LINES)

    def check(self, session: Session, job: Job) -> Check:
        """Asks for one theorem, on one line. The pool's exceptions pass through."""
        theorem = " ".join((job.header + " " + job.candidate).replace("\0", " ").split())
        if not theorem.startswith("theorem "):
            return self.said(Verdict.REJECTED, "no theorem")
        # The answer belongs to this request and no other: it has to repeat a word that nobody can guess.
        word = session.nonce()
        answer = session.ask(f"{theorem} -- echo {word}\n".encode()).decode().strip()
        while not answer.endswith(f"echo {word}"):
            answer = session.receive().decode().strip()
        return self.said(VERDICTS.get(answer.partition(";")[0], Verdict.UNKNOWN), answer)

    def recover(self, session: Session) -> None:
        """Proves that it is well; an answer that comes late is read past, for it has another word."""
        canary = self.check(session, Job(candidate="theorem canary : 1 + 1 = 2 := by decide"))
        assert canary.verdict is Verdict.PROVED

    def said(self, verdict: Verdict, detail: str) -> Check:
        """Nobody but the prover vouches for it."""
        return Check(verdict=verdict, trust=Trust.L0, prover=self.name, prover_version=self.version(), detail=detail)


if __name__ == "__main__":
    good = Job(candidate="theorem t : 2 + 2 = 4 := by decide", language=Language.LEAN4)
    bad = Job(candidate="theorem t : 2 + 2 = 5 := by decide", language=Language.LEAN4)
    endless = Job(candidate="theorem t : 2 + 2 = 4 := by decide -- fault:hang", language=Language.LEAN4)
    with Pool([Lines()]) as pool:
        print(pool.check(good).verdict, pool.check(bad).verdict)
    report = conformance.check_driver(Lines(), good=good, bad=bad, endless=endless)
    print(f"{len(report.passed)} checks passed; skipped: {', '.join(report.skipped)}")
