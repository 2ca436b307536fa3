"""What a measurement hands back, and how it is told: as markdown, on the terminal and in the document."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

BEGIN, END = "<!-- measured: from here on the bench writes -->", "<!-- measured: up to here -->"


@dataclass(frozen=True)
class Figure:
    """One line of a table: `goal` is empty where nothing is promised, `is_reached` None where nothing can be said."""

    what: str
    goal: str
    measured: str
    is_reached: bool | None = None


@dataclass
class Section:
    """One measurement: how it was taken, and what came out."""

    title: str
    how: str
    figures: list[Figure] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)

    def text(self) -> str:
        """As markdown."""
        parts = [f"## {self.title}", self.how]
        if self.figures:
            rows = [(each.what, each.goal, each.measured, _verdict(each.is_reached)) for each in self.figures]
            parts.append(table(("what", "goal", "measured", "reached"), rows))
        return "\n\n".join([*parts, *self.tables])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def repeat(runs: int, *works: Callable[[], float]) -> list[list[float]]:
    """What each of the works gave, in turns: whatever else the machine does then hits them all alike."""
    rounds = [[work() for work in works] for _ in range(runs)]
    return [list(results) for results in zip(*rounds, strict=True)]


def spread(numbers: Sequence[float], unit: str = " ms", digits: int = 0) -> str:
    """The median, with the lowest and the highest behind it."""
    middle, low, high = statistics.median(numbers), min(numbers), max(numbers)
    return f"{middle:,.{digits}f}{unit} ({low:,.{digits}f} to {high:,.{digits}f})"


def within(numbers: Sequence[float], limit: float) -> bool:
    """Whether their median is at most that."""
    return statistics.median(numbers) <= limit


def written_into(document: str, body: str, marks: tuple[str, str] = (BEGIN, END)) -> str:
    """The document with what stands between its two marker lines replaced.

    Raises:
        ValueError: it has no such lines.
    """
    head, begin, rest = document.partition(marks[0])
    _, end, tail = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"the document needs the lines {marks[0]!r} and {marks[1]!r}")
    return f"{head}{begin}\n\n{body}\n\n{end}{tail}"


def _verdict(is_reached: bool | None) -> str:
    return {True: "yes", False: "**no**", None: ""}[is_reached]
