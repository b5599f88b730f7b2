"""Tests a client of a prover without the prover: right answers, wrong ones, and a prover that hangs."""

import json
import subprocess

from porism.testing import StandIn


def ask(stand_in: StandIn, text: str) -> str:
    """A client of the Lean REPL, in short: one command, and what its first message says."""
    request = json.dumps({"cmd": text}) + "\n\n"
    try:
        done = subprocess.run(stand_in.command, input=request, capture_output=True, text=True, timeout=2, check=False)
    except subprocess.TimeoutExpired:
        return "no answer in time"
    messages = json.loads(done.stdout)["messages"] if done.stdout else [{"data": f"exit {done.returncode}"}]
    return str(messages[0]["data"])


lean = StandIn("repl")
print(ask(lean, "theorem t : 2 + 2 = 4 := by decide\n#print axioms t"))
print(ask(lean, "theorem t : 2 + 2 = 5 := by decide -- fault:lie\n#print axioms t"))
print(ask(lean, "-- echo 17"))
print(ask(StandIn("repl", faults=["exit=3@1"]), "-- echo 18"))
print(ask(lean, "-- fault:hang"))
