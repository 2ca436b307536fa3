"""What Lighthouse thinks of the page with the bubble, and of the page without it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from pathlib import Path
from typing import Any

import toolchain
from figures import Figure, Section, repeat, spread

SCRIPT = Path(__file__).with_name("lighthouse.js")
HOW = """\
Lighthouse as it comes, its performance category alone, on its emulated phone (slow line and 4x slower processor, both
computed from what it saw), in turns on the two pages."""


def score(address: str, browser: str) -> dict[str, Any]:
    """One run. Raises RuntimeError with Lighthouse's own words where it fails."""
    command = [*toolchain.find_node()[0], str(SCRIPT), address]
    environ = {**os.environ, "CHROME_PATH": browser}
    run = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=240, check=False)
    if run.returncode != 0:
        raise RuntimeError((run.stderr or run.stdout).strip().splitlines()[-1])
    result: dict[str, Any] = json.loads(run.stdout)
    return result


def measure(browser: str, with_bubble: str, without: str, runs: int) -> Section:
    """Score both pages; `browser` is Chromium's path."""
    section = Section("Lighthouse", HOW)
    seen: dict[str, list[dict[str, Any]]] = {with_bubble: [], without: []}

    def once(address: str) -> float:
        seen[address].append(score(address, browser))
        return float(seen[address][-1]["score"])

    own, bare = repeat(runs, lambda: once(with_bubble), lambda: once(without))
    less = statistics.median(bare) - statistics.median(own)
    section.figures = [
        Figure("score without the bubble", "", spread(bare, "")),
        Figure("score with it", "", spread(own, "")),
        Figure("points less", "1 at most", f"{less:.0f}", less <= 1),
    ]
    for name, label in (("blocking", "blocking time"), ("largestPaint", "largest paint")):
        without_it, with_it = ([float(each[name]) for each in seen[address]] for address in (without, with_bubble))
        section.figures.append(Figure(f"{label}, without and with", "", f"{spread(without_it)} and {spread(with_it)}"))
    return section
