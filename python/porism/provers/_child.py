"""Finding and running prover programs: what all codecs share."""

from __future__ import annotations

import shutil
import signal
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from porism import _core
from porism._errors import ProverError, ProverMissingError
from porism._types import Verdict
from porism.provers._claim import Claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from porism._sandbox import Sandbox
    from porism.provers._claim import Prover
    from porism.provers._driver import Driver

INSTALL_COMMAND = 'pip install "porism[provers]"'

MIB = 1 << 20

#: For what has no end of its own: the pool ends it when nobody wants the answer any more.
FOREVER_S = 1e6


def locate(
    name: str, explicit: Path | None, *, wheel: str | None = None, programs: Iterable[str], how: str = INSTALL_COMMAND
) -> Path:
    """The program to run: the one that was asked for, the one in the wheel, or the one on the path, in this order.

    Raises:
        ProverMissingError: There is none.
    """
    if explicit is not None:
        if found := shutil.which(explicit):
            return Path(found)
        raise ProverMissingError(f"{name}: {explicit} is not an executable file")
    programs = tuple(programs)
    for path in (*(_in_wheel(wheel, programs) if wheel else ()), *map(shutil.which, programs)):
        if path is not None and (found := shutil.which(path)):
            return Path(found)
    raise missing(name, how)


def missing(name: str, how: str = INSTALL_COMMAND) -> ProverMissingError:
    """The error that says how to get a prover."""
    return ProverMissingError(f"{name} is not installed; get it with: {how}")


def is_installed(prover: Prover | Driver) -> bool:
    """Whether the program is found."""
    try:
        prover.find()
    except ProverMissingError:
        return False
    return True


@lru_cache(maxsize=32)
def _in_wheel(wheel: str, programs: tuple[str, ...]) -> tuple[Path, ...]:
    """The programs that an installed wheel brought, wherever its installation scheme put them."""
    try:
        files = metadata.files(wheel) or ()
    except metadata.PackageNotFoundError:
        return ()
    return tuple(Path(str(file.locate())).resolve() for file in files if file.name in programs)


@lru_cache(maxsize=32)
def first_line(program: Path, *args: str) -> str:
    """The first line that a program prints, such as its version; it is asked once.

    Raises:
        ProverError: It prints nothing, or fails.
    """
    outcome = _core.run_process(program, args, wall_s=10.0, max_output_bytes=MIB)
    lines = outcome.stdout.decode(errors="replace").splitlines()
    if outcome.ending != "exited" or outcome.code != 0 or not lines:
        raise ProverError(f"{program}: {how_it_ended(outcome)}")
    return lines[0].strip()


def how_it_ended(outcome: _core.ProcessOutcome) -> str:
    """One line for people: the ending and the last thing that it complained about."""
    ending = outcome.ending if outcome.code is None else f"{outcome.ending} with {outcome.code}"
    complaint = outcome.stderr.decode(errors="replace").strip().rpartition("\n")[2][:500]
    return f"{ending}: {complaint}" if complaint else ending


def unanswered(outcome: _core.ProcessOutcome) -> Claim | None:
    """The claim of a run that did not end by itself, or ``None`` if it did and its output can be read."""
    match outcome.ending, outcome.code:
        case "exited", _:
            return None
        case ("timed_out", _) | ("signalled", signal.SIGXCPU):
            verdict = Verdict.TIMEOUT
        case "cancelled", _:
            verdict = Verdict.CANCELLED
        case _:
            verdict = Verdict.CRASHED
    return Claim("", verdict, seconds=outcome.wall_s, detail=how_it_ended(outcome))


def run(
    program: Path,
    args: Iterable[str],
    stdin: str,
    *,
    wall_s: float,
    cpu_s: int | None = None,
    memory_mb: int | None = None,
    max_output_bytes: int = 64 * MIB,
    dir: Path | None = None,  # noqa: A002 - the word of the process runner
    sandbox: Sandbox | None = None,
    cancel: _core.Cancel | None = None,
) -> _core.ProcessOutcome:
    """Runs a prover on one problem."""
    return _core.run_process(
        program,
        tuple(args),
        stdin=stdin.encode(),
        wall_s=wall_s,
        cpu_s=cpu_s,
        memory_bytes=None if memory_mb is None else memory_mb * MIB,
        max_output_bytes=max_output_bytes,
        dir=dir,
        sandbox=sandbox,
        cancel=cancel,
    )
