"""Kimina Lean Server: over HTTP with its own client, as it is used; and its manager of REPLs in process, without HTTP.

The server is no package: the folders of its sources and of its client's stand in ``KIMINA_SOURCES``. It runs without a
database and logs errors only.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from rivals.pools import HEADER, Answer, understood
from rivals.pools.stage import repl

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 60
# It imports its database client in any case; this one is never called.
NO_DATABASE = "class Prisma:\n    pass\n"
# Its way to start processes does not work with uvloop.
START = """
import uvicorn
uvicorn.run("server.main:app", host="127.0.0.1", port={port}, loop="asyncio", log_config=None, access_log=False)
"""

sys.path[:0] = os.environ["KIMINA_SOURCES"].split(os.pathsep)
kimina_client = importlib.import_module("kimina_client")


def settings(stage: Path, workers: int) -> dict[str, str]:
    """The environment of the server: so many REPLs, started and with the header before the first request."""
    (stage / "no_database").mkdir(exist_ok=True)
    (stage / "no_database" / "prisma.py").write_text(NO_DATABASE, encoding="utf-8")
    options = {
        "ENVIRONMENT": "prod",
        "LOG_LEVEL": "ERROR",
        "REPL_PATH": str(repl(stage)),
        "PROJECT_DIR": str(stage / "repl"),
        "MAX_REPLS": str(workers),
        "MAX_WAIT": str(TIMEOUT_S),
        "INIT_REPLS": json.dumps({HEADER: workers}),
    }
    return {
        **{f"LEAN_SERVER_{name}": value for name, value in options.items()},
        "NO_GCE_CHECK": "true",
        "PATH": f"{stage / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": f"{stage / 'no_database'}:{os.environ['KIMINA_SOURCES']}:{os.environ.get('PYTHONPATH', '')}",
    }


class OverHttp:
    """A server of its own, and Kimina's client, which sends batches of ``KIMINA_BATCH``."""

    batch_size = int(os.environ.get("KIMINA_BATCH", "100"))

    async def open(self, stage: Path, workers: int) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.server = subprocess.Popen(
            [sys.executable, "-c", START.format(port=port)],
            env={**os.environ, **settings(stage, workers)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=stage,
        )
        url = f"http://127.0.0.1:{port}"
        self.client = kimina_client.AsyncKiminaClient(api_url=url, http_timeout=TIMEOUT_S, n_retries=1)
        for _ in range(200):
            try:
                await self.client.health()
                return
            except Exception:
                await asyncio.sleep(0.2)
        raise SystemExit("the server of Kimina does not answer")

    async def check(self, body: str) -> Answer:
        return (await self.ask([body], 1))[0]

    async def batch(self, bodies: list[str]) -> list[Answer]:
        return await self.ask(bodies, self.batch_size)

    async def ask(self, bodies: list[str], size: int) -> list[Answer]:
        snippets = _snippets(bodies)
        found = await self.client.check(
            snippets, timeout=TIMEOUT_S, batch_size=size, max_workers=64, show_progress=False
        )
        answers = {one.id: _answer(one) for one in found.results}
        return [answers[snippet.id] for snippet in snippets]

    async def close(self) -> None:
        await self.client.session.aclose()
        self.server.terminate()
        self.server.wait()


class InProcess:
    """What handles a request in the server, called without one: no HTTP, and nothing that watches for clients."""

    async def open(self, stage: Path, workers: int) -> None:
        environment = settings(stage, workers)
        os.environ.update(environment)
        sys.path.insert(0, str(stage / "no_database"))
        importlib.import_module("server.logger").setup_logging()
        self.run_checks = importlib.import_module("server.routers.check").run_checks
        self.manager = importlib.import_module("server.manager").Manager()
        await self.manager.initialize_repls()

    async def check(self, body: str) -> Answer:
        return (await self.batch([body]))[0]

    async def batch(self, bodies: list[str]) -> list[Answer]:
        snippets = _snippets(bodies)
        found = await self.run_checks(snippets, float(TIMEOUT_S), False, self.manager, True)
        return [_answer(one) for one in found]

    async def close(self) -> None:
        await self.manager.cleanup()
        await asyncio.sleep(0.1)


def _snippets(bodies: list[str]) -> list[Any]:
    return [kimina_client.Snippet(id=str(number), code=f"{HEADER}\n{body}") for number, body in enumerate(bodies)]


def _answer(response: Any) -> Answer:
    if response.error is not None:
        raise RuntimeError(response.error)
    return understood(response.response)
