"""What the bubble costs a page that nobody uses it on: the same page with it and without."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from figures import Figure, Section, repeat, spread, within
from playwright.sync_api import Browser
from slow_visitor import PHONE_SLOWDOWN, SCRIPTS, TASKS, traced, visiting

SETTLE_MS = 2000
_SCRIPT_EVENTS = {"EvaluateScript", "v8.compile", "FunctionCall"}
_TASK = "RunTask"
_NOTHING = "document.currentScript;"
_BLOCKS_MS = 50
_BLOCKING = f"() => watched.longTasks.reduce((sum, {{ duration }}) => sum + duration - {_BLOCKS_MS}, 0)"
_SHIFTS = "() => watched.shifts.filter(({ startTime }) => startTime >= watched.bubbleAt)"
HOW = """\
The demo shop's first page, in turns with the bubble and without its tag, each visit with an empty cache, watched until
two seconds after its load event. Blocking time is what long tasks have above 50 ms, as the browser's own `longtask`
entries tell it. Script time comes from the browser's trace: what the page's main thread spent on compiling and running
`widget.js`, in wall time, so that another process that takes the processor away counts too. What a browser takes for
any script is told by one that does nothing."""


def measure(browser: Browser, with_bubble: str, without: str, runs: int, settle_ms: int = SETTLE_MS) -> Section:
    """Measure both pages, by their addresses."""
    section = Section("What the bubble costs a page before it is used", HOW)
    shifts: list[dict[str, Any]] = []

    def blocking(address: str) -> float:
        with visiting(browser, slowdown=PHONE_SLOWDOWN) as page:
            page.goto(address, wait_until="load")
            page.wait_for_timeout(settle_ms)
            if address == with_bubble:
                page.locator("chat-bubble").get_by_role("button").first.wait_for()
                shifts.extend(page.evaluate(_SHIFTS))
            return float(page.evaluate(_BLOCKING))

    own, bare = repeat(runs, lambda: blocking(with_bubble), lambda: blocking(without))
    processor: list[float] = []
    nothing: list[float] = []

    def script() -> float:
        events = _trace(browser, with_bubble, 1, settle_ms, SCRIPTS)
        idle = _trace(browser, with_bubble, 1, settle_ms, SCRIPTS, widget=_NOTHING)
        processor.append(script_ms(events, "tdur"))
        nothing.append(script_ms(idle, "tdur"))
        return script_ms(events)

    def task() -> float:
        return longest_task_ms(_trace(browser, with_bubble, PHONE_SLOWDOWN, settle_ms, TASKS))

    scripts, tasks = repeat(runs, script, task)
    section.figures = [*_blocking_and_shifts(own, bare, shifts), *_script(scripts, processor, nothing, tasks)]
    return section


def _blocking_and_shifts(own: list[float], bare: list[float], shifts: list[dict[str, Any]]) -> list[Figure]:
    more = statistics.median(own) - statistics.median(bare)
    told = ", ".join(f"{shift['value']:.5f} of {' and '.join(shift['names'])}" for shift in shifts) or "0"
    return [
        Figure("blocking time, 4x slowdown: without the bubble", "", spread(bare)),
        Figure("blocking time, 4x slowdown: with it", "", spread(own)),
        Figure("blocking time: difference of the medians", "+0 ms", f"{more:+.0f} ms", more <= 0),
        Figure("layout shift once the bubble is there, all visits", "0", told, not shifts),
    ]


def _script(scripts: list[float], processor: list[float], nothing: list[float], tasks: list[float]) -> list[Figure]:
    return [
        Figure(
            "longest task that ran any of `widget.js`, 4x slowdown", "50 ms", spread(tasks, digits=1), max(tasks) <= 50
        ),
        Figure("script evaluation before intent, unthrottled", "2 ms", spread(scripts, digits=2), within(scripts, 2)),
        Figure("processor time of that", "", spread(processor, digits=2)),
        Figure("processor time of a script in its place that does nothing", "", spread(nothing, digits=2)),
    ]


def _trace(
    browser: Browser, address: str, slowdown: float, settle_ms: int, categories: Sequence[str], widget: str = ""
) -> list[dict[str, Any]]:
    """The trace of a visit; `widget` is a script to be given in place of ours."""
    with visiting(browser, slowdown=slowdown) as page:
        if widget:
            page.route("**/widget.js", lambda route: route.fulfill(body=widget, content_type="text/javascript"))
        return traced(browser, page, address, settle_ms, categories)


def _own_events(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    def is_own(event: dict[str, Any]) -> bool:
        data = event.get("args", {}).get("data") or {}
        told = data.get("url") or event.get("args", {}).get("fileName") or ""
        return event.get("ph") == "X" and event["name"] in _SCRIPT_EVENTS and str(told).endswith("/widget.js")

    own = [event for event in events if is_own(event)]
    threads = {(event["pid"], event["tid"]) for event in own if event["name"] == "EvaluateScript"}
    return [event for event in own if (event["pid"], event["tid"]) in threads]


def script_ms(events: list[dict[str, Any]], clock: str = "dur") -> float:
    """How long the main thread was busy with widget.js; what lies inside something else counts once.

    Args:
        events: of a trace.
        clock: `dur` for wall time, `tdur` for the thread's own processor time.

    Raises:
        ValueError: the trace knows nothing of it.
    """
    own = sorted(_own_events(events), key=lambda event: (event["ts"], -event["dur"]))
    if not own:
        raise ValueError("the trace does not tell of widget.js")
    total, reached = 0.0, 0.0
    for event in own:
        if event["ts"] >= reached:
            total += event[clock]
            reached = event["ts"] + event["dur"]
    return total / 1000


def longest_task_ms(events: list[dict[str, Any]]) -> float:
    """The longest of the tasks in which widget.js ran.

    Raises:
        ValueError: the trace has no such task.
    """
    own = _own_events(events)
    tasks: list[float] = [
        task["dur"] / 1000
        for task in events
        if task.get("ph") == "X" and task["name"] == _TASK
        for event in own
        if (task["pid"], task["tid"]) == (event["pid"], event["tid"])
        and task["ts"] <= event["ts"] < task["ts"] + task["dur"]
    ]
    if not tasks:
        raise ValueError("the trace has no task that ran widget.js")
    return max(tasks)
