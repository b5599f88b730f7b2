"""The driver of Rocq with the real one: levels of trust, places of errors, interrupts, memory, audits of many."""

from __future__ import annotations

import asyncio
import copy
import pickle
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from porism import AsyncPool, Check, InputError, Pool, Trust, Verdict, sandbox_report
from porism._errors import ProverError, ProverProtocolError, ProverStoppedError
from porism.provers import Job, Rocq, _rocq_xml
from porism.provers._rocq_axioms import axioms_in

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(shutil.which("coqidetop.opt") is None, reason="Rocq is not installed")

HEADER = "From Coq Require Import Lia FunctionalExtensionality.\n"
DEFINES = (
    HEADER + "Inductive color := red | green.\nDefinition other c := match c with red => green | green => red end.\n"
)
ENDLESS = "repeat (assert True by exact I)."


def rocq(**options: Any) -> Rocq:
    confined = all(sandbox_report().holds(name) for name in ("privileges", "files", "network", "calls", "together"))
    return Rocq(**options) if confined else Rocq(**{"sandbox": None} | options)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool([rocq(axioms=["functional_extensionality_dep"])], workers=2) as opened:
        yield opened


def check(pool: Pool, candidate: str, statement: str | None = "True", **fields: Any) -> Check:
    header = fields.pop("header", HEADER)
    return pool.check(candidate, statement=statement, header=header, prover="Rocq", **fields)


# --- levels of trust --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trust", list(Trust)[:4])
@pytest.mark.parametrize(
    ("statement", "proof", "header"),
    [
        ("forall n : nat, n < n + 1", "lia.", HEADER),
        ("forall c, other (other c) = c", "intros []; reflexivity.", DEFINES),
        ("nat -> nat (* a type, not a proposition *)", "intros n. exact n. Defined.", HEADER),
    ],
    ids=["loads", "defines", "type"],
)
def test_a_proof_gets_the_trust_that_was_asked_for(
    pool: Pool, statement: str, proof: str, header: str, trust: Trust
) -> None:
    found = check(pool, proof, statement, header=header, trust=trust)
    assert (found.verdict, found.trust, found.axioms) == (Verdict.PROVED, trust, ()), found
    assert "8." in found.prover_version


@pytest.mark.parametrize("trust", [Trust.L0, Trust.L3])
def test_what_is_wrong_is_rejected_whatever_was_asked_for(pool: Pool, trust: Trust) -> None:
    found = check(pool, "lia.", "forall n : nat, n < n", trust=trust)
    assert (found.verdict, found.trust) == (Verdict.REJECTED, Trust.L0)
    assert "Cannot find witness" in found.detail


EXTENSIONAL = (
    "forall f g : nat -> nat, (forall x, f x = g x) -> f = g",
    "intros. apply functional_extensionality. auto.",
)


@pytest.mark.parametrize("trust", [Trust.L1, Trust.L2, Trust.L3])
def test_an_allowed_axiom_is_named(pool: Pool, trust: Trust) -> None:
    found = check(pool, EXTENSIONAL[1], EXTENSIONAL[0], trust=trust)
    assert (found.verdict, found.trust, found.axioms) == (Verdict.PROVED, trust, ("functional_extensionality_dep",))


def test_an_axiom_that_is_not_allowed_makes_a_proof_incomplete() -> None:
    with Pool([rocq()], workers=1) as strict:
        found = check(strict, EXTENSIONAL[1], EXTENSIONAL[0], trust=Trust.L1)
    assert (found.verdict, found.trust) == (Verdict.INCOMPLETE, Trust.L0)
    assert found.axioms == ("functional_extensionality_dep",)


@pytest.mark.parametrize(
    ("printed", "names"),
    [
        ("Closed under the global context", ()),
        ("Axioms:\nfoo : False\nM.bar\n  : forall x,\n    x\n", ("foo", "M.bar")),
        ("Axioms:\nf is assumed to be guarded.", ("f is assumed to be guarded.",)),
        ("Section Variables:\nh : False\nAxioms:\na : A", ("h", "a")),
        ('Axioms:\nx : "Closed under the global context"', ("x",)),
    ],
)
def test_lists_of_axioms_are_read(printed: str, names: tuple[str, ...]) -> None:
    assert axioms_in(printed) == names


def test_no_list_is_no_answer() -> None:
    with pytest.raises(ProverProtocolError):
        axioms_in("")


# --- proofs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "proof",
    [
        "split. - exact I. - split. + exact I. + exact I.",
        "split. { exact I. } { split. 2: { exact I. } exact I. }",
        "repeat split. all: exact I.",
        "Proof. repeat split; exact I. Qed.",
        "Proof using. repeat split; exact I. Qed.",
        "Proof with auto. repeat split... Qed.",
        "Proof (conj I (conj I I)).",
        "(* a. *) repeat split. (* Qed. *) Defined.",
        'idtac "a. "" (* b". (* "*)" *) repeat split. Show. Guarded.',
        "unshelve eapply conj. 2: unshelve eapply conj. Unshelve. all: exact I.",
    ],
)
def test_proofs_come_in_many_shapes(pool: Pool, proof: str) -> None:
    found = check(pool, proof, "True /\\ (True /\\ True)", trust=Trust.L1)
    assert (found.verdict, found.trust) == (Verdict.PROVED, Trust.L1), found.detail


@pytest.mark.parametrize(
    ("proof", "verdict"),
    [
        ("", Verdict.INCOMPLETE),
        ("idtac.", Verdict.INCOMPLETE),
        ("split. - exact I.", Verdict.INCOMPLETE),
        ("admit.", Verdict.INCOMPLETE),
        ("split. { exact I. ", Verdict.INCOMPLETE),
        ("exact 1.", Verdict.REJECTED),
        ("nonsense.", Verdict.REJECTED),
        ("Proof I. exact I.", Verdict.REJECTED),
        ("exact I", Verdict.UNSUPPORTED),
        ("exact I. (* ", Verdict.UNSUPPORTED),
    ],
)
def test_what_is_no_proof_says_why(pool: Pool, proof: str, verdict: Verdict) -> None:
    found = check(pool, proof, "True /\\ True")
    assert found.verdict is verdict, found
    assert found.detail


@pytest.mark.parametrize(
    ("proof", "place"),
    [
        ("exact 1.", (1, 7)),
        ("(* é *)\n  idtac.\n  exact   (é\n ).", (3, 12)),
        ("idtac. lia lia.", (1, 8)),
        ('idtac "éé"; exact wrong.', (1, 19)),
        ("split.\n- exact I.\n- exact (I I).", (3, 10)),
    ],
)
def test_an_error_has_its_place_in_characters(pool: Pool, proof: str, place: tuple[int, int]) -> None:
    message = check(pool, proof, "True /\\ True").messages[-1]
    assert (message.line, message.column) == place, message


def test_an_error_that_is_not_in_the_candidate_has_no_place(pool: Pool) -> None:
    message = check(pool, "exact I.", "nonsense").messages[-1]
    assert (message.line, message.column) == (0, 0)


def test_a_text_proves_the_theorem_that_is_named(pool: Pool) -> None:
    text = "Section s. Variable A : Prop. Lemma help : A -> A. Proof. auto. Qed. End s. Theorem t : True. exact I. Qed."
    assert check(pool, text, None, name="t").verdict is Verdict.PROVED
    assert check(pool, text, None, name="u").verdict is Verdict.MISMATCH
    assert check(pool, text + " Theorem u : True.", None, name="t").verdict is Verdict.INCOMPLETE


def test_a_header_that_is_not_accepted_is_the_caller_s_mistake(pool: Pool) -> None:
    for header in ("Nonsense.", "Theorem open : True.", "Axiom a : False"):
        with pytest.raises(InputError):
            check(pool, "exact I.", header=header)


# --- processes --------------------------------------------------------------------------------------------------------


def test_a_process_is_interrupted_and_goes_on() -> None:
    with Pool([rocq()], workers=1, grace_s=20.0) as pool:
        assert check(pool, "lia.", "0 < 1").verdict is Verdict.PROVED
        for candidate in (ENDLESS, "assert (Nat.pow 2 50 = 0). vm_compute.", "do 1000000000 idtac."):
            assert check(pool, candidate, deadline_s=0.5).verdict is Verdict.TIMEOUT
            assert check(pool, "lia.", "0 < 1").verdict is Verdict.PROVED
        counts = pool.metrics().processes.counts
    assert counts["starts"] == 1
    assert counts["recoveries"] == counts["interrupts"] == 3


def test_a_process_that_ran_out_of_memory_is_not_used_again() -> None:
    with Pool([rocq(memory_mb=900)], workers=1) as pool:
        assert check(pool, "lia.", "0 < 1").verdict is Verdict.PROVED
        big = check(pool, "let x := eval vm_compute in (Nat.pow 2 27) in pose x. exact I.", deadline_s=60)
        assert big.verdict in {Verdict.MEMORY, Verdict.CRASHED}, big
        assert check(pool, "lia.", "0 < 1").verdict is Verdict.PROVED
        assert pool.metrics().processes.counts["starts"] > 1


def test_a_stack_overflow_does_no_harm(pool: Pool) -> None:
    found = check(pool, "assert (Nat.pow 2 22 = 0) by (cbv; reflexivity).", deadline_s=60)
    assert found.verdict in {Verdict.REJECTED, Verdict.TIMEOUT}
    assert check(pool, "lia.", "0 < 1").verdict is Verdict.PROVED


def test_it_can_do_without_a_sandbox() -> None:
    with Pool([rocq(sandbox=None)], workers=1) as pool:
        assert check(pool, "lia.", "0 < 1", trust=Trust.L3).trust is Trust.L3


class Scripted:
    """A session that answers what it was told to; ``None`` is nothing in time."""

    def __init__(self, *frames: bytes | None, left_s: float | None = None, unanswered: int = 1) -> None:
        self.frames = list(frames)
        self.time_left_s = left_s
        self.notes: dict[str, Any] = {"unanswered": unanswered, "sending": False}
        self.interrupts = 0

    class cancel:  # noqa: N801 - stands for an attribute
        cancelled = False

    def receive(self, timeout_s: float | None = None) -> bytes:
        frame = self.frames.pop(0)
        if frame is None:
            raise ProverStoppedError("nothing yet")
        return frame

    def interrupt(self) -> None:
        self.interrupts += 1


def test_an_interrupt_that_came_too_early_is_sent_again() -> None:
    session: Any = Scripted(b"<feedback/>", None, None, b"<feedback/>", b' <value val="fail"/>')
    _rocq_xml.drain(session)
    assert (session.interrupts, session.notes["unanswered"]) == (2, 0)


def test_nothing_is_waited_for_when_all_was_answered() -> None:
    session: Any = Scripted(unanswered=0)
    _rocq_xml.drain(session)
    assert session.interrupts == 0


def test_what_cannot_be_saved_is_given_up() -> None:
    half_sent: Any = Scripted()
    half_sent.notes["sending"] = True
    with pytest.raises(ProverError, match="spoken to"):
        _rocq_xml.drain(half_sent)
    too_late: Any = Scripted(None, left_s=0.0)
    with pytest.raises(ProverStoppedError):
        _rocq_xml.drain(too_late)
    stubborn: Any = Scripted(*[None] * 9)
    with pytest.raises(ProverProtocolError):
        _rocq_xml.drain(stubborn, within_s=-1.0)


# --- audits of many ---------------------------------------------------------------------------------------------------


def checks_of(pool: Pool, jobs: list[Job]) -> list[Check]:
    done = sorted(pool.map(jobs), key=lambda one: one.position)
    assert all(one.error is None for one in done)
    return [one.value for one in done if one.value is not None]


def job(statement: str, candidate: str) -> Job:
    return Job(candidate=candidate, statement=statement, header=HEADER, prover="Rocq")


@pytest.mark.parametrize("trust", ["L1", "L2", "L3"])
def test_many_are_upgraded_as_one(pool: Pool, trust: str) -> None:
    jobs = [job(f"{n} < {n + 1}", "lia.") for n in range(3)]
    jobs += [job(*EXTENSIONAL), job("0 < 0", "lia."), job("True", "admit.")]
    before = checks_of(pool, jobs)
    after = pool.upgrade(before, trust)
    assert [one.verdict for one in after] == [Verdict.PROVED] * 4 + [Verdict.REJECTED, Verdict.INCOMPLETE]
    assert {one.trust for one in after[:4]} == {Trust[trust]}
    assert [one.axioms for one in after[:4]] == [()] * 3 + [("functional_extensionality_dep",)]
    assert after[4:] == before[4:]
    assert pool.upgrade(after, "L0") == after


def test_a_proof_may_not_lean_on_another_of_its_batch(pool: Pool) -> None:
    (honest,) = checks_of(pool, [job("0 < 1", "lia.")])
    jobs = [job("0 < 2", "exact (le_S _ _ porism_goal)."), job("0 < 2", "lia.")]
    leaning = checks_of(pool, jobs)
    assert [one.verdict for one in leaning] == [Verdict.REJECTED, Verdict.PROVED]
    assert [one.trust for one in pool.upgrade([honest, *leaning], "L2")] == [Trust.L2, Trust.L0, Trust.L2]


def test_one_is_upgraded_by_itself(pool: Pool) -> None:
    first = check(pool, "lia.", "0 < 1")
    second = first.upgraded("L2").result()
    assert (first.trust, second.verdict, second.trust) == (Trust.L0, Verdict.PROVED, Trust.L2)


def test_where_a_check_came_from_is_no_part_of_it(pool: Pool) -> None:
    found = check(pool, "lia.", "0 < 1")
    for twin in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert twin == found
        assert "origin" not in repr(twin)
        with pytest.raises(InputError, match="did not come from a pool"):
            twin.upgraded("L1")
        with pytest.raises(InputError, match="did not come from a pool"):
            pool.upgrade([twin], "L1")
    with pytest.raises(InputError, match="none of L0"):
        found.upgraded("L9")


def test_a_loop_awaits_upgrades() -> None:
    async def main() -> None:
        async with AsyncPool([rocq()], workers=1) as pool:
            found = await pool.check("lia.", statement="0 < 1", header=HEADER, prover="Rocq")
            assert (await found.upgraded(Trust.L1)).trust is Trust.L1
            assert [one.trust for one in await pool.upgrade([found, found], "L1")] == [Trust.L1, Trust.L1]

    asyncio.run(main())
