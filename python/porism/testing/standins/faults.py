"""How a stand-in goes wrong when it is asked to: by a marker in a candidate, or by a flag for all requests or for one.

``fault:slow=0.2`` in a candidate is for that candidate, the flag ``slow=0.2`` for every request, ``slow=0.2@3`` for the
third.
"""

from __future__ import annotations

import re

# Each fault with the value that it has when none is given, and what it does.
FAULTS: dict[str, tuple[float, str]] = {
    "slow": (0.5, "answers after so many seconds"),
    "hang": (3600, "does not answer for so many seconds, but heeds signals as the prover does"),
    "deaf": (3600, "the same, and ignores SIGINT and SIGTERM"),
    "chatty": (100, "sends so many pieces of progress before the answer"),
    "stderr": (1 << 20, "writes so many bytes to stderr before the answer"),
    "huge": (1 << 20, "puts a word of so many bytes into the answer"),
    "trickle": (1, "writes the answer in pieces of so many bytes"),
    "garbage": (64, "writes so many bytes that are no answer in its place"),
    "half": (0.5, "writes this part of the answer and exits"),
    "exit": (1, "exits with this code in place of the answer"),
    "signal": (9, "dies by this signal in place of the answer"),
    "last": (0, "exits with this code after the answer"),
    "close": (3600, "closes its output in place of the answer, and lives on for so many seconds"),
    "memory": (64, "takes so many megabytes before it answers, and gives them back"),
    "leak": (16, "takes so many megabytes before it answers, and keeps them"),
    "lie": (0, "claims that all is proved, whatever it is"),
    "deny": (0, "claims that nothing is proved"),
    "other": (0, "claims to have proved another statement under another name; with 1, under the same"),
    "stale": (0, "repeats the answer to the request before"),
    "twice": (0, "answers twice"),
    "fork": (60, "leaves a child behind that holds its pipes for so many seconds"),
    "escape": (60, "the same in a session of its own, out of reach of a signal to the group"),
}

_MARKER = re.compile(r"\bfault:([a-z]+)(?:=(\d+(?:\.\d+)?))?")
_FLAG = re.compile(r"([a-z]+)(?:=(\d+(?:\.\d+)?))?(?:@(\d+))?")


class Plan:
    """Which faults come with which request."""

    def __init__(self, flags: list[str]) -> None:
        """Reads flags.

        Raises:
            ValueError: a flag is none.
        """
        self._always: dict[str, float] = {}
        self._once: dict[int, dict[str, float]] = {}
        for flag in flags:
            name, value, number = parse(flag)
            (self._once.setdefault(number, {}) if number else self._always)[name] = value

    def of(self, text: str, number: int) -> dict[str, float]:
        """The faults of the request with this number, from 1, and this text; markers in it go before flags."""
        faults = self._always | self._once.get(number, {})
        for name, value in _MARKER.findall(text):
            if name in FAULTS:
                faults[name] = float(value) if value else FAULTS[name][0]
        return faults


def parse(flag: str) -> tuple[str, float, int]:
    """Takes ``name=value@number`` apart; the number is 0 when there is none.

    Raises:
        ValueError: it is no such flag, or there is no such fault.
    """
    found = _FLAG.fullmatch(flag)
    if not found or found[1] not in FAULTS:
        known = ", ".join(FAULTS)
        raise ValueError(f"{flag!r} is no fault; write NAME, NAME=VALUE or NAME=VALUE@REQUEST with one of {known}")
    name, value, number = found.groups()
    return name, float(value) if value else FAULTS[name][0], int(number or 0)
