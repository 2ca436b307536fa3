"""Draws one figure of all servers over the loads, as an SVG: a line for each server, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 250, 40, 44
# Told apart also by those who see fewer colours, and by their dashes.
_COLOURS = ("#444444", "#009e73", "#e69f00", "#cc79a7", "#8b5cf6", "#0072b2", "#56b4e9", "#d55e00", "#7c2d12")
_DASHES = ("2 3", "none", "7 3", "10 3 2 3", "4 2")
_STYLE = "font-family='system-ui, sans-serif' font-size='12' fill='#333'"


@dataclass(frozen=True)
class Line:
    """One server's figures, one for each load; None where there is none."""

    name: str
    figures: Sequence[float | None]


def draw(title: str, unit: str, loads: Sequence[str], lines: Sequence[Line]) -> str:
    """The whole picture."""
    known = [figure for line in lines for figure in line.figures if figure]
    low, high = (min(known), max(known)) if known else (1.0, 10.0)
    scale = _Scale(math.floor(math.log10(low)), max(math.ceil(math.log10(high)), math.floor(math.log10(low)) + 1))
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}'>",
        f"<title>{escape(title)}</title>",
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='white'/>",
        f"<text x='{LEFT}' y='20' {_STYLE} font-weight='bold'>{escape(title)}</text>",
        *_grid(scale, unit, loads),
        *(part for number, line in enumerate(lines) for part in _line(scale, number, line)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True)
class _Scale:
    """Powers of ten, from the bottom to the top."""

    lowest: int
    highest: int

    def y(self, figure: float) -> float:
        share = (math.log10(figure) - self.lowest) / (self.highest - self.lowest)
        return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _x(place: int, count: int) -> float:
    return LEFT + (place + 0.5) / count * (WIDTH - LEFT - RIGHT)


def _grid(scale: _Scale, unit: str, loads: Sequence[str]) -> Iterator[str]:
    for power in range(scale.lowest, scale.highest + 1):
        y = scale.y(10.0**power)
        yield f"<line x1='{LEFT}' y1='{y:.1f}' x2='{WIDTH - RIGHT}' y2='{y:.1f}' stroke='#ddd'/>"
        yield f"<text x='{LEFT - 8}' y='{y + 4:.1f}' text-anchor='end' {_STYLE}>{10.0**power:g} {unit}</text>"
    for place, load in enumerate(loads):
        x = _x(place, len(loads))
        yield f"<text x='{x:.1f}' y='{HEIGHT - BOTTOM + 20}' text-anchor='middle' {_STYLE}>{escape(load)}</text>"


def _line(scale: _Scale, number: int, line: Line) -> Iterator[str]:
    colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
    stroke = f"stroke='{colour}' stroke-width='2' stroke-dasharray='{dash}'"
    places = [(_x(place, len(line.figures)), scale.y(figure)) for place, figure in enumerate(line.figures) if figure]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f"<polyline points='{points}' fill='none' {stroke}/>"
    for x, y in places:
        yield f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{colour}'/>"
    y, x = TOP + 10 + 20 * number, WIDTH - RIGHT + 12
    yield f"<line x1='{x}' y1='{y}' x2='{x + 28}' y2='{y}' {stroke}/>"
    yield f"<text x='{x + 36}' y='{y + 4}' {_STYLE}>{escape(line.name)}</text>"
