"""Old conversations go at night, a few at a time, and what another program has erased is forgotten once."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.errors import ConfigError, StoreUnavailable
from chatbubble.housekeeping import Housekeeping, NoHousekeeping, create_housekeeping, purge, seconds_to_night
from chatbubble.store import Purged, RetainingStore
from chatbubble.stores.sql import SqlStore

DAY_S = 86_400.0


class Shelf:
    """A store of conversations that are named only."""

    def __init__(self, *outcomes: Purged | StoreUnavailable | None) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[tuple[int, str]] = []
        self.erased: tuple[str, ...] | StoreUnavailable = ()

    def purge(self, before: int, after: str = "") -> Purged | None:
        self.asked.append((before, after))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, StoreUnavailable):
            raise outcome
        return outcome

    def erased_elsewhere(self) -> tuple[str, ...]:
        if isinstance(self.erased, StoreUnavailable):
            raise self.erased
        return self.erased


class Night(Exception):
    """So many nights are enough."""


def test_a_purge_goes_on_to_the_end_and_rests_in_between() -> None:
    shelf, rests = Shelf(Purged(2, "c2"), Purged(0, "c9"), Purged(1, None)), list[float]()
    assert purge(shelf, 5.5, rests.append) == 3
    assert shelf.asked == [(5500, ""), (5500, "c2"), (5500, "c9")]
    assert len(rests) == 2


def test_where_another_process_purges_this_one_leaves_it_to_that() -> None:
    shelf = Shelf(Purged(2, "c2"), None)
    assert purge(shelf, 5, lambda _: None) == 2


@given(st.floats(0, 4e9))
def test_the_night_is_between_three_and_four_and_never_the_same_twice(now: float) -> None:
    wait_s = seconds_to_night(now)
    assert 0 < wait_s < 2 * DAY_S
    assert 3 <= (now + wait_s) % DAY_S / 3600 < 4.01
    if (now % DAY_S) >= 3 * 3600:
        assert (now + wait_s) // DAY_S == now // DAY_S + 1


def test_every_night_what_is_older_goes_also_after_one_that_failed(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(StoreUnavailable(detail="it is night"), Purged(1, None))
    now = [10 * DAY_S]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        if now[0] > 12 * DAY_S:
            raise Night

    keeping = Housekeeping(shelf, 2, lambda _: None, now=lambda: now[0], sleep=sleep)
    with pytest.raises(Night):
        keeping._purge_nightly()
    days = [round((before / 1000 - 3.5 * 3600) / DAY_S) for before, _ in shelf.asked]
    assert days == [8, 9]
    assert "old conversations are not deleted, until the next night: it is night" in caplog.text


def test_what_was_erased_elsewhere_is_forgotten_once() -> None:
    shelf, forgotten = Shelf(), list[set[str]]()

    def forget(streams: Iterable[str]) -> None:
        forgotten.append({*streams})

    keeping = Housekeeping(shelf, 0, forget)
    keeping.look()
    shelf.erased = ("s1", "s2")
    keeping.look()
    shelf.erased = StoreUnavailable(detail="away")
    keeping.look()
    shelf.erased = ("s2", "s3")
    keeping.look()
    assert forgotten == [{"s1", "s2"}, {"s3"}]


def test_what_a_store_cannot_do_is_said_at_the_start() -> None:
    plain: object = object()
    assert isinstance(create_housekeeping(plain, 0, print), NoHousekeeping)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="CHATBUBBLE_KEEP_DAYS needs a store that can purge"):
        create_housekeeping(plain, 30, print)  # type: ignore[arg-type]


def test_our_own_store_can() -> None:
    store = SqlStore("sqlite://")
    assert isinstance(store, RetainingStore)
    assert isinstance(create_housekeeping(store, 30, print), Housekeeping)
    store.close()


def test_a_purge_says_what_it_did(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    purge(Shelf(Purged(3, None)), 1)
    assert "3 old conversations were deleted" in caplog.text
