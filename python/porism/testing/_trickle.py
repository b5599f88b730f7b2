"""Runs a program, and hands on what it prints one byte at a time; its input and its end are its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def main(command: list[str]) -> int:
    """Runs a command; returns its exit code, or ends by its signal."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        # SIGINT goes to the whole group; what it means is for the program to say.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert child.stdout
        while more := os.read(child.stdout.fileno(), 4096):
            for at in range(len(more)):
                os.write(1, more[at : at + 1])
    if child.returncode < 0:
        signal.signal(-child.returncode, signal.SIG_DFL)
        os.kill(os.getpid(), -child.returncode)
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
