"""The numbers of several processes as those of one server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Not counted together: how long this process has run.
_OWN = frozenset({"uptime", "pid"})


def sum_up(own: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The whole: every count of `own` with those of `others` added; what is no count stays this process's."""
    return {
        name: value + sum(other.get(name, 0) for other in others) if _is_count(name, value) else value
        for name, value in own.items()
    }


def _is_count(name: str, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and name not in _OWN
