"""The figures that are promised, each with what was measured for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from figures import Figure
from kept import Kept

BEHIND = 0.99  # who has delivered less is behind, and has no delay to speak of
_OURS = (("chatbubble", "memory"), ("chatbubble-redis", "Redis"))
_LADDER = (("quiet", 50), ("shop", 200), ("evening", 500), ("busy", 1000), ("flood", 3000))
_DELAY_MS = 80.0


def goals(kept: Kept) -> list[Figure]:
    """All of them, in the order of the report."""
    return [*_exact(kept), *_prices(kept), *_waits(kept), *_memory(kept), *_herd(kept), *_sharing(kept)]


def capacity(kept: Kept, name: str) -> float | None:
    """With how many streams a server's added delay p99 is 80 ms, between the loads that were measured; None where they
    do not tell."""
    known = [(streams, kept.median(load, name, "delay_p99_ms"), kept.share(load, name)) for load, streams in _LADDER]
    told = [(streams, math.inf if share < BEHIND else delay) for streams, delay, share in known if delay and share]
    if not told or told[0][1] > _DELAY_MS:
        return None
    for (fewer, less_ms), (more, more_ms) in pairwise(told):
        if more_ms > _DELAY_MS:
            if math.isinf(more_ms):
                return fewer
            share = math.log(_DELAY_MS / less_ms) / math.log(more_ms / less_ms)
            return float(fewer * (more / fewer) ** share)
    return told[-1][0]


def _exact(kept: Kept) -> Iterator[Figure]:
    for name, mode in _OURS:
        for load in ("quiet", "shop", "busy"):
            is_exact = kept.is_exact(load, name)
            said = "" if is_exact is None else "all" if is_exact else "not all"
            yield Figure(f"`{load}`, {mode}: answers whole and exact", "all", said, is_exact)


def _prices(kept: Kept) -> Iterator[Figure]:
    wanted = (
        ("shop", "nginx", 1.5),
        ("shop", "express", 0.3),
        ("busy", "nginx", 1.0),
        ("busy", "express", 0.2),
        ("busy", "fastapi", 0.07),
    )
    for load, other, most in wanted:
        ratio = _ratio(kept, load, "cpu_us", "chatbubble", other)
        yield _at_most(f"`{load}`: processor time per token against {other}", most, ratio, "{:.2f} x")
    ratio = _ratio(kept, "busy", "cpu_us", "chatbubble-redis", "chatbubble")
    yield _at_most("`busy`: processor time per token, Redis against memory", 1.6, ratio, "{:.2f} x")


def _waits(kept: Kept) -> Iterator[Figure]:
    for load, most in (("quiet", 10.0), ("busy", _DELAY_MS)):
        yield _at_most(f"`{load}`: added delay p99", most, _delay(kept, load, "chatbubble"), "{:.1f} ms")
    memory, redis = (_delay(kept, "busy", name) for name, _ in _OURS)
    more = None if memory is None or redis is None else math.inf if math.isinf(redis) else redis - memory
    yield _at_most("`busy`: added delay p99, Redis more than memory", 10.0, more, "{:.1f} ms")
    ratio = _ratio(kept, "burst200", "first_p99_ms", "chatbubble", "express")
    yield _at_most("`burst200`: first token p99 against express", 0.5, ratio, "{:.2f} x")
    for place, most in (("p50", 3.0), ("p99", 15.0)):
        added = kept.median("single", "chatbubble", f"first_added_{place}_ms")
        yield _at_most(f"`single`: first token later than the model's, {place}", most, added, "{:.1f} ms")


def _memory(kept: Kept) -> Iterator[Figure]:
    idle, peak = (kept.median("idle", "chatbubble", figure) for figure in ("kb_per_stream", "peak_mb"))
    yield _at_most("`idle`: memory of a stream", 25.0, idle, "{:.1f} KB")
    yield _at_most("`idle`: memory of the process", 350.0, peak, "{:.0f} MB")
    turn = kept.median("busy", "chatbubble", "kb_per_stream")
    yield _at_most("`busy`: memory of a running answer", 60.0, turn, "{:.1f} KB")


def _herd(kept: Kept) -> Iterator[Figure]:
    for name, mode in _OURS:
        served = kept.median("resumes", name, "served_ms")
        if kept.is_exact("resumes", name) is False:
            served = math.inf
        yield _at_most(f"`resumes`, {mode}: all served", 1500.0, served, "{:,.0f} ms")
        waited = kept.median("resumes", name, "delay_max_ms")
        yield _at_most(f"`resumes`, {mode}: anybody else's longest wait", 50.0, waited, "{:,.0f} ms")


def _sharing(kept: Kept) -> Iterator[Figure]:
    counts = [capacity(kept, name) for name in ("chatbubble-redis", "chatbubble-2")]
    what = f"2 workers against 1: streams at an added delay p99 of {_DELAY_MS:.0f} ms"
    if counts[0] is None or counts[1] is None:
        yield Figure(what, "1.8 x at least", "", None if None in counts else False)
        return
    said = f"{counts[1] / counts[0]:.2f} x ({counts[1]:,.0f} against {counts[0]:,.0f})"
    yield Figure(what, "1.8 x at least", said, counts[1] >= 1.8 * counts[0])


def _ratio(kept: Kept, load: str, figure: str, ours: str, other: str) -> float | None:
    mine, theirs = kept.median(load, ours, figure), kept.median(load, other, figure)
    return mine / theirs if mine is not None and theirs else None


def _delay(kept: Kept, load: str, name: str) -> float | None:
    share = kept.share(load, name)
    return math.inf if share is not None and share < BEHIND else kept.median(load, name, "delay_p99_ms")


def _at_most(what: str, most: float, measured: float | None, text: str) -> Figure:
    goal = f"{text.format(most)} at most"
    if measured is None:
        return Figure(what, goal, "not measured")
    return Figure(what, goal, "falls behind" if math.isinf(measured) else text.format(measured), measured <= most)


def reached(figures: Sequence[Figure]) -> int:
    """How many of them are missed."""
    return sum(figure.is_reached is False for figure in figures)
