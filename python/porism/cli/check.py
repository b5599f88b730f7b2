"""``porism check``: whether the proofs of a file prove what they say."""

from __future__ import annotations

import json as json_module
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from porism._check import CheckReport, Decision, check

_EXIT: Final = {Decision.ACCEPTED: 0, Decision.REJECTED: 1, Decision.UNDECIDED: 2}
_SHOWN: Final = 20


def check_file(
    file: Annotated[Path, typer.Argument(help="A Metamath database (.mm).")],
    threads: Annotated[int | None, typer.Option(help="How many cores may work; all, unless it is set.")] = None,
    paranoid: Annotated[bool, typer.Option("--paranoid", help="Have a slow second checker confirm it.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Checks every proof of a file.

    Exits with 0 if all are accepted, with 1 if any is rejected, and with 2 if none is but some are not decided.
    """
    started = time.perf_counter()
    report = check(file, threads=threads, paranoid=paranoid)
    seconds = time.perf_counter() - started
    if json:
        print(json_module.dumps(_fields(report)))
    else:
        for theorem, checked in list(report.faults.items())[:_SHOWN]:
            print(
                f"{checked.decision} {theorem}: {checked.fault}" if theorem else f"{checked.decision}: {checked.fault}"
            )
        if len(report.faults) > _SHOWN:
            print(f"... and {len(report.faults) - _SHOWN} more")
        print(f"{report.decision}: {report.accepted} of {report.proofs} proofs accepted in {seconds:.2f} s")
    raise typer.Exit(_EXIT[report.decision])


def _fields(report: CheckReport) -> dict[str, object]:
    faults = [
        {"theorem": theorem, "decision": checked.decision, **(asdict(checked.fault) if checked.fault else {})}
        for theorem, checked in report.faults.items()
    ]
    return {"decision": report.decision, "proofs": report.proofs, "accepted": report.accepted, "faults": faults}
