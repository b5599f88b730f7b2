"""The promises of the house: what is exported, what import does, where code may stand, what depends on what."""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import porism

ROOT = Path(__file__).resolve().parents[2]
CODE_FOLDERS = ("native", "engine", "bindings", "python", "tests", "benches", "examples")
LONGEST_FILE = 600


def sources(*suffixes: str) -> list[Path]:
    """Every source file of the repository with one of ``suffixes``."""
    return [
        path
        for folder in CODE_FOLDERS
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in suffixes and not {"target", "__pycache__"} & set(path.parts)
    ]


def manifest(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


# --- the public door --------------------------------------------------------------------------------------------------


def test_all_lists_every_public_name_once() -> None:
    public = {name for name, value in vars(porism).items() if not name.startswith("_") and not inspect.ismodule(value)}
    modules = {name for name in porism.__all__ if inspect.ismodule(getattr(porism, name))}
    assert len(set(porism.__all__)) == len(porism.__all__)
    # `__future__` features are values too, but nobody's interface.
    assert set(porism.__all__) - modules - {"__version__"} == public - {"annotations"}


@pytest.mark.parametrize("name", sorted(porism.__all__))
def test_public_names_call_themselves_porism(name: str) -> None:
    module = getattr(getattr(porism, name), "__module__", "porism")
    assert module.split(".")[0] == "porism"


def test_one_version_everywhere() -> None:
    version = manifest("Cargo.toml")["workspace"]["package"]["version"]
    assert porism.__version__ == version
    assert importlib.metadata.version("porism") == version


# --- import -----------------------------------------------------------------------------------------------------------

WATCHED_IMPORT = """
import json, sys, threading
import numpy

seen = []

def watch(event, arguments):
    if event.startswith(("socket.", "subprocess.", "sqlite3.", "_thread.", "os.system", "os.exec", "os.fork")):
        seen.append(event)
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        seen.append(f"open {arguments[0]} to write")

sys.addaudithook(watch)
import porism
print(json.dumps({"seen": seen, "threads": threading.active_count(), "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def watched_import() -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-B", "-c", WATCHED_IMPORT], capture_output=True, text=True, check=True, timeout=60
    )
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


def test_import_touches_nothing(watched_import: dict[str, Any]) -> None:
    assert watched_import["seen"] == []
    assert watched_import["threads"] == 1


def test_import_leaves_heavy_packages_alone(watched_import: dict[str, Any]) -> None:
    loaded = {module.split(".")[0] for module in watched_import["modules"]}
    assert loaded.isdisjoint({"typer", "rich", "z3", "cvc5", "eprover", "sqlite3"})


# --- where code stands ------------------------------------------------------------------------------------------------


def test_unsafe_stands_in_native_and_bindings_only() -> None:
    allowed = (ROOT / "native", ROOT / "bindings")
    unsafe = re.compile(r"\bunsafe\b(?!_code)")
    offenders = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources(".rs")
        if not any(path.is_relative_to(folder) for folder in allowed)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if unsafe.search(line.split("//")[0])
    ]
    assert offenders == []


def test_the_engine_forbids_unsafe() -> None:
    assert "#![forbid(unsafe_code)]" in (ROOT / "engine/src/lib.rs").read_text(encoding="utf-8")


def test_no_file_holds_two_rooms() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path in sources(".rs", ".py", ".pyi", ".c", ".h")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE
    }
    assert too_long == {}


ARROW = {
    "native": set[str](),
    "engine": {"porism-native"},
    "bindings/c": {"porism-native", "porism-engine"},
    "bindings/python": {"porism-native", "porism-engine", "porism-capi"},
}


def dependencies(folder: str) -> set[str]:
    """Every crate that the crate in ``folder`` names, for whatever purpose."""
    found = manifest(f"{folder}/Cargo.toml")
    tables = [found, *found.get("target", {}).values()]
    kinds = ("dependencies", "dev-dependencies", "build-dependencies")
    return {name for table in tables for kind in kinds for name in table.get(kind, {})}


def test_every_crate_has_its_place_in_the_arrow() -> None:
    assert set(manifest("Cargo.toml")["workspace"]["members"]) == set(ARROW)


@pytest.mark.parametrize("folder", sorted(ARROW))
def test_dependencies_point_down(folder: str) -> None:
    assert {name for name in dependencies(folder) if name.startswith("porism")} <= ARROW[folder]


@pytest.mark.parametrize("folder", ["native", "engine", "bindings/c"])
def test_python_is_unknown_below_its_binding(folder: str) -> None:
    assert not {name for name in dependencies(folder) if name.startswith(("pyo3", "numpy"))}


# --- papers -----------------------------------------------------------------------------------------------------------


def test_the_wheel_carries_both_licences() -> None:
    installed = importlib.metadata.distribution("porism")
    assert installed.metadata["License-Expression"] == "MIT OR Apache-2.0"
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        assert installed.read_text(f"licenses/{name}") == (ROOT / name).read_text(encoding="utf-8")


def test_every_dependency_has_a_reason() -> None:
    python = manifest("pyproject.toml")
    listed = [
        *python["project"]["dependencies"],
        *python["project"]["optional-dependencies"]["provers"],
        *python["dependency-groups"]["dev"],
        *python["build-system"]["requires"],
    ]
    names = {re.split(r"[<>=!~\[ ]", requirement)[0] for requirement in listed}
    names |= {name for folder in ARROW for name in dependencies(folder) if not name.startswith("porism")}
    reasons = (ROOT / "docs/decisions/dependencies.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([^`]+)` \|", reasons, flags=re.MULTILINE))
    assert names == explained


def test_the_code_map_shows_what_exists() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    code_map = text.split("## Code map\n")[1].split("\n## ")[0]
    shown = re.findall(r"^(?:#+ |- )`([\w./-]+)`", code_map, flags=re.MULTILINE)
    assert shown
    assert [path for path in shown if not (ROOT / path).exists()] == []


def test_the_types_are_right_for_users(tmp_path: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path, "tests/typing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
