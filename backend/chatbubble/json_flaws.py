"""Where in a JSON text something is that we do not take."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 32
_NAME_CHARS = 40
_PATH_CHARS = 120
_TOO_DEEP = "is nested too deeply"
# Texts, brackets, and what parts values; all else has no say in where a place is.
_SIGNS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}:,]')


@dataclass(frozen=True, slots=True)
class Flaw:
    """Stands where a value is that we do not take. `what` says so, after the name of the place."""

    what: str


@dataclass(slots=True)
class _Step:
    """An object or a list, and the way to it: which part it is of which one before."""

    before: _Step | None
    part: str | int
    value: dict[str, Any] | list[Any]


def find_flaw(fields: dict[str, Any]) -> tuple[str, str] | None:
    """The path to the first of the outermost flaws in an object, and what it is; None where there is none."""
    # Level by level, and the paths only where they are wanted: there may be thousands of parts.
    level = [_Step(None, "", fields)]
    for _ in range(MAX_DEPTH):
        inner: list[_Step] = []
        for step in level:
            for part, value in step.value.items() if type(step.value) is dict else enumerate(step.value):
                kind = type(value)
                if kind is Flaw:
                    return _path_of(_Step(step, part, [])), value.what
                if kind is dict or kind is list:
                    inner.append(_Step(step, part, value))
        if not inner:
            return None
        level = inner
    return _path_of(level[0]), _TOO_DEEP


def find_deepest(text: str) -> tuple[str, str]:
    """The path to the first place in a JSON text that is nested too deeply, for a text that no reader gets through."""
    path: list[str | int] = []
    name = ""
    for match in _SIGNS.finditer(text):
        sign = match[0]
        if sign in "[{":
            path.append(0 if sign == "[" else "")
            if len(path) > MAX_DEPTH:
                break
        elif sign in "]}":
            path = path[:-1]
        elif sign == "," and path and isinstance(path[-1], int):
            path[-1] += 1
        elif sign == ":" and path:
            path[-1] = name
        else:
            name = sign[1:-1]
    return _written(path[:-1]), _TOO_DEEP


def _path_of(step: _Step) -> str:
    parts = []
    while step.before is not None:
        parts.append(step.part)
        step = step.before
    return _written(parts[::-1])


def _written(parts: Iterable[str | int]) -> str:
    path = ""
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{_shown(part)}" if path else _shown(part)
    return path if len(path) <= _PATH_CHARS else f"{path[: _PATH_CHARS - 3]}..."


def _shown(name: str) -> str:
    """A name that strangers chose, on one line."""
    shown = name if name.isprintable() else ascii(name)[1:-1]
    return shown[:_NAME_CHARS] or '""'
