"""What several tests of the command line and the loop need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of problems that the repository shows to its readers."""
    return Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="session")
def cli() -> Cli:
    """Runs the command in a process of its own, and returns what it printed and how it ended."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "porism", *map(str, arguments)],
            capture_output=True,
            check=False,
            encoding="utf-8",
            env={**os.environ, **environment},
            timeout=240,
        )

    return run


@pytest.fixture(scope="session")
def complaint(cli: Cli) -> Callable[..., str]:
    """Runs the command on what it cannot use, and returns the one line that it says about it."""

    def run(*arguments: object, **environment: str) -> str:
        result = cli(*arguments, **environment)
        assert result.returncode == 2, result.stderr[-2000:]
        assert result.stderr.startswith("porism: "), result.stderr[-2000:]
        assert result.stderr.count("\n") == 1, result.stderr[-2000:]
        assert result.stdout == ""
        return result.stderr

    return run
