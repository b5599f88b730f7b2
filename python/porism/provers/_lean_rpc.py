"""The protocol of Lean's language server: one document, whose header stays and whose body is replaced."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from porism._errors import ProverEndedError, ProverError, ProverMemoryError, ProverProtocolError
from porism._verdicts import Severity
from porism.provers._lean_answer import OUT_OF_MEMORY, Said

if TYPE_CHECKING:
    from porism._core import Session

# The document need not exist.
_URI: Final = "file:///porism/Candidate.lean"

_SEVERITIES: Final = {1: Severity.ERROR, 2: Severity.WARNING}
_CONTENT_MODIFIED: Final = -32801
_WORKER_GONE: Final = (-32901, -32902)


def initialize(session: Session) -> None:
    """Greets a new server."""
    session.notes["sent"] = session.notes["version"] = 0
    options = {"editDelay": 1, "hasWidgets": False}
    _request(
        session,
        "initialize",
        {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": options},
    )
    _send(session, {"method": "initialized", "params": {}})


def elaborate(session: Session, text: str) -> list[dict[str, Any]]:
    """Makes the document say ``text``, and waits until Lean has read all of it.

    Returns:
        The diagnostics, as the server sends them.

    Raises:
        ProverEndedError: The process that works on the document is gone.
        ProverMemoryError: It is gone because it ran out of memory.
        ProverProtocolError: The server says what it must not say.
    """
    session.notes["version"] += 1
    version: int = session.notes["version"]
    document: dict[str, Any] = {"uri": _URI, "version": version}
    if version == 1:
        document |= {"languageId": "lean4", "text": text}
        _send(session, {"method": "textDocument/didOpen", "params": {"textDocument": document}})
    else:
        changes = [{"text": text}]
        _send(
            session,
            {"method": "textDocument/didChange", "params": {"textDocument": document, "contentChanges": changes}},
        )
    return _request(session, "textDocument/waitForDiagnostics", {"uri": _URI, "version": version}, version)


def said(diagnostic: dict[str, Any], text: str, header_lines: int) -> Said:
    """A diagnostic about ``text`` as a message.

    Raises:
        ProverProtocolError: It is none.
    """
    try:
        start = diagnostic["range"]["start"]
        line, units = int(start["line"]), int(start["character"])
        severity = _SEVERITIES.get(diagnostic.get("severity", 0), Severity.INFORMATION)
        # Once the line is known, units of UTF-16 become characters.
        lines = text.split("\n")
        encoded = lines[line].encode("utf-16-le") if 0 <= line < len(lines) else b""
        column = len(encoded[: 2 * max(units, 0)].decode("utf-16-le", "replace"))
        return Said(severity, str(diagnostic["message"]), line + 1 - header_lines, column)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ProverProtocolError("the language server sent a diagnostic of an unknown shape") from None


def _request(session: Session, method: str, params: dict[str, Any], version: int | None = None) -> list[dict[str, Any]]:
    """Asks, and reads until the answer; the diagnostics of the version that came meanwhile."""
    number = _ask(session, method, params)
    diagnostics: list[dict[str, Any]] = []
    while True:
        message = _read(session.receive())
        if "method" in message and "id" in message:
            # A request of the server may stall it if nobody answers.
            _send(session, {"id": message["id"], "result": None})
        elif message.get("method") == "textDocument/publishDiagnostics":
            published = message.get("params")
            if isinstance(published, dict) and published.get("uri") == _URI and published.get("version") == version:
                # Each publication holds all that is known by then.
                diagnostics = published.get("diagnostics") or []
        elif message.get("id") == number:
            error = message.get("error")
            if error is None:
                return diagnostics
            if _code(error) != _CONTENT_MODIFIED:
                raise _refusal(session, error)
            number = _ask(session, method, params)


def _ask(session: Session, method: str, params: dict[str, Any]) -> int:
    session.notes["sent"] += 1
    number: int = session.notes["sent"]
    _send(session, {"id": number, "method": method, "params": params})
    return number


def _send(session: Session, message: dict[str, Any]) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode()
    session.send(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


def _read(frame: bytes) -> dict[str, Any]:
    """The message in a frame, whether its header is still there or not."""
    body = frame if frame.lstrip().startswith(b"{") else frame.partition(b"\r\n\r\n")[2]
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise ProverProtocolError("the language server sent no JSON") from None
    if not isinstance(message, dict):
        raise ProverProtocolError("the language server sent no message")
    return message


def _code(error: Any) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else 0


def _refusal(session: Session, error: Any) -> ProverError:
    if _code(error) not in _WORKER_GONE:
        return ProverProtocolError(f"the language server refuses: {str(error)[:500]}")
    if any(words in session.stderr for words in OUT_OF_MEMORY):
        return ProverMemoryError("Lean ran out of memory while it read the candidate")
    return ProverEndedError("Lean ended while it read the candidate")
