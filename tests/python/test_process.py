import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from porism import _core
from porism._errors import InputError, ProverError, ProverMissingError


def shell(script: str, **options: object) -> _core.ProcessOutcome:
    return _core.run_process("/bin/sh", ["-c", script], **{"wall_s": 20.0, **options})


def test_what_a_child_prints_and_how_it_ends_come_back() -> None:
    outcome = shell("cat; echo words >&2; exit 3", stdin=b"\x00bytes")
    assert (outcome.ending, outcome.code) == ("exited", 3)
    assert (outcome.stdout, outcome.stderr) == (b"\x00bytes", b"words\n")
    assert 0 <= outcome.cpu_s < outcome.wall_s < 20


@pytest.mark.parametrize(
    ("script", "options", "ending", "code"),
    [
        ("kill -SEGV $$", {}, "signalled", signal.SIGSEGV),
        ("sleep 60", {"wall_s": 0.1}, "timed_out", None),
        ("yes", {"max_output_bytes": 1000}, "output_too_large", None),
        ("while :; do :; done", {"cpu_s": 1}, "signalled", signal.SIGXCPU),
    ],
)
def test_endings(script: str, options: dict[str, float], ending: str, code: int | None) -> None:
    outcome = shell(script, **options)
    assert (outcome.ending, outcome.code) == (ending, code)


def test_output_is_cut_at_its_limit() -> None:
    assert shell("yes", max_output_bytes=7).stdout == b"y\ny\ny\ny"


def test_a_path_and_any_sequence_will_do() -> None:
    assert _core.run_process(Path("/bin/echo"), ("a b", "ü"), wall_s=5.0).stdout == "a b ü\n".encode()


def test_cancel_works_from_another_thread_while_python_goes_on() -> None:
    cancel = _core.Cancel()
    timer = threading.Timer(0.1, cancel.cancel)
    timer.start()
    outcome = shell("sleep 60", cancel=cancel)
    timer.join()
    assert outcome.ending == "cancelled"
    assert outcome.wall_s < 2
    assert cancel.cancelled
    assert shell("sleep 60", cancel=cancel).ending == "cancelled"


def test_a_missing_and_a_refused_program_raise_their_own_errors() -> None:
    with pytest.raises(ProverMissingError, match="/no/such/program"):
        _core.run_process("/no/such/program", [], wall_s=1.0)
    with pytest.raises(ProverError, match="/dev/null"):
        _core.run_process("/dev/null", [], wall_s=1.0)


@pytest.mark.parametrize("wall_s", [-1.0, float("nan"), float("inf")])
def test_an_impossible_time_is_refused(wall_s: float) -> None:
    with pytest.raises(InputError, match="wall_s"):
        _core.run_process("/bin/true", [], wall_s=wall_s)


INTERRUPTED = """
import os, signal, sys
from porism import _core
try:
    _core.run_process("/bin/sh", ["-c", f"echo $$ > {sys.argv[1]}; exec sleep 60"], wall_s=60.0)
except KeyboardInterrupt:
    print("interrupted")
"""

WATCHED = """
import sys
from porism import _core
_core.run_process("/bin/sh", ["-c", f"echo $$ > {sys.argv[1]}; exec sleep 60"], wall_s=60.0)
"""


def started_child(pid_file: Path) -> int:
    give_up = time.monotonic() + 10
    while not (pid_file.exists() and pid_file.read_text().endswith("\n")):
        assert time.monotonic() < give_up
        time.sleep(0.01)
    return int(pid_file.read_text())


def wait_until_gone(pid: int) -> None:
    give_up = time.monotonic() + 5
    while is_alive(pid):
        assert time.monotonic() < give_up
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # Whoever inherited it may take its time to reap it.
    return state not in "ZX"


def test_ctrl_c_ends_the_child_and_raises(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED, str(pid_file)], stdout=subprocess.PIPE) as python:
        child = started_child(pid_file)
        at = time.monotonic()
        python.send_signal(signal.SIGINT)
        assert python.communicate(timeout=10)[0] == b"interrupted\n"
    assert time.monotonic() - at < 5
    wait_until_gone(child)


def test_a_killed_parent_takes_its_child_along(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", WATCHED, str(pid_file)]) as python:
        child = started_child(pid_file)
        os.kill(python.pid, signal.SIGKILL)
    wait_until_gone(child)
