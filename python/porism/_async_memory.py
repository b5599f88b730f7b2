"""The memory for asyncio: the same methods, awaited. They run on threads of the memory's own, never on the loop's."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeVar

from porism._memory import Memory
from porism._transaction import Transaction

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
    from pathlib import Path
    from types import TracebackType
    from typing import Any

    from porism._hits import Hits

P = ParamSpec("P")
R = TypeVar("R")

#: How many calls of one memory are under way at once: writes take turns anyway, and reads are short.
_THREADS = 4


def _awaited(
    method: Callable[Concatenate[Memory, P], R],
) -> Callable[Concatenate[AsyncMemory, P], Coroutine[Any, Any, R]]:
    """The method of ``Memory``, to be awaited. A call that is cancelled still runs to its end."""

    @wraps(method)
    async def call(self: AsyncMemory, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._run(partial(method, self._memory, *args, **kwargs))

    return call


class AsyncMemory:
    """A memory on disk, for asyncio; the methods are those of ``Memory``, and so are their errors.

    Open it with ``async with AsyncMemory.open(path) as memory`` or ``memory = await AsyncMemory.open(path)``.
    """

    def __init__(self, memory: Memory, threads: ThreadPoolExecutor) -> None:
        self._memory = memory
        self._threads = threads
        self._closed = False

    @classmethod
    def open(cls, path: str | os.PathLike[str], **options: Any) -> Opening:
        """Opens the memory at ``path``; the options are those of ``Memory.open``."""
        return Opening(partial(Memory.open, path, **options))

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._memory.path

    async def close(self) -> None:
        """Closes it, once the calls under way have ended; to close it again does nothing."""
        if not self._closed:
            self._closed = True
            await self._run(self._memory.close)
            self._threads.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    insert = _awaited(Memory.insert)
    insert_many = _awaited(Memory.insert_many)
    get = _awaited(Memory.get)
    get_many = _awaited(Memory.get_many)
    find = _awaited(Memory.find)
    recall_many = _awaited(Memory.recall_many)
    index = _awaited(Memory.index)
    build_index = _awaited(Memory.build_index)
    measure_recall = _awaited(Memory.measure_recall)
    forget = _awaited(Memory.forget)
    restore = _awaited(Memory.restore)
    merge = _awaited(Memory.merge)
    purge = _awaited(Memory.purge)
    history = _awaited(Memory.history)
    snapshot = _awaited(Memory.snapshot)
    drop_snapshot = _awaited(Memory.drop_snapshot)
    snapshots = _awaited(Memory.snapshots)
    compact = _awaited(Memory.compact)
    reembed = _awaited(Memory.reembed)
    flush = _awaited(Memory.flush)
    evidence = _awaited(Memory.evidence)
    evidence_for = _awaited(Memory.evidence_for)
    log_event = _awaited(Memory.log_event)
    events = _awaited(Memory.events)
    event = _awaited(Memory.event)
    settle = _awaited(Memory.settle)
    stats = _awaited(Memory.stats)
    export = _awaited(Memory.export)
    load = _awaited(Memory.load)
    verify = _awaited(Memory.verify)

    @wraps(Memory.recall)
    async def recall(self, *args: Any, **kwargs: Any) -> Hits:
        """Like ``Memory.recall``, with the texts fetched: to look at a hit does not block the loop."""
        return await self._run(partial(_recall_with_texts, self._memory, *args, **kwargs))

    async def generation(self) -> int:
        """How many writes were committed: the number of the snapshot that a read sees now."""
        return await self._run(lambda: self._memory.generation)

    @asynccontextmanager
    async def transaction(self, *, expect: int | None = None) -> AsyncIterator[Transaction]:
        """Gathers changes, and makes all of them at its end in one commit; on an exception, none.

        Raises:
            ConflictError: the memory does not have the expected generation any more.
            InputError: a change cannot be made.
        """
        gathered = Transaction()
        yield gathered
        await self._run(partial(self._memory._commit, gathered, expect))

    def __repr__(self) -> str:
        return f"<AsyncMemory {str(self.path)!r}>"

    def _run(self, call: Callable[[], R]) -> Awaitable[R]:
        return asyncio.get_running_loop().run_in_executor(self._threads, call)


class Opening:
    """A memory that is being opened: to be awaited, or entered."""

    def __init__(self, opening: Callable[[], Memory]) -> None:
        self._opening = opening
        self._opened: AsyncMemory | None = None

    async def _open(self) -> AsyncMemory:
        threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="porism-memory")
        try:
            memory = await asyncio.get_running_loop().run_in_executor(threads, self._opening)
        except BaseException:
            threads.shutdown(wait=False)
            raise
        return AsyncMemory(memory, threads)

    def __await__(self) -> Generator[Any, None, AsyncMemory]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncMemory:
        self._opened = await self._open()
        return self._opened

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened.close()


def _recall_with_texts(memory: Memory, *args: Any, **kwargs: Any) -> Hits:
    hits = memory.recall(*args, **kwargs)
    _ = hits.records
    return hits
