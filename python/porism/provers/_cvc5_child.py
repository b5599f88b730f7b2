"""The program that stands in for the cvc5 executable, which the wheel does not bring.

Run as a file by an interpreter of its own: reads SMT-LIB from standard input, prints one JSON object. It imports
nothing of Porism, so that it starts fast and a crash of the library takes nothing else along.

Arguments: the folder that holds the package ``cvc5``; the time limit in milliseconds, or ``--version`` in its place.
"""

from __future__ import annotations

import json
import sys


def _answer(text: str, limit_ms: str) -> dict[str, str]:
    import cvc5

    solver = cvc5.Solver()
    solver.setOption("tlimit-per", limit_ms)
    # Without it cvc5 gives up on most quantified problems long before the limit.
    solver.setOption("enum-inst", "true")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "stdin")
    symbols = parser.getSymbolManager()
    said: list[str] = []
    # The problem was checked to ask once; the word that this prints is the only output of a correct run.
    while not (command := parser.nextCommand()).isNull():
        said += command.invoke(solver, symbols).split("\n")
    words = [line for line in said if line]
    if len(words) != 1:
        return {"error": " ".join(words)}
    word, _, reason = words[0].partition(" ")
    return {"word": word, "reason": reason}


def main() -> None:
    """Answers, or says why not; only a crash leaves without a word."""
    folder, request = sys.argv[1:]
    sys.path.append(folder)
    if request == "--version":
        import cvc5

        print(f"cvc5 {cvc5.__version__}")
        return
    try:
        answer = _answer(sys.stdin.read(), request)
    except MemoryError:
        answer = {"error": "out of memory"}
    except RuntimeError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
