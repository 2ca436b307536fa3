"""What may hold up an event loop: switches where none are promised, and the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import greenlet
import pytest


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


@pytest.fixture
def no_collections() -> Iterator[None]:
    """For tests of time: a full garbage collection takes 100 ms here, since tests import a lot.
    The server has its imports frozen."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
