"""Proofs that go tactic by tactic, with the real Rocq: states, branches, limits, and the end of a lease."""

from __future__ import annotations

import asyncio
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from porism import AsyncPool, ClosedError, InputError, Pool, Verdict, sandbox_report
from porism.provers import Rocq

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(shutil.which("coqidetop.opt") is None, reason="Rocq is not installed")

HEADER = "From Coq Require Import Lia.\n"
STATEMENT = "forall n m : nat, n + m = m + n /\\ True"
ENDLESS = "repeat (assert True by exact I)"


def rocq() -> Rocq:
    confined = all(sandbox_report().holds(name) for name in ("privileges", "files", "network", "calls", "together"))
    return Rocq() if confined else Rocq(sandbox=None)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool([rocq()], workers=2) as opened:
        yield opened


def test_a_proof_goes_step_by_step(pool: Pool) -> None:
    with pool.session(prover="Rocq", header=HEADER) as session:
        assert session.start(STATEMENT).verdict is Verdict.UNKNOWN
        session.apply("intros n m")
        assert session.apply("split.").goals == (
            "n, m : nat\n============================\nn + m = m + n",
            "n, m : nat\n============================\nTrue",
        )
        half = session.apply("- lia.")
        assert (half.goals, half.background) == ((), 1)
        done = session.apply("- exact I")
        assert (done.verdict, done.path) == (Verdict.PROVED, ("intros n m", "split.", "- lia.", "- exact I"))


def test_branches_can_be_left_and_gone_back_to(pool: Pool) -> None:
    with pool.session(prover="Rocq", header=HEADER) as session:
        root = session.start(STATEMENT)
        one = session.apply("intros n m. split. 2: exact I")
        session.back(root)
        other = session.apply("intros a b; split; [| exact I]")
        assert "a + b" in session.goals[0]
        session.back(one)
        assert session.state is one
        assert session.apply("lia").verdict is Verdict.PROVED
        session.back(other)
        assert session.apply("symmetry").goals[0].endswith("b + a = a + b")
        assert session.apply("lia").verdict is Verdict.PROVED
        assert session.start("True").path == ()
        assert session.apply("exact I").verdict is Verdict.PROVED


def test_a_step_that_fails_changes_nothing(pool: Pool) -> None:
    with pool.session(prover="Rocq", header=HEADER) as session:
        here = session.start("False \\/ True")
        for tactic in ("lia lia", "reflexivity", "left; exact I", "right. exact I. idtac. nonsense"):
            failed = session.apply(tactic)
            assert failed.verdict is Verdict.REJECTED, tactic
            assert failed.trouble
            assert session.state is here
        for tactic in ("Admitted", "Qed.", "Axiom a : False", "Proof", "", "(* a *)", 'idtac "'):
            with pytest.raises(InputError):
                session.apply(tactic)
        given_up = session.apply("admit")
        assert (given_up.verdict, given_up.given_up) == (Verdict.INCOMPLETE, 1)
        session.back(here)
        assert session.apply("right. exact I").verdict is Verdict.PROVED


def test_what_the_kernel_refuses_is_not_proved(pool: Pool) -> None:
    with pool.session(prover="Rocq", header=HEADER) as session:
        session.start("nat -> False")
        session.apply("fix f 1; intros n")
        assert session.apply("exact (f n)").verdict is Verdict.REJECTED
        assert session.state.path == ("fix f 1; intros n",)


def test_a_step_has_a_limit_and_the_session_goes_on(pool: Pool) -> None:
    with pool.session(prover="Rocq", header=HEADER) as session:
        session.start(STATEMENT)
        here = session.apply("intros")
        stopped = session.apply(ENDLESS, timeout_s=0.3)
        assert (stopped.verdict, stopped.path) == (Verdict.TIMEOUT, ("intros",))
        assert session.state is here
        assert session.apply("split; lia").verdict is Verdict.PROVED


def test_a_session_has_to_begin_and_ends(pool: Pool) -> None:
    with pool.session(prover="Rocq", header=HEADER) as session:
        with pytest.raises(InputError, match="no proof has begun"):
            session.apply("idtac")
        with pytest.raises(InputError, match="does not accept the statement"):
            session.start("nonsense")
        session.start("True")
    with pytest.raises(ClosedError, match="session is closed"):
        session.apply("idtac")


def test_an_idle_session_gives_its_process_back(pool: Pool) -> None:
    with pool.session(prover="Rocq", header=HEADER, idle_s=0.05) as session:
        session.start("True")
        for _ in range(1000):
            if pool.metrics().queue.running == 0:
                break
            threading.Event().wait(0.05)
        with pytest.raises(ClosedError, match="nothing was asked"):
            session.apply("idtac")


def test_what_hinders_the_start_is_told(pool: Pool) -> None:
    with (
        pool.session(prover="Rocq", header="Nonsense.") as session,
        pytest.raises(InputError, match="does not accept the header"),
    ):
        session.start("True")
    with pytest.raises(InputError, match="no prover"):
        pool.session(prover="nobody")


def test_a_pool_that_closes_ends_its_sessions() -> None:
    pool = Pool([rocq()], workers=1)
    waiting = []
    session = pool.session(prover="Rocq", header=HEADER)
    session.start("True")
    behind = pool.session(prover="Rocq", header=HEADER)

    def wait() -> None:
        try:
            behind.start("True")
        except ClosedError as error:
            waiting.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    pool.close()
    thread.join()
    with pytest.raises(ClosedError, match="pool is closed"):
        session.apply("exact I")


def test_the_same_for_a_loop() -> None:
    async def main() -> None:
        async with AsyncPool([rocq()], workers=1, grace_s=20.0) as pool:
            async with pool.session(prover="Rocq", header=HEADER) as session:
                root = await session.start("0 < 1")
                assert (await session.apply("lia")).verdict is Verdict.PROVED
                session.back(root)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(session.apply(ENDLESS, timeout_s=60), 0.3)
                with pytest.raises(ClosedError):
                    await session.apply("lia")
            # The process was interrupted, and is there for others.
            found = await pool.check("lia.", statement="0 < 1", header=HEADER, prover="Rocq")
            assert found.verdict is Verdict.PROVED
            assert pool.metrics().processes.counts["starts"] == 1

    asyncio.run(main())
