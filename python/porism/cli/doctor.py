"""``porism doctor``: what of this installation works, and how to get the rest."""

from __future__ import annotations

import json as json_module
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from porism import _core
from porism._errors import InputError, ProverError, ProverMissingError
from porism._pool import Pool
from porism._sandbox import SandboxReport, sandbox_report
from porism.provers import Driver, Job, Verdict, known
from porism.provers._self_tests import SELF_TESTS

if TYPE_CHECKING:
    from porism._verdicts import Check

_NOT_PROVED: Final = frozenset({Verdict.REFUTED, Verdict.UNKNOWN, Verdict.REJECTED})

_CPU_FEATURES: Final = ("avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vpopcntdq", "avx512_vnni", "asimd")

# What ``solve`` needs; the others are worth a word and no failure while they are missing.
_NEEDED: Final = frozenset({"E", "Z3", "cvc5"})

# Starting Isabelle and its session may take so long.
_SELF_TEST_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class ProverReport:
    """What is known of one prover.

    Attributes:
        name: The prover.
        found: Whether it is installed.
        path: Where.
        version: Which.
        works: Whether it proved a theorem, and did not prove what is none.
        remedy: What to do about it, if anything.
    """

    name: str
    found: bool
    path: str = ""
    version: str = ""
    works: bool = False
    remedy: str = ""


def doctor(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """Reports which provers work here, and how to get the missing ones.

    Exits with 1 if one that is installed does not work, or E, Z3 or cvc5 is missing, and with 0 otherwise.
    """
    provers = examine_provers()
    facts = describe_installation()
    sandbox = sandbox_report()
    if json:
        whole = {**facts, "sandbox": asdict(sandbox), "provers": [asdict(report) for report in provers]}
        typer.echo(json_module.dumps(whole, indent=2))
    else:
        _print_tables(Console(), facts, sandbox, provers)
    if any(not report.works and (report.found or report.name in _NEEDED) for report in provers):
        raise typer.Exit(1)


def examine_provers() -> list[ProverReport]:
    """Looks for each prover and puts it to the test."""
    return [examine(driver, *SELF_TESTS[driver.name]) for driver in known()]


def examine(driver: Driver, theorem: Job, no_theorem: Job) -> ProverReport:
    """Looks for one prover and asks it, through a pool, one thing that is true and one that is not."""
    name = driver.name
    try:
        path = str(driver.find() or "")
    except ProverMissingError as error:
        return ProverReport(name, found=False, remedy=str(error))
    try:
        version = driver.version()
        with Pool([driver], workers=1) as pool:
            right, wrong = (pool.check(job, prover=name, deadline_s=_SELF_TEST_S) for job in (theorem, no_theorem))
    except (ProverError, InputError) as error:
        return ProverReport(name, found=True, path=path, remedy=str(error))
    works = right.verdict is Verdict.PROVED and wrong.verdict in _NOT_PROVED
    remedy = "" if works else f"self-test failed: {_said(right)} on a theorem, {_said(wrong)} on a non-theorem"
    return ProverReport(name, found=True, path=path, version=version, works=works, remedy=remedy)


def _said(check: Check) -> str:
    return f"{check.verdict} ({check.detail})" if check.detail else str(check.verdict)


def describe_installation() -> dict[str, str | list[str] | None]:
    """Facts that a report of a problem should hold."""
    return {
        "porism": _core.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu_features": cpu_features(Path("/proc/cpuinfo")),
        "isa": _isa(),
        "sqlite": getattr(_core, "SQLITE_VERSION", None),
    }


def _isa() -> str:
    """The instruction set that searches use, or what is wrong with the one that was asked for."""
    try:
        return _core.isa()
    except InputError as error:
        return str(error)


def cpu_features(cpuinfo: Path) -> list[str]:
    """The vector instructions that the kernel lists for the first processor; none where there is no such list."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return []
    flags = next((line.partition(":")[2] for line in lines if line.startswith(("flags", "Features"))), "")
    return [feature for feature in _CPU_FEATURES if feature in flags.split()]


def _print_tables(
    console: Console, facts: dict[str, str | list[str] | None], sandbox: SandboxReport, provers: list[ProverReport]
) -> None:
    console.print(_facts_table(facts))
    console.print(_sandbox_table(sandbox))
    console.print(_provers_table(provers))
    for report in provers:
        if report.remedy:
            # No markup: the "[provers]" of the command is text. No wrapping: people copy it.
            console.print(f"{report.name}: {report.remedy}", markup=False, highlight=False, soft_wrap=True)


def _facts_table(facts: dict[str, str | list[str] | None]) -> Table:
    table = Table(show_header=False, box=None)
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), _shown(value))
    return table


def _sandbox_table(sandbox: SandboxReport) -> Table:
    table = Table("sandbox", "granted", "detail")
    for entry in (*sandbox.mechanisms, *sandbox.guarantees):
        table.add_row(entry.name, "[green]yes[/]" if entry.in_force else "[yellow]no[/]", escape(entry.detail))
    return table


def _shown(value: str | list[str] | None) -> str:
    if isinstance(value, list):
        return " ".join(value) or "none known"
    return value or "unknown"


def _provers_table(provers: list[ProverReport]) -> Table:
    table = Table("prover", "works", "version", "path")
    for report in provers:
        works = "[green]yes[/]" if report.works else "[red]no[/]" if report.found else "[yellow]missing[/]"
        table.add_row(report.name, works, report.version, report.path)
    return table
