"""A visitor in a browser of their own, whose processor and whose line are as slow as told."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
PHONE_SLOWDOWN = 4
# As the developer tools have it: 1.6 Mbit/s down, 750 kbit/s up, nine tenths of both; 150 ms round trip, times 3.75.
FAST_3G = {"latency": 562.5, "downloadThroughput": 180_000, "uploadThroughput": 84_375, "offline": False}
WATCH = (Path(__file__).parent / "watch.js").read_text("utf-8")
# No more than is read: what is traced takes longer.
SCRIPTS = ("-*", "devtools.timeline")
TASKS = (*SCRIPTS, "disabled-by-default-devtools.timeline")


def chromium_path() -> str | None:
    """The system's Chromium, or None for Playwright's own."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)


def launch(playwright: Playwright) -> Browser:
    """Start the browser."""
    return playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)


@contextmanager
def visiting(browser: Browser, *, slowdown: float = 1, line: dict[str, Any] | None = None) -> Iterator[Page]:
    """A new visitor's page, with nothing in its cache, watched by watch.js from before its first script."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    try:
        context.add_init_script(WATCH)
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        if line:
            session.send("Network.enable")
            session.send("Network.emulateNetworkConditions", line)
        yield page
    finally:
        context.close()


def traced(
    browser: Browser, page: Page, address: str, settle_ms: int, categories: Sequence[str]
) -> list[dict[str, Any]]:
    """The events of Chromium's own trace, while the page loads and until it has been quiet for a while."""
    browser.start_tracing(page=page, categories=categories)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(settle_ms)
    events: list[dict[str, Any]] = json.loads(browser.stop_tracing())["traceEvents"]
    return events
