"""Pools of Lean REPLs that are compared: one file each, loaded only in the process that runs it.

Each drives the same stand-in for the REPL (``porism.testing``), which answers at once: what is timed is the pool.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

# What a contestant is called, its module here, and its class.
CONTESTANTS = {
    "porism": ("porism_pool", "PorismPool"),
    "porism, queue alone": ("porism_queue", "PorismQueue"),
    "LeanInteract async": ("lean_interact_pool", "AsyncPool"),
    "LeanInteract async, 256 threads": ("lean_interact_pool", "RoomyPool"),
    "LeanInteract threads": ("lean_interact_pool", "ThreadedPool"),
    "Kimina server": ("kimina_server", "OverHttp"),
    "Kimina in process": ("kimina_server", "InProcess"),
}

HEADER = "import Mathlib"


class Answer(NamedTuple):
    """What a pool says of a candidate: whether Lean took it, and the word that it was asked to repeat."""

    accepted: bool
    echo: str


class Contestant(Protocol):
    """A pool with its workers started and the header imported by each of them."""

    async def open(self, stage: Path, workers: int) -> None:
        """Starts so many workers; ``stage`` is a folder with what stands in for Lean (``stage.py``)."""

    async def check(self, body: str) -> Answer:
        """Checks one candidate."""

    async def batch(self, bodies: list[str]) -> list[Answer]:
        """Checks many in the way that the pool is best at; the answers in the order of the candidates."""

    async def close(self) -> None:
        """Ends the workers."""


def load(name: str) -> Contestant:
    """The contestant of this name."""
    module, kind = CONTESTANTS[name]
    contestant: Contestant = getattr(importlib.import_module(f"rivals.pools.{module}"), kind)()
    return contestant


def understood(response: dict[str, Any]) -> Answer:
    """Reads an answer of the REPL."""
    messages = response.get("messages") or ()
    echoes = [one["data"] for one in messages if one["severity"] == "info"]
    wrong = any(one["severity"] == "error" for one in messages) or "message" in response
    return Answer(not wrong, echoes[-1] if echoes else "")
