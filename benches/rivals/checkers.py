"""Builds and finds the checkers that Porism's is compared with, all outside the repository."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

_DRIVER = Path(__file__).with_name("knife")

# As published, a pass of metamath-knife copies its table of names once a segment. Sharing the table, as the rest of the
# program does, is this one change; it is made to a copy of the published source.
_SHIPPED = "segments: &SegmentSet, names: &Nameset) {"
_REPAIRED = "segments: &SegmentSet, names: &Arc<Nameset>) {"


def knife(folder: Path) -> dict[str, Path]:
    """metamath-knife as published and with its names shared; empty without cargo or the crate."""
    if shutil.which("cargo") is None:
        return {}
    built = {}
    for name in ("published", "repaired"):
        place = folder / f"knife-{name}"
        binary = place / "target" / "release" / "knife"
        if not binary.exists():
            shutil.copytree(_DRIVER, place, dirs_exist_ok=True)
            try:
                if name == "repaired":
                    _repair(place)
                _cargo(place, "build", "--release", "--quiet")
            except (subprocess.CalledProcessError, StopIteration, OSError) as error:
                print(f"metamath-knife ({name}) is left out: {error}")
                continue
        built[name] = binary
    return built


def _repair(place: Path) -> None:
    """Has the build take a changed copy of the crate."""
    _cargo(place, "fetch", "--quiet")
    version = tomllib.loads((place / "Cargo.toml").read_text(encoding="utf-8"))["dependencies"]["metamath-rs"].strip(
        "="
    )
    registry = Path.home() / ".cargo" / "registry" / "src"
    source = next(registry.glob(f"*/metamath-rs-{version}"))
    copy = place / "metamath-rs"
    shutil.copytree(source, copy, dirs_exist_ok=True)
    scopes = copy / "src" / "scopeck.rs"
    text = scopes.read_text(encoding="utf-8")
    if text.count(_SHIPPED) != 1:
        message = "the published source is another than was expected"
        raise OSError(message)
    scopes.write_text(text.replace(_SHIPPED, _REPAIRED), encoding="utf-8")
    with (place / "Cargo.toml").open("a", encoding="utf-8") as manifest:
        manifest.write('\n[patch.crates-io]\nmetamath-rs = { path = "metamath-rs" }\n')


def _cargo(place: Path, *arguments: str) -> None:
    subprocess.run(["cargo", *arguments], cwd=place, check=True)
