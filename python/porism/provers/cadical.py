"""CaDiCaL: propositional problems. Models are evaluated here; proofs are handed on, and checked by nobody yet."""

from __future__ import annotations

import math
import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from porism._errors import InputError
from porism._types import Verdict
from porism._verdicts import Check, Trust
from porism.provers import _child, _dimacs
from porism.provers._driver import Capabilities, Driver, Language

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from porism import _core
    from porism.provers._driver import Job

INSTALL: Final = "apt install cadical"

# By the exit code, which the word that is printed has to agree with.
_ANSWERS: Final = {10: "SATISFIABLE", 20: "UNSATISFIABLE"}

# What is kept of a proof, and how much of it is waited for before it is given up.
_SMALL_PROOF_BYTES: Final = 1 << 20
_MODEL_BYTES: Final = 1 << 29

_NATIVE_LRAT_SINCE: Final = (1, 7)


class Cadical(Driver):
    """The SAT solver CaDiCaL, a new process for each problem.

    A job's candidate is a problem in DIMACS CNF. As with SMT solvers, goals are sent negated: unsatisfiable is
    ``PROVED``, satisfiable ``REFUTED``, and then ``Check.proof`` holds the model, which was evaluated.

    A proof of unsatisfiability stands in ``Check.proof`` as text if it has at most a mebibyte. The option
    ``proof_path`` has it written to a file instead, whatever its size; the file is whole only if the verdict is
    ``PROVED``. The format is DRAT, or LRAT with the option ``lrat``, which CaDiCaL can since 1.7. ``seconds`` bounds
    the time on the wall clock, ``conflicts`` the work, which is the same on every machine.

    Args:
        executable: The program, if it is not on the path.
        memory_mb: Mebibytes of address space.
    """

    name = "CaDiCaL"
    options = MappingProxyType({"seconds": float, "conflicts": int, "proof_path": str, "lrat": bool})

    def __init__(self, executable: str | os.PathLike[str] | None = None, *, memory_mb: int = 4096) -> None:
        self._explicit = None if executable is None else Path(executable)
        self._memory_mb = memory_mb

    def find(self) -> Path:
        """Where the program is."""
        return _child.locate(self.name, self._explicit, programs=("cadical",), how=INSTALL)

    def version(self) -> str:
        """The version that it reports, such as ``"CaDiCaL 1.9.5"``."""
        return f"{self.name} {_child.first_line(self.find(), '--version')}"

    def capabilities(self) -> Capabilities:
        """It reads DIMACS, and says so itself when there is no model."""
        return Capabilities(languages=frozenset({Language.DIMACS}))

    def check(self, session: _core.Session, job: Job) -> Check:
        """Asks whether the clauses contradict each other."""
        problem = _dimacs.parse(job.header + job.candidate)
        flags = self._flags(job)
        path: str | None = job.options.get("proof_path")
        if path is not None:
            outcome = self._run(session, (*flags, "-", path), job, problem, _MODEL_BYTES)
        else:
            outcome = self._run(session, (*flags, "-", "-"), job, problem, 2 * _SMALL_PROOF_BYTES)
            if outcome.ending == "output_too_large":
                # Too long to be kept, so that it need not be printed.
                outcome = self._run(session, (*flags, "-"), job, problem, _MODEL_BYTES)
        return self._read(outcome, problem, Verdict.UNKNOWN if "conflicts" in job.options else Verdict.TIMEOUT)

    def _flags(self, job: Job) -> tuple[str, ...]:
        flags = ["-q", "--no-binary"]
        if "conflicts" in job.options:
            flags += ["-c", str(max(0, int(job.options["conflicts"])))]
        if job.options.get("lrat"):
            found = re.search(r"(\d+)\.(\d+)", self.version())
            if found is None or (int(found[1]), int(found[2])) < _NATIVE_LRAT_SINCE:
                raise InputError(f"lrat=True: {self.version()} writes DRAT only; LRAT is there since 1.7")
            flags.append("--lrat")
        return tuple(flags)

    def _run(
        self, session: _core.Session, args: Sequence[str], job: Job, problem: _dimacs.Cnf, most_bytes: int
    ) -> _core.ProcessOutcome:
        left_s = session.time_left_s
        seconds = min(float(job.options.get("seconds", math.inf)), math.inf if left_s is None else left_s)
        limit = () if math.isinf(seconds) else ("-t", str(max(1, math.ceil(seconds))))
        return _child.run(
            self.find(),
            (*limit, *args),
            problem.text(),
            # Its own limit is in whole seconds; without one it may take what the pool lets it.
            wall_s=_child.FOREVER_S if math.isinf(seconds) else seconds + 1.0,
            memory_mb=self._memory_mb,
            max_output_bytes=most_bytes,
            cancel=session.cancel,
        )

    def _read(self, outcome: _core.ProcessOutcome, problem: _dimacs.Cnf, at_limit: Verdict) -> Check:
        if unanswered := _child.unanswered(outcome):
            return unanswered.checked(self)
        lines = outcome.stdout.decode(errors="replace").splitlines()
        words = [line[2:].strip() for line in lines if line.startswith("s ")]
        expected = _ANSWERS.get(-1 if outcome.code is None else outcome.code)
        if outcome.code == 0 and not words:
            return self._said(at_limit, "it came to its limit")
        if expected is None or words != [expected]:
            said = f"{' and '.join(words) or 'no word'}, but {_child.how_it_ended(outcome)}"
            memory = "memory" in _child.how_it_ended(outcome) or "bad_alloc" in _child.how_it_ended(outcome)
            return self._said(Verdict.MEMORY if memory else Verdict.CRASHED, said)
        if expected == "SATISFIABLE":
            return self._evaluated([line[2:] for line in lines if line.startswith("v ")], problem)
        proof = "\n".join(line for line in lines if line[:2] not in {"s ", "c ", "v "} and line != "c")
        small = 0 < len(proof) <= _SMALL_PROOF_BYTES
        return self._said(Verdict.PROVED, "", expected, f"{proof}\n" if small else None)

    def _evaluated(self, shown: Sequence[str], problem: _dimacs.Cnf) -> Check:
        """Believes a model that satisfies every clause, and nothing else."""
        try:
            numbers = [int(word) for line in shown for word in line.split()]
        except ValueError:
            numbers = []
        if not numbers or numbers[-1] != 0 or not problem.satisfied_by(numbers[:-1]):
            return self._said(Verdict.CRASHED, "its model does not satisfy the clauses", "SATISFIABLE")
        model = " ".join(map(str, numbers))
        small = len(model) <= _SMALL_PROOF_BYTES
        return self._said(Verdict.REFUTED, "the model was evaluated", "SATISFIABLE", model if small else None)

    def _said(self, verdict: Verdict, detail: str, raw: str = "", proof: str | None = None) -> Check:
        return Check(
            verdict=verdict,
            trust=Trust.L0,
            prover=self.name,
            prover_version=self.version(),
            detail=detail,
            raw=raw,
            proof=proof,
        )
