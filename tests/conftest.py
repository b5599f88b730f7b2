"""What tests of several kinds need."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Who starts the tests in the background of a shell has them ignore Ctrl-C, and every child of theirs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
