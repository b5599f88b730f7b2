"""Which setting a contestant runs at: the fastest of its own that finds as much as is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# What is asked for, of the true 10 nearest.
LEVELS = (0.95, 0.99)

# A variant takes part in the rounds when the sweep saw it at most so much slower than the fastest of its kind: a sweep
# is one pass, and the rounds decide between those that it cannot tell apart.
CLOSE = 1.35


@dataclass(frozen=True)
class Seen:
    """What a sweep saw at one setting.

    Attributes:
        recall: The share of the true nearest that was found.
        p50_us: The median microseconds of a query.
        queries: How many were asked; a slow one has not the time for all.
    """

    recall: float
    p50_us: float
    queries: int


def narrowest(settings: Sequence[float], recall_at: Callable[[float], float], level: float) -> float | None:
    """The first of the settings, which go from narrow to wide, that reaches a recall; None if the widest does not.

    Recall is taken to grow with the setting, so that a few are looked at and not all.
    """
    low, high = 0, len(settings)
    while low < high:
        middle = (low + high) // 2
        if recall_at(settings[middle]) >= level:
            high = middle
        else:
            low = middle + 1
    return settings[low] if low < len(settings) else None


def reaching(seen: Mapping[float, Seen], level: float) -> float | None:
    """Of the settings that were looked at, the narrowest that reaches a recall: the fastest, but for noise."""
    return min((setting for setting, one in seen.items() if one.recall >= level), default=None)


def finalists(
    seen: Mapping[str, Mapping[float, Seen]], peers: Mapping[str, str], level: float
) -> dict[str, tuple[str, float]]:
    """Who runs in the rounds of one recall: the fastest variant of each peer, and those close to it.

    Args:
        seen: Of each variant, what the sweep saw.
        peers: Of each variant, what it is one of.
        level: The recall.

    Returns:
        Of each variant that runs, its peer and its setting.
    """
    chosen = {name: setting for name, settings in seen.items() if (setting := reaching(settings, level)) is not None}
    best: dict[str, float] = {}
    for name, setting in chosen.items():
        took = seen[name][setting].p50_us
        best[peers[name]] = min(took, best.get(peers[name], took))
    return {
        name: (peers[name], setting)
        for name, setting in chosen.items()
        if seen[name][setting].p50_us <= CLOSE * best[peers[name]]
    }
