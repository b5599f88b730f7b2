"""``python -m porism.testing PROTOCOL``: a scripted prover on this process's pipes."""

from porism.testing.standins.program import run

run()
