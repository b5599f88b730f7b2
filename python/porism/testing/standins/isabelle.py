"""The Isabelle server: TCP on this machine, a password line, then messages, as lines or as a count and so many bytes.

Asynchronous tasks answer with ``NOTE``, ``FINISHED`` and ``FAILED``, each with the task's id; one connection may have
several.
"""

from __future__ import annotations

import json
import os
import socket
import threading

from .claims import FALSE, INCOMPLETE, UNCLEAR, Reading, complaint, read
from .prover import Prover, WorkInterruptedError
from .wire import Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COMMANDS = (
    "cancel",
    "echo",
    "help",
    "purge_theories",
    "session_build",
    "session_start",
    "session_stop",
    "shutdown",
    "use_theories",
)
# A message that is longer, or that could be mistaken for a count, travels with its count.
_LONGEST_LINE = 100


class Isabelle(Prover):
    """Prints where it listens, and answers whoever connects with the password, until ``shutdown``.

    The password is the first argument, or a fixed one.
    """

    def serve(self) -> int:
        """Answers until ``shutdown``."""
        password = self.arguments[0] if self.arguments else "00000000-0000-4000-8000-000000000000"
        self.tmp_dir = os.environ.get("TMPDIR", "/tmp")
        self.sessions: set[str] = set()
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            self.wire.write(f'server "stand-in" = 127.0.0.1:{port} (password "{password}")\n'.encode())
            while True:
                connection, _ = server.accept()
                threading.Thread(target=Connection(self, connection).serve, args=(password,), daemon=True).start()


class Connection:
    """One client."""

    def __init__(self, server: Isabelle, connection: socket.socket) -> None:
        self._server = server
        self._connection = connection
        self.wire = Wire(connection.fileno(), connection.fileno())
        self._writing = threading.Lock()
        self._tasks: dict[str, threading.Event] = {}
        self._number = 0

    def serve(self, password: str) -> None:
        """Answers until the client leaves. A wrong password is no answer at all."""
        with self._connection:
            if self.wire.line().decode("utf-8", "replace").strip() != password:
                return
            self.send("OK", {"isabelle_id": "stand-in", "isabelle_name": "Isabelle2025"})
            try:
                while (message := self._receive()) is not None:
                    self._command(*message)
            except OSError:
                return

    def send(self, name: str, argument: Any = None) -> None:
        """Sends a message."""
        data = message(name, argument)
        with self._writing:
            self.wire.write(data)

    def _receive(self) -> tuple[str, Any] | None:
        line = self.wire.line()
        if not line:
            return None
        text = line.strip()
        if text.isdigit():
            text = self.wire.exactly(int(text)).strip()
        name, _, argument = text.decode("utf-8", "replace").partition(" ")
        try:
            return name, json.loads(argument) if argument.strip() else None
        except ValueError:
            return name, ValueError(argument)

    def _command(self, name: str, argument: Any) -> None:
        if name not in _COMMANDS:
            self.send("ERROR", f"Bad command {name!r}")
        elif isinstance(argument, ValueError):
            self.send("ERROR", {"kind": "json", "message": "Malformed JSON"})
        elif name == "echo":
            self.send("OK", argument)
        elif name == "help":
            self.send("OK", list(_COMMANDS))
        elif name == "shutdown":
            self.send("OK")
            self._server.leave(0)
        elif not isinstance(argument, dict):
            self.send("ERROR", {"kind": "json", "message": f"Bad argument of {name}"})
        elif name == "cancel":
            if event := self._tasks.get(str(argument.get("task"))):
                event.set()
            self.send("OK")
        elif name == "purge_theories":
            purged = [{"node_name": _path(argument, one), "theory_name": one} for one in argument.get("theories", ())]
            self.send("OK", {"purged": purged, "retained": []})
        else:
            self._task(name, argument)

    def _task(self, name: str, argument: dict[str, Any]) -> None:
        self._number += 1
        task = f"00000000-0000-4000-8000-{self._number:012}"
        self._tasks[task] = threading.Event()
        self.send("OK", {"task": task})
        threading.Thread(target=self._run, args=(name, argument, task), daemon=True).start()

    def _run(self, name: str, argument: dict[str, Any], task: str) -> None:
        sessions = self._server.sessions
        session = str(argument.get("session_id"))
        if name == "session_build":
            self.send("FINISHED", {"task": task, "ok": True, "return_code": 0, "sessions": []})
        elif name == "session_start":
            session = f"session-{len(sessions) + 1}"
            sessions.add(session)
            self.send("NOTE", {"task": task, "kind": "writeln", "message": "Starting session ..."})
            self.send("FINISHED", {"task": task, "session_id": session, "tmp_dir": self._server.tmp_dir})
        elif session not in sessions:
            self.send("FAILED", {"task": task, "kind": "error", "message": f"No session {session}"})
        elif name == "session_stop":
            sessions.discard(session)
            self.send("FINISHED", {"task": task, "ok": True, "return_code": 0})
        else:
            Task(self, self._server, argument, task, self._tasks[task]).run()
        self._tasks.pop(task, None)


class Task(Prover):
    """One ``use_theories``: what is to go wrong with it is told by the theories."""

    def __init__(
        self, connection: Connection, server: Isabelle, argument: dict[str, Any], task: str, cancelled: threading.Event
    ) -> None:
        super().__init__(connection.wire, server.plan, [])
        # One process, one history: requests are counted over all connections.
        self.history = server.history
        self._connection = connection
        self._argument, self._id, self._cancelled = argument, task, cancelled

    def run(self) -> None:
        """Reads the theories, and tells what became of them."""
        theories = [str(one) for one in self._argument.get("theories", ())]
        texts = []
        for theory in theories:
            try:
                with open(_path(self._argument, theory), encoding="utf-8") as file:  # noqa: PTH123
                    texts.append(file.read())
            except OSError as error:
                self._connection.send("FAILED", {"task": self._id, "kind": "error", "message": str(error)})
                return
        readings = [read(text) for text in texts]
        whole = Reading([one for part in readings for one in part.claims], [], [])
        self.reply("\n".join(texts), lambda whole: self._finished(theories, readings, whole), whole)

    def noise(self, number: int) -> bytes:
        """The progress of a theory."""
        progress = {
            "percentage": number % 100,
            "theory_name": "Draft.T",
            "session": "",
            "message": f"progress {number}",
        }
        return message("NOTE", {"task": self._id, "kind": "writeln"} | progress)

    def pause(self, seconds: float) -> None:
        """``cancel`` ends the work."""
        if self._cancelled.wait(seconds):
            raise WorkInterruptedError

    def interrupted(self) -> bytes:
        """The task fails."""
        return message("FAILED", {"task": self._id, "kind": "error", "message": "Interrupt"})

    def _finished(self, theories: list[str], readings: list[Reading], whole: Reading) -> bytes:
        nodes, errors = [], []
        for theory, reading in zip(theories, readings, strict=True):
            messages = [
                {"kind": "writeln", "message": word} for word in [*reading.echoes, *filter(None, [whole.padding])]
            ]
            wrong = [
                {"kind": "error", "message": complaint(one)}
                for one in reading.claims
                if one.outcome in (FALSE, UNCLEAR)
            ]
            proved = [one for one in reading.claims if one.outcome not in (FALSE, UNCLEAR)]
            messages += [{"kind": "writeln", "message": f"theorem {one.name}: {one.statement}"} for one in proved]
            # Interactively, a proof by sorry is accepted, and only an oracle tells.
            gaps = [one for one in proved if one.outcome == INCOMPLETE]
            messages += [{"kind": "warning", "message": f"{one.name} rests on oracle skip_proof"} for one in gaps]
            status = {
                "ok": not wrong, "total": 1, "unprocessed": 0, "running": 0, "warned": len(gaps), "failed": len(wrong),
                "finished": len(proved), "canceled": False, "consolidated": True, "percentage": 100,
            }  # fmt: skip
            name = {"node_name": _path(self._argument, theory), "theory_name": f"Draft.{theory}"}
            nodes.append(name | {"status": status, "messages": messages + wrong, "exports": []})
            errors += wrong
        return message("FINISHED", {"task": self._id, "ok": not errors, "errors": errors, "nodes": nodes})


def message(name: str, argument: Any = None) -> bytes:
    """A message as it travels."""
    words = "" if argument is None else " " + json.dumps(argument, ensure_ascii=False)
    text = (name + words).encode("utf-8", "surrogatepass")
    counted = len(text) > _LONGEST_LINE or b"\n" in text or text.isdigit()
    return (b"%d\n%b" % (len(text) + 1, text) if counted else text) + b"\n"


def _path(argument: dict[str, Any], theory: str) -> str:
    return f"{argument.get('master_dir', '.')}/{theory}.thy"
