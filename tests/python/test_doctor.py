import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from porism._sandbox import sandbox_report
from porism.cli.doctor import ProverReport, cpu_features, doctor, examine
from porism.provers import Claim, E, Verdict, find_all

app = typer.Typer()
app.command()(doctor)

GOOD = [ProverReport("E", found=True, path="/e", version="E 3", works=True)]
BAD = [*GOOD, ProverReport("Z3", found=False, remedy='get it with: pip install "porism[provers]"')]


def run(*args: str):
    return CliRunner().invoke(app, args)


@pytest.mark.skipif(len(find_all()) < 3, reason="not all provers are installed")
def test_all_is_well_with_the_real_provers() -> None:
    result = run("--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 0, report
    assert [prover["name"] for prover in report["provers"]] == ["E", "Z3", "cvc5"]
    assert all(prover["works"] and prover["version"] and prover["path"] for prover in report["provers"])
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
    on_theorem: Verdict, on_other: Verdict, works: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(E, "find", lambda _: Path("/e"))
    monkeypatch.setattr(E, "version", lambda _: "E 3")
    claims = {"theorem": Claim("", on_theorem), "other": Claim("", on_other)}
    report = examine(E(), claims.__getitem__, "theorem", "other")
    assert report.works is works
    assert bool(report.remedy) is not works


def test_processor_features_are_read_from_the_kernel(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512f sse2\n")
    assert cpu_features(cpuinfo) == ["avx2", "avx512f"]
    assert cpu_features(tmp_path / "missing") == []
