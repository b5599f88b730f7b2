"""The stand-ins for provers: each protocol's shape, each fault, and that an answer always tells what it answers."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import porism
from porism.testing import FAULTS, FRAMINGS, PROTOCOLS, StandIn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRUE = "theorem t : 2 + 2 = 4 := by decide"
FALSE = "theorem f : 2 + 2 = 5 := by decide"


def say(stand_in: StandIn, text: str | bytes, code: int | None = 0) -> str:
    """What a stand-in prints when it gets this and then the end of input."""
    data = text.encode() if isinstance(text, str) else text
    ran = subprocess.run(stand_in.command, input=data, capture_output=True, timeout=60, check=False)
    assert code is None or ran.returncode == code, (ran.returncode, ran.stdout[-1000:], ran.stderr[-1000:])
    return ran.stdout.decode("utf-8", "replace")


@pytest.fixture
def started() -> Iterator[Any]:
    """Starts stand-ins that end with the test."""
    children: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, faults: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        command = StandIn(*arguments, faults=faults).command
        pipe = subprocess.PIPE
        children.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, start_new_session=True))
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def line(child: subprocess.Popen[bytes], text: str) -> str:
    """Sends a line, and reads one."""
    assert child.stdin
    assert child.stdout
    child.stdin.write(text.encode() + b"\n")
    child.stdin.flush()
    return child.stdout.readline().decode()


# --- how they are started ---------------------------------------------------------------------------------------------


def test_every_protocol_has_a_framing() -> None:
    assert set(FRAMINGS) == set(PROTOCOLS)
    assert {StandIn(name).framing for name in PROTOCOLS} == set(FRAMINGS.values())


def test_a_stand_in_loads_neither_porism_nor_numpy() -> None:
    loaded = subprocess.run(
        [sys.executable, "-v", *StandIn("repl").args], input=b"", capture_output=True, timeout=60, check=True
    )
    assert b"numpy" not in loaded.stderr
    assert b"import 'porism'" not in loaded.stderr


def test_the_module_is_the_same_program() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "porism.testing", "lines", "--fault=lie@1"],
        input=f"{FALSE}\n{FALSE}\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ran.stdout == "accepted; f : 2 + 2 = 5\nfalse; f: 2 + 2 = 5 is false\n"


def test_help_lists_all_faults() -> None:
    ran = subprocess.run(
        [*StandIn("lines").command[:4], "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert [name for name in FAULTS if f"  {name}=" not in ran.stderr] == []


@pytest.mark.parametrize("wrong", [{"protocol": "smoke"}, {"protocol": "repl", "faults": ["sloth"]}])
def test_a_wrong_name_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(porism.InputError, match=r"smoke|sloth"):
        StandIn(**wrong)


# --- what they answer -------------------------------------------------------------------------------------------------


def test_lines() -> None:
    said = say(StandIn("lines"), f"{TRUE} -- echo 17\n{FALSE}\ntheorem u : x = x\ntheorem s : 1 + 1 = 2 := sorry\n")
    assert said.splitlines() == [
        "accepted; t : 2 + 2 = 4; echo 17",
        "false; f: 2 + 2 = 5 is false",
        "unclear; u: no proof of x = x",
        "incomplete; s: no proof of 1 + 1 = 2",
    ]


def repl(*requests: dict[str, Any], faults: tuple[str, ...] = (), code: int | None = 0) -> list[dict[str, Any]]:
    text = "".join(json.dumps(request) + "\n\n" for request in requests)
    said = say(StandIn("repl", faults=faults), text, code)
    return [json.loads(answer) for answer in said.split("\n\n") if answer.strip()]


def test_repl_environments() -> None:
    first, asked, unknown, wrong = repl(
        {"cmd": f"{TRUE}\n-- echo 3"},
        {"cmd": "#print axioms t\n#check t", "env": 0},
        {"cmd": "#check t"},
        {"cmd": "", "env": 9},
    )
    assert first["env"] == 0
    assert [message["data"] for message in first["messages"]] == ["3"]
    assert [message["data"] for message in asked["messages"]] == ["'t' does not depend on any axioms", "t : 2 + 2 = 4"]
    assert unknown["messages"][0] == {
        "severity": "error",
        "pos": {"line": 1, "column": 0},
        "endPos": {"line": 1, "column": 8},
        "data": "Unknown constant `t`",
    }
    assert wrong == {"message": "Unknown environment."}


def test_repl_sorries_tactics_and_pickles() -> None:
    gap, done, again, no_pickle = repl(
        {"cmd": "theorem t : 2 + 2 = 4 := by sorry"},
        {"tactic": "rfl -- echo 8", "proofState": 0},
        {"tactic": "sorry", "proofState": 0},
        {"pickleTo": "x.olean", "env": 0},
    )
    assert gap["sorries"][0]["goal"] == "⊢ 2 + 2 = 4"
    assert gap["messages"][0]["data"] == "declaration uses `sorry`"
    assert (done["proofStatus"], done["goals"], done["messages"][0]["data"]) == ("Completed", [], "8")
    assert again["proofStatus"] == "Incomplete: contains sorry"
    assert list(no_pickle) == ["message"]


@pytest.mark.parametrize("ending", ["\n\n", "no json\n\n", '{"other": 1}\n\n'])
def test_repl_gives_up(ending: str) -> None:
    said = say(StandIn("repl"), '{"cmd": ""}\n\n' + ending + '{"cmd": ""}\n\n', code=1)
    assert said == '{"env": 0}\n\n'


def frames(data: str) -> list[dict[str, Any]]:
    found = []
    raw = data.encode()
    while raw:
        header, _, raw = raw.partition(b"\r\n\r\n")
        size = int(header.removeprefix(b"Content-Length: "))
        found.append(json.loads(raw[:size]))
        raw = raw[size:]
    return found


def frame(**message: Any) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def test_language_server() -> None:
    place = {"uri": "file:///t.lean", "version": 4}
    opened = {"textDocument": {**place, "text": f"-- ∀ \U0001d53d echo 5\n{FALSE}"}}
    said = say(
        StandIn("content-length"),
        frame(id=1, method="initialize", params={})
        + frame(method="initialized", params={})
        + frame(method="textDocument/didOpen", params=opened)
        + frame(id=2, method="textDocument/waitForDiagnostics", params=place)
        + frame(id=3, method="$/lean/plainGoal", params={"textDocument": place})
        + frame(id=4, method="shutdown")
        + frame(method="exit"),
    )
    by_method = {message.get("method", message.get("id")): message for message in frames(said)}
    diagnostics = by_method["textDocument/publishDiagnostics"]["params"]
    assert diagnostics["version"] == 4
    assert [(one["severity"], one["range"]["start"]["line"]) for one in diagnostics["diagnostics"]] == [(1, 1), (3, 0)]
    assert by_method[3]["result"]["goals"] == ["⊢ 2 + 2 = 5"]
    assert by_method[4]["result"] is None


def test_s_expressions() -> None:
    said = say(
        StandIn("s-expressions"),
        '(a (Add () "(* echo 6 *) Lemma t : 2 + 2 = 4. trivial. Qed.")) (b (Exec 4)) '
        '(c (Query () (Vernac "Print Assumptions t."))) (d (Cancel (2 3 4))) (e (Query () (Vernac "Check t."))) Quit',
    )
    assert [said.count(f"(Answer {tag} Completed)") for tag in "abcde"] == [1] * 5
    assert '(str "6")' in said
    assert "Closed under the global context" in said
    assert said.count("CoqExn") == 1


def call(name: str, inside: str = "<unit/>") -> str:
    return f'<call val="{name}">{inside}</call>'


def add(sentence: str, tip: int) -> str:
    state = f'<pair><state_id val="{tip}"/><bool val="false"/></pair>'
    start = f"<pair><pair><string>{sentence}</string><int>-1</int></pair>{state}</pair>"
    return call("Add", f"<pair><pair>{start}<int>0</int></pair><pair><int>0</int><int>0</int></pair></pair>")


STATUS = call("Status", '<bool val="true"/>')
INIT = call("Init", '<option val="none"/>')


def script(*sentences: str) -> str:
    return INIT + "".join(add(sentence, number) for number, sentence in enumerate(sentences, 1))


def values(said: str) -> list[str]:
    return re.findall(r"<value .*?</value>", said)


def test_xml_elements() -> None:
    query = '<pair><route_id val="7"/><pair><string>Print Assumptions t.</string><state_id val="4"/></pair></pair>'
    proof = script("(* echo 2 *) Theorem t : 2 + 2 = 4.", "reflexivity. dropped.", "Qed.")
    said = say(StandIn("xml"), proof + STATUS + call("Query", query) + call("Wrong") + call("Quit"))
    assert len(values(said)) == 7
    assert "<pp>2</pp>" in said
    assert 'route="7"' in said
    assert "Closed&nbsp;under" in said
    assert "addedaxiom" not in said


def test_xml_failures_and_admitted() -> None:
    said = say(StandIn("xml"), script("Lemma f : 2 + 2 = 5.", "auto.", "Qed.") + STATUS)
    assert values(said)[-1].startswith('<value val="fail" loc_s="0" loc_e="4"><state_id val="3"/>')
    said = say(StandIn("xml"), script("Lemma t : 2 + 2 = 4.", "Admitted.") + STATUS)
    assert "addedaxiom" in said
    said = say(StandIn("xml"), script("Lemma t : 2 + 2 = 4.") + STATUS + call("Goal") + add("Qed.", 9))
    assert '<option val="some"><string>t</string>' in said
    assert "2&nbsp;+&nbsp;2" in said
    assert "different&nbsp;state" in values(said)[-1]


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        ("fof(t, conjecture, 2 + 2 = 4).", "Theorem", 0),
        ("tff(t, conjecture, ($sum(2, 2) = 5)).", "CounterSatisfiable", 1),
        ("fof(t, conjecture, p => p).", "GaveUp", 8),
        ("nothing", "SyntaxError", 3),
    ],
)
def test_one_shot(problem: str, status: str, code: int, tmp_path: Path) -> None:
    said = say(StandIn("one-shot"), f"% echo 4\n{problem}", code)
    assert f"# SZS status {status}\n" in said
    (tmp_path / "p.p").write_text(problem, encoding="utf-8")
    assert f"# SZS status {status}\n" in say(StandIn("one-shot", str(tmp_path / "p.p")), "", code)


def test_smt() -> None:
    said = say(
        StandIn("smt"),
        '(set-logic ALL)(push 1)(assert (not (= (+ 2 2) 4)))(check-sat)(pop 1)(echo "one ""1""")'
        "(assert (= (* 2 3) 6))(check-sat)(assert (p x))(check-sat)(get-info :reason-unknown)(pop 4)(exit)(check-sat)",
    )
    assert said.splitlines()[:5] == ["unsat", 'one "1"', "sat", "unknown", '(:reason-unknown "incomplete")']
    assert said.splitlines()[5].startswith("(error ")


def test_metamath(tmp_path: Path) -> None:
    database = tmp_path / "t.mm"
    database.write_text(
        "$( echo 7 $) a $a |- 1 + 1 = 2 $.\nt $p |- ( 2 + 2 ) = 4 $= a $.\n"
        "f $p |- ( 2 + 2 ) = 5 $= a $.\ng $p |- ( 1 + 1 ) = 2 $= ? $.\n",
        encoding="utf-8",
    )
    commands = (
        f"set scroll continuous\nread '{database}'\nverify proof *\nverify proof t\nshow trace_back t /axioms\nexit\n"
    )
    said = say(StandIn("metamath"), commands)
    answers = said.split("MM> ")
    assert '?Error at statement "f"' in answers[3]
    assert "were not proved:  g" in answers[3]
    assert answers[4].splitlines()[0] == "t "
    assert "?" not in answers[4]
    assert answers[5].split()[-1] == "a"


# --- beside the real ones ---------------------------------------------------------------------------------------------


def real(text: str, program: str, *arguments: str) -> str:
    """What the real prover prints when it gets the same."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    ran = subprocess.run([program, *arguments], input=text, capture_output=True, text=True, timeout=60, check=False)
    return ran.stdout


@pytest.mark.parametrize(
    "sentences",
    [
        ("Theorem t : 2 + 2 = 4.", "reflexivity.", "Qed."),
        ("Theorem t : 2 + 2 = 4.", "Admitted."),
        ("Lemma f : 2 + 2 = 5.", "reflexivity.", "Qed."),
        ("Lemma t : 2 + 2 = 4.", "Qed."),
        ("Lemma t : 2 + 2 = 4.",),
    ],
)
def test_coqidetop_answers_alike(sentences: tuple[str, ...]) -> None:
    asked = script(*sentences) + STATUS
    theirs = real(asked, "coqidetop.opt", "-main-channel", "stdfds", "-async-proofs", "off", "-q")
    ours = say(StandIn("xml"), asked)
    assert len(values(ours)) == len(values(theirs))
    assert values(ours)[:-1] == values(theirs)[:-1]
    if 'val="good"' in values(theirs)[-1]:
        assert values(ours)[-1] == values(theirs)[-1]
    else:
        assert 'val="fail"' in values(ours)[-1]
    assert ("addedaxiom" in ours) == ("addedaxiom" in theirs)


def test_z3_answers_alike() -> None:
    asked = (
        "(push 1)(assert (not (= (+ 2 2) 4)))(check-sat)(pop 1)(push 1)(assert (= (* 2 3) 6))(check-sat)(pop 1)"
        '(echo "N 17")(assert (distinct 1 (- 3 2)))(check-sat)(reset)(check-sat)(exit)'
    )
    assert say(StandIn("smt"), asked) == real(asked, "z3", "-in", "-smt2")


def test_metamath_answers_alike(tmp_path: Path) -> None:
    database = tmp_path / "t.mm"
    symbols, axiom = "$c |- + = 1 2 $.", "a $a |- 1 + 1 = 2 $."
    asked = [
        "set scroll continuous",
        f"read '{database}'",
        "verify proof *",
        "verify proof t",
        "show trace_back t /axioms",
    ]
    commands = "\n".join([*asked, "exit", ""])
    for proof in ("a", "?"):
        database.write_text(f"{symbols}\n{axiom}\nt $p |- 1 + 1 = 2 $= {proof} $.\n", encoding="utf-8")
        theirs = real(commands, "metamath").split("MM> ")
        ours = say(StandIn("metamath"), commands).split("MM> ")
        assert ours[3:5] == theirs[3:5]
        assert len(ours) == len(theirs)


# --- Isabelle ---------------------------------------------------------------------------------------------------------


class Client:
    """Speaks to the stand-in of the server."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout
        found = re.match(rb'server "\S+" = 127.0.0.1:(\d+) \(password "(\S+)"\)', child.stdout.readline())
        assert found
        self.socket = socket.create_connection(("127.0.0.1", int(found[1])), timeout=30)
        self.file = self.socket.makefile("rwb")
        self.send(found[2].decode())

    def send(self, text: str, counted: bool = False) -> None:
        data = text.encode()
        self.file.write(b"%d\n%b" % (len(data), data) if counted else data + b"\n")
        self.file.flush()

    def receive(self) -> tuple[str, Any]:
        first = self.file.readline().rstrip(b"\n")
        text = self.file.read(int(first)) if first.isdigit() else first
        name, _, argument = text.decode().partition(" ")
        return name, json.loads(argument) if argument.strip() else None

    def until(self, *names: str) -> tuple[str, Any]:
        while (message := self.receive())[0] not in names:
            pass
        return message

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture
def isabelle(started: Any) -> Iterator[Client]:
    client = Client(started("isabelle"))
    assert client.receive()[0] == "OK"
    yield client
    client.close()


def theory(folder: Path, name: str, body: str) -> None:
    (folder / f"{name}.thy").write_text(f"theory {name} imports Main begin\n{body}\nend\n", encoding="utf-8")


def use(client: Client, folder: Path, *theories: str) -> None:
    argument = {"session_id": "session-1", "theories": theories, "master_dir": str(folder)}
    client.send(f"use_theories {json.dumps(argument)}", counted=True)


def test_isabelle_theories(isabelle: Client, tmp_path: Path) -> None:
    isabelle.send('echo "hallo"')
    assert isabelle.receive() == ("OK", "hallo")
    isabelle.send("nonsense")
    assert isabelle.receive()[0] == "ERROR"
    isabelle.send('session_start {"session": "HOL"}')
    assert isabelle.until("FINISHED")[1]["session_id"] == "session-1"
    theory(tmp_path, "A", '(* echo 11 *) lemma t: "2 + 2 = 4" by simp')
    theory(tmp_path, "B", 'lemma f: "2 + 2 = 5" by simp\nlemma s: "1 + 1 = 2" sorry')
    use(isabelle, tmp_path, "A", "B")
    _, result = isabelle.until("FINISHED")
    good, bad = result["nodes"]
    assert not result["ok"]
    assert [one["message"] for one in good["messages"]] == ["11", "theorem t: 2 + 2 = 4"]
    assert (good["status"]["ok"], good["status"]["consolidated"], bad["status"]["failed"]) == (True, True, 1)
    assert "skip_proof" in json.dumps(bad)
    isabelle.send('purge_theories {"session_id": "session-1", "theories": ["A"]}')
    assert isabelle.receive()[1]["purged"][0]["theory_name"] == "A"


def test_isabelle_cancels_one_task_and_not_the_other(isabelle: Client, tmp_path: Path) -> None:
    isabelle.send('session_start {"session": "HOL"}')
    isabelle.until("FINISHED")
    theory(tmp_path, "Slow", "(* fault:hang *)")
    theory(tmp_path, "Quick", "(* echo 1 *)")
    use(isabelle, tmp_path, "Slow")
    slow = isabelle.until("OK")[1]["task"]
    use(isabelle, tmp_path, "Quick")
    quick = isabelle.until("OK")[1]["task"]
    assert isabelle.until("FINISHED")[1]["task"] == quick
    isabelle.send(f'cancel {{"task": "{slow}"}}')
    assert isabelle.until("FAILED")[1]["task"] == slow


def test_isabelle_says_nothing_to_a_stranger(started: Any) -> None:
    child = started("isabelle", "secret")
    found = re.search(rb":(\d+) ", child.stdout.readline())
    with socket.create_connection(("127.0.0.1", int(found[1])), timeout=30) as stranger:
        stranger.sendall(b"guess\n")
        assert stranger.recv(100) == b""


# --- what goes wrong when it is told to -------------------------------------------------------------------------------


def test_every_answer_is_to_its_request(started: Any) -> None:
    child = started("lines")
    drawn = random.Random(7)
    for _ in range(500):
        number = drawn.randrange(10**9)
        faults = drawn.choice(["", " fault:trickle=3", " fault:lie", " fault:other", " fault:memory=1"])
        assert line(child, f"echo {number}{faults}") == f"accepted; echo {number}\n"


@pytest.mark.parametrize("protocol", ["lines", "repl"])
def test_an_answer_to_another_can_be_told(protocol: str) -> None:
    if protocol == "lines":
        assert say(StandIn("lines", faults=["stale@2"]), "echo 1\necho 2\n").splitlines() == ["accepted; echo 1"] * 2
    else:
        answers = repl({"cmd": "-- echo 1"}, {"cmd": "-- echo 2"}, faults=("stale@2",))
        assert [answer["messages"][0]["data"] for answer in answers] == ["1", "1"]


def test_lies() -> None:
    assert say(StandIn("lines"), f"{FALSE} fault:lie\n") == "accepted; f : 2 + 2 = 5\n"
    assert say(StandIn("lines"), f"{FALSE} fault:other\n") == "accepted; f_other : 1 + 1 = 2\n"
    assert say(StandIn("lines"), f"{FALSE} fault:other=1\n") == "accepted; f : 1 + 1 = 2\n"
    assert say(StandIn("lines"), f"{TRUE} fault:deny\n") == "false; t: 2 + 2 = 4 is false\n"
    assert say(StandIn("smt", faults=["lie"]), "(check-sat)") == "unsat\n"
    assert "status Theorem" in say(StandIn("one-shot", faults=["lie"]), "fof(t, conjecture, 2 + 2 = 5).")


def test_noise_and_shapes() -> None:
    assert say(StandIn("lines", faults=["chatty=3"]), "echo 1\n").count("# progress") == 3
    assert say(StandIn("lines", faults=["twice"]), "echo 1\n") == "accepted; echo 1\n" * 2
    assert len(say(StandIn("lines", faults=["huge=3000000"]), "echo 1\n")) > 3_000_000
    assert say(StandIn("lines", faults=["half=0.5"]), "echo 1\n", code=1) == "accepted"
    assert "\ufffd" in say(StandIn("xml", faults=["garbage"]), script("Lemma t : 2 + 2 = 4.") + STATUS)
    ran = subprocess.run(
        StandIn("lines", faults=["stderr=100000"]).command,
        input=b"echo 1\n",
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert (len(ran.stderr) >= 100_000, ran.stdout) == (True, b"accepted; echo 1\n")


@pytest.mark.parametrize("protocol", ["lines", "repl", "content-length", "s-expressions", "xml", "smt"])
def test_pieces_are_the_same_bytes(protocol: str) -> None:
    asked = {
        "lines": TRUE + "\n",
        "repl": json.dumps({"cmd": TRUE + "\n#check t"}) + "\n\n",
        "content-length": frame(method="textDocument/didOpen", params={"textDocument": {"uri": "u", "text": FALSE}}),
        "s-expressions": '(Add () "Lemma t : 2 + 2 = 4. auto. Qed.")(Exec 4)',
        "xml": script("Lemma t : 2 + 2 = 4.", "auto.", "Qed.") + STATUS,
        "smt": "(assert false)(check-sat)",
    }[protocol]
    whole, pieces = (say(StandIn(protocol, faults=faults), asked, code=None) for faults in ([], ["trickle=1"]))
    assert whole == pieces != ""


def test_ends() -> None:
    assert say(StandIn("lines"), "echo 1\nfault:exit=7\n", code=7) == "accepted; echo 1\n"
    assert say(StandIn("lines"), "fault:signal=11\n", code=-signal.SIGSEGV) == ""
    assert say(StandIn("lines"), "echo 1 fault:last=3\necho 2\n", code=3) == "accepted; echo 1\n"
    assert say(StandIn("lines"), "fault:close=0.01\n", code=0) == ""


def test_an_interrupt_ends_the_work_or_the_prover(started: Any) -> None:
    for protocol, survives in (("lines", True), ("repl", False)):
        child = started(protocol, faults=("chatty=1", "hang@1"))
        child.stdin.write(b'{"cmd": "x"}\n\n' if protocol == "repl" else b"x\n")
        child.stdin.flush()
        child.stdout.readline()  # the progress: it is at work
        os.kill(child.pid, signal.SIGINT)
        if survives:
            assert child.stdout.readline() == b"interrupted\n"
            assert line(child, "echo 1").startswith("# progress")
            assert child.stdout.readline() == b"accepted; echo 1\n"
        else:
            assert child.wait(30) == -signal.SIGINT


def test_one_that_is_deaf_is_killed_only(started: Any) -> None:
    child = started("lines", faults=("chatty=1",))
    child.stdin.write(b"fault:deaf\n")
    child.stdin.flush()
    child.stdout.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.2)
    for _ in range(3):
        os.kill(child.pid, signal.SIGINT)
    child.kill()
    assert child.wait(30) == -signal.SIGKILL


def test_out_of_memory_poisons() -> None:
    limited = ["sh", "-c", 'ulimit -v 400000; exec "$@"', "sh", *StandIn("lines").command]
    asked = f"fault:memory=2000\necho 1\n{TRUE}\n"
    ran = subprocess.run(limited, input=asked, capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "out of memory\naccepted; echo 1\nout of memory\n"


@pytest.mark.parametrize(("fault", "in_the_group"), [("fork", True), ("escape", False)])
def test_a_child_holds_the_pipes(started: Any, fault: str, in_the_group: bool) -> None:
    child = started("lines")
    assert line(child, f"fault:{fault}=1") == "accepted\n"
    group = os.getpgid(child.pid)
    child.stdin.close()
    assert child.wait(30) == 0
    if in_the_group:
        os.killpg(group, signal.SIGKILL)
    else:
        with pytest.raises(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
    assert child.stdout.read() == b""
