"""What the widget costs a page and its visitors, measured in Chromium; the tables go into docs/performance.md.

    PYTHONPATH=backend python tests/bench/page/measure_page.py [--runs 5] [--only load opening ...] [--print]

A part that cannot run here is told with its reason.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(ROOT / "widget"), str(ROOT / "tests" / "e2e")]

import opening  # noqa: E402 -- our own folders come first
import page_load  # noqa: E402
import parsers  # noqa: E402
import scores  # noqa: E402
import streaming  # noqa: E402
from figures import Section, written_into  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402
from slow_visitor import chromium_path, launch  # noqa: E402
from stack import HOST, Stack, free_port, running  # noqa: E402

DOCUMENT = ROOT / "docs" / "performance.md"
ANSWER_LENGTH = 20_000
PARTS = ("load", "lighthouse", "opening", "parsers", "streaming")


@contextmanager
def bare_shop(stack: Stack) -> Iterator[str]:
    """The shop without the bubble; gives its origin."""
    port = str(free_port())
    origin = f"http://{HOST}:{port}"
    command = ("tests/bench/page/bare_shop.py", "--port", port, "--backend", stack.widget_origin)
    with running(*command, ready=f"{origin}/"):
        yield origin


def measure(part: str, browser: Browser, stack: Stack, bare: str, runs: int) -> Section:
    """Take one of the parts."""
    with_bubble, without = f"{stack.site}/", f"{bare}/"
    measurements: dict[str, Callable[[], Section]] = {
        "load": lambda: page_load.measure(browser, with_bubble, without, runs),
        "lighthouse": lambda: scores.measure(chromium_path() or "", with_bubble, without, runs),
        "opening": lambda: opening.measure(browser, stack.site, runs),
        "parsers": lambda: parsers.measure(browser, runs),
        "streaming": lambda: streaming.measure(browser, stack, _long_answer(browser), runs),
    }
    try:
        return measurements[part]()
    except RuntimeError as reason:
        return Section(part.capitalize(), f"Not measured on this machine: {reason}")


def _long_answer(browser: Browser) -> str:
    with parsers.page_with(browser, parsers.bundle()) as page:
        text: str = page.evaluate("(length) => bench.answer(length)", ANSWER_LENGTH)
    return text


def circumstances(browser: Browser, runs: int, load: tuple[float, float, float]) -> str:
    """When, where and with what the figures were taken."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    tools = json.loads((ROOT / "widget" / "package.json").read_text("utf-8"))["devDependencies"]
    wanted = ("lighthouse", "marked", "markdown-it", "streaming-markdown")
    named = ", ".join(f"{name} {tools[name]}" for name in wanted)
    today = datetime.datetime.now(datetime.UTC).date()
    return (
        f"Measured on {today} by `make bench`: {os.cpu_count()} cores of {model}, {platform.system()}, "
        f"Chromium {browser.version}, {named}. Medians of {runs} runs, the lowest and the highest in brackets. "
        f"The machine's load average was {load[0]:.1f} at the start and {os.getloadavg()[0]:.1f} at the end: servers, "
        "model and browser run on the same cores."
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines() if Path(path).exists() else []


def main() -> int:
    """Measure, print, write; returns how many goals were missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--print", action="store_true", help="leave docs/performance.md as it is")
    given = parser.parse_args()
    load = os.getloadavg()
    sections = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        stack = Stack(Path(folder))
        with stack.model(), stack.backend(), stack.shop(), bare_shop(stack) as bare:
            browser = launch(playwright)
            for part in given.only:
                sections.append(measure(part, browser, stack, bare, given.runs))
                print(f"\n{sections[-1].text()}", flush=True)
            told = circumstances(browser, given.runs, load)
            browser.close()
    print(f"\n{told}")
    if not given.print and tuple(given.only) == PARTS:
        body = "\n\n".join([told, *(section.text() for section in sections)])
        DOCUMENT.write_text(written_into(DOCUMENT.read_text("utf-8"), body), "utf-8")
    return sum(figure.is_reached is False for section in sections for figure in section.figures)


if __name__ == "__main__":
    main()
