"""Rocq (Coq): coqidetop checks proofs and keeps what it has loaded; coqc and coqchk audit them on their own."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from porism._errors import InputError, ProverError, ProverProtocolError
from porism._sandbox import Sandbox
from porism._types import Verdict
from porism._verdicts import Check, Trust
from porism.provers import _child, _rocq_audit, _rocq_steps, _rocq_xml
from porism.provers._driver import Capabilities, Driver, Framing, Language, Launch
from porism.provers._rocq_script import Parts, Script, parts_of, run
from porism.provers._rocq_sentences import sentence, sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from porism._core import Session
    from porism.provers._driver import Job, ProofState

INSTALL: Final = "apt install coq"

#: How its processes are confined unless the caller says otherwise; what they need to read is added.
CONFINED: Final = Sandbox()

# Debian's build asks ocamlfind where its plugins are.
_ASKED_BY_PLUGINS: Final = Path("/etc/ocamlfind.conf")
# What Rocq may know of the caller's environment.
_ENVIRONMENT: Final = frozenset(
    {"PATH", "LANG", "LC_ALL", "TMPDIR", "COQLIB", "COQCORELIB", "ROCQLIB", "OCAMLFIND_CONF", "OCAMLPATH"}
)
# Tactics of headers, each with something true: those that work after the start have to work after an interrupt.
_CANARIES: Final = (
    ("True", "exact I."),
    ("forall n : nat, (n < S n)%nat", "intros; lia."),
    ("forall n m : nat, (n + m = m + n)%nat", "intros; ring."),
    ("forall P Q : Prop, P /\\ Q -> Q /\\ P", "tauto."),
)


class Rocq(Driver):
    """Proofs in Rocq.

    With a ``statement``, a job's candidate is a proof: what stands between ``Theorem name : statement.`` and the end,
    with or without ``Proof.`` and ``Qed.``. Only tactics are let through, so nothing can be redefined. Without one, the
    candidate is a text, and ``name`` the theorem in it that is asked for: such a check is worth L0.

    ===== =================================================================================================
    level what was done
    ===== =================================================================================================
    L0    Rocq accepted the whole of it, and no axiom came into being
    L1    the statement was ours, and the axioms that the proof rests on are allowed ones
    L2    coqc compiled it, and another coqc, in which no candidate ever ran, found the same in the result
    L3    coqchk, a separate checker, accepted the compiled proof
    ===== =================================================================================================

    Args:
        folder: Where its programs are, if not on the path.
        axioms: Axioms that a proof may rest on, such as ``"functional_extensionality_dep"``; without their module.
        libraries: Folders of compiled libraries by their logical name, as ``-Q`` takes them.
        memory_mb: Mebibytes of address space of each process.
        sandbox: How its processes are confined; ``None`` leaves them with the caller's rights.
    """

    name = "Rocq"
    batch = 50

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        axioms: Iterable[str] = (),
        libraries: Iterable[tuple[str | os.PathLike[str], str]] = (),
        memory_mb: int = 4096,
        sandbox: Sandbox | None = CONFINED,
    ) -> None:
        self._folder = None if folder is None else Path(folder)
        self.axioms = frozenset(axioms)
        self._libraries = tuple((Path(path).resolve(), logical) for path, logical in libraries)
        self.memory_mb = memory_mb
        self.sandbox = sandbox

    def find(self, *programs: str) -> Path:
        """Where a program is; coqidetop without a name."""
        programs = programs or ("coqidetop.opt", "coqidetop", "rocqidetop")
        if self._folder is not None:
            return _child.locate(self.name, self._folder / programs[0], programs=())
        return _child.locate(self.name, None, programs=programs, how=INSTALL)

    def version(self) -> str:
        """The version that it reports, such as ``"The Coq Proof Assistant, version 8.16.1"``."""
        return _child.first_line(self.find("coqc", "rocq"), "--version")

    def capabilities(self) -> Capabilities:
        """It reads Rocq, can be interrupted, and keeps proof states."""
        return Capabilities(
            languages=frozenset({Language.ROCQ}),
            trust=Trust.L3,
            interruptible=True,
            branching=True,
            runs_code=True,
            cost=10.0,
        )

    def library_flags(self) -> tuple[str, ...]:
        """The flags that name the libraries."""
        return tuple(flag for path, logical in self._libraries for flag in ("-Q", str(path), logical))

    def flags(self) -> tuple[str, ...]:
        """What coqidetop and coqc are told: no user's file, no candidates made machine code, the libraries."""
        return ("-q", "-native-compiler", "no", *self.library_flags())

    def confined(self, *, read: Iterable[Path] = (), write: Iterable[Path] = ()) -> Sandbox | None:
        """The sandbox of one process, with what Rocq needs to read."""
        if self.sandbox is None:
            return None
        needed = [path for path, _ in self._libraries]
        # Programs of the system stand in its folders; others have their library beside them.
        needed += [] if self._folder is None else [self._folder.resolve().parent]
        needed += [_ASKED_BY_PLUGINS] if _ASKED_BY_PLUGINS.exists() else []
        return replace(self.sandbox, read=(*self.sandbox.read, *needed, *read), write=(*self.sandbox.write, *write))

    def environment(self) -> Mapping[str, str | None]:
        """Takes away whatever else the caller's environment holds."""
        return dict.fromkeys(os.environ.keys() - _ENVIRONMENT)

    def launch(self, header: str) -> Launch:
        """One that speaks XML, and works off one thing after the other."""
        return Launch(
            program=self.find(),
            args=("-main-channel", "stdfds", "-async-proofs", "off", *self.flags()),
            framing=Framing.XML_ELEMENT,
            memory_mb=self.memory_mb,
            env=self.environment(),
            sandbox=self.confined(),
        )

    def start(self, session: Session, header: str) -> None:
        """Has it read the header, and finds out which tactics work after it.

        Raises:
            InputError: Rocq does not accept the header.
        """
        script = Script(session, _rocq_xml.init(session), header)
        if not all(script.add(one) for one in sentences(header)) or not script.execute():
            raise InputError(f"{self.name} does not accept the header: {script.trouble}")
        if script.open_proof:
            raise InputError(f"the header leaves the proof of {script.open_proof} open")
        session.notes["header"] = script.tip
        session.notes["canaries"] = [
            canary for canary in map(_canary, _CANARIES) if run(session, script.tip, canary)[1] is Verdict.PROVED
        ]

    def check(self, session: Session, job: Job) -> Check:
        """Checks a proof of the statement, or a text that proves the theorem."""
        parts = parts_of(job)
        if parts.refused:
            return Check(verdict=Verdict.REJECTED, trust=Trust.L0, prover=self.name, detail=parts.refused)
        script, verdict, detail = run(session, session.notes["header"], parts)
        check = Check(
            verdict=verdict,
            trust=Trust.L0,
            prover=self.name,
            prover_version=self.version(),
            detail=detail,
            messages=tuple(script.messages),
        )
        if verdict is not Verdict.PROVED:
            return check
        if parts.statement is None:
            return _rocq_audit.looked_at(self, session, script.tip, parts, check)
        if job.trust < Trust.L1:
            return check
        return _rocq_audit.audited(self, session, script.tip, [(job, parts, check)])[0]

    def audit(self, session: Session, jobs: Sequence[Job]) -> list[Check]:
        """Checks proofs that were accepted before, and asks once what all of them rest on."""
        return _rocq_audit.together(self, session, jobs)

    def begin(self, session: Session, statement: str) -> ProofState:
        """Begins a proof that goes tactic by tactic."""
        return _rocq_steps.begin(session, statement)

    def step(self, session: Session, path: tuple[str, ...], tactic: str, timeout_s: float) -> ProofState:
        """Goes one step further from where some steps have led."""
        return _rocq_steps.step(session, path, tactic, timeout_s)

    def recover(self, session: Session) -> None:
        """Waits until the interrupt has come through, goes back to the header, and tries its tactics there."""
        header = session.notes.get("header")
        if header is None:
            raise ProverError("it was interrupted while it read its header")
        _rocq_xml.drain(session)
        for canary in session.notes["canaries"]:
            self._sings(session, header, canary, Verdict.PROVED)
        self._sings(session, header, _canary(("False", "exact I.")), Verdict.REJECTED)

    def _sings(self, session: Session, header: int, canary: Parts, right: Verdict) -> None:
        for _ in range(_rocq_xml.STRAY_SIGNALS):
            script, verdict, _ = run(session, header, canary)
            if verdict is right:
                return
            if _rocq_xml.INTERRUPTED not in script.trouble:
                break
        raise ProverProtocolError(f"{self.name} says {verdict} of {canary.statement}: {script.trouble}")


def _canary(goal_and_tactic: tuple[str, str]) -> Parts:
    goal, tactic = goal_and_tactic
    name = "porism_canary"
    return Parts((sentence(f"Theorem {name} : {goal}."), sentence(tactic), sentence("Qed.")), name, goal)
