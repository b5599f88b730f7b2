"""A Coq document: sentences that are added at once and executed when somebody asks, as coqidetop and SerAPI do."""

from __future__ import annotations

import re

from .claims import ACCEPTED, FALSE, INCOMPLETE, Claim, Reading, echoes, judge

_START = re.compile(r"\s*(Theorem|Lemma|Example|Corollary|Goal)\s+([\w']+)?\s*:?\s*(.*?)\.?\s*$", re.DOTALL)
_AXIOM = re.compile(r"\s*(?:Axiom|Parameter)\s+([\w']+)\s*:\s*(.*?)\.?\s*$", re.DOTALL)
_PROOF = re.compile(r"\s*Proof\s*\.")
_QUESTION = re.compile(r"\s*(Print Assumptions|Check)\s+([\w']+)\s*\.")
_ENDS = re.compile(r"\s*(Qed|Defined|Admitted|Abort)\s*\.")


def first_sentence(text: str) -> str:
    """The text up to its first period before a blank (not in a comment or a string), bullet or brace."""
    at, depth = 0, 0
    begun = False
    while at < len(text):
        pair = text[at : at + 2]
        if pair == "(*":
            depth, at = depth + 1, at + 2
            continue
        if pair == "*)" and depth:
            depth, at = depth - 1, at + 2
            continue
        one = text[at]
        at += 1
        if depth or one.isspace():
            continue
        if one == '"':
            end = text.find('"', at)
            at = end + 1 if end >= 0 else len(text)
        elif (not begun and one in "-+*{}") or (one == "." and (at == len(text) or text[at].isspace())):
            return text[:at]
        begun = True
    return text


class FailedSentenceError(Exception):
    """A sentence does not go through.

    Attributes:
        last_good: The state before it.
        words: What Coq says.
        size: How many bytes the sentence has.
    """

    def __init__(self, last_good: int, words: str, size: int = 0) -> None:
        super().__init__(words)
        self.last_good = last_good
        self.words = words
        self.size = size


class Script:
    """Sentences by the states that they lead to; the first state is 1."""

    def __init__(self) -> None:
        self.tip = 1
        self._next = 2
        self._sentences: dict[int, tuple[int, str]] = {}
        self._executed = {1}

    def add(self, text: str) -> int:
        """Appends the first sentence of a text and drops the rest, as coqidetop does; returns its state."""
        state, self._next = self._next, self._next + 1
        self._sentences[state] = (self.tip, first_sentence(text))
        self.tip = state
        return state

    def goes_back_to(self, state: int) -> bool:
        """Makes an earlier state the tip; whether there is one."""
        if state not in self._path():
            return False
        self.tip = state
        return True

    def waiting(self) -> str:
        """The sentences up to the tip that have not been executed."""
        return "\n".join(self._sentences[state][1] for state in self.unexecuted())

    def unexecuted(self) -> list[int]:
        """The states up to the tip that have not been executed, in order."""
        return [state for state in self._path() if state not in self._executed]

    def reading(self) -> Reading:
        """What they say: the theorems whose proofs end in them."""
        waiting = self.unexecuted()
        claims = [claim for state, claim in self._claims() if state in waiting]
        return Reading(claims, [], echoes(self.waiting()))

    def execute(self, reading: Reading) -> None:
        """Executes them.

        Raises:
            FailedSentenceError: one of the claims is not accepted.
        """
        refused = {id(claim) for claim in reading.claims if claim.outcome not in (ACCEPTED, INCOMPLETE)}
        positions = [state for state, _ in self._claims() if state not in self._executed]
        for state, claim in zip(positions, reading.claims, strict=False):
            if id(claim) in refused:
                self.tip = self._sentences[state][0]
                reason = "is false" if claim.outcome == FALSE else "has no proof"
                size = len(self._sentences[state][1].encode())
                raise FailedSentenceError(self.tip, f"The statement {claim.statement} {reason}.", size)
        self._executed.update(self._path())

    def theorems(self) -> dict[str, Claim]:
        """What has been proved up to the tip, by name."""
        return {claim.name: claim for _, claim in self._claims()}

    def assumptions(self) -> list[str]:
        """What was assumed without a proof up to the tip: axioms, and theorems that were admitted."""
        sentences = (self._sentences[state][1] for state in self._path() if state != 1)
        named = [f"{found[1]} : {found[2]}" for sentence in sentences if (found := _AXIOM.match(_bare(sentence)))]
        gaps = [claim for _, claim in self._claims() if claim.outcome == INCOMPLETE]
        return named + [f"{claim.name} : {claim.statement}" for claim in gaps]

    def open_proof(self) -> Claim | None:
        """The theorem whose proof has begun and not ended."""
        claim: Claim | None = None
        for state in self._path():
            sentence = self._sentences[state][1] if state != 1 else ""
            started = _START.match(_bare(sentence))
            if started:
                claim = Claim(started[2] or "Unnamed_thm", started[3], ACCEPTED)
            elif _ENDS.match(_bare(sentence)):
                claim = None
        return claim

    def answer(self, question: str) -> str:
        """What ``Check`` and ``Print Assumptions`` print.

        Raises:
            FailedSentenceError: it is another question, or about something unknown.
        """
        asked = _QUESTION.match(question)
        known = self.theorems()
        if not asked or asked[2] not in known:
            raise FailedSentenceError(self.tip, "The reference was not found in the current environment.")
        claim = known[asked[2]]
        if asked[1] == "Check":
            return f"{claim.name}\n     : {claim.statement}"
        assumed = self.assumptions()
        return "Axioms:\n" + "\n".join(assumed) if assumed else "Closed under the global context"

    def _path(self) -> list[int]:
        path, state = [], self.tip
        while state != 1:
            path.append(state)
            state = self._sentences[state][0]
        return [1, *reversed(path)]

    def _claims(self) -> list[tuple[int, Claim]]:
        """Every theorem whose proof has ended, with the state at its end."""
        found: list[tuple[int, Claim]] = []
        name, statement, proof = "", "", ""
        for state in self._path()[1:]:
            sentence = _bare(self._sentences[state][1])
            started = _START.match(sentence)
            ended = _ENDS.match(sentence)
            if started:
                name, statement, proof = started[2] or "Unnamed_thm", started[3], ""
            elif ended and name:
                if ended[1] != "Abort":
                    # A proof without a tactic is no proof.
                    ending = sentence if proof.strip() or ended[1] == "Admitted" else "fail"
                    found.append((state, judge(name, statement, f"{proof} {ending}")))
                name = ""
            elif not _PROOF.match(sentence):
                proof += sentence
        return found


def _bare(sentence: str) -> str:
    """A sentence without its comments, which may be nested."""
    while (shorter := re.sub(r"\(\*(?:(?!\(\*|\*\)).)*\*\)", " ", sentence, flags=re.DOTALL)) != sentence:
        sentence = shorter
    return sentence
