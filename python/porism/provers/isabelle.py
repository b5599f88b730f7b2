"""Isabelle: theories are checked by its server, which is kept, with the session that it has loaded.

This has met a stand-in that speaks the server's protocol byte for byte, and never a real Isabelle: no registry that we
know has one. It follows the system manual of Isabelle2025, "The Isabelle server".
"""

from __future__ import annotations

import json
import re
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from porism._errors import InputError, ProverError, ProverProtocolError
from porism._types import Verdict
from porism._verdicts import Check, Message, Severity, Trust
from porism.provers import _child
from porism.provers._driver import Capabilities, Driver, Framing, Job, Language, Launch

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from porism._core import Session
    from porism._sandbox import Sandbox

INSTALL: Final = "https://isabelle.in.tum.de, with its folder 'bin' on the path"

_NAME: Final = re.compile(r"[A-Za-z][\w']{0,99}")
_CHILD: Final = Path(__file__).with_name("_isabelle_child.py")
_HEADER: Final = "Porism_Header"
# By an oracle of this name Isabelle takes what was proved by "sorry".
_CHEAT: Final = "skip_proof"
# Proofs of such a kind are ended from outside; until then the server is to look as often as this.
_CHECK_DELAY_S: Final = 0.05


class Isabelle(Driver):
    """Proofs in Isabelle, checked by a server that is kept.

    With a ``statement``, a job's candidate is a proof: what stands behind ``theorem name: "statement"``. Without one it
    is what stands between ``begin`` and ``end`` of a theory, and ``name`` the theorem in it that is asked for. A second
    theory, in which the candidate does not stand, states the statement again, and asks for the oracles that the theorem
    rests on: ``sorry`` is ``INCOMPLETE``. The header is the inside of a theory that the candidate's theory imports.

    Theories run code with the server's rights, and share its process: this is worth L0, and candidates of strangers
    need a sandbox. Server and pool talk through pipes, so ``Sandbox(network="private")`` is enough.

    Args:
        executable: The program ``isabelle``, if it is not on the path.
        session: Which session is loaded.
        imports: What candidates import beside the header.
        sandbox: How the server is confined; ``None`` leaves it with the caller's rights.
    """

    name = "Isabelle"
    options = MappingProxyType({"watchdog_s": float})

    def __init__(
        self,
        executable: str | os.PathLike[str] | None = None,
        *,
        session: str = "HOL",
        imports: Sequence[str] = ("Main",),
        sandbox: Sandbox | None = None,
    ) -> None:
        self._explicit = None if executable is None else Path(executable)
        self._session = session
        self._imports = tuple(imports)
        self._sandbox = sandbox

    def find(self) -> Path:
        """Where the program is."""
        return _child.locate(self.name, self._explicit, programs=("isabelle",), how=INSTALL)

    def version(self) -> str:
        """The version that it reports, such as ``"Isabelle2025"``."""
        return _child.first_line(self.find(), "version")

    def server(self) -> tuple[str, ...]:
        """The command that starts a server of this process alone."""
        return (str(self.find()), "server", "-n", f"porism_{_unique()}")

    def capabilities(self) -> Capabilities:
        """It reads theories, which can run code; its tasks can be cancelled."""
        return Capabilities(languages=frozenset({Language.ISABELLE}), interruptible=True, runs_code=True)

    def launch(self, header: str) -> Launch:
        """A relay, which starts the server beside itself, in the same sandbox."""
        sandbox = self._sandbox
        if sandbox is not None:
            sandbox = replace(sandbox, read=(*sandbox.read, Path(sys.base_prefix), _CHILD))
        return Launch(
            program=Path(sys.executable).resolve(),
            args=("-I", "-S", str(_CHILD)),
            framing=Framing.LINES,
            sandbox=sandbox,
        )

    def start(self, session: Session, header: str) -> None:
        """Starts the server and a session in it, and has it read the header.

        Raises:
            InputError: Isabelle does not accept the header.
            ProverError: There is no such session.
        """
        folder = _argument(session.ask(json.dumps(self.server()).encode() + b"\n"), "FOLDER")
        _argument(session.receive(), "OK")
        started = _task(session, "session_start", {"session": self._session})
        if "session_id" not in started:
            raise ProverError(f"{self.name} does not start {self._session}: {_said(started)}")
        session.notes.update(folder=folder, session=started["session_id"], imports=self._imports)
        if header:
            _write(session, _HEADER, self._imports, header)
            result = self._use(session, [_HEADER], {})
            if _verdict(result)[0] is not Verdict.PROVED:
                raise InputError(f"{self.name} does not accept the header: {_verdict(result)[1]}")
            session.notes["imports"] = (_HEADER,)

    def check(self, session: Session, job: Job) -> Check:
        """Checks a proof of the statement, or a theory."""
        name = job.name or "porism_goal"
        if _NAME.fullmatch(name) is None:
            raise InputError(f"name={name!r} is no name of Isabelle")
        result = self._checked(session, job, name)
        verdict, detail = _verdict(result)
        messages = tuple(_messages(result))
        if verdict is Verdict.PROVED and any(_CHEAT in message.text for message in messages):
            verdict, detail = Verdict.INCOMPLETE, f"{name} rests on the oracle {_CHEAT}"
        return Check(
            verdict=verdict,
            trust=Trust.L0,
            prover=self.name,
            prover_version=self.version(),
            messages=messages,
            detail=detail,
        )

    def recover(self, session: Session) -> None:
        """Waits until nothing is under way, then has it accept what is true, and not what is false."""
        session.send(b"quiet\n")
        while session.receive().strip() != b"QUIET":
            pass
        for statement, right in (("True", True), ("False", False)):
            job = Job(candidate="by simp", statement=statement)
            proved = _verdict(self._checked(session, job, "porism_canary"))[0] is Verdict.PROVED
            if proved is not right:
                raise ProverProtocolError(f"{self.name} is wrong about {statement}")

    def _checked(self, session: Session, job: Job, name: str) -> dict[str, Any]:
        """What the server says of the candidate's theory, and of one that looks at it from outside."""
        theory, audit = f"Porism_{_unique()}", f"Porism_{_unique()}"
        statement = None if job.statement is None else _quoted(job.statement)
        begin = "" if statement is None else f'theorem {name}: "{statement}"\n'
        _write(session, theory, session.notes["imports"], begin + job.candidate)
        again = "" if statement is None else f'theorem porism_again: "{statement}" by (fact {name})\n'
        _write(session, audit, (theory,), f"{again}thm_oracles {name}\n" if statement or job.name else "")
        try:
            return self._use(session, [theory, audit], job.options)
        finally:
            # Purged in the order of imports; what is not there any more needs no purge.
            session.notes.setdefault("old", []).extend([audit, theory])

    def _use(self, session: Session, theories: Sequence[str], options: Any) -> dict[str, Any]:
        _forget(session)
        argument = {
            "session_id": session.notes["session"],
            "theories": list(theories),
            "master_dir": session.notes["folder"],
            "check_delay": _CHECK_DELAY_S,
            "watchdog_timeout": float(options.get("watchdog_s", 30.0)),
        }
        return _task(session, "use_theories", argument)


def _unique() -> str:
    """A name that no other theory and no other server has."""
    return secrets.token_hex(8)


def _quoted(statement: str) -> str:
    """A statement that stays within its quotes.

    Raises:
        InputError: It would not.
    """
    if '"' in statement or "\\" in statement.replace("\\<", ""):
        raise InputError("a statement has neither quotes nor backslashes, but for symbols")
    return statement


def _write(session: Session, name: str, imports: Sequence[str], inside: str) -> None:
    text = f"theory {name}\n  imports {' '.join(imports)}\nbegin\n{inside}\nend\n"
    session.send(b"theory " + json.dumps({"name": name, "text": text}).encode() + b"\n")


def _forget(session: Session) -> None:
    """Takes former theories out of the server, whose memory would grow for ever."""
    old = session.notes.pop("old", [])
    if old:
        argument = {"session_id": session.notes["session"], "theories": old, "master_dir": session.notes["folder"]}
        _argument(session.ask(_line("purge_theories", argument)), "OK")
        session.send(_line("forget", {"names": old}))


def _task(session: Session, command: str, argument: Any) -> dict[str, Any]:
    """Runs a task to its end; what it ended with, under ``failed`` if it has failed."""
    task = _argument(session.ask(_line(command, argument)), "OK")["task"]
    while True:
        name, _, text = session.receive().strip().partition(b" ")
        if name not in {b"NOTE", b"FINISHED", b"FAILED"}:
            raise ProverProtocolError(f"Isabelle said {name[:40]!r} while it worked")
        said = _object(text)
        if name != b"NOTE" and said.get("task") == task:
            return said if name == b"FINISHED" else {"failed": said}


def _line(command: str, argument: Any) -> bytes:
    return f"{command} {json.dumps(argument)}\n".encode()


def _argument(line: bytes, expected: str) -> Any:
    name, _, argument = line.strip().partition(b" ")
    if name != expected.encode():
        raise ProverProtocolError(f"Isabelle said {line[:200]!r} where {expected} was expected")
    return _object(argument, any_value=True)


def _object(text: bytes, *, any_value: bool = False) -> Any:
    try:
        value = json.loads(text) if text else {}
    except ValueError as error:
        raise ProverProtocolError(f"Isabelle said what is no JSON: {text[:200]!r}") from error
    if not any_value and not isinstance(value, dict):
        raise ProverProtocolError(f"Isabelle said {text[:200]!r} where an object was expected")
    return value


def _verdict(result: dict[str, Any]) -> tuple[Verdict, str]:
    """What became of the theories. That a task has finished does not say that they were read to their ends."""
    if "failed" in result:
        raise ProverProtocolError(f"Isabelle failed: {_said(result['failed'])}")
    statuses = [node.get("status", {}) for node in result.get("nodes", ())]
    errors = [message for message in _messages(result) if message.severity is Severity.ERROR]
    if errors or any(status.get("failed") for status in statuses):
        return Verdict.REJECTED, errors[0].text.partition("\n")[0] if errors else "a command failed"
    done = statuses and all(
        status.get("consolidated") and not status.get("unprocessed") and not status.get("running")
        for status in statuses
    )
    if not result.get("ok") or not done:
        return Verdict.TIMEOUT, "the theories were not read to their ends"
    return Verdict.PROVED, ""


def _messages(result: dict[str, Any]) -> list[Message]:
    listed = [*result.get("errors", ()), *(one for node in result.get("nodes", ()) for one in node.get("messages", ()))]
    found = [
        Message(
            {"error": Severity.ERROR, "warning": Severity.WARNING}.get(one.get("kind"), Severity.INFORMATION),
            str(one.get("message", "")),
            int((one.get("pos") or {}).get("line", 0)),
        )
        for one in listed
    ]
    return list(dict.fromkeys(found))


def _said(result: dict[str, Any]) -> str:
    return str(result.get("message") or result)[:300]
