"""Counts greenlet switches, for code that promises never to switch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import greenlet


@contextmanager
def no_switches() -> Iterator[None]:
    """Fails when any greenlet is switched to within the block."""
    switches: list[str] = []
    before = greenlet.settrace(lambda event, _arguments: switches.append(event))
    try:
        yield
    finally:
        greenlet.settrace(before)
    assert not switches, f"{len(switches)} switches"
