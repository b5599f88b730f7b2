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
from porism.provers import Z3, Claim, Cvc5, E, Job, Lean, Prover, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

_THEOREM_TPTP: Final = "fof(all, axiom, ![X]: p(X)). fof(goal, conjecture, p(a))."
_NO_THEOREM_TPTP: Final = "fof(some, axiom, p(a)). fof(goal, conjecture, p(b))."

_SIGNATURE_SMT2: Final = "(set-logic UF)(declare-sort U 0)(declare-fun p (U) Bool)(declare-const a U)"
_THEOREM_SMT2: Final = f"{_SIGNATURE_SMT2}(assert (forall ((x U)) (p x)))(assert (not (p a)))(check-sat)"
_NO_THEOREM_SMT2: Final = f"{_SIGNATURE_SMT2}(assert (not (p a)))(check-sat)"

_CPU_FEATURES: Final = ("avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vpopcntdq", "avx512_vnni", "asimd")

# What a prover that works says of a non-theorem, and a checker of a proof that is none.
_NOT_PROVED: Final = frozenset({Verdict.REFUTED, Verdict.UNKNOWN, Verdict.REJECTED})

_SELF_TEST_S: Final = 10


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

    Exits with 0 if all of them work and with 1 otherwise.
    """
    provers = examine_provers()
    facts = describe_installation()
    sandbox = sandbox_report()
    if json:
        whole = {**facts, "sandbox": asdict(sandbox), "provers": [asdict(report) for report in provers]}
        typer.echo(json_module.dumps(whole, indent=2))
    else:
        _print_tables(Console(), facts, sandbox, provers)
    if not all(report.works for report in provers):
        raise typer.Exit(1)


def examine_provers() -> list[ProverReport]:
    """Looks for each prover and puts it to the test."""
    e, z3, cvc5 = E(), Z3(), Cvc5()
    return [
        examine(e, lambda problem: e.prove(problem, cpu_s=_SELF_TEST_S), _THEOREM_TPTP, _NO_THEOREM_TPTP),
        examine(z3, lambda problem: z3.prove_smt2(problem, seconds=_SELF_TEST_S), _THEOREM_SMT2, _NO_THEOREM_SMT2),
        examine(cvc5, lambda problem: cvc5.prove_smt2(problem, seconds=_SELF_TEST_S), _THEOREM_SMT2, _NO_THEOREM_SMT2),
        *examine_lean(Lean()),
    ]


def examine_lean(lean: Lean) -> list[ProverReport]:
    """Puts Lean to the test where it is installed. It is no part of an installation of Porism: none is not missed."""
    try:
        lean.find()
    except ProverMissingError:
        return []
    # Neither library nor header is involved: a word of Lean's own is enough.
    with Pool([lean], workers=1) as pool:

        def prove(statement: str) -> Claim:
            job = Job(candidate="fun _ h => h", statement=statement, header="prelude", prover=lean.name)
            check = pool.check(job, deadline_s=_SELF_TEST_S)
            return Claim("", check.verdict, detail=check.detail)

        return [examine(lean, prove, "∀ p : Prop, p → p", "∀ p q : Prop, p → q")]


def examine(prover: Prover, prove: Callable[[str], Claim], theorem: str, no_theorem: str) -> ProverReport:
    """Looks for one prover and asks it one thing that is true and one that is not."""
    try:
        path = str(prover.find())
    except ProverMissingError as error:
        return ProverReport(prover.name, found=False, remedy=str(error))
    try:
        version, right, wrong = prover.version(), prove(theorem), prove(no_theorem)
    except ProverError as error:
        return ProverReport(prover.name, found=True, path=path, remedy=str(error))
    works = right.verdict is Verdict.PROVED and wrong.verdict in _NOT_PROVED
    remedy = "" if works else f"self-test failed: {_said(right)} on a theorem, {_said(wrong)} on a non-theorem"
    return ProverReport(prover.name, found=True, path=path, version=version, works=works, remedy=remedy)


def _said(claim: Claim) -> str:
    return f"{claim.verdict} ({claim.detail})" if claim.detail else str(claim.verdict)


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
