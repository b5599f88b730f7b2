"""A language server in the manner of Lean's: JSON-RPC 2.0 in frames with ``Content-Length``."""

from __future__ import annotations

import json

from .claims import ACCEPTED, Reading, read
from .lean import Known, position
from .prover import Prover, WorkInterruptedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SEVERITIES = {"error": 1, "warning": 2, "info": 3}


class ContentLength(Prover):
    """Documents are elaborated when they are opened or changed; ``textDocument/waitForDiagnostics`` is the barrier."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._documents: dict[str, tuple[int, str]] = {}
        self._uri = ""

    def serve(self) -> int:
        """Answers until ``exit`` or the end of the input."""
        while (message := self._receive()) is not None:
            if not isinstance(message, dict):
                self.wire.write(_error(None, -32600, "a message is an object"))
            elif message.get("method") == "exit":
                return 0
            elif "method" in message:
                self._handle(message["method"], message.get("params") or {}, message.get("id"))
            # What else comes answers a request of ours.
        return 1

    def noise(self, number: int) -> bytes:
        """A remark in the client's log."""
        return _notification("window/logMessage", {"type": 4, "message": f"progress {number}"})

    def pause(self, seconds: float) -> None:
        """A new message of any kind ends the elaboration, as a change of the document does with Lean."""
        if self.wire.waits(seconds):
            raise WorkInterruptedError

    def interrupted(self) -> bytes:
        """Nothing is published of a version that was given up."""
        return b""

    def _receive(self) -> Any:
        size = None
        while line := self.wire.line():
            name, _, value = line.decode("latin-1").strip().partition(":")
            if name.lower() == "content-length":
                try:
                    size = int(value)
                except ValueError:
                    return None
            elif not name and size is not None:
                body = self.wire.exactly(size)
                try:
                    return json.loads(body)
                except ValueError:
                    return {"method": "invalid", "id": None}
        return None

    def _handle(self, method: str, params: dict[str, Any], number: Any) -> None:
        document = params.get("textDocument") or {}
        uri = document.get("uri", "")
        if method == "initialize":
            capabilities = {"textDocumentSync": {"openClose": True, "change": 2}, "hoverProvider": True}
            info = {"name": "Lean 4 Server", "version": "stand-in"}
            self.wire.write(_result(number, {"capabilities": capabilities, "serverInfo": info}))
        elif method == "initialized":
            watch = {"registrations": [{"id": "watch", "method": "workspace/didChangeWatchedFiles"}]}
            self.wire.write(_frame({"id": "register", "method": "client/registerCapability", "params": watch}))
        elif method == "textDocument/didOpen":
            self._elaborate(uri, document.get("version", 0), document.get("text", ""))
        elif method == "textDocument/didChange":
            self._elaborate(uri, document.get("version", 0), params["contentChanges"][-1]["text"])
        elif method == "textDocument/didClose":
            self._documents.pop(uri, None)
        elif method == "textDocument/waitForDiagnostics":
            # All is elaborated as it comes, so there is nothing to wait for.
            self.wire.write(_result(number, {}))
        elif method == "$/lean/plainGoal":
            self.wire.write(_result(number, self._goal(uri)))
        elif method == "shutdown":
            self.wire.write(_result(number, None))
        elif method == "invalid":
            self.wire.write(_error(None, -32700, "no JSON"))
        elif number is not None:
            self.wire.write(_error(number, -32601, f"no method {method!r}"))

    def _elaborate(self, uri: str, version: int, text: str) -> None:
        self._documents[uri] = (version, text)
        place = {"uri": uri, "version": version}
        span = {"range": _range(text, 0, len(text)), "kind": 1}
        self.wire.write(_notification("$/lean/fileProgress", {"textDocument": place, "processing": [span]}))

        def compose(reading: Reading) -> bytes:
            diagnostics = [
                {
                    "range": _range(text, one.start, one.end),
                    "severity": _SEVERITIES[one.severity],
                    "source": "Lean 4",
                    "message": one.words,
                }
                for one in Known().elaborate(text, reading)
            ]
            done = _notification("$/lean/fileProgress", {"textDocument": place, "processing": []})
            return _notification("textDocument/publishDiagnostics", place | {"diagnostics": diagnostics}) + done

        self.reply(text, compose)

    def _goal(self, uri: str) -> dict[str, Any] | None:
        _, text = self._documents.get(uri, (0, ""))
        goals = [f"⊢ {claim.statement}" for claim in read(text).claims if claim.outcome != ACCEPTED]
        return {"rendered": "\n".join(goals), "goals": goals} if goals else None


def _range(text: str, start: int, end: int) -> dict[str, Any]:
    return {"start": _position(text, start), "end": _position(text, end)}


def _position(text: str, offset: int) -> dict[str, int]:
    line, column = position(text, offset)
    # The protocol counts in units of UTF-16.
    wide = sum(character > "\uffff" for character in text[offset - column : offset])
    return {"line": line, "character": column + wide}


def _frame(message: dict[str, Any]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _notification(method: str, params: dict[str, Any]) -> bytes:
    return _frame({"method": method, "params": params})


def _result(number: Any, result: Any) -> bytes:
    return _frame({"id": number, "result": result})


def _error(number: Any, code: int, message: str) -> bytes:
    return _frame({"id": number, "error": {"code": code, "message": message}})
