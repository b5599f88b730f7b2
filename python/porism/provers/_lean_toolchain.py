"""Where Lean is, what it finds there, and how it is run: confined, and without the caller's secrets."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from porism import _core
from porism._errors import ProverError, ProverMissingError
from porism.provers import _child

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from porism._core import Session
    from porism._sandbox import Sandbox

INSTALL: Final = "curl https://elan.lean-lang.org/elan-init.sh -sSf | sh"

# What of the caller's environment is handed on; candidates can read it.
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LEAN_PATH", "LEAN_SYSROOT")

# What "lake env" sets that Lean needs.
_FROM_LAKE: Final = ("PATH", "LEAN_PATH", "LEAN_SYSROOT", "LD_LIBRARY_PATH")

_LONGEST_S: Final = 600.0


class Toolchain:
    """One Lean with its libraries.

    Args:
        lean: The program, if not the one on the path.
        project: The folder of a built Lake project whose libraries are found.
        libraries: Further folders of compiled libraries.
        read: What else it has to read, such as where an unusual installation keeps its parts.
        sandbox: How it is confined; the toolchain and the libraries are added to what may be read.
        memory_mb: Mebibytes that Lean allows itself.
        threads: How many threads it starts.
    """

    def __init__(
        self,
        lean: str | os.PathLike[str] | None,
        project: str | os.PathLike[str] | None,
        libraries: Iterable[str | os.PathLike[str]],
        read: Iterable[str | os.PathLike[str]],
        sandbox: Sandbox | None,
        memory_mb: int,
        threads: int,
    ) -> None:
        self._explicit = None if lean is None else Path(lean)
        self._project = None if project is None else Path(project).resolve()
        self._libraries = tuple(Path(path).resolve() for path in libraries)
        self._read = tuple(Path(path).resolve() for path in read)
        self._sandbox = sandbox
        self.memory_mb = memory_mb
        self.threads = threads

    def find(self) -> Path:
        """Where the program is."""
        return _child.locate("Lean", self._explicit, programs=("lean",), how=INSTALL)

    def version(self) -> str:
        """What it says of itself, such as ``"Lean (version 4.35.0, ...)"``."""
        return _child.first_line(self.program(), "--version")

    def build(self) -> str:
        """The version, and what the project's libraries are."""
        if self._project is None:
            return self.version()
        digest = hashlib.blake2b(digest_size=16)
        for name in ("lean-toolchain", "lake-manifest.json"):
            path = self._project / name
            digest.update(path.read_bytes() if path.is_file() else b"")
        return f"{self.version()} {digest.hexdigest()}"

    def program(self) -> Path:
        """The program itself: what is on the path may be elan, which looks for one and may fetch it."""
        inside = self.prefix() / "bin" / "lean"
        return inside if os.access(inside, os.X_OK) else self.find()

    def prefix(self) -> Path:
        """The folder of the toolchain."""
        return _prefix(self.find(), self._project)

    def tool(self, *names: str) -> Path | None:
        """Another program of the toolchain, or on the path."""
        places = os.pathsep.join((str(self.prefix() / "bin"), os.environ.get("PATH", os.defpath)))
        found = (shutil.which(name, path=places) for name in names)
        return next((Path(path) for path in found if path), None)

    def environment(self, *folders: Path) -> dict[str, str | None]:
        """The variables of a process that finds the libraries, and those in ``folders``; ``None`` takes one away."""
        env: dict[str, str | None] = {name: None for name in os.environ if name not in _KEPT}
        env |= self._of_project()
        inherited = env.get("LEAN_PATH", os.environ.get("LEAN_PATH")) or ""
        paths = [*map(str, folders), *map(str, self._libraries), *filter(None, inherited.split(os.pathsep))]
        if paths:
            env["LEAN_PATH"] = os.pathsep.join(paths)
        return env | {"LEAN_NUM_THREADS": str(self.threads)}

    def confinement(self, *, read: Sequence[Path] = (), write: Sequence[Path] = ()) -> Sandbox | None:
        """The sandbox, with what Lean needs."""
        if self._sandbox is None:
            return None
        libraries = (Path(path) for path in (self.environment().get("LEAN_PATH") or "").split(os.pathsep) if path)
        needed = [self.prefix(), *filter(None, [self._project]), *self._read, *libraries, *read]
        exist = tuple(dict.fromkeys(path.resolve() for path in needed if path.exists()))
        return replace(
            self._sandbox, read=(*self._sandbox.read, *exist), write=(*self._sandbox.write, *write), scratch=True
        )

    def run(
        self, program: Path, args: Sequence[str], session: Session, folder: Path, write: Path
    ) -> _core.ProcessOutcome:
        """Runs one of its programs in ``folder``; it may change ``write``, and finds what is compiled there."""
        left_s = session.time_left_s
        return _core.run_process(
            program,
            tuple(args),
            wall_s=_LONGEST_S if left_s is None else left_s,
            cancel=session.cancel,
            env=self.environment(write),
            dir=folder,
            sandbox=self.confinement(read=(folder,), write=(write,)),
        )

    def _of_project(self) -> Mapping[str, str]:
        if self._project is None:
            return {}
        lake = shutil.which("lake")
        if lake is None:
            raise ProverMissingError(f"Lake is not installed; get it with: {INSTALL}")
        return _lake_env(Path(lake), self._project)


@lru_cache(maxsize=32)
def _prefix(lean: Path, project: Path | None) -> Path:
    outcome = _core.run_process(lean, ("--print-prefix",), wall_s=60.0, max_output_bytes=_child.MIB, dir=project)
    said = outcome.stdout.decode(errors="replace").strip()
    if outcome.ending != "exited" or outcome.code != 0 or not said:
        raise ProverError(f"{lean}: {_child.how_it_ended(outcome)}")
    return Path(said)


@lru_cache(maxsize=32)
def _lake_env(lake: Path, project: Path) -> Mapping[str, str]:
    """What Lake sets for programs that use the project; it is asked once."""
    outcome = _core.run_process(lake, ("env",), wall_s=120.0, max_output_bytes=_child.MIB, dir=project)
    if outcome.ending != "exited" or outcome.code != 0:
        raise ProverError(f"{lake} env: {_child.how_it_ended(outcome)}")
    lines = (line.partition("=") for line in outcome.stdout.decode(errors="replace").splitlines())
    return {name: value for name, _, value in lines if name in _FROM_LAKE and value}
