"""What a visitor's browser does while a long answer is written: frames, tasks, and nodes that change."""

from __future__ import annotations

import json
import statistics
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figures import Figure, Section, repeat, spread
from playwright.sync_api import Browser, Page
from slow_visitor import PHONE_SLOWDOWN, visiting
from stack import HOST, Stack

sys.path.append(str(Path(__file__).resolve().parents[2] / "fixtures"))

from model_steps import DONE, Step, chunk, delta, end, finish, head, wait

MODEL = "gpt-4o-mini"
PIECE = 4
PER_SECOND = 200
# What writing a piece takes the model's server on top of its pause.
_PAUSE_S = 1 / PER_SECOND - 0.0004
_SMOOTH_FPS = 59
HOW = f"""\
The whole product: a scripted model sends the answer in pieces of four characters, about {PER_SECOND} a second, through
the backend to the demo shop, where the panel is open. Long tasks are those above 50 ms that the browser reports from
the first word to the last. Frames are counted by `requestAnimationFrame`; a frame is dropped where the next comes a
whole frame late. The browser draws without a graphics card, on the processor that it shares with all the rest: the idle
line tells what it reaches with nothing to do. The record of changes is that of a MutationObserver on the answer: nodes
removed, text nodes whose text is no longer what it was plus more, attributes that changed, the cursor's class
excepted."""


@contextmanager
def answering(stack: Stack, text: str) -> Iterator[None]:
    """The model answers whatever it is asked with that text."""
    pieces = [text[at : at + PIECE] for at in range(0, len(text), PIECE)]
    steps: list[Step] = [head(), chunk(delta("", role="assistant"))]
    for piece in pieces:
        steps += [chunk(delta(piece)), wait(_PAUSE_S)]
    steps += [chunk(finish()), chunk(DONE), end()]
    control = f"http://{HOST}:{stack.model_port}/_control"
    _send(f"{control}/scripts", "POST", json.dumps({"model": MODEL, "steps": steps}).encode())
    try:
        yield
    finally:
        _send(control, "DELETE")


def _send(url: str, method: str, body: bytes | None = None) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=30) as reply:
        reply.read()


def ask(page: Page, site: str) -> dict[str, float]:
    """Open the chat, ask, wait for the end; returns what watch.js saw."""
    page.goto(site + "/", wait_until="load")
    bubble = page.locator("chat-bubble")
    bubble.get_by_role("button").first.click()
    field = bubble.get_by_role("textbox")
    field.wait_for()
    # The parts that come after the chat are there, and their first work is done.
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    page.evaluate("() => watched.startAnswer()")
    field.fill("Tell me everything.")
    field.press("Enter")
    page.wait_for_function("() => watched.answer", timeout=180_000, polling=500)
    seen: dict[str, float] = page.evaluate("() => watched.answer")
    return seen


def idle_rate(page: Page, for_ms: int) -> float:
    """Frames a second on a page where nothing happens."""
    page.evaluate("() => { watched.endFrames = watched.startFrames(); }")
    page.wait_for_timeout(for_ms)
    rate: float = page.evaluate("() => watched.endFrames().rate")
    return rate


def measure(browser: Browser, stack: Stack, text: str, runs: int, *, idle_ms: int = 3000) -> Section:
    """Measure with this answer, unthrottled and as on a phone."""
    section = Section("While an answer is written", HOW)
    idle: list[float] = []
    seen: dict[float, list[dict[str, Any]]] = {1: [], PHONE_SLOWDOWN: []}

    def visit(slowdown: float) -> float:
        with visiting(browser, slowdown=slowdown) as page:
            answer = ask(page, stack.site)
            if slowdown > 1:
                idle.append(idle_rate(page, idle_ms))
        seen[slowdown].append(answer)
        return answer["rate"]

    with answering(stack, text):
        repeat(runs, lambda: visit(1), lambda: visit(PHONE_SLOWDOWN))
    section.figures = [Figure("frames a second with the panel idle, 4x slowdown", "", spread(idle, "", 1))]
    for slowdown, results in seen.items():
        section.figures += _told(results, "unthrottled" if slowdown == 1 else "4x slowdown", len(text))
    answers = [*seen[1], *seen[PHONE_SLOWDOWN]]
    harm = {kind: sum(each[kind] for each in answers) for kind in ("removed", "rewritten", "changed")}
    told = ", ".join(f"{count} {kind}" for kind, count in harm.items())
    told += f"; {answers[0]['added']} added by each answer"
    section.figures.append(Figure("nodes once shown, all answers together", "0", told, not any(harm.values())))
    return section


def _told(results: list[dict[str, Any]], pace: str, length: int) -> list[Figure]:
    def all_of(name: str) -> list[float]:
        return [float(each[name]) for each in results]

    rates, tasks, longest = all_of("rate"), all_of("tasks"), max(all_of("longestTask"))
    frames = sum(all_of("frames"))
    dropped = sum(all_of("dropped"))
    came = [length / PIECE / (each["took"] / 1000) for each in results]
    at_most = f", the longest {longest:.0f} ms" if longest else ""
    found = f"{sum(tasks):.0f} in {len(results)} answers{at_most}"
    return [
        Figure(f"pieces a second that came, {pace}", "", spread(came, "")),
        Figure(f"frames a second, {pace}", "60", spread(rates, "", 1), statistics.median(rates) >= _SMOOTH_FPS),
        Figure(f"frames dropped, {pace}", "", f"{dropped:.0f} of {frames + dropped:,.0f}"),
        Figure(f"tasks above 50 ms, {pace}", "0", found, not any(tasks)),
    ]
