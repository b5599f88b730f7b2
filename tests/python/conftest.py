"""What several tests of the command line and the loop need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, if this machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk))
    yield disk
    subprocess.run(["umount", str(disk)], check=True, timeout=30)


@pytest.fixture
def read_only(small_disk: Path) -> Callable[[], None]:
    """Makes the small disk read-only."""
    return lambda: mount("-o", "remount,ro", str(small_disk))


def mount(*arguments: str) -> None:
    try:
        subprocess.run(["mount", *arguments], check=True, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"mount was refused: {error.stderr.strip()}")
