"""Confinement of programs that run what strangers wrote: what to ask for, and what this machine grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from porism import _core
from porism._errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

Guarantee = Literal["privileges", "files", "network", "outside", "calls", "together", "processes", "memory"]

_NETWORKS = ("none", "private", "host")
_GUARANTEES = ("privileges", "files", "network", "outside", "calls", "together", "processes", "memory")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What a confined program may do.

    Beyond the listed paths it may read and run what stands in the system's folders, such as ``/usr`` and ``/lib`` but
    not ``/etc`` or ``/home``, and nothing else.

    Attributes:
        read: Files and folders that it may read, run and not change: its toolchain, the project.
        write: Files and folders that it may read and change. It may not run what lies there.
        scratch: Whether it gets a folder of its own, named in ``TMPDIR``, which goes with it.
        network: ``"none"``; ``"private"``, a loopback device of its own; or ``"host"``, whatever the host reaches.
        processes: How many processes and threads it and its descendants may be at a time.
        memory_bytes: How much memory they may use, all together.
        demand: What has to hold for it to be started. ``None`` starts it with whatever the kernel grants.

    Raises:
        InputError: A word or a number is none of those.
    """

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()
    scratch: bool = False
    network: Literal["none", "private", "host"] = "none"
    processes: int | None = None
    memory_bytes: int | None = None
    demand: tuple[Guarantee, ...] | None = ("privileges", "files", "network", "calls", "together")

    def __post_init__(self) -> None:
        if self.network not in _NETWORKS:
            raise InputError(f"network={self.network!r} is none of {', '.join(_NETWORKS)}")
        for guarantee in self.demand or ():
            if guarantee not in _GUARANTEES:
                raise InputError(f"demand={guarantee!r} is none of {', '.join(_GUARANTEES)}")
        for name, limit in (("processes", self.processes), ("memory_bytes", self.memory_bytes)):
            if limit is not None and limit < 1:
                raise InputError(f"{name}={limit} must be at least 1")


@dataclass(frozen=True, slots=True)
class SandboxEntry:
    """One mechanism or one guarantee.

    Attributes:
        name: What the documentation calls it.
        in_force: Whether this machine grants it.
        detail: Version and extent if so, and why not otherwise.
    """

    name: str
    in_force: bool
    detail: str


@dataclass(frozen=True, slots=True)
class SandboxReport:
    """What a sandbox can hold on this machine, for this user.

    Attributes:
        mechanisms: What the kernel grants, one entry each.
        guarantees: What follows from it, one entry each. The last two need a number in the `Sandbox` as well.
    """

    mechanisms: tuple[SandboxEntry, ...]
    guarantees: tuple[SandboxEntry, ...]

    def holds(self, guarantee: Guarantee) -> bool:
        """Whether that can be guaranteed."""
        return any(entry.name == guarantee and entry.in_force for entry in self.guarantees)


def sandbox_report() -> SandboxReport:
    """Tries, in short-lived children and once a process, what this machine grants."""
    mechanisms, guarantees = _core.sandbox_report()
    return SandboxReport(
        tuple(SandboxEntry(*fields) for fields in mechanisms), tuple(SandboxEntry(*fields) for fields in guarantees)
    )
