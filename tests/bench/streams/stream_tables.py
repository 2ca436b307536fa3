"""What stands in docs/performance.md of the streams: text, goals, and a table for each load."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from contenders import CONTENDERS
from figures import Figure, spread, table
from kept import Kept
from loads import LOADS, Load
from stream_goals import BEHIND, goals
from stream_plot import Line, draw

BEGIN, END = "<!-- streams: from here on the bench writes -->", "<!-- streams: up to here -->"
PLOTTED = ("quiet", "shop", "busy", "flood", "fast")
_HOW = """A stand-in for the model says numbered tokens and stamps each with the time of its writing; a crowd of clients
reads them from whatever server stands between, finds the stamps in the bytes, and checks that each token is there once
and in its place. Both share one core, and Redis and PostgreSQL with them; the servers under test have the others, one
for each of their processes that answer as far as there are enough. With two cores two workers share one of them with
the load. Each run has a server of its own, which has answered twenty questions before; the servers take turns, and the
figures are medians of all rounds, the lowest and the highest in brackets where they matter.

**The references do less.** They keep no log, so that a reader whose line breaks has lost the answer; they store no
conversation, count nothing, and limit nobody. nginx does not even look at what it passes on. They are written as one
would write them with those tools, in `tests/bench/references`, each in one process. *The model itself* is asked without
anybody between: what it shows is the harness's own.

*Processor time* is that of all processes of the server, from the first question to the last byte, shared out over the
tokens that were delivered; that of Redis and PostgreSQL stands beside it. *Added delay* is from the model's write to
the client's read of each token. *First token* counts from the client's connect; *added* is what of it the model did not
take. *Memory* is what the resident memory grows by with all streams open, shared out over them. A server that has not
delivered all by twelve seconds after the nominal end (thirty, of questions at once) *is behind*: its delays mean
nothing then. *Pace* is what came in a second, and shows, with the shares that model and load had of their core, where
these were at their own limit."""


def body(kept: Kept) -> str:
    """All that stands between the marks."""
    promised = goals(kept)
    parts = [
        "\n".join(f"- {place}" for place in kept.places()),
        _HOW,
        "### What is promised",
        table(("what", "goal", "measured", "reached"), map(_goal_row, promised)),
        "![Processor time per token of each server, over the loads](stream-cost.svg)",
        "![Added delay p99 of each server, over the loads](stream-delay.svg)",
    ]
    for load in LOADS.values():
        parts += [f"### `{load.name}`: {load.title}", load_table(kept, load)]
    return "\n\n".join(parts)


def _goal_row(figure: Figure) -> Sequence[str]:
    said = {True: "yes", False: "**no**", None: ""}[figure.is_reached]
    return figure.what, figure.goal, figure.measured, said


def load_table(kept: Kept, load: Load) -> str:
    """One load: a row for each server, and a column for each figure that any of them has."""
    cells = {name: [_cell(kept, load.name, name, column) for column in _COLUMNS] for name in load.contenders}
    if all(kept.reason(load.name, name) for name in load.contenders):
        return "\n".join(f"- {CONTENDERS[name].title}: {kept.reason(load.name, name)}" for name in load.contenders)
    used = [place for place in range(len(_COLUMNS)) if any(row[place] for row in cells.values())]
    head = ["server", *(_COLUMNS[place][0] for place in used)]
    rows = []
    for name, row in cells.items():
        reason = kept.reason(load.name, name)
        told = [reason, *[""] * (len(used) - 1)] if reason else [row[place] for place in used]
        rows.append([CONTENDERS[name].title, *told])
    return table(head, rows)


def _cell(kept: Kept, load: str, name: str, column: tuple[str, Callable[[Kept, str, str], str]]) -> str:
    return column[1](kept, load, name)


def _number(figure: str, unit: str, digits: int = 1, *, with_spread: bool = False) -> Callable[[Kept, str, str], str]:
    def cell(kept: Kept, load: str, name: str) -> str:
        numbers = kept.numbers(load, name, figure)
        if with_spread and len(numbers) > 1:
            return spread(numbers, unit, digits)
        return f"{statistics.median(numbers):,.{digits}f}{unit}" if numbers else ""

    return cell


def _in_time(figure: str, unit: str = " ms", *, with_spread: bool = False) -> Callable[[Kept, str, str], str]:
    """A figure that says nothing where not all has come."""
    number = _number(figure, unit, with_spread=with_spread)

    def cell(kept: Kept, load: str, name: str) -> str:
        share, told = kept.share(load, name), number(kept, load, name)
        return "is behind" if told and share is not None and share < BEHIND else told

    return cell


def _exact(kept: Kept, load: str, name: str) -> str:
    exact, streams = (kept.numbers(load, name, figure) for figure in ("exact", "streams"))
    return f"{sum(exact):,.0f} of {sum(streams):,.0f}" if streams else ""


def _delivered(kept: Kept, load: str, name: str) -> str:
    share = kept.share(load, name)
    return "" if share is None else f"{share:.0%}" if share < 1 else "all"


def _against(other: str) -> Callable[[Kept, str, str], str]:
    def cell(kept: Kept, load: str, name: str) -> str:
        mine, theirs = (kept.median(load, each, "cpu_us") for each in (name, other))
        return f"{mine / theirs:.2f} x" if mine and theirs else ""

    return cell


def _harness(kept: Kept, load: str, name: str) -> str:
    model, asking = (kept.numbers(load, name, figure) for figure in ("model_share", "load_share"))
    return f"{statistics.median(model):.0%} + {statistics.median(asking):.0%}" if model and asking else ""


_COLUMNS: tuple[tuple[str, Callable[[Kept, str, str], str]], ...] = (
    ("exact", _exact),
    ("tokens", _delivered),
    ("processor time per token", _number("cpu_us", " us", with_spread=True)),
    ("against nginx", _against("nginx")),
    ("against express", _against("express")),
    ("Redis and PostgreSQL", _number("stores_us", " us")),
    ("added delay p50", _in_time("delay_p50_ms")),
    ("p99", _in_time("delay_p99_ms", with_spread=True)),
    ("longest", _in_time("delay_max_ms")),
    ("first token p50", _in_time("first_p50_ms")),
    ("p99", _in_time("first_p99_ms", with_spread=True)),
    ("added p50", _in_time("first_added_p50_ms")),
    ("p99", _in_time("first_added_p99_ms")),
    ("all served", _in_time("served_ms")),
    ("events", _number("events", "", 0)),
    ("bytes per token", _number("bytes_per_token", "", 0)),
    ("memory per stream", _in_time("kb_per_stream", " KB")),
    ("of the process", _number("peak_mb", " MB", 0)),
    ("pace", _number("pace", "/s", 0)),
    ("model + load", _harness),
)


def plots(kept: Kept) -> dict[str, str]:
    """The pictures, by their file names."""
    shown = {
        name: each.title
        for name, each in CONTENDERS.items()
        if any(kept.numbers(load, name, "cpu_us") for load in PLOTTED)
    }
    cost = [Line(title, [kept.median(load, name, "cpu_us") for load in PLOTTED]) for name, title in shown.items()]
    delay = [Line(title, [_prompt(kept, load, name) for load in PLOTTED]) for name, title in shown.items()]
    return {
        "stream-cost.svg": draw("Processor time per token", "us", PLOTTED, cost),
        "stream-delay.svg": draw("Added delay p99, of those that are not behind", "ms", PLOTTED, delay),
    }


def _prompt(kept: Kept, load: str, name: str) -> float | None:
    share = kept.share(load, name)
    return kept.median(load, name, "delay_p99_ms") if share is not None and share >= BEHIND else None
