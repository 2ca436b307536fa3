"""The runs that are kept in docs/streams.json: for each load and server those of the last time that it was measured."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import toolchain
from contenders import REFERENCES
from results import Figures

import chatbubble

_LEFT_OUT = {"took_s", "load_s"}  # others are made of them
_PACKAGES = ("gevent", "gunicorn", "Flask", "openai", "FastAPI", "sse-starlette", "uvicorn", "uvloop")


class Kept:
    """All that is known, by load and server."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, dict[str, Any]] = {}
        if path.exists():
            self._entries = json.loads(path.read_text("utf-8"))

    def put(self, load: str, name: str, rounds: Sequence[Figures], where: str, reason: str = "") -> None:
        """These runs take the place of what was known; without any, `reason` says why."""
        told = [{figure: each[figure] for figure in each if figure not in _LEFT_OUT} for each in rounds]
        date = time.strftime("%Y-%m-%d")
        self._entries[f"{load} {name}"] = {"date": date, "where": where, "reason": reason, "rounds": told}

    def save(self) -> None:
        """Write all that is known: a line for each load and server."""
        lines = [f"{json.dumps(key)}: {json.dumps(entry)}" for key, entry in sorted(self._entries.items())]
        self._path.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")

    def numbers(self, load: str, name: str, figure: str) -> list[float]:
        """What each run gave; empty where it was not run, or a run did not give it."""
        rounds = self._entries.get(f"{load} {name}", {}).get("rounds", [])
        numbers = [each[figure] for each in rounds if figure in each]
        return numbers if len(numbers) == len(rounds) else []

    def median(self, load: str, name: str, figure: str) -> float | None:
        """Of all runs; None where nothing is known."""
        numbers = self.numbers(load, name, figure)
        return statistics.median(numbers) if numbers else None

    def share(self, load: str, name: str) -> float | None:
        """Which share of the tokens came in the worst of the runs."""
        delivered, expected = (self.numbers(load, name, figure) for figure in ("delivered", "expected"))
        return min(came / all_ for came, all_ in zip(delivered, expected, strict=True)) if expected else None

    def is_exact(self, load: str, name: str) -> bool | None:
        """Whether all streams of all runs were."""
        exact, streams = (self.numbers(load, name, figure) for figure in ("exact", "streams"))
        return exact == streams if streams else None

    def reason(self, load: str, name: str) -> str:
        """That there are no runs, and why; empty where there are some."""
        entry = self._entries.get(f"{load} {name}")
        if entry is None:
            return "not measured yet"
        return "" if entry["rounds"] else f"not run: {entry['reason']}"

    def places(self) -> list[str]:
        """Where and when all of it was measured, each once."""
        return sorted({f"{each['date']}: {each['where']}" for each in self._entries.values()})


def machine_and_versions(rounds: int) -> str:
    """Where the figures are from, and with what they were taken."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    named = {"Chatbubble": chatbubble.__version__, "Python": platform.python_version(), **_installed()}
    told = ", ".join(f"{name} {number}" for name, number in named.items())
    machine = f"{os.cpu_count()} cores of {cpu}, {platform.system()} {platform.release()}"
    return f"{machine}, load average {os.getloadavg()[0]:.1f} at the start; {rounds} rounds; {told}"


def _installed() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # its server is told as not run
    node = toolchain.node_on_path() or toolchain.node_in_python()
    asked = {"nginx": ["nginx", "-v"], "Redis": ["redis-server", "--version"], "PostgreSQL": ["postgres", "--version"]}
    if node:
        asked["Node"] = [*node[0], "--version"]
    for name, (program, option) in asked.items():
        if where := shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
            done = subprocess.run([where, option], capture_output=True, text=True, check=False)
            numbers = re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)
            found[name] = numbers[0] if numbers else "of an unknown version"
    package = json.loads((REFERENCES / "package.json").read_text("utf-8"))
    return found | {f"{name} (Node)": number for name, number in package["dependencies"].items()}
