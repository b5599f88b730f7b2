"""The queue as threads see it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import porism

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def square(number: int) -> int:
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number * number


class Gate:
    """A worker that stands still until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.opened = threading.Event()
        self.worked: list[object] = []

    def __call__(self, item: object) -> object:
        self.entered.release()
        self.opened.wait()
        self.worked.append(item)
        return item


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_an_answer_and_an_error_reach_whoever_asked() -> None:
    with porism.Queue(square, threads=2) as queue:
        ticket, bad = queue.submit(7), queue.submit(-1)
        assert ticket.result() == 49
        assert ticket.done
        with pytest.raises(ValueError, match="-1 is negative"):
            bad.result()
        assert queue.submit(8).result() == 64


def test_the_queue_keeps_the_order_that_it_promises(gate: Gate) -> None:
    with porism.Queue(gate, threads=1) as queue:
        queue.submit("first")
        gate.entered.acquire()
        queue.submit("late", deadline_s=1000)
        queue.submit("soon", deadline_s=100)
        queue.submit("up", deadline_s=105, priority=1)
        gate.opened.set()
    assert gate.worked == ["first", "up", "soon", "late"]


def test_tenants_have_fair_shares(gate: Gate) -> None:
    with porism.Queue(gate, threads=1) as queue:
        for _ in range(50):
            queue.submit("many", tenant="many")
        queue.submit("few", tenant="few")
        gate.opened.set()
    assert "few" in gate.worked[:10]


def test_full_is_an_answer(gate: Gate) -> None:
    with porism.Queue(gate, threads=1, capacity=1) as queue:
        queue.submit(1)
        gate.entered.acquire()
        waiting = queue.submit(2)
        with pytest.raises(porism.OverloadedError) as refused:
            queue.submit(3)
        assert refused.value.full
        with pytest.raises(porism.OverloadedError):
            queue.put(3, deadline_s=0.01)
        waiting.cancel()
        assert queue.put(4).done is False
        gate.opened.set()
    assert gate.worked == [1, 4]


def test_put_waits_for_a_place(gate: Gate) -> None:
    with porism.Queue(gate, threads=1, capacity=1) as queue:
        tickets = [queue.submit(1)]
        gate.entered.acquire()
        tickets.append(queue.submit(2))
        threading.Timer(0.02, gate.opened.set).start()
        tickets += [queue.put(number) for number in range(3, 20)]
        assert [ticket.result() for ticket in tickets] == list(range(1, 20))


def test_a_deadline_that_cannot_be_met_is_refused(gate: Gate) -> None:
    with porism.Queue(lambda _: time.sleep(0.05), threads=1) as queue:
        queue.submit(0).result()
        for _ in range(20):
            queue.submit(0, deadline_s=50)
        with pytest.raises(porism.OverloadedError) as refused:
            queue.submit(0, deadline_s=0.1, priority=-9)
        assert not refused.value.full
        assert refused.value.expected_wait_s > 0.1
        queue.close(cancel=True)


def test_a_deadline_passes_while_a_request_waits_and_while_it_runs(gate: Gate) -> None:
    with porism.Queue(gate, threads=1) as queue:
        running = queue.submit(1, deadline_s=0.02)
        gate.entered.acquire()
        waiting = queue.submit(2, deadline_s=0.01)
        for ticket in (running, waiting):
            with pytest.raises(porism.DeadlineError):
                ticket.result()
        gate.opened.set()
    assert gate.worked == [1]


def test_equal_requests_share_the_work(gate: Gate) -> None:
    with porism.Queue(gate, threads=1) as queue:
        tickets = [queue.submit([number], key="same") for number in range(5)]
        other = queue.submit("other", key=b"same")
        gate.opened.set()
        answers = [ticket.result() for ticket in tickets]
        assert other.result() == "other"
        assert all(answer is answers[0] for answer in answers)
        assert queue.metrics().counts["coalesced"] == 4


def test_to_cancel_reaches_the_worker() -> None:
    stopped = threading.Event()

    def patient(_: None) -> None:
        request = porism.current_request()
        assert request is not None
        while not request.cancelled:
            time.sleep(0.001)
        stopped.set()

    assert porism.current_request() is None
    with porism.Queue(patient, threads=1) as queue:
        first, second = queue.submit(None, key="k"), queue.submit(None, key="k")
        while queue.metrics().running == 0:
            time.sleep(0.001)
        first.cancel()
        with pytest.raises(porism.CancelledError):
            first.result()
        assert not stopped.is_set()
        second.cancel()
        assert stopped.wait(10)


def test_a_result_can_be_waited_for_a_while_only(gate: Gate) -> None:
    with porism.Queue(gate, threads=1) as queue:
        ticket = queue.submit(1)
        with pytest.raises(TimeoutError):
            ticket.result(0.01)
        gate.opened.set()
        assert ticket.result(10) == 1


def test_a_batch_comes_in_the_order_of_completion_and_an_item_fails_alone() -> None:
    def work(number: int) -> int:
        if number == 0:
            time.sleep(0.1)
        return square(number)

    with porism.Queue(work, threads=2) as queue:
        done = list(queue.map([0, -1, 2, 3]))
        assert done[-1][:3] == (0, 0, 0)
        assert sorted(one.position for one in done) == [0, 1, 2, 3]
        (failed,) = [one for one in done if one.error is not None]
        assert failed.item == -1
        with pytest.raises(ValueError, match="negative"):
            failed.result()


def test_a_batch_larger_than_the_queue_waits_for_places() -> None:
    with porism.Queue(square, threads=2, capacity=3) as queue:
        done = {one.item: one.result() for one in queue.map(range(500))}
    assert done == {number: number * number for number in range(500)}


def test_an_endless_batch_can_be_left(gate: Gate) -> None:
    gate.opened.set()
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    with porism.Queue(gate, threads=1) as queue:
        for one in queue.map(endless(), ahead=4):  # type: ignore[call-overload]
            if one.position >= 10:
                break
    assert taken < 30


def test_closing_ends_everything(gate: Gate) -> None:
    queue = porism.Queue(gate, threads=1)
    running, waiting = queue.submit(1), queue.submit(2)
    gate.entered.acquire()
    closer = threading.Thread(target=lambda: queue.close(cancel=True))
    closer.start()
    for ticket in (running, waiting):
        with pytest.raises(porism.ClosedError):
            ticket.result()
    gate.opened.set()
    closer.join()
    with pytest.raises(porism.ClosedError):
        queue.submit(3)
    queue.close()
    assert not queue.health().ok


def test_an_exception_in_the_block_abandons_what_waits(gate: Gate) -> None:
    gate.opened.set()
    queue = porism.Queue(gate, threads=1)
    tickets = queue.submit_many(range(10_000))
    with pytest.raises(KeyError), queue:
        raise KeyError
    with pytest.raises(porism.ClosedError):
        tickets[-1].result()


def test_workers_in_rust_need_no_interpreter() -> None:
    with porism.Queue(porism.NativeWorker.digest(), threads=2) as queue:
        digests = {one.item: one.value for one in queue.map([b"a", b"b", "no bytes", b"a"])}
        errors = [one.error for one in queue.map(["no bytes"])]
    assert digests[b"a"] != digests[b"b"]
    assert isinstance(errors[0], TypeError)
    with porism.Queue(porism.NativeWorker.null()) as null:
        item = object()
        assert null.submit(item).result() is item


def test_the_numbers_say_what_happened(gate: Gate) -> None:
    with porism.Queue(gate, threads=1, name='a "name"') as queue:
        assert queue.health().ok
        tickets = queue.submit_many(range(3))
        gate.entered.acquire()
        assert (queue.metrics().waiting, queue.metrics().running) == (2, 1)
        gate.opened.set()
        for ticket in tickets:
            ticket.result()
        metrics = queue.metrics()
        assert metrics.counts["answered"] == metrics.counts["started"] == metrics.wait.count == 3
        assert sum(count for _, count in metrics.run.buckets) == metrics.run.count == 3
        assert metrics.run.mean_s > 0
        assert 'porism_queue_answered_total{queue="a \\"name\\""} 3' in queue.prometheus().splitlines()
    assert queue.health().problems == ("the queue is closed", "there is no worker")


@pytest.mark.parametrize(
    "make",
    [
        lambda: porism.Queue(square, threads=-1),
        lambda: porism.Queue(square, capacity=0),
        lambda: porism.Queue(square, ageing_s=-1.0),
        lambda: porism.Queue(square, patience_s=float("nan")),
        lambda: porism.Queue(square, shares={"a": 0.0}),
        lambda: porism.Queue(square).submit(1, priority=128),
        lambda: porism.Queue(square).submit(1, deadline_s=-1.0),
        lambda: next(iter(porism.Queue(square).map([1], ahead=0))),
    ],
)
def test_what_is_out_of_range_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(porism.InputError):
        make()


def test_what_has_the_wrong_type_is_refused() -> None:
    with pytest.raises(TypeError):
        porism.Queue("not callable")  # type: ignore[arg-type]
    with porism.Queue(square) as queue, pytest.raises(TypeError):
        queue.submit(1, key=5)  # type: ignore[arg-type]


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


def test_ctrl_c_interrupts_a_wait() -> None:
    program = f"""
import os, porism, signal, threading, time
queue = porism.Queue(lambda _: time.sleep(0.5), threads=1)
threading.Timer(0.1, os.kill, (os.getpid(), {int(signal.SIGINT)})).start()
try:
    queue.submit(None).result()
except KeyboardInterrupt:
    print("interrupted")
"""
    ran = run(program)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("interrupted\n", "", 0)


def test_a_process_ends_although_queues_are_open() -> None:
    program = """
import porism, time
kept = porism.Queue(lambda _: time.sleep(0.05), threads=2)
kept.submit_many(range(1000))
dropped = porism.Queue(lambda _: None, threads=2)
del dropped
print("end")
"""
    ran = run(program)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("end\n", "", 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_process_is_told_that_it_has_no_queue() -> None:
    program = """
import os, porism
queue = porism.Queue(lambda number: number, threads=1)
if os.fork() == 0:
    try:
        queue.submit(1)
    except porism.ClosedError:
        os._exit(7)
_, status = os.wait()
print(os.waitstatus_to_exitcode(status), queue.submit(5).result())
"""
    ran = run(program)
    assert (ran.stdout, ran.returncode) == ("7 5\n", 0), ran.stderr


# --- races ------------------------------------------------------------------------------------------------------------


def answers_true(done: porism.Completed[Any, bool]) -> bool:
    return done.result()


def wait_until_cancelled(_: object) -> bool:
    """Stands for a prover that finds nothing before it is told to stop."""
    request = porism.current_request()
    assert request is not None
    while not request.cancelled:
        time.sleep(0.001)
    return False


def test_the_first_accepted_answer_wins_and_the_others_are_cancelled() -> None:
    def work(item: str) -> bool:
        return True if item == "wins" else wait_until_cancelled(item)

    with porism.Queue(work, threads=3) as queue:
        race = queue.race(["never", "wins", "never either"], accept=answers_true)
    assert race.winner is not None
    assert (race.winner.position, race.winner.item) == (1, "wins")
    assert [one.position for one in race.ended] == [1]
    assert queue.metrics().counts["cancelled"] == 2


def test_in_an_ordered_race_those_before_the_winner_run_to_their_end() -> None:
    later_ended = threading.Event()

    def work(item: str) -> bool:
        match item:
            case "slow":
                later_ended.wait()
            case "fast":
                later_ended.set()
            case _:
                return wait_until_cancelled(item)
        return True

    with porism.Queue(work, threads=3) as queue:
        race = queue.race(["slow", "fast", "never"], accept=answers_true, ordered=True)
    assert race.winner is not None
    assert race.winner.item == "slow"
    assert [one.item for one in race.ended] == ["slow", "fast"]


def test_a_race_takes_no_items_after_it_was_won() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    with porism.Queue(lambda number: number == 3, threads=1) as queue:
        race = queue.race(items(), accept=answers_true, ahead=1)
    assert race.winner is not None
    assert (race.winner.item, taken) == (3, [0, 1, 2, 3])


def test_a_race_that_nobody_wins_tells_how_each_ended() -> None:
    def work(number: int) -> bool:
        if number == 1:
            raise LookupError("no")
        return False

    with porism.Queue(work, threads=2) as queue:
        race = queue.race(range(3), accept=answers_true)
    assert race.winner is None
    assert [type(one.error) for one in race.ended] == [type(None), LookupError, type(None)]


def test_time_ends_a_race() -> None:
    with porism.Queue(wait_until_cancelled, threads=1) as queue:
        race = queue.race(iter(int, 1), accept=answers_true, deadline_s=0.1, ahead=2)
        assert race.winner is None
        assert {type(one.error) for one in race.ended} <= {porism.DeadlineError, porism.OverloadedError}
        assert queue.submit(0, deadline_s=5.0).cancel() is None, "the queue goes on"
