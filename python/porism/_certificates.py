"""Certificates that come with a problem: proofs of unsatisfiability, models, and rewriting."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from porism import _core
from porism._check import CheckBudget, Checked, _checked, _threads
from porism._errors import InputError

FORMATS: Final = ("lrat", "drat", "model", "rewrite")

# Ample for proofs of a few gigabytes, and reached within minutes.
_BUDGET: Final = CheckBudget(steps=1 << 40, nodes=1 << 37, memory_bytes=4 << 30)


@dataclass(frozen=True, slots=True)
class Certified:
    """The verdict on a certificate, and which contents it is about.

    Attributes:
        checked: The verdict.
        format: ``lrat``, ``drat``, ``model`` or ``rewrite``.
        claim_hash: The BLAKE3 hash of the problem: of the clauses in their usual layout, or of the file of equations.
        certificate_hash: The BLAKE3 hash of the certificate.
        checker: Which checker decided.
        checker_version: In which version.
    """

    checked: Checked
    format: str
    claim_hash: str
    certificate_hash: str
    checker: str
    checker_version: str

    @property
    def accepted(self) -> bool:
        """Whether the certificate proves its claim."""
        return self.checked.accepted


def check_certificate(
    path: str | os.PathLike[str],
    *,
    problem: str | os.PathLike[str],
    format: str | None = None,
    threads: int | None = None,
    budget: CheckBudget | None = None,
) -> Certified:
    """Checks a certificate against the problem it is about.

    Args:
        path: The certificate. LRAT and DRAT may be text or bytes, rewriting JSON or bytes.
        problem: A DIMACS file; for ``rewrite``, equations and a goal in JSON.
        format: One of ``FORMATS``; told by the end of the file's name, unless it is set.
        threads: How many cores may work on an LRAT proof; all, unless it is set. The verdict is the same at any number.
        budget: For the certificate.

    Raises:
        InputError: The format is unknown.
        OSError: A file cannot be read.
    """
    chosen = format if format is not None else _core.certificate_format(path)
    if chosen not in FORMATS:
        message = f"no checker reads '{chosen or path}': the formats are {', '.join(FORMATS)}"
        raise InputError(message)
    fields = (budget or _BUDGET)._fields()
    decided, receipt = _core.check_certificate(problem, path, chosen, _threads(threads), fields)
    claim_hash, certificate_hash, checker, checker_version, _ = receipt
    return Certified(_checked(decided), chosen, claim_hash, certificate_hash, checker, checker_version)
