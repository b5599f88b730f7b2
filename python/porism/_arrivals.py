"""How answers come back: to an event loop through one descriptor, to a batch in the order of completion."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import count, islice
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from porism import _core
from porism._errors import CancelledError, ClosedError, OverloadedError, QueueError, WorkerError
from porism._queue_types import Completed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")

Message = tuple[int, int, Any]
#: Priority, tenant, and how many seconds an answer may take that is asked for now.
Options = tuple[int, str | None, "Callable[[], float | None]"]


class AsyncTicket(asyncio.Future[R]):
    """A request that was submitted from an event loop: await it for the answer. To cancel it cancels the work."""

    _handle: _core.Handle

    def cancel(self, msg: Any | None = None) -> bool:
        """Gives up, unless there is an answer. Work that nobody else wants does not begin, or is told to stop."""
        cancelled = super().cancel(msg)
        if cancelled:
            self._handle.cancel()
        return cancelled

    def _arrived(self, message: Message) -> None:
        _, kind, value = message
        if self.done():
            return
        if kind == _core.VALUE:
            self.set_result(value)
        elif kind == _core.CANCELLED:
            super().cancel()
        else:
            self._fail(value)

    def _fail(self, error: BaseException) -> None:
        try:
            self.set_exception(error)
        except TypeError:  # asyncio has a use of its own for StopIteration
            self.set_exception(WorkerError(f"the worker raised {error!r}"))


class Target(Protocol):
    """Something that waits for messages."""

    def _arrived(self, message: Message) -> None: ...


class Arrivals:
    """The messages for one event loop. The loop watches one descriptor, and is woken once for many of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.port = _core.Port(descriptor=True)
        self.waiting: dict[int, Target] = {}
        self.tokens = count()
        loop.add_reader(self.port.fileno(), self.drain)

    def drain(self) -> None:
        """Hands out what has arrived."""
        pop = self.waiting.pop
        for message in self.port.take():
            target = pop(message[0], None)
            if target is not None:
                target._arrived(message)

    def expect(self, target: Target, number: int = 1) -> int:
        """Takes that many tokens in a row for ``target``: the first of them."""
        first = next(self.tokens)
        self.waiting[first] = target
        for _ in range(number - 1):
            self.waiting[next(self.tokens)] = target
        return first

    def expect_each(self, targets: Sequence[Target]) -> int:
        """Takes tokens in a row, one for each of ``targets``: the first of them."""
        first = next(self.tokens)
        self.waiting[first] = targets[0]
        self.waiting.update(zip(self.tokens, targets[1:], strict=False))
        return first

    def forget(self, first: int, number: int) -> None:
        """Nothing will come for those tokens."""
        for token in range(first, first + number):
            del self.waiting[token]

    def retire(self) -> None:
        """Hands out the last messages, and lets go of the loop."""
        self.drain()
        self.loop.remove_reader(self.port.fileno())


class Arrival(asyncio.Future[Any]):
    """One message that is awaited: its content."""

    def _arrived(self, message: Message) -> None:
        _, kind, value = message
        if self.done():
            if kind == _core.PLACE:
                value.release()
        elif kind == _core.CLOSED:
            self.set_exception(ClosedError("the queue was closed while the request waited for a place"))
        else:
            self.set_result(value)

    def give_back(self) -> None:
        """Nobody waits any more: a place that has come goes to the next in line."""
        if self.done() and not self.cancelled() and self.exception() is None:
            self.result().release()


class Stream:
    """Messages that are awaited many at a time."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.arrivals = arrivals
        self._messages: list[Message] = []
        self._closed = False
        self._wake: asyncio.Future[None] | None = None

    def _arrived(self, message: Message) -> None:
        if self._closed:
            return
        self._messages.append(message)
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def expect(self, number: int) -> int:
        """Takes that many tokens in a row: the first of them."""
        return self.arrivals.expect(self, number)

    def close(self) -> None:
        """Nobody takes any more; a place that has come is free again."""
        self._closed = True
        self._messages.clear()

    async def take(self) -> list[Message]:
        """What has arrived since the last call, after waiting for the first."""
        while not self._messages:
            self._wake = self.arrivals.loop.create_future()
            try:
                await self._wake
            finally:
                self._wake = None
        messages, self._messages = self._messages, []
        return messages


class Feed(Generic[T, R]):
    """A batch on its way through a queue: which items are under way, and which is next. Does not wait by itself."""

    def __init__(
        self,
        core: _core.Queue,
        port: _core.Port,
        expect: Callable[[int], int],
        items: Iterable[T],
        *,
        key: Callable[[T], str | bytes | None] | None,
        options: Options,
        ahead: int,
    ) -> None:
        self._core = core
        self.port = port
        self._expect = expect
        self._items: Iterator[tuple[int, T]] = enumerate(items)
        self._key = key
        self._options = options
        self._ahead = ahead
        self._more = True
        # Items that found the queue full, in order.
        self._held: deque[tuple[int, T]] = deque()
        self._asked_for_place = False
        self._under_way: dict[int, tuple[int, T, _core.Handle]] = {}

    @property
    def ended(self) -> bool:
        """Whether every item has ended."""
        return not (self._more or self._held or self._under_way)

    def fill(self) -> Iterator[Completed[T, R]]:
        """Submits what may be under way by now; yields the items that are refused for good."""
        while not self._asked_for_place and (room := self._ahead - len(self._under_way)) > 0:
            batch = [self._held.popleft() for _ in range(min(room, len(self._held)))]
            batch += islice(self._items, room - len(batch))
            if not batch:
                self._more = False
                return
            yield from self._submit(batch)
            if self._held:
                self._asked_for_place = True
                self._core.ask_for_place(self.port, self._expect(1))

    def _submit(self, batch: list[tuple[int, T]]) -> Iterator[Completed[T, R]]:
        keys = [self._key(item) for _, item in batch] if self._key else None
        first = self._expect(len(batch))
        priority, tenant, deadline_s = self._options
        items = [item for _, item in batch]
        done = self._core.submit_many_to(self.port, first, items, keys, priority, tenant, deadline_s())
        full, refused = [], []
        for token, ((position, item), outcome) in enumerate(zip(batch, done, strict=True), first):
            if isinstance(outcome, _core.Handle):
                self._under_way[token] = (position, item, outcome)
            elif isinstance(outcome, OverloadedError) and outcome.full:
                full.append((position, item))
            else:
                refused.append(Completed[T, R](position, item, None, outcome))
        self._held.extendleft(reversed(full))
        yield from refused

    def arrived(self, message: Message) -> Completed[T, R] | None:
        """The item that ended with this message, if one did."""
        token, kind, value = message
        if kind == _core.CLOSED:
            # Submitted again, the items that are held are refused for that reason.
            self._asked_for_place = False
            return None
        if kind == _core.PLACE:
            self._asked_for_place = False
            return self._take_place(value)
        position, item, _ = self._under_way.pop(token)
        if kind == _core.CANCELLED:
            value = CancelledError("the request was cancelled")
        return Completed(position, item, value, None) if kind == _core.VALUE else Completed(position, item, None, value)

    def _take_place(self, place: _core.Place) -> Completed[T, R] | None:
        if not self._held:
            place.release()
            return None
        position, item = self._held.popleft()
        token = self._expect(1)
        try:
            key = self._key(item) if self._key else None
            priority, tenant, deadline_s = self._options
            handle = self._core.submit_to(self.port, token, item, key, priority, tenant, deadline_s(), place)
        except QueueError as error:
            return Completed(position, item, None, error)
        self._under_way[token] = (position, item, handle)
        return None

    def cancel(self, *, after: int = -1) -> None:
        """Gives up what stands after a position, and takes no more items; what is under way arrives as cancelled."""
        self._more = False
        self._items = iter(())
        self._held = deque(held for held in self._held if held[0] <= after)
        for position, _, handle in self._under_way.values():
            if position > after:
                handle.cancel()
