"""The command line of the stand-ins: which protocol, and what is to go wrong."""

from __future__ import annotations

import os
import sys

from .faults import FAULTS, Plan
from .wire import Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .prover import Prover

# A protocol with its module and class here; each is loaded only when it is spoken.
PROTOCOLS = {
    "lines": ("lines", "Lines"),
    "content-length": ("content_length", "ContentLength"),
    "repl": ("repl", "Repl"),
    "s-expressions": ("s_expressions", "SExpressions"),
    "xml": ("xml_elements", "XmlElements"),
    "one-shot": ("one_shot", "OneShot"),
    "vampire": ("one_shot", "Vampire"),
    "smt": ("smt", "Smt"),
    "isabelle": ("isabelle", "Isabelle"),
    "metamath": ("metamath", "Metamath"),
}


def main(arguments: list[str]) -> int:
    """Runs a stand-in until it is told to end; returns its exit code, or 64 for a command line that is wrong."""
    protocol, *rest = arguments or ["--help"]
    if protocol not in PROTOCOLS:
        os.write(2, _usage().encode())
        return 0 if protocol == "--help" else 64
    faults: list[str] = []
    while rest and rest[0].startswith("--fault="):
        faults.append(rest.pop(0).partition("=")[2])
    try:
        plan = Plan(faults)
    except ValueError as error:
        os.write(2, f"{error}\n".encode())
        return 64
    prover = _prover(protocol)(Wire(0, 1), plan, rest)
    prover.obey_signals()
    return prover.serve()


def _prover(protocol: str) -> type[Prover]:
    module, name = PROTOCOLS[protocol]
    prover: type[Prover] = getattr(__import__(f"{__package__}.{module}", fromlist=[name]), name)
    return prover


def _usage() -> str:
    lines = ["usage: python -m porism.testing PROTOCOL [--fault=NAME[=VALUE][@REQUEST] ...] [ARGUMENT ...]", ""]
    lines += ["protocols: " + ", ".join(PROTOCOLS), "", "faults, with the values that they have if none is given:"]
    lines += [f"  {f'{name}={value:.10g}':<16} {what}" for name, (value, what) in FAULTS.items()]
    return "\n".join(lines) + "\n"


def run() -> None:
    """Runs with the arguments of the process."""
    sys.exit(main(sys.argv[1:]))
