"""For tests of what talks to provers: programs that stand in for them, and go wrong when they are told to.

The stand-ins speak the protocols of real provers byte for byte, and what they answer follows from the text that they
were asked, so that a test can tell the answer to another question. ``docs/testing.md`` describes them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from porism._errors import InputError
from porism.testing.standins.faults import FAULTS, parse
from porism.testing.standins.program import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FAULTS", "FRAMINGS", "PROTOCOLS", "StandIn"]

# How answers are told apart in each protocol.
FRAMINGS = {
    "lines": "lines",
    "content-length": "content-length",
    "repl": "blank-line",
    "s-expressions": "s-expression",
    "xml": "xml-element",
    "one-shot": "end-of-file",
    "vampire": "end-of-file",
    "smt": "marker",
    "isabelle": "byte-count",
    "metamath": "prompt",
}


class StandIn:
    """How to start a stand-in. It is data: nothing runs until somebody starts ``program`` with ``args``.

    Attributes:
        protocol: One of ``PROTOCOLS``.
        faults: What goes wrong, whatever is asked.
        program: The program to start: this Python.
        args: Its arguments.
        framing: How the end of an answer is told: one of the values of ``FRAMINGS``.
    """

    __slots__ = ("args", "faults", "framing", "program", "protocol")

    def __init__(self, protocol: str, *arguments: str, faults: Iterable[str] = ()) -> None:
        """Describes a stand-in.

        Args:
            protocol: One of ``PROTOCOLS``.
            arguments: What the prover gets on its command line: the problem (``one-shot``), first commands
                (``metamath``), the password (``isabelle``).
            faults: ``NAME``, ``NAME=VALUE`` for every request, or ``NAME=VALUE@NUMBER`` for one, counted from 1.
                ``FAULTS`` lists them. A candidate may ask for more by itself: ``fault:NAME=VALUE`` anywhere in it.

        Raises:
            InputError: there is no such protocol or fault.
        """
        if protocol not in PROTOCOLS:
            raise InputError(f"protocol {protocol!r}: there is {', '.join(PROTOCOLS)}")
        self.faults = tuple(faults)
        try:
            for fault in self.faults:
                parse(fault)
        except ValueError as error:
            raise InputError(str(error)) from None
        self.protocol = protocol
        self.framing = FRAMINGS[protocol]
        self.program = sys.executable
        # Neither site-packages nor the environment: it starts in a third of the time, and the same for everybody.
        folder = str(Path(__file__).with_name("standins"))
        self.args = ("-S", "-E", folder, protocol, *(f"--fault={fault}" for fault in self.faults), *arguments)

    @property
    def command(self) -> list[str]:
        """The program and its arguments, as ``subprocess`` takes them."""
        return [self.program, *self.args]

    def __repr__(self) -> str:
        return f"StandIn({self.protocol!r}, faults={self.faults!r})"
