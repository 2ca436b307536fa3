"""How long our markdown takes, and that of others, on the same answers in the same browser."""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import toolchain
from figures import Figure, Section, spread, table, within
from playwright.sync_api import Browser, Page

HERE = Path(__file__).resolve().parent
OURS = "Chatbubble"
SHORT, LONG = 2_000, 20_000
_MOST_MS = 50
_MOST_GROWTH = 12
_PATIENCE_MS = 3_000
HOW = f"""\
Answers with everything that models write, cut into pieces of four characters, read without a pause: times are those of
the script alone, without layout and painting. *Parsing* gives the result to nobody, *into the page* makes nodes of it.
marked and markdown-it know whole texts only, so they render all that is there so far on every piece, as pages use them;
"changed blocks" is the usual remedy: marked's lexer on every piece, and new HTML for the blocks that changed. None of
that HTML is sanitised here, which a page would have to do on top. The first line's run is the very first in a fresh
page; all others come after a warm-up with {SHORT:,} characters. Whoever needs more than {_PATIENCE_MS // 1000} s for an
answer is asked once."""


def bundle() -> str:
    """parsers.js with all that it imports, as one script that sets `bench`."""
    modules = {**os.environ, "NODE_PATH": str(toolchain.MODULES)}
    command = [str(toolchain.esbuild()), str(HERE / "parsers.js"), "--bundle", "--format=iife", "--global-name=bench"]
    return subprocess.run(command, env=modules, check=True, capture_output=True, text=True).stdout


@contextmanager
def page_with(browser: Browser, script: str) -> Iterator[Page]:
    """A fresh page that has `bench`, and no line: pictures in answers are not fetched."""
    context = browser.new_context(offline=True)
    try:
        page = context.new_page()
        page.add_script_tag(content=script)
        yield page
    finally:
        context.close()


def time(page: Page, name: str, mode: str, length: int) -> dict[str, float]:
    """Milliseconds: `took` and `slowest`."""
    seen: dict[str, float] = page.evaluate("(given) => bench.time(...given)", [name, mode, length])
    return seen


def growth(page: Page, name: str, mode: str, short: int) -> tuple[float, dict[str, float]]:
    """How many times longer ten times the text takes, and what it took."""
    time(page, name, mode, short)
    few = statistics.median(time(page, name, mode, short)["took"] for _ in range(3))
    many = time(page, name, mode, 10 * short)
    return many["took"] / max(few, 0.1), many


def measure(browser: Browser, runs: int, *, short: int = SHORT) -> Section:
    """Measure them all; `short` is the length that a tenfold is compared with."""
    section = Section("Reading an answer", HOW)
    script = bundle()
    long = 10 * short
    with page_with(browser, script) as page:
        names: list[str] = page.evaluate("() => Object.keys(bench.CONTESTANTS)")
    section.figures = _own_figures(browser, script, runs, short)
    rows = [_row(browser, script, runs, name, short) for name in names]
    head = ("reader", f"parsing {long:,} characters", "10x the text", f"into the page, {long:,}", "10x the text",
            "slowest piece", f"nodes taken off again, {short:,}")  # fmt: skip
    section.tables = [table(head, rows)]
    return section


def _own_figures(browser: Browser, script: str, runs: int, short: int) -> list[Figure]:
    long = 10 * short
    cold, grown = [], []
    for _ in range(runs):
        with page_with(browser, script) as page:
            cold.append(time(page, OURS, "parse", long)["took"])
            grown.append(growth(page, OURS, "parse", 3 * short)[0])
    return [
        Figure(f"parsing {long:,} characters, the very first run", f"{_MOST_MS} ms", spread(cold, digits=1),
               within(cold, _MOST_MS)),
        Figure(f"{30 * short:,} characters against {3 * short:,}", f"{_MOST_GROWTH} times", spread(grown, " times", 1),
               within(grown, _MOST_GROWTH)),
    ]  # fmt: skip


def _row(browser: Browser, script: str, runs: int, name: str, short: int) -> tuple[str, ...]:
    results = []
    for _ in range(runs):
        with page_with(browser, script) as page:
            results.append([growth(page, name, mode, short) for mode in ("parse", "show")])
            removed = page.evaluate("(given) => bench.countRemoved(...given)", [name, short])
        if results[0][0][1]["took"] > _PATIENCE_MS:
            break
    parse, show = zip(*results, strict=True)
    cells = [name]
    for measured in (parse, show):
        cells += [
            f"{statistics.median(long['took'] for _, long in measured):,.1f} ms",
            f"{statistics.median(times for times, _ in measured):.0f} times",
        ]
    slowest = statistics.median(long["slowest"] for _, long in show)
    return (*cells, f"{slowest:.1f} ms", f"{removed:,}")
