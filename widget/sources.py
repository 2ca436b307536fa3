"""Where the widget's sources and built files are, and whether these were made from those.

Imports the standard library alone: it is asked before any build tool is installed.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "src"
STATIC = HERE.parent / "backend" / "chatbubble" / "static"
# For integrators' own builds, under their plain names: not bundled, not minified.
AS_THEY_ARE = {
    "react.mjs": SOURCES / "react.js",
    "react.d.mts": HERE / "types" / "react.d.mts",
    "widget.d.mts": HERE / "types" / "widget.d.mts",
}
# What decides the bytes besides the sources: the recipe and the pinned tools.
SHORT_NAMES = HERE / "short-names.txt"
RECIPE = (HERE / "assets.py", HERE / "package-lock.json", SHORT_NAMES, HERE / "list_words.js", *AS_THEY_ARE.values())


def short_names() -> list[str]:
    """The properties that the build makes short."""
    lines = SHORT_NAMES.read_text("utf-8").splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


def sources_hash(sources: Path = SOURCES) -> str:
    """SHA-256 over the names and contents of all that decides the built bytes."""
    files = [(path.relative_to(sources).as_posix(), path) for path in sources.rglob("*") if path.is_file()]
    recipe = [(path.name, path) for path in RECIPE]
    total = hashlib.sha256()
    for name, path in [*sorted(files), *recipe]:
        total.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def is_current(static: Path = STATIC) -> bool:
    """Whether the built files are there, whole, and made from today's sources."""
    try:
        manifest = json.loads((static / "manifest.json").read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    if manifest.get("sources") != sources_hash():
        return False
    names = [name for entry in manifest["files"].values() for name in (entry["file"], entry["map"])]
    return all((static / name).is_file() for name in [*names, *manifest["plain"]])
