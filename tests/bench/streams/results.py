"""The figures of one run, as the load tells them and the bench keeps them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from crowd import Client
from transcript import Token, Transcript, count
from wires import Wire

Figures = dict[str, Any]


def quantile(ordered: Sequence[float], place: float) -> float:
    """Of numbers in order: the least one that so large a share of them does not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * place) - 1)]


def described(name: str, numbers: Iterable[float]) -> Figures:
    """Median, 99th percentile and greatest, of microseconds, in milliseconds; nothing of none."""
    ordered = sorted(numbers)
    places = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    if not ordered:
        return {}
    return {f"{name}_{word}_ms": round(quantile(ordered, place) / 1000, 3) for word, place in places.items()}


class Tally:
    """Takes one client's answer after the other, and sums up."""

    def __init__(self, wire: Wire, tokens: int) -> None:
        self._wire, self._expected = wire, tokens
        self._counts: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._delays_us: list[int] = []
        self._first_us: list[int] = []
        self._first_added_us: list[int] = []
        self._begun_us: list[int] = []
        self._last_us: list[int] = []

    def take(self, client: Client) -> None:
        """One client, whatever became of it."""
        heard = Transcript(client.parts, client.times_ns, self._wire.last_words)
        tokens = heard.tokens()
        found = count([token.number for token in tokens], self._expected)
        is_exact = found.is_exact and heard.is_whole and not heard.has_wrong_summary(self._expected)
        self._counts.update(
            streams=1,
            exact=is_exact,
            expected=self._expected,
            delivered=found.delivered,
            lost=found.lost,
            doubled=found.doubled,
            swapped=found.swapped,
            unknown=found.unknown,
            bytes=heard.size,
        )
        if not is_exact:
            self._faults[_fault(client, heard)] += 1
        if tokens:
            self._take_times(client.begun_ns // 1000, tokens, heard.asked_us())

    def _take_times(self, begun_us: int, tokens: Sequence[Token], asked_us: int | None) -> None:
        self._delays_us += [token.read_us - token.written_us for token in tokens]
        first_us = tokens[0].read_us - begun_us
        self._first_us.append(first_us)
        if asked_us is not None:
            # What the model itself took, from question to first token, is nobody else's.
            self._first_added_us.append(first_us - (tokens[0].written_us - asked_us))
        self._begun_us.append(begun_us)
        self._last_us.append(tokens[-1].read_us)

    def figures(self) -> Figures:
        """All of it; what nothing is known of is missing."""
        told: Figures = {name: int(self._counts[name]) for name in _COUNTED}
        told |= described("delay", self._delays_us)
        told |= described("first", self._first_us) | described("first_added", self._first_added_us)
        if delivered := self._counts["delivered"]:
            told["bytes_per_token"] = round(self._counts["bytes"] / delivered, 1)
            seconds = (max(self._last_us) - min(self._begun_us)) / 1e6
            told["pace"] = round(delivered / seconds) if seconds > 0 else 0
        return told | {"faults": dict(self._faults.most_common(5))}


_COUNTED = ("streams", "exact", "expected", "delivered", "lost", "doubled", "swapped", "unknown")


def _fault(client: Client, heard: Transcript) -> str:
    if client.fault:
        return client.fault
    if heard.status != 200:
        return f"status {heard.status}" if heard.status else "no answer"
    return "not every token once and in order" if heard.is_whole else "cut"
