"""What `make faults` and `make soak` leave behind: docs/faults.json, and the page and the plot that are drawn from it.

Each campaign has one row, that of its last run; a run of some leaves the rows of the others as they are.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from campaign import Campaign, Outcome
from plot import Curve, draw
from postgres_server import newest_version

import chatbubble

_KEPT = 20
DOCS = Path(__file__).resolve().parents[2] / "docs"
_HEAD = """# Faults

What the fault suite found when it was last run whole. Each campaign breaks something, very often, around real
processes, a real Redis and a real PostgreSQL, while a model that never says the same twice is answering; everything
that is written, and everything that any client accepts, is recorded and checked: the text each reader has is at any
moment the beginning of what one call of the model said, nothing is missing and nothing comes twice, each reader gets
one terminal event, all readers and the stored row end with the same text, and no call of the model is unexplained.
One finding is a violation.

`make faults` runs all of it and writes this page; `make faults ARGS="--only kill9 --seed 7"` runs one, and leaves the
other rows as they are; `make test` runs a short form of each. A seed decides on texts, scripts and victims; the rest
is the machine's own timing. How to read a campaign: its module in `tests/faults/campaigns`.
"""
_RECOVERY = """A recovery is the time from a reader's lost connection to the next event that it accepts; where a
process died, from its death to the first event of the new telling.

![Recovery times: the share of recoveries that took no longer than so many seconds](faults.svg)
"""


@dataclass(frozen=True)
class Row:
    """The last run of one campaign. `found` counts the violations, of which the first ones are kept; `recovery_s` has
    the 101 percentiles, from the shortest to the longest."""

    name: str
    title: str
    seed: int
    size: str
    counts: dict[str, int]
    violations: list[str]
    shortfalls: list[str]
    recoveries: int
    recovery_s: list[float]
    took_s: float
    date: str
    machine: str
    versions: str
    figures: dict[str, str] = field(default_factory=dict)
    found: int = 0


def row_of(campaign: Campaign, seed: int, size: int, outcome: Outcome, took_s: float) -> Row:
    """What is kept of a run."""
    return Row(
        name=campaign.name,
        title=campaign.title,
        seed=seed,
        size=f"{size:,} {campaign.unit}" if size < campaign.whole or campaign.unit == "seconds" else "whole",
        counts={name: count for name, count in outcome.counts.items() if count or name.endswith(("lost", "calls"))},
        violations=[f"{each.rule}: {each.tag}, {each.who}: {each.what}" for each in outcome.violations[:_KEPT]],
        found=len(outcome.violations),
        shortfalls=outcome.shortfalls,
        recoveries=len(outcome.recoveries_s),
        recovery_s=percentiles(outcome.recoveries_s),
        took_s=round(took_s, 1),
        date=time.strftime("%Y-%m-%d"),
        machine=_machine(),
        versions=_versions(),
        figures=outcome.figures,
    )


def percentiles(numbers: list[float]) -> list[float]:
    """The 101 percentiles; none of none."""
    if not numbers:
        return []
    inner = statistics.quantiles([*numbers, numbers[0]] if len(numbers) == 1 else numbers, n=100, method="inclusive")
    return [round(number, 4) for number in (min(numbers), *inner, max(numbers))]


def keep(row: Row, folder: Path = DOCS) -> None:
    """Put a row in the place of the last one of its campaign, and draw page and plot anew."""
    path = folder / "faults.json"
    rows = {each["name"]: each for each in json.loads(path.read_text("utf-8"))} if path.exists() else {}
    rows[row.name] = asdict(row)
    path.write_text(json.dumps(list(rows.values()), indent=1, ensure_ascii=False) + "\n", "utf-8")
    write_page(folder)


def write_page(folder: Path = DOCS) -> None:
    """Draw the page and the plot from what is kept."""
    rows = [Row(**each) for each in json.loads((folder / "faults.json").read_text("utf-8"))]
    (folder / "faults.md").write_text(page(rows), "utf-8")
    curves = [Curve(row.name, row.recovery_s) for row in rows if row.recovery_s]
    (folder / "faults.svg").write_text(draw(curves), "utf-8")


def page(rows: Iterable[Row]) -> str:
    """The whole page."""
    rows = list(rows)
    parts = [
        _HEAD,
        _table(_RESULTS, map(_result, rows)),
        _RECOVERY,
        "## What was done",
        _table(_DONE, map(_done, rows)),
    ]
    found = [f"- `{row.name}`, seed {row.seed}: {what}" for row in rows for what in (*row.violations, *row.shortfalls)]
    if found:
        parts += ["## What was found", "\n".join(found)]
    where = dict.fromkeys(f"- {row.date}: {row.machine}; {row.versions}" for row in rows)
    return "\n\n".join(part.strip() for part in (*parts, "## Where", "\n".join(where))) + "\n"


_RESULTS = ("campaign", "what", "seed", "violations", "recovery p50", "p99", "max", "minutes")
_DONE = ("campaign", "form", "counts")


def _result(row: Row) -> list[str]:
    times = [_seconds(row.recovery_s[place]) for place in (50, 99, 100)] if row.recovery_s else ["", "", ""]
    found = row.found + len(row.shortfalls)
    return [
        f"`{row.name}`",
        row.title,
        str(row.seed),
        f"**{found}**" if found else "0",
        *times,
        f"{row.took_s / 60:.1f}",
    ]


def _done(row: Row) -> list[str]:
    counted = [f"{count:,} {name}" for name, count in row.counts.items()]
    counted += [f"{row.recoveries:,} recoveries"] if row.recoveries else []
    return [
        f"`{row.name}`",
        row.size,
        ", ".join([*counted, *(f"{name}: {told}" for name, told in row.figures.items())]),
    ]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _seconds(number: float) -> str:
    return f"{number * 1000:.0f} ms" if number < 1 else f"{number:.1f} s"


def _machine() -> str:
    cpu = next((line for line in _read("/proc/cpuinfo") if line.startswith("model name")), ": unknown processor")
    memory = next((int(line.split()[1]) for line in _read("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return f"{os.cpu_count()} cores of {cpu.partition(': ')[2]}, {memory / 2**20:.0f} GB, {platform.system()}"


def _read(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() if Path(path).exists() else []


def _versions() -> str:
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
    named = {
        "Chatbubble": chatbubble.__version__,
        "Python": platform.python_version(),
        "gevent": version("gevent"),
        "Redis": redis.split("v=")[1].split()[0],
        "PostgreSQL": str(newest_version()),
    }
    return ", ".join(f"{name} {number}" for name, number in named.items())
