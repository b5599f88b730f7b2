"""The drivers of Lean, against a real Lean: verdicts, levels of trust, places of messages, interrupts, confinement."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lean_program import ENDLESS, HEADER, NUMBERS, build, library

import porism
from porism import Trust
from porism.cli.doctor import examine
from porism.provers import Language, Lean, LeanServer, Verdict
from porism.provers._lean_audit import judging_header
from porism.provers._lean_text import UnfitError, check_term, proof_of
from porism.provers._self_tests import SELF_TESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from porism.provers import Driver

SWAP = "∀ p q : Prop, And p q → And q p"
PROOF = "fun _ _ h => ⟨h.right, h.left⟩"
TACTICS = """by
  intro p q h
  constructor
  exact h.right
  exact h.left"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("lean"))


@pytest.fixture(scope="module", params=[Lean, LeanServer], ids=["batch", "server"])
def pool(request: pytest.FixtureRequest, program: Path) -> Iterator[porism.Pool]:
    driver: Driver = request.param(program, read=[library()])
    with porism.Pool([driver], workers=1, grace_s=10.0) as pool:
        yield pool


@pytest.fixture
def ask(pool: porism.Pool) -> Callable[..., porism.Check]:
    def ask(candidate: str, statement: str | None = SWAP, **others: Any) -> porism.Check:
        others = {"name": "swap", "header": HEADER, "deadline_s": 60.0, **others}
        return pool.check(candidate, statement=statement, prover=pool.provers[0].name, **others)

    return ask


# --- verdicts


@pytest.mark.parametrize("proof", [PROOF, TACTICS, f":= {PROOF}", f"{PROOF} -- by hand", f"/- so -/ ({PROOF})"])
def test_a_proof_is_proved(ask: Callable[..., porism.Check], proof: str) -> None:
    check = ask(proof, trust=Trust.L2)
    assert (check.verdict, check.trust, check.axioms) == (Verdict.PROVED, Trust.L2, ()), check
    assert check.prover_version.startswith("Lean (version 4.")


def test_the_level_is_that_which_was_done(ask: Callable[..., porism.Check]) -> None:
    assert ask(PROOF).trust is Trust.L1
    assert ask(f"theorem swap : {SWAP} := {PROOF}", None).trust is Trust.L0
    assert ask(f"theorem swap : {SWAP} := {PROOF}", options={"whole": True}).trust is Trust.L0


def test_a_wrong_proof_is_rejected_at_its_place(ask: Callable[..., porism.Check]) -> None:
    check = ask("-- \U0001d53d\nfun (_ _ : Prop) /- \U0001d53d -/ h => h")
    assert check.verdict is Verdict.REJECTED
    error = next(message for message in check.messages if message.severity is porism.Severity.ERROR)
    assert (error.line, error.column) == (2, 31), check.messages
    assert "Type mismatch" in error.text


def test_axioms_are_named_and_allowed_or_not(ask: Callable[..., porism.Check]) -> None:
    statement = "∀ p q : Prop, (p → q) → (q → p) → Eq p q"
    check = ask("fun _ _ => propext", statement, trust=Trust.L2)
    assert (check.verdict, check.trust, check.axioms) == (Verdict.PROVED, Trust.L2, ("propext",)), check
    header = f"{HEADER}\naxiom choose {{p q : Prop}} : Or p q → p"
    check = ask("fun _ _ => choose", "∀ p q : Prop, Or p q → p", header=header)
    assert (check.verdict, check.trust, check.axioms) == (Verdict.INCOMPLETE, Trust.L0, ("choose",)), check


def test_headers_may_declare_and_open(ask: Callable[..., porism.Check]) -> None:
    header = f"""{HEADER}
namespace Logic
variable (p : Prop)
def Twice (p : Prop) : Prop :=
  And p p
end Logic
open Logic"""
    check = ask("fun _ h => ⟨h, h⟩", "∀ p : Prop, p → Twice p", header=header, trust=Trust.L2)
    assert (check.verdict, check.trust) == (Verdict.PROVED, Trust.L2), check


def test_a_statement_that_says_nothing_is_not_the_candidates_fault(ask: Callable[..., porism.Check]) -> None:
    check = ask("fun _ => id", "∀ p : Prop, p → q")
    assert check.verdict is Verdict.UNSUPPORTED, check
    assert "statement" in check.detail
    assert ask(PROOF, f"({SWAP}").verdict is Verdict.UNSUPPORTED


def test_limits_of_lean_are_no_verdict(ask: Callable[..., porism.Check], pool: porism.Pool) -> None:
    check = ask(PROOF, options={"max_heartbeats": 1})
    # The server does not say which kind of error it was.
    batch = isinstance(pool.provers[0], Lean)
    assert check.verdict in ({Verdict.UNKNOWN} if batch else {Verdict.UNSUPPORTED, Verdict.REJECTED}), check


def test_what_does_not_end_is_stopped(ask: Callable[..., porism.Check], pool: porism.Pool) -> None:
    assert ask("True.intro", "True", header=NUMBERS).verdict is Verdict.PROVED
    check = ask(ENDLESS, "Eq (add big 1) (add 1 big)", header=NUMBERS, deadline_s=4.0)
    assert check.verdict is Verdict.TIMEOUT, check
    assert ask("True.intro", "True", header=NUMBERS).verdict is Verdict.PROVED
    counts = pool.metrics().processes.counts
    if isinstance(pool.provers[0], LeanServer):
        # Its header stays loaded, or the process is gone: it depends on how soon Lean gives up.
        assert counts["interrupts"] == counts["recoveries"] + counts["ended_unrecovered"] == 1, counts


# --- higher levels


def tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_checkers_on_the_path_raise_the_level(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    driver = Lean(program, read=[library(), tmp_path])
    assert driver.capabilities().trust is Trust.L2
    # The replayer finds the compiled proof where LEAN_PATH says.
    tool(tmp_path, "leanchecker", 'test -f "${LEAN_PATH%%:*}/$1.olean"')
    assert driver.capabilities().trust is Trust.L3
    tool(tmp_path, "lean4export", 'test "$3" = swap && echo exported')
    tool(tmp_path, "nanoda_bin", "grep -q propext $1 && exec grep -q exported ${1%/*}/export.ndjson")
    assert driver.capabilities().trust is Trust.L4
    with porism.Pool([driver], workers=1) as pool:
        for level in Trust:
            check = pool.check(PROOF, statement=SWAP, header=HEADER, name="swap", prover="Lean", trust=level)
            assert (check.verdict, check.trust) == (Verdict.PROVED, max(level, Trust.L1)), check
        header = f"{HEADER}\nnamespace Logic"
        check = pool.check(PROOF, statement=SWAP, header=header, name="swap", prover="Lean", trust=Trust.L4)
        assert (check.verdict, check.trust) == (Verdict.PROVED, Trust.L3), check
        tool(tmp_path, "nanoda_bin", "echo 'declined' >&2; exit 2")
        check = pool.check(PROOF, statement=SWAP, header=HEADER, name="swap", prover="Lean", trust=Trust.L4)
        assert (check.verdict, check.trust) == (Verdict.PROVED, Trust.L3), check
        assert "declined" in check.detail


def test_no_level_is_claimed_that_cannot_be_had(program: Path) -> None:
    driver = Lean(program, read=[library()])
    if driver.capabilities().trust > Trust.L2:
        pytest.skip("leanchecker is installed")
    with porism.Pool([driver], workers=1) as pool, pytest.raises(porism.InputError, match="L2 at most"):
        pool.check(PROOF, statement=SWAP, header=HEADER, language=Language.LEAN4, trust=Trust.L3)


def test_the_judge_gets_scopes_and_no_declarations() -> None:
    header = "import A\n/- def -/\nopen B\ndef f :=\n  open C in 1\nnamespace D -- def\nvariable (x : X)\n  (y : Y)\n"
    assert judging_header(header) == (
        "import A\nimport PorismCandidate\nopen B\nnamespace D\nvariable (x : X)\n  (y : Y)"
    )


# --- what is read before Lean reads it


@pytest.mark.parametrize(
    "term",
    [
        "by simp [h, foo'] <;> omega",
        "fun h' => (f' h').1",
        "by\n  set_option maxHeartbeats 400000 in\n  nlinarith [sq_nonneg (a - b)]",
        'by trace "so far"; exact h -- (a remark',
        "by /- ( -/ exact ⟨h, fun x ↦ x⟩",
        "h «some name»",
        "h'''.trans (Polynomial.eval x p)",
        "s '' t ⊆ u",
        "by simp [#s, #univ, #(filter p s)]",
        "by open Nat in simp",
    ],
)
def test_proofs_are_let_through(term: str) -> None:
    assert proof_of(term) == term


@pytest.mark.parametrize(
    "term",
    [
        "",
        "(",
        ")",
        "(]",
        "h)(",
        '"',
        "«",
        "f /- x",
        "/- /- -/ -/ x",
        "/-- x -/ y",
        "x--y",
        "x/-y-/",
        "'('",
        "'\\''",
        'r#")"#',
    ]
    + [
        f"by {word}"
        for word in (
            "native_decide",
            "run_tac x",
            "unsafe x",
            "exact unsafeCast x",
            "exact «unsafeIO» x",
            "set_option pp.all true in x",
        )
    ]
    + [
        "unsafeCast x",
        "«unsafeIO» x",
        'f 1.r"\\" ) "',
        'f 0xFr"\\" ) "',
        "x\n#eval 1",
        "1.theorem y : z := w",
        "x theorem y : z := w",
    ]
    + ["let rec @[simp] f := 1; f", 'include_str "/etc/passwd"', "«a(b»", 'm!"{x}"'],
)
def test_what_could_be_a_way_out_is_refused(term: str) -> None:
    with pytest.raises(UnfitError):
        proof_of(term)


def test_reading_takes_no_longer_than_the_text_is_long() -> None:
    for piece in ("(", "/- -/ ", "'", '"" ', "a.", "-- x\n", "\\"):
        with contextlib.suppress(UnfitError):
            check_term(piece * (100_000 // len(piece)))
    with pytest.raises(UnfitError, match="at most"):
        check_term("x" * 1_000_001)


# --- how it is installed


def test_the_doctor_examines_it_where_it_is(program: Path, tmp_path: Path) -> None:
    missing = examine(Lean(tmp_path / "lean"), *SELF_TESTS["Lean"])
    assert (missing.found, missing.works) == (False, False)
    report = examine(Lean(program, read=[library()]), *SELF_TESTS["Lean"])
    assert (report.name, report.works, report.remedy) == ("Lean", True, "")
    assert report.version.startswith("Lean (version 4.")


def test_the_guide_shows_what_is_so(
    program: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "lean.md").read_text(encoding="utf-8")
    shown = re.search(r"```python\n(.*?)```\n\nprints\n\n```\n(.*?)```", page, re.DOTALL)
    assert shown
    # Its library is where nobody else has it.
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(porism.provers, "Lean", functools.partial(Lean, read=[library()]))
    exec(compile(shown[1], "lean.md", "exec"), {})
    assert capsys.readouterr().out == shown[2]


# --- how it is run


def test_candidates_see_no_secrets(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    driver = LeanServer(program, libraries=[program.parent])
    env = driver.launch("").env
    assert env["SECRET_KEY"] is None
    assert env["LEAN_PATH"] == str(program.parent)
    assert "PATH" not in env


_NOSY = """#!/bin/bash
case $1 in
    --version) echo 'Lean (version 4.0.0)'; exit ;;
    --print-prefix) echo FOLDER/tool; exit ;;
esac
(exec 3<>/dev/tcp/127.0.0.1/PORT) 2>/dev/null && got="$got network"
(echo 1 >FOLDER/rewards) 2>/dev/null
cat FOLDER/secret >/dev/null 2>&1 && got="$got read"
test -n "$SECRET_KEY" && got="$got environment"
echo "got:$got" >&2
exit 3
"""


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="bash opens the connection")
def test_what_a_candidate_reaches_out_for_is_out_of_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / "tool").mkdir()
    program = tmp_path / "tool" / "lean"
    got = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        program.write_text(_NOSY.replace("FOLDER", str(tmp_path)).replace("PORT", port))
        program.chmod(0o755)
        for driver in (Lean(program), Lean(program, sandbox=None)):
            with porism.Pool([driver], workers=1) as pool:
                check = pool.check(PROOF, statement=SWAP, prover="Lean", deadline_s=60.0)
            assert check.verdict is Verdict.CRASHED
            # In a sandbox it may have a folder of that name for itself.
            got.append((check.detail, (tmp_path / "rewards").exists()))
    assert got == [("exited with 3: got:", False), ("exited with 3: got: network read", True)]


def test_what_the_sandbox_cannot_hold_is_not_started(program: Path) -> None:
    if porism.sandbox_report().holds("memory"):
        pytest.skip("this machine can hold it")
    sandbox = porism.Sandbox(memory_bytes=1 << 30, demand=("memory",))
    driver = Lean(program, read=[library()], sandbox=sandbox)
    with porism.Pool([driver], workers=1) as pool, pytest.raises(porism.ProverError, match="cannot guarantee memory"):
        pool.check(PROOF, statement=SWAP, header=HEADER, prover="Lean")


def test_a_sandbox_is_the_default(program: Path) -> None:
    driver = LeanServer(program)
    sandbox = driver.launch("").sandbox
    assert sandbox is not None
    assert program.parent.parent in sandbox.read
    assert sandbox.network == "none"
    assert {"files", "network"} <= set(sandbox.demand or ())


def test_a_project_of_lake_is_asked_once(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "lake-manifest.json").write_text("{}")
    script = f"test $1 = env && pwd >>{tmp_path}/asked && echo LEAN_PATH={tmp_path}/a:{tmp_path}/b && echo OTHER=1"
    tool(tmp_path, "lake", script)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    driver = LeanServer(program, project=project)
    for _ in range(2):
        env = driver.launch("").env
        assert env["LEAN_PATH"] == f"{tmp_path}/a:{tmp_path}/b"
        assert "OTHER" not in env
    assert (tmp_path / "asked").read_text().splitlines() == [str(project.resolve())]
    assert driver.build() != driver.version()


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    driver = Lean(tmp_path / "lean")
    with pytest.raises(porism.ProverMissingError):
        driver.version()
    assert driver.capabilities().trust is Trust.L2
