"""A queue of requests in front of worker threads, for threads and for asyncio."""

from __future__ import annotations

import asyncio
import atexit
import os
import weakref
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from porism import _core
from porism._arrivals import Arrival, Arrivals, AsyncTicket, Feed, Options, Stream
from porism._errors import ClosedError, InputError, OverloadedError
from porism._queue_types import Completed, Health, Histogram, QueueMetrics, Race
from porism._racing import Referee, Timer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from porism._core import NativeWorker, Ticket

T = TypeVar("T")
R = TypeVar("R")

_NAME = "default"


class _Face(Generic[T, R]):
    """What the two faces share: how a queue is made, and what it tells of itself."""

    def __init__(
        self,
        worker: Callable[[T], R] | NativeWorker,
        *,
        threads: int = 0,
        capacity: int = 1 << 20,
        ageing_s: float = 10.0,
        patience_s: float = 60.0,
        shares: Mapping[str, float] | None = None,
        name: str = _NAME,
    ) -> None:
        """Starts a queue and its threads.

        Args:
            worker: Called with an item, on one of the threads; what it returns is the answer, and what it raises is
                raised for whoever waits. ``current_request()`` tells it whether the answer is still wanted.
            threads: How many threads work; 0: one for each processor that this process may use.
            capacity: How many pieces of work may wait.
            ageing_s: How many seconds of waiting a level of priority is worth.
            patience_s: A request without a deadline stands where one would that is due in so many seconds.
            shares: The weights of tenants' shares of the working time; 1 for those not named.
            name: What metrics call it.

        Raises:
            InputError: an option is out of range.
        """
        if threads < 0 or capacity < 1:
            raise InputError(f"threads={threads}, capacity={capacity}: a queue needs a thread and a place")
        self._core = _core.Queue(
            worker,
            threads=threads or len(os.sched_getaffinity(0)),
            capacity=capacity,
            ageing_s=ageing_s,
            patience_s=patience_s,
            shares=dict(shares or {}),
        )
        self.name = name
        _open.add(self)

    def metrics(self) -> QueueMetrics:
        """The numbers of this moment."""
        now, counts, wait, run = self._core.metrics()
        return QueueMetrics(*now, counts, _histogram(wait), _histogram(run))

    def prometheus(self) -> str:
        """The same in the text format of Prometheus, labelled with the queue's name."""
        return self._core.prometheus(self.name)

    def health(self) -> Health:
        """Whether requests are taken and worked on, and if not, why."""
        ok, problems, (waiting, running, _, workers, _), longest_run_s, ignored_stops = self._core.health()
        return Health(ok, tuple(problems), waiting, running, workers, longest_run_s, ignored_stops)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class Queue(_Face[T, R]):
    """A queue of requests in front of worker threads. Every request gets one answer, or an error that says why not.

    Use it as a context manager: it ends when what was submitted has ended, or, on an exception, at once.
    """

    def submit(
        self,
        item: T,
        *,
        key: str | bytes | None = None,
        priority: int = 0,
        tenant: str | None = None,
        deadline_s: float | None = None,
    ) -> Ticket[R]:
        """Queues a request. Never waits.

        Args:
            item: What the worker gets.
            key: Requests with equal keys that are under way share the work and its answer.
            priority: Higher is sooner, from -128 to 127.
            tenant: Whose share of the working time it comes out of.
            deadline_s: How many seconds the answer may take, counted from now.

        Raises:
            OverloadedError: the queue is full, or so busy that the deadline could not be met.
            ClosedError: the queue is closed.
        """
        return self._core.submit(item, key, priority, tenant, deadline_s)

    def put(
        self,
        item: T,
        *,
        key: str | bytes | None = None,
        priority: int = 0,
        tenant: str | None = None,
        deadline_s: float | None = None,
    ) -> Ticket[R]:
        """Like ``submit``, but waits for a place when the queue is full, in line with others.

        The deadline counts from now.

        Raises:
            OverloadedError: there was no place before the deadline, or work would begin after it.
            ClosedError: the queue is closed.
        """
        try:
            return self.submit(item, key=key, priority=priority, tenant=tenant, deadline_s=deadline_s)
        except OverloadedError as error:
            if not error.full:
                raise
            full = error
        port = _core.Port(descriptor=False)
        self._core.ask_for_place(port, 0)
        timer = Timer(deadline_s)
        try:
            for _, kind, place in port.wait(deadline_s):
                if kind == _core.CLOSED:
                    raise ClosedError("the queue was closed while the request waited for a place")
                return self._core.submit(item, key, priority, tenant, timer.left_s(), place)
            raise full
        finally:
            # A place that comes now goes to the next in line.
            port.close()

    def submit_many(
        self,
        items: Iterable[T],
        *,
        key: Callable[[T], str | bytes | None] | None = None,
        priority: int = 0,
        tenant: str | None = None,
        deadline_s: float | None = None,
    ) -> list[Ticket[R]]:
        """Like ``submit`` for each item; ``key`` makes the key of an item.

        Raises:
            OverloadedError, ClosedError: an item was refused. Those before it are cancelled.
        """
        submit = self._core.submit
        tickets: list[Ticket[R]] = []
        try:
            tickets.extend(submit(item, key and key(item), priority, tenant, deadline_s) for item in items)
        except BaseException:
            for ticket in tickets:
                ticket.cancel()
            raise
        return tickets

    def map(
        self,
        items: Iterable[T],
        *,
        key: Callable[[T], str | bytes | None] | None = None,
        priority: int = 0,
        tenant: str | None = None,
        deadline_s: float | None = None,
        ahead: int = 1024,
    ) -> Iterator[Completed[T, R]]:
        """Has all items worked on; yields each as it completes. An item that fails is yielded with its error.

        Items are taken from ``items`` as there is room: at most ``ahead`` are under way. A full queue is waited for.
        To leave the loop cancels the rest.
        """
        yield from self._ended(self._feed(items, key, (priority, tenant, lambda: deadline_s), ahead))

    def race(
        self,
        items: Iterable[T],
        *,
        accept: Callable[[Completed[T, R]], bool],
        ordered: bool = False,
        key: Callable[[T], str | bytes | None] | None = None,
        priority: int = 0,
        tenant: str | None = None,
        deadline_s: float | None = None,
        ahead: int = 1024,
    ) -> Race[T, R]:
        """Has items worked on until an answer is accepted; the others are cancelled at once.

        Args:
            items: Who runs; taken as there is room, as ``map`` does it.
            accept: Whether an item wins that has an answer. Called on this thread.
            ordered: Whether the earliest of the items wins and not the first to end, so that timing does not decide:
                those before a winner run to their end.
            key: Makes the key of an item.
            priority: Of each.
            tenant: Of each.
            deadline_s: How many seconds the race may take.
            ahead: How many run at once at most.
        """
        left_s = Timer(deadline_s).left_s
        feed = self._feed(items, key, (priority, tenant, left_s), ahead)
        referee = Referee(feed, accept=accept, ordered=ordered, left_s=left_s)
        for completed in self._ended(feed):
            referee.saw(completed)
        return referee.result()

    def _feed(
        self, items: Iterable[T], key: Callable[[T], str | bytes | None] | None, options: Options, ahead: int
    ) -> Feed[T, R]:
        port = _core.Port(descriptor=False)
        return Feed(self._core, port, _Tokens().expect, items, key=key, options=options, ahead=_positive(ahead))

    def _ended(self, feed: Feed[T, R]) -> Iterator[Completed[T, R]]:
        """The items as they end, until all have."""
        try:
            while True:
                yield from feed.fill()
                if feed.ended:
                    return
                for message in feed.port.wait():
                    completed = feed.arrived(message)
                    if completed is not None:
                        yield completed
        finally:
            feed.cancel()
            feed.port.close()

    def close(self, *, cancel: bool = False) -> None:
        """Takes no more requests, and waits until the threads have ended; to close it again does nothing.

        Args:
            cancel: Whether to answer everything that waits or runs at once, by ``ClosedError``. A callable that is
                being called is told, and waited for: a thread cannot be ended from outside.
        """
        self._core.close(cancel)
        self._core.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(cancel=error is not None)


class AsyncQueue(_Face[T, R]):
    """The same for asyncio, with the same names.

    Event loops are woken through one descriptor each, once for many answers.
    One queue serves several loops. Nothing blocks a loop, and the default executor is not used.
    """

    @cached_property
    def _loops(self) -> dict[asyncio.AbstractEventLoop, Arrivals]:
        return {}

    def submit(
        self,
        item: T,
        *,
        key: str | bytes | None = None,
        priority: int = 0,
        tenant: str | None = None,
        deadline_s: float | None = None,
    ) -> AsyncTicket[R]:
        """Queues a request: await what this returns for the answer. See ``Queue.submit``."""
        return self._submit(self._arrivals(), item, key, priority, tenant, deadline_s, None)

    async def put(
        self,
        item: T,
        *,
        key: str | bytes | None = None,
        priority: int = 0,
        tenant: str | None = None,
        deadline_s: float | None = None,
    ) -> AsyncTicket[R]:
        """Waits for a place, in line with others, and returns the ticket. See ``Queue.put``."""
        arrivals = self._arrivals()
        try:
            return self._submit(arrivals, item, key, priority, tenant, deadline_s, None)
        except OverloadedError as error:
            if not error.full:
                raise
            full = error
        timer = Timer(deadline_s)
        arrival = Arrival(loop=arrivals.loop)
        self._core.ask_for_place(arrivals.port, arrivals.expect(arrival))
        try:
            async with asyncio.timeout(deadline_s):
                place = await arrival
        except BaseException as error:
            arrival.give_back()
            raise full if isinstance(error, TimeoutError) else error from None
        return self._submit(arrivals, item, key, priority, tenant, timer.left_s(), place)

    def submit_many(
        self,
        items: Iterable[T],
        *,
        key: Callable[[T], str | bytes | None] | None = None,
        priority: int = 0,
        tenant: str | None = None,
        deadline_s: float | None = None,
    ) -> list[AsyncTicket[R]]:
        """Queues many requests in one step. The ticket of an item that was refused raises when it is awaited."""
        items = list(items)
        if not items:
            return []
        arrivals = self._arrivals()
        loop = arrivals.loop
        keys = [key(item) for item in items] if key else None
        tickets = [AsyncTicket[R](loop=loop) for _ in items]
        first = arrivals.expect_each(tickets)
        try:
            done = self._core.submit_many_to(arrivals.port, first, items, keys, priority, tenant, deadline_s)
        except BaseException:
            arrivals.forget(first, len(items))
            raise
        for token, (ticket, outcome) in enumerate(zip(tickets, done, strict=True), first):
            if isinstance(outcome, _core.Handle):
                ticket._handle = outcome
            else:
                del arrivals.waiting[token]
                ticket._fail(outcome)
        return tickets

    def map(
        self,
        items: Iterable[T],
        *,
        key: Callable[[T], str | bytes | None] | None = None,
        priority: int = 0,
        tenant: str | None = None,
        deadline_s: float | None = None,
        ahead: int = 1024,
    ) -> AsyncGenerator[Completed[T, R]]:
        """``async for`` over the items as they complete. See ``Queue.map``."""
        stream = Stream(self._arrivals())
        feed = self._feed(stream, items, key, (priority, tenant, lambda: deadline_s), ahead)
        return self._ended(stream, feed)

    async def race(
        self,
        items: Iterable[T],
        *,
        accept: Callable[[Completed[T, R]], bool],
        ordered: bool = False,
        key: Callable[[T], str | bytes | None] | None = None,
        priority: int = 0,
        tenant: str | None = None,
        deadline_s: float | None = None,
        ahead: int = 1024,
    ) -> Race[T, R]:
        """Has items worked on until an answer is accepted. See ``Queue.race``."""
        stream = Stream(self._arrivals())
        left_s = Timer(deadline_s).left_s
        feed = self._feed(stream, items, key, (priority, tenant, left_s), ahead)
        referee = Referee(feed, accept=accept, ordered=ordered, left_s=left_s)
        async for completed in self._ended(stream, feed):
            referee.saw(completed)
        return referee.result()

    def _feed(
        self,
        stream: Stream,
        items: Iterable[T],
        key: Callable[[T], str | bytes | None] | None,
        options: Options,
        ahead: int,
    ) -> Feed[T, R]:
        port = stream.arrivals.port
        return Feed(self._core, port, stream.expect, items, key=key, options=options, ahead=_positive(ahead))

    async def _ended(self, stream: Stream, feed: Feed[T, R]) -> AsyncGenerator[Completed[T, R]]:
        try:
            while True:
                for completed in feed.fill():
                    yield completed
                if feed.ended:
                    return
                for message in await stream.take():
                    ended = feed.arrived(message)
                    if ended is not None:
                        yield ended
        finally:
            feed.cancel()
            stream.close()

    async def close(self, *, cancel: bool = False) -> None:
        """Takes no more requests, and waits until the threads have ended. See ``Queue.close``."""
        self._core.close(cancel)
        arrivals = self._arrivals()
        gone = Arrival(loop=arrivals.loop)
        self._core.tell_when_workers_are_gone(arrivals.port, arrivals.expect(gone))
        await gone
        self._core.join()
        for loop, others in list(self._loops.items()):
            del self._loops[loop]
            if others is arrivals:
                others.retire()
                continue
            with suppress(RuntimeError):  # that loop is closed
                loop.call_soon_threadsafe(others.retire)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close(cancel=error is not None)

    def _submit(
        self,
        arrivals: Arrivals,
        item: T,
        key: str | bytes | None,
        priority: int,
        tenant: str | None,
        deadline_s: float | None,
        place: _core.Place | None,
    ) -> AsyncTicket[R]:
        ticket = AsyncTicket[R](loop=arrivals.loop)
        token = next(arrivals.tokens)
        # An answer is handed out by the loop, so not before this returns.
        ticket._handle = self._core.submit_to(arrivals.port, token, item, key, priority, tenant, deadline_s, place)
        arrivals.waiting[token] = ticket
        return ticket

    def _arrivals(self) -> Arrivals:
        """The messages for the running loop."""
        loop = asyncio.get_running_loop()
        found = self._loops.get(loop)
        if found is None:
            for other in list(self._loops):
                if other.is_closed():
                    self._loops.pop(other, None)
            found = self._loops[loop] = Arrivals(loop)
        return found


class _Tokens:
    """Numbers for a port of one batch."""

    def __init__(self) -> None:
        self._next = 0

    def expect(self, number: int) -> int:
        first = self._next
        self._next += number
        return first


def _positive(ahead: int) -> int:
    if ahead < 1:
        raise InputError(f"ahead={ahead}: at least one item has to be under way")
    return ahead


def _histogram(fields: tuple[int, float, list[tuple[float, int]]]) -> Histogram:
    count, sum_s, buckets = fields
    return Histogram(count, sum_s, tuple(buckets))


# --- the ends of a process --------------------------------------------------------------------------------------------

_open: weakref.WeakSet[_Face[Any, Any]] = weakref.WeakSet()


def _close_all() -> None:
    """Threads that call Python must be gone before the interpreter is."""
    for queue in list(_open):
        queue._core.close(True)
        queue._core.join()


class _Forked:
    """Stands where the core of a queue was: a child process has none of its parent's threads."""

    def __getattr__(self, name: str) -> Any:
        raise ClosedError("a queue does not survive a fork: make one in the child process")


def _leave_to_parent() -> None:
    for queue in list(_open):
        queue._core.leak()
        queue._core = _Forked()  # type: ignore[assignment]
    _open.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_leave_to_parent)
