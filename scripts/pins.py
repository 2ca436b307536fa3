"""Writes requirements/: every package by its version, and every file of it by its hash. What `make pins` does.

All extras of setup.cfg are locked in one go, for every Python and platform that we know, so that no two sets disagree.
Then each set gets its share: what the sets it begins with do not hold yet.

    python scripts/pins.py [OPTIONS OF UV'S pip compile, LIKE --exclude-newer '7 days']
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
OLDEST_PYTHON = "3.11"


class PinSet(NamedTuple):
    """A file in requirements/: what it is for, the sets that it begins with, and the extras whose packages it adds.

    `runs` adds what Chatbubble always needs, `packs` what pyproject.toml asks for.
    """

    meaning: str
    begins_with: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    runs: bool = True
    packs: bool = False


SETS = {
    "run": PinSet("What Chatbubble imports."),
    "deploy": PinSet("What a deployment may import.", ("run",), ("identity", "postgresql", "processes")),
    "widget": PinSet("What builds the widget, and packs it.", (), ("widget",), runs=False, packs=True),
    "node": PinSet("Node, where the machine has none.", (), ("node",), runs=False),
    "dev": PinSet("What tests and checks.", ("deploy", "widget"), ("dev",)),
    "bench": PinSet("What the benchmark of the streams compares with.", ("dev",), ("bench",)),
    "fuzz": PinSet("What guides the fuzzing by coverage.", ("dev",), ("fuzz",)),
    "supply": PinSet("What renews and audits these pins, in an environment of its own.", (), ("supply",), runs=False),
}


def wanted(pins: PinSet) -> list[str]:
    """The requirements of a set as setup.cfg and pyproject.toml state them."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    extras = setup["options.extras_require"]
    lines = setup["options"]["install_requires"].splitlines() if pins.runs else []
    if pins.packs:
        lines += tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    waiting = list(pins.extras)
    while waiting:
        for line in extras[waiting.pop()].splitlines():
            own = re.fullmatch(r"chatbubble\[(\w+)\]", line)
            waiting += [own[1]] if own else []
            lines += [] if own else [line]
    return sorted({line for line in lines if line})


def lock(requirements: list[str], *options: str) -> str:
    """What uv makes of these, for every platform; it names no address to fetch from."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "wanted.in"
        source.write_text("\n".join(requirements) + "\n", "utf-8")
        fixed = ["--universal", "--python-version", OLDEST_PYTHON, "--no-header", "--no-annotate", "--quiet"]
        command = [sys.executable, "-m", "uv", "--no-config", "pip", "compile", str(source), *fixed, *options]
        return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def blocks_of(text: str) -> dict[str, str]:
    """The entries of a lock, hashes and all, by package; one that differs by platform has several."""
    blocks: dict[str, str] = {}
    for block in re.split(r"\n(?=\S)", text.strip()):
        name = re.split(r"==", block)[0]
        blocks[name] = blocks.get(name, "") + block + "\n"
    return blocks


def share_out(locked: dict[str, str]) -> dict[str, str]:
    """The text of each file, by the name of its set."""
    files: dict[str, str] = {}
    held: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "all.txt"
        constraints.write_text("".join(locked.values()), "utf-8")
        for name, pins in SETS.items():
            before = set().union(*(held[other] for other in pins.begins_with))
            needed = set(blocks_of(lock(wanted(pins), "--constraints", str(constraints))))
            held[name] = before | needed
            own = "".join(locked[package] for package in sorted(needed - before))
            include = "".join(f"-r {other}.txt\n" for other in pins.begins_with)
            files[name] = f"# {pins.meaning} Written by `make pins`.\n{include}{own}"
    return files


def main(options: list[str]) -> int:
    """Write the files; returns the exit status."""
    everything = sorted({line for pins in SETS.values() for line in wanted(pins)})
    files = share_out(blocks_of(lock(everything, "--generate-hashes", *options)))
    FOLDER.mkdir(exist_ok=True)
    for name, text in files.items():
        (FOLDER / f"{name}.txt").write_text(text, "utf-8")
        packages = set(re.findall(r"^[\w-]+(?===)", text, re.MULTILINE))
        print(f"requirements/{name}.txt: {len(packages)} packages, {text.count('--hash=')} files")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
