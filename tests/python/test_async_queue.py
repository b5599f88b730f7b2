"""The queue as event loops see it."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

import porism

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Runner = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Runner:
    """Runs a coroutine on the loop of either kind, and fails when something is left."""
    factory = asyncio.new_event_loop if request.param == "asyncio" else uvloop.new_event_loop

    def run(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(main, 60))

    return run


def square(number: int) -> int:
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number * number


def test_await_gives_the_answer_or_raises(run: Runner) -> None:
    async def main() -> None:
        async with porism.AsyncQueue(square, threads=2) as queue:
            assert await queue.submit(7) == 49
            with pytest.raises(ValueError, match="-1 is negative"):
                await queue.submit(-1)
            assert await asyncio.gather(*queue.submit_many(range(100))) == [n * n for n in range(100)]

    run(main())


def test_to_cancel_a_task_cancels_the_work(run: Runner) -> None:
    stopped = threading.Event()

    def patient(_: None) -> None:
        request = porism.current_request()
        while request is not None and not request.cancelled:
            time.sleep(0.001)
        stopped.set()

    async def main() -> None:
        async with porism.AsyncQueue(patient, threads=1) as queue:

            async def ask() -> None:
                await queue.submit(None)

            task = asyncio.create_task(ask())
            while queue.metrics().running == 0:
                await asyncio.sleep(0.001)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await queue.submit(None)
        assert stopped.is_set()
        assert queue.metrics().counts["cancelled"] == 2

    run(main())


def test_a_deadline_passes(run: Runner) -> None:
    async def main() -> None:
        opened = threading.Event()
        async with porism.AsyncQueue(lambda _: opened.wait(), threads=1) as queue:
            for _ in range(2):
                with pytest.raises(porism.DeadlineError):
                    await queue.submit(None, deadline_s=0.02)
            opened.set()

    run(main())


def test_a_full_queue_is_waited_for_in_line(run: Runner) -> None:
    async def main() -> None:
        opened = threading.Event()

        def work(number: int) -> int:
            opened.wait()
            return number

        async with porism.AsyncQueue(work, threads=1, capacity=1) as queue:
            first = queue.submit(1)
            while queue.metrics().running == 0:
                await asyncio.sleep(0.001)
            second = queue.submit(2)
            with pytest.raises(porism.OverloadedError):
                queue.submit(3)
            with pytest.raises(porism.OverloadedError):
                await queue.put(3, deadline_s=0.01)
            left = asyncio.create_task(queue.put(3))
            stays = asyncio.create_task(queue.put(4))
            await asyncio.sleep(0.01)
            assert not stays.done()
            left.cancel()
            opened.set()
            assert await (await stays) == 4
            assert (await first, await second) == (1, 2)
        with pytest.raises(porism.ClosedError):
            await queue.put(5)

    run(main())


def test_a_batch_comes_in_the_order_of_completion(run: Runner) -> None:
    def work(number: int) -> int:
        if number == 0:
            time.sleep(0.1)
        return square(number)

    async def main() -> None:
        async with porism.AsyncQueue(work, threads=2, capacity=2) as queue:
            done = [one async for one in queue.map([0, -1, 2, 3, 4, 5])]
            assert done[-1].item == 0
            assert sorted(one.position for one in done) == list(range(6))
            assert [one.item for one in done if one.error] == [-1]

    run(main())


def test_what_a_worker_raises_does_not_disturb_the_loop(run: Runner) -> None:
    def work(error: BaseException) -> None:
        raise error

    async def main() -> None:
        async with porism.AsyncQueue(work, threads=1) as queue:
            with pytest.raises(porism.WorkerError, match="StopIteration"):
                await queue.submit(StopIteration())
            with pytest.raises(LookupError):
                await queue.submit(LookupError())
            with pytest.raises(asyncio.CancelledError):
                await queue.submit(asyncio.CancelledError())

    run(main())


def test_one_queue_serves_several_loops() -> None:
    queue = porism.AsyncQueue(square, threads=2)
    failures: list[BaseException] = []

    def loop(start: int) -> None:
        async def main() -> None:
            tickets = [queue.submit(number, key=str(number)) for number in range(start, start + 200)]
            assert await asyncio.gather(*tickets) == [number * number for number in range(start, start + 200)]

        try:
            asyncio.run(main())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=loop, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asyncio.run(queue.close())
    assert failures == []


def test_closing_does_not_block_the_loop(run: Runner) -> None:
    async def main() -> None:
        opened = threading.Event()
        queue = porism.AsyncQueue(lambda _: opened.wait(), threads=1)
        running, waiting = queue.submit(1), queue.submit(2)
        while queue.metrics().running == 0:
            await asyncio.sleep(0.001)
        closing = asyncio.create_task(queue.close(cancel=True))
        for ticket in (running, waiting):
            with pytest.raises(porism.ClosedError):
                await ticket
        assert not closing.done()
        opened.set()
        await closing
        await queue.close()

    run(main())


def test_nothing_is_left_behind(run: Runner) -> None:
    async def main() -> None:
        for _ in range(5):
            async with porism.AsyncQueue(square, threads=2) as queue:
                await queue.submit(3)

    run(main())
    gc.collect()
    before = (len(list(Path("/proc/self/fd").iterdir())), len(list(Path("/proc/self/task").iterdir())))
    for _ in range(3):
        run(main())
    gc.collect()
    after = (len(list(Path("/proc/self/fd").iterdir())), len(list(Path("/proc/self/task").iterdir())))
    assert after == before


def test_each_request_ends_once_whatever_is_done_to_it(run: Runner) -> None:
    def work(number: int) -> int:
        if number % 7 == 0:
            raise LookupError(number)
        if number % 5 == 0:
            time.sleep(0.001)
        return number

    async def client(queue: porism.AsyncQueue[int, int], dice: random.Random) -> None:
        number = dice.randrange(30)
        key = str(number) if dice.random() < 0.5 else None
        deadline_s = dice.choice([None, 0.0001, 0.003, 1.0])
        try:
            if dice.random() < 0.5:
                ticket = queue.submit(number, key=key, deadline_s=deadline_s, priority=dice.randrange(-2, 3))
            else:
                ticket = await queue.put(number, key=key, deadline_s=deadline_s)
            answer = await ticket
        except (LookupError, porism.QueueError):
            return
        assert answer == number

    async def main(seed: int) -> None:
        dice = random.Random(seed)
        queue = porism.AsyncQueue(work, threads=2, capacity=dice.randrange(1, 20))
        tasks = []
        for _ in range(150):
            tasks.append(asyncio.create_task(client(queue, dice)))
            if dice.random() < 0.3:
                dice.choice(tasks).cancel()
            if dice.random() < 0.1:
                await asyncio.sleep(0.001)
        await asyncio.sleep(dice.random() * 0.01)
        await queue.close(cancel=dice.random() < 0.5)
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            assert ended is None or isinstance(ended, asyncio.CancelledError), ended
        counts = queue.metrics().counts
        ends = ("answered", "timed_out", "cancelled", "crashed", "closed")
        assert counts["submitted"] == sum(counts[end] for end in ends)
        assert (queue.metrics().waiting, queue.metrics().running) == (0, 0)

    for seed in range(15):
        run(main(seed))


def answers_true(done: porism.Completed[str, bool]) -> bool:
    return done.result()


def test_a_race_ends_with_its_winner(run: Runner) -> None:
    def work(item: str) -> bool:
        request = porism.current_request()
        assert request is not None
        while item != "wins" and not request.cancelled:
            time.sleep(0.001)
        return True

    async def main() -> None:
        async with porism.AsyncQueue(work, threads=2) as queue:
            race = await queue.race(["never", "wins"], accept=answers_true)
            assert race.winner is not None
            assert race.winner.item == "wins"
            running = asyncio.create_task(queue.race(["never"] * 3, accept=answers_true))
            while queue.metrics().counts["submitted"] < 5:
                await asyncio.sleep(0.001)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert queue.metrics().counts["cancelled"] == 4

    run(main())
