"""Draws recovery times as an SVG: for each campaign, which share of its recoveries took no longer than so long."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 420
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 24, 44
SHORTEST_S, LONGEST_S = 0.001, 100.0
_TICKS_S = {0.001: "1 ms", 0.01: "10 ms", 0.1: "0.1 s", 1.0: "1 s", 10.0: "10 s", 100.0: "100 s"}
# Told apart also by those who see fewer colours, and by their dashes.
_COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#e69f00",
    "#444444",
    "#8b5cf6",
    "#7c2d12",
    "#0f766e",
)
_DASHES = ("none", "7 3", "2 3", "10 3 2 3")
_STYLE = "font-family='system-ui, sans-serif' font-size='12' fill='#333'"


@dataclass(frozen=True)
class Curve:
    """One campaign's 101 percentiles, in seconds."""

    name: str
    percentiles_s: Sequence[float]


def draw(curves: Sequence[Curve]) -> str:
    """The whole picture."""
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}'>",
        "<title>Recovery times</title>",
        f"<rect width='{WIDTH}' height='{HEIGHT}' fill='white'/>",
        *_grid(),
        *(line for number, curve in enumerate(curves) for line in _curve(number, curve)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def place_x(seconds: float) -> float:
    """Where a time stands: its logarithm, between the edges."""
    share = math.log(max(SHORTEST_S, min(LONGEST_S, seconds)) / SHORTEST_S) / math.log(LONGEST_S / SHORTEST_S)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def place_y(percent: float) -> float:
    """Where a share stands, 0 at the bottom."""
    return TOP + (1 - percent / 100) * (HEIGHT - TOP - BOTTOM)


def _grid() -> Iterator[str]:
    for seconds, label in _TICKS_S.items():
        x = place_x(seconds)
        yield f"<line x1='{x:.1f}' y1='{TOP}' x2='{x:.1f}' y2='{HEIGHT - BOTTOM}' stroke='#ddd'/>"
        yield f"<text x='{x:.1f}' y='{HEIGHT - BOTTOM + 18}' text-anchor='middle' {_STYLE}>{label}</text>"
    for percent in (0, 25, 50, 75, 100):
        y = place_y(percent)
        yield f"<line x1='{LEFT}' y1='{y:.1f}' x2='{WIDTH - RIGHT}' y2='{y:.1f}' stroke='#ddd'/>"
        yield f"<text x='{LEFT - 8}' y='{y + 4:.1f}' text-anchor='end' {_STYLE}>{percent} %</text>"


def _curve(number: int, curve: Curve) -> Iterator[str]:
    colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
    points = " ".join(
        f"{place_x(seconds):.1f},{place_y(percent):.1f}" for percent, seconds in enumerate(curve.percentiles_s)
    )
    stroke = f"stroke='{colour}' stroke-width='2' stroke-dasharray='{dash}'"
    yield f"<polyline points='{points}' fill='none' {stroke}/>"
    y = TOP + 14 + 20 * number
    x = WIDTH - RIGHT + 12
    yield f"<line x1='{x}' y1='{y}' x2='{x + 28}' y2='{y}' {stroke}/>"
    yield f"<text x='{x + 36}' y='{y + 4}' {_STYLE}>{escape(curve.name)}</text>"
