import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from porism._sandbox import sandbox_report
from porism._verdicts import Check, Trust
from porism.cli.doctor import ProverReport, cpu_features, doctor, examine
from porism.provers import Capabilities, Driver, Job, Language, Verdict, find_all, known
from porism.provers._self_tests import SELF_TESTS

NEEDED = {"E", "Z3", "cvc5"}

app = typer.Typer()
app.command()(doctor)

GOOD = [ProverReport("E", found=True, path="/e", version="E 3", works=True)]
BAD = [*GOOD, ProverReport("Z3", found=False, remedy='get it with: pip install "porism[provers]"')]


def run(*args: str):
    return CliRunner().invoke(app, args)


@pytest.mark.skipif(not {driver.name for driver in find_all()} >= NEEDED, reason="not all provers are installed")
def test_all_is_well_with_the_real_provers() -> None:
    result = run("--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 0, report
    assert [prover["name"] for prover in report["provers"]] == [driver.name for driver in known()]
    found = [prover for prover in report["provers"] if prover["found"]]
    assert {prover["name"] for prover in found} >= NEEDED
    assert all(prover["works"] and prover["version"] and prover["path"] for prover in found)
    assert all(prover["remedy"] for prover in report["provers"] if not prover["found"])
    assert {entry["name"] for entry in report["sandbox"]["mechanisms"]} >= {"landlock", "seccomp", "no_new_privs"}
    assert report["porism"]


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_missing_prover_is_told_with_its_remedy(flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("porism.cli.doctor.examine_provers", lambda: BAD)
    result = run(*flags)
    assert result.exit_code == 1
    assert "porism[provers]" in result.stdout
    assert "Z3" in result.stdout


def test_the_table_is_honest_about_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("porism.cli.doctor.examine_provers", lambda: GOOD)
    result = run()
    assert result.exit_code == 0
    for entry in (*sandbox_report().mechanisms, *sandbox_report().guarantees):
        assert entry.name in result.stdout


@pytest.mark.parametrize(
    ("on_theorem", "on_other", "works"),
    [
        (Verdict.PROVED, Verdict.REFUTED, True),
        (Verdict.PROVED, Verdict.UNKNOWN, True),
        (Verdict.PROVED, Verdict.PROVED, False),
        (Verdict.PROVED, Verdict.CRASHED, False),
        (Verdict.UNKNOWN, Verdict.REFUTED, False),
    ],
)
def test_a_prover_works_if_it_proves_what_is_true_and_only_that(
    on_theorem: Verdict, on_other: Verdict, works: bool
) -> None:
    says = {"theorem": on_theorem, "other": on_other}

    class Oracle(Driver):
        name = "Oracle"

        def capabilities(self) -> Capabilities:
            return Capabilities(languages=frozenset({Language.TPTP}))

        def version(self) -> str:
            return "1"

        def check(self, session: object, job: Job) -> Check:
            return Check(verdict=says[job.candidate], trust=Trust.L0, prover=self.name)

    report = examine(Oracle(), Job(candidate="theorem"), Job(candidate="other"))
    assert report.works is works
    assert bool(report.remedy) is not works


def test_every_known_prover_has_a_self_test() -> None:
    assert set(SELF_TESTS) == {driver.name for driver in known()}


def test_a_missing_prover_that_solving_does_not_need_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    reports = [*GOOD, ProverReport("Vampire", found=False, remedy="get it")]
    monkeypatch.setattr("porism.cli.doctor.examine_provers", lambda: reports)
    result = run()
    assert result.exit_code == 0
    assert "Vampire: get it" in result.stdout


def test_processor_features_are_read_from_the_kernel(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512f sse2\n")
    assert cpu_features(cpuinfo) == ["avx2", "avx512f"]
    assert cpu_features(tmp_path / "missing") == []
