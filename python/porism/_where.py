"""Conditions on records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from porism._errors import InputError
from porism._types import Kind, Status

if TYPE_CHECKING:
    from collections.abc import Iterable


class Conditions(TypedDict):
    """The conditions as the core takes them."""

    kinds: list[str]
    statuses: list[str]
    name: str | None
    source: str | None
    namespace: str | None
    since_ms: int | None
    before_ms: int | None
    ids: list[int] | None
    at: int | None
    dead: bool


@dataclass(frozen=True, slots=True)
class Where:
    """Conditions on records, all of which have to hold; made by ``where``."""

    conditions: Conditions


def where(
    *,
    kind: Kind | str | Iterable[Kind | str] = (),
    status: Status | str | Iterable[Status | str] = (),
    name: str | None = None,
    source: str | None = None,
    namespace: str | None = None,
    since: datetime | int | None = None,
    before: datetime | int | None = None,
    ids: Iterable[int] | None = None,
    dead: bool = False,
) -> Where:
    """Conditions on records; one that is not given holds for all.

    Args:
        kind: One kind, or several.
        status: One status, or several, or ``">=checked"``: that one and everything better.
        name: The name.
        source: Where it comes from.
        namespace: Which part of the memory it belongs to.
        since: First inserted then or later; a datetime with its zone, or Unix milliseconds.
        before: First inserted before.
        ids: One of these numbers.
        dead: Let the forgotten through too.

    Raises:
        InputError: a word is none of those, or a datetime has no zone.
    """
    kinds = [kind] if isinstance(kind, str) else list(kind)
    return Where(
        Conditions(
            kinds=[_word(Kind, "kind", one) for one in kinds],
            statuses=_statuses(status),
            name=name,
            source=source,
            namespace=namespace,
            since_ms=_milliseconds(since),
            before_ms=_milliseconds(before),
            ids=None if ids is None else [int(number) for number in ids],
            at=None,
            dead=dead,
        )
    )


def conditions(where_: Where | None, at: int | None) -> Conditions:
    """The conditions as the core takes them, at a generation.

    Raises:
        InputError: they are none.
    """
    if where_ is None:
        where_ = where()
    if not isinstance(where_, Where):
        raise InputError(f"where={where_!r}: expected what porism.where(...) returns")
    return {**where_.conditions, "at": at}


def _statuses(status: Status | str | Iterable[Status | str]) -> list[str]:
    if not isinstance(status, str):
        return [_word(Status, "status", one) for one in status]
    if status.startswith(">="):
        order = list(Status)
        return [str(one) for one in order[order.index(Status(_word(Status, "status", status[2:]))) :]]
    return [_word(Status, "status", status)]


def _word(kind: type[Kind] | type[Status], what: str, word: str) -> str:
    try:
        return str(kind(word))
    except ValueError:
        raise InputError(f"unknown {what} {word!r}: expected one of {', '.join(kind)}") from None


def _milliseconds(moment: datetime | int | None) -> int | None:
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise InputError(f"{moment!r} has no time zone: nobody knows which moment it is")
    return int(moment.timestamp() * 1000)
