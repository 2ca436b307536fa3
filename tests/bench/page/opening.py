"""How long a visitor waits after the click on the bubble, over a slow line."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from figures import Figure, Section, repeat, spread, within
from playwright.sync_api import Browser, Page
from slow_visitor import FAST_3G, PHONE_SLOWDOWN, visiting

_USABLE_MS = 150
_SHOWN_MS = 50
_HESITATION_MS = 300
_FETCHED = """() => performance.getEntriesByType('resource')
    .some(({ name, responseEnd }) => /\\/chat\\.[^/]*mjs/.test(name) && responseEnd > 0)"""
_BUILT = "() => document.querySelector('chat-bubble').shadowRoot.querySelector('textarea') !== null"
_OPENED = "() => watched.shown !== null && watched.usable !== null"
HOW = """\
Over an emulated Fast 3G line (1.44 Mbit/s, 562 ms to the first byte of each answer), each visit with an empty cache.
*After a hover*: the pointer rests on the bubble until the chat has been fetched and stands in its closed panel, then
clicks; how long that takes is told too. *The moment it was fetched*: the click comes with the last byte of the chat's
file. *At once*: the pointer jumps there and clicks, so that nothing was fetched before. *Usable* is the frame after the
composer took the focus, counted from the time stamp of the click; *panel visible* is the first frame that shows any of
the panel's box, which then fades in for 0.2 s."""

Approach = Callable[[Page, float, float], None]


def after_hover(page: Page, x: float, y: float) -> None:
    """Rest on the bubble until the chat is there."""
    page.mouse.move(x, y)
    page.wait_for_function(_BUILT, timeout=60_000)


def when_fetched(page: Page, x: float, y: float) -> None:
    """Rest on the bubble until the chat's file came."""
    page.mouse.move(x, y)
    page.wait_for_function(_FETCHED, timeout=60_000)


def hesitate(page: Page, x: float, y: float) -> None:
    """Rest on the bubble for a moment only."""
    page.mouse.move(x, y)
    page.wait_for_timeout(_HESITATION_MS)


def at_once(page: Page, x: float, y: float) -> None:
    """Do not wait at all."""


WAYS: list[tuple[str, str, Approach, float]] = [
    ("after a hover", "/", after_hover, 1),
    ("after a hover, 4x slowdown", "/", after_hover, PHONE_SLOWDOWN),
    ("after a hover, Chinese page", "/zh", after_hover, 1),
    ("the moment it was fetched", "/", when_fetched, 1),
    (f"{_HESITATION_MS} ms after the pointer came", "/", hesitate, 1),
    ("at once", "/", at_once, 1),
    ("at once, 4x slowdown", "/", at_once, PHONE_SLOWDOWN),
]


def open_chat(
    browser: Browser, address: str, approach: Approach, slowdown: float = 1, line: dict[str, Any] | None = None
) -> dict[str, float]:
    """One visit: milliseconds of the approach, and from the click to the panel, the focus, and the focus on screen."""
    with visiting(browser, slowdown=slowdown, line=line) as page:
        page.goto(address, wait_until="load", timeout=90_000)
        launcher = page.locator("chat-bubble").get_by_role("button").first
        launcher.wait_for()
        box = launcher.bounding_box()
        if box is None:
            raise RuntimeError("the bubble has no box")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        began = time.perf_counter()
        approach(page, x, y)
        approached = (time.perf_counter() - began) * 1000
        page.mouse.click(x, y)
        page.wait_for_function(_OPENED, timeout=60_000)
        seen: dict[str, Any] = page.evaluate("() => watched")
        return {"approached": approached, **{name: float(seen[name]) for name in ("shown", "focused", "usable")}}


def measure(browser: Browser, site: str, runs: int) -> Section:
    """Measure the ways to open the chat."""
    section = Section("From the click to the chat", HOW)
    seen: dict[str, list[dict[str, float]]] = {name: [] for name, *_ in WAYS}

    def visit(name: str, path: str, approach: Approach, slowdown: float) -> float:
        seen[name].append(open_chat(browser, site + path, approach, slowdown, FAST_3G))
        return seen[name][-1]["usable"]

    repeat(runs, *[lambda way=way: visit(*way) for way in WAYS])
    for name, _, approach, slowdown in WAYS:
        usable = [each["usable"] for each in seen[name]]
        shown = [each["shown"] for each in seen[name]]
        is_promised = approach in (after_hover, when_fetched) and slowdown == 1
        goal, reached = (f"{_USABLE_MS} ms", within(usable, _USABLE_MS)) if is_promised else ("", None)
        section.figures += [
            Figure(f"usable, {name}", goal, spread(usable), reached),
            Figure(f"panel visible, {name}", f"{_SHOWN_MS} ms", spread(shown), within(shown, _SHOWN_MS)),
        ]
        if approach is after_hover:
            approached = [each["approached"] for each in seen[name]]
            section.figures.append(Figure(f"from the pointer's arrival to the chat, {name}", "", spread(approached)))
    return section
