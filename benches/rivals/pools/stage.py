"""What the pools find in place of Lean: a ``lake`` that runs what it is given, and a REPL that is the stand-in."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from porism.testing import StandIn

if TYPE_CHECKING:
    from pathlib import Path

LAKE = """#!/bin/sh
[ "$1" = env ] || { echo "Lake version 5.0.0 (a stand-in)"; exit 0; }
shift
exec "$@"
"""


def build(folder: Path) -> Path:
    """Fills a folder: ``bin/lake``, and a built copy of the REPL in ``repl``, where its makers look for it."""
    _program(folder / "bin" / "lake", LAKE)
    _program(
        folder / "repl" / ".lake" / "build" / "bin" / "repl", f"#!/bin/sh\nexec {shlex.join(StandIn('repl').command)}\n"
    )
    (folder / "repl" / "lean-toolchain").write_text("leanprover/lean4:v4.26.0\n", encoding="utf-8")
    return folder


def repl(stage: Path) -> Path:
    """The REPL's program."""
    return stage / "repl" / ".lake" / "build" / "bin" / "repl"


def _program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
