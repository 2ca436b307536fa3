"""Moving windows in memory: what they count, take back and forget."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from limits import parse, storage

from chatbubble.windows import Claim, MemoryWindows, NoPlaceError

MINUTE = parse("2/minute")


def claims(*subjects: str) -> list[Claim]:
    """One place for each, two a minute."""
    return [Claim(MINUTE, subject) for subject in subjects]


def waits(windows: MemoryWindows, asked: Sequence[Claim]) -> list[float]:
    """How long it takes until there is a place for each."""
    with pytest.raises(NoPlaceError) as refused:
        windows.take(asked)
    return list(refused.value.waits)


def test_a_place_for_every_claim_or_for_none() -> None:
    windows = MemoryWindows()
    windows.take(claims("one", "two"))
    windows.take(claims("one"))
    for _ in range(5):
        wait_one, wait_two = waits(windows, claims("one", "two"))
        assert 55 < wait_one <= 60
        assert wait_two == 0
    windows.take(claims("two"))
    assert all(waits(windows, claims("one", "two")))


def test_what_is_given_back_is_free_again() -> None:
    windows = MemoryWindows()
    taken = windows.take(claims("one", "two"))
    windows.take(claims("one"))
    taken.give_back(claims("one"))
    windows.take(claims("one"))
    assert waits(windows, claims("one"))


def test_what_is_over_is_forgotten_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    clock = SimpleNamespace(time=lambda: now)
    monkeypatch.setattr("chatbubble.windows.time", clock)
    monkeypatch.setattr(storage.memory, "time", clock)
    windows = MemoryWindows()
    for number in range(500):
        windows.take(claims(f"visitor {number}"))
    now += 30
    windows.take(claims("visitor 0"))
    now += 31
    windows.take(claims("another"))
    assert len(windows._storage.events) == len(windows._storage.locks) == 2
    windows.take(claims("visitor 0"))
    assert waits(windows, claims("visitor 0"))


def test_no_hit_looks_at_every_name_that_there_is() -> None:
    windows = MemoryWindows()
    windows.take(claims("one"))
    assert not windows._storage.timer.finished.is_set()
    assert windows._storage.timer.ident is None, "the package's own look at all keys has been started"
