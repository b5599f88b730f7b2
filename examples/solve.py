"""Solves a problem twice: the second time from what the first one left in the memory."""

import sys
from pathlib import Path

import porism

here = Path(__file__).parent
memory = porism.Memory.open(sys.argv[1] if len(sys.argv) > 1 else "lemmas.porism")
for _ in range(2):
    # One try after the other: several at once race, and on a busy machine a later one may win.
    result = porism.solve(here / "group.p", memory=memory, budget=porism.Budget(seconds=30), workers=1)
    print(result.verdict, "by the try", result.winner, "from", ", ".join(result.used))
    print("confirmed by", result.receipt.checker if result.receipt else "nobody")
memory.close()
