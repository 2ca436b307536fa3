"""What every store that keeps account promises: see `store_forms.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_forms import answer, begin

from chatbubble.budget import Budget, Price, Reservation, Said, Standing
from chatbubble.prompt import MOST_CHARS_PER_TOKEN
from chatbubble.records import Prompt, PromptMessage, Usage
from chatbubble.stores.sql import SqlStore

DAY, NEXT_DAY, WEEK_LATER = "2026-01-31", "2026-02-01", "2026-02-07"
OpenStore = Callable[[], Any]


def aside(name: str, amount: int = 10, day: str = DAY) -> Reservation:
    return Reservation(name, day, amount)


def test_a_day_begins_with_nothing(store: SqlStore) -> None:
    assert store.standing(DAY) == Standing(DAY, 0, 0)


def test_what_is_put_aside_is_spent_or_free_again(store: SqlStore) -> None:
    assert store.reserve(aside("a"), 100) == (True, Standing(DAY, 0, 10))
    assert store.reserve(aside("b"), 100) == (True, Standing(DAY, 0, 20))
    assert store.settle(aside("a"), 3) == Standing(DAY, 3, 10)
    assert store.settle(aside("b"), 0) == store.standing(DAY) == Standing(DAY, 3, 0)


def test_a_call_that_cost_more_than_its_worst_case_is_spent_all_the_same(store: SqlStore) -> None:
    store.reserve(aside("a"), 100)
    assert store.settle(aside("a"), 500) == Standing(DAY, 500, 0)
    assert store.reserve(aside("b"), 100) == (False, Standing(DAY, 500, 0))


def test_nothing_is_put_aside_beyond_the_cap(store: SqlStore) -> None:
    assert store.reserve(aside("a", 60), 100)[0]
    assert not store.reserve(aside("b", 41), 100)[0]
    assert store.reserve(aside("c", 40), 100) == (True, Standing(DAY, 0, 100))
    assert not store.reserve(aside("d", 1), 100)[0]
    store.settle(aside("a"), 59)
    assert store.reserve(aside("d", 1), 100) == (True, Standing(DAY, 59, 41))


def test_what_is_done_twice_counts_once(store: SqlStore) -> None:
    store.reserve(aside("a"), 100)
    assert store.reserve(aside("a"), 10) == (True, Standing(DAY, 0, 10))
    store.settle(aside("a"), 4)
    assert store.settle(aside("a"), 4) == Standing(DAY, 4, 0)


@pytest.mark.parametrize("is_late", [False, True])
def test_what_is_cancelled_takes_nothing_whichever_comes_first(store: SqlStore, is_late: bool) -> None:
    if not is_late:
        store.reserve(aside("a"), 100)
    assert store.cancel(aside("a")) == Standing(DAY, 0, 0)
    assert store.cancel(aside("a")) == Standing(DAY, 0, 0)
    store.reserve(aside("a"), 100)
    assert store.standing(DAY) == Standing(DAY, 0, 0)


def test_each_day_has_its_own_money(store: SqlStore) -> None:
    store.reserve(aside("a"), 10)
    assert store.reserve(aside("b", day=NEXT_DAY), 10) == (True, Standing(NEXT_DAY, 0, 10))
    # An answer may end after midnight: it is of the day on which it began.
    assert store.settle(aside("a"), 7) == Standing(DAY, 7, 0)
    assert store.standing(NEXT_DAY) == Standing(NEXT_DAY, 0, 10)


def test_what_the_dead_have_put_aside_is_forgotten_after_their_day(store: SqlStore) -> None:
    store.reserve(aside("a"), 10)
    store.reserve(aside("b", day=NEXT_DAY), 10)
    assert store.standing(DAY).reserved == 10
    store.reserve(aside("c", day=WEEK_LATER), 10)
    assert (store.standing(DAY).reserved, store.standing(NEXT_DAY).reserved) == (0, 0)


def test_a_restart_forgets_nothing(open_store: OpenStore) -> None:
    first = open_store()
    first.reserve(aside("a"), 100)
    first.reserve(aside("killed"), 100)
    first.settle(aside("a"), 4)
    first.close()
    assert open_store().standing(DAY) == Standing(DAY, 4, 10)


def test_erasing_gives_no_money_back(store: SqlStore) -> None:
    turn = begin(store)
    store.reserve(aside("a"), 100)
    store.finish_turn(turn, answer())
    store.settle(aside("a"), 4)
    store.erase("anna")
    assert store.standing(DAY) == Standing(DAY, 4, 0)


def test_each_amount_is_announced_once_and_in_order(open_store: OpenStore) -> None:
    first = open_store()
    assert [first.announce(DAY, amount) for amount in (50, 50, 80)] == [True, False, True]
    first.close()
    assert [open_store().announce(DAY, amount) for amount in (50, 80, 100)] == [False, False, True]


def test_of_many_at_once_as_many_get_money_as_there_is(database_url: str) -> None:
    is_shared = database_url.startswith("postgresql")
    stores = [SqlStore(database_url, is_shared=is_shared) for _ in range(2)]
    for store in stores:
        store.open()
    asking = [gevent.spawn(stores[n % 2].reserve, aside(f"r{n}"), 75) for n in range(40)]
    gevent.joinall(asking, raise_error=True)
    assert sum(greenlet.get()[0] for greenlet in asking) == 7
    assert stores[0].standing(DAY) == Standing(DAY, 0, 70)
    ending = [gevent.spawn(stores[n % 2].settle, aside(f"r{n}"), 5) for n in range(40)]
    gevent.joinall(ending, raise_error=True)
    assert stores[1].standing(DAY) == Standing(DAY, 35, 0)
    for store in stores:
        store.close()


class Site:
    """A site with a cap, and a model that bills what it likes within what it was asked for."""

    CAP = 4000

    def __init__(self, store: SqlStore, day: str) -> None:
        self.store, self.day = store, day
        self.budget = Budget(self.CAP, Price(1_000_000, 4_000_000), 100)
        self.billed = self.begun = 0
        self.running: list[tuple[Reservation, Prompt]] = []

    def begin(self, size: int) -> None:
        """A question of so many characters; the model is asked if there is money."""
        prompt = Prompt((PromptMessage("user", "?" * size),))
        self.begun += 1
        reservation = Reservation(f"{self.day}.{self.begun}", self.day, self.budget.worst_case(prompt))
        if self.store.reserve(reservation, self.CAP)[0]:
            self.running.append((reservation, prompt))

    def end(self, how: str, tokens: int) -> None:
        """The oldest running call ends; the model had made so many tokens, and bills for each character of the
        prompt."""
        if not self.running:
            return
        reservation, prompt = self.running.pop(0)
        bill = len(prompt.question) + 4 * tokens
        usage = Usage(len(prompt.question), tokens) if how == "told" else None
        self.billed += bill
        if how == "killed":
            return
        text = "a" * min(tokens, 100 * MOST_CHARS_PER_TOKEN - 1)
        cost = self.budget.cost(prompt, Said(text, has_thought=False, usage=usage))
        for _ in range(1 + (how == "unheard of")):
            self.store.settle(reservation, cost)


_begin = st.tuples(st.just("begin"), st.integers(1, 400))
_end = st.tuples(st.sampled_from(["told", "stopped", "killed", "unheard of"]), st.integers(1, 100))


def test_whatever_happens_in_whatever_order_the_cap_holds(tmp_path: Any) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/chat.db")
    store.open()
    days = iter(range(10_000))

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.one_of(_begin, _end), max_size=60))
    def check(steps: list[tuple[str, int]]) -> None:
        number = next(days)
        site = Site(store, f"{2000 + number // 28}-02-{number % 28 + 1:02}")
        for what, size in steps:
            site.begin(size) if what == "begin" else site.end(what, size)
            running = sum(4 * 100 + len(prompt.question) for _, prompt in site.running)
            assert site.billed + running <= store.standing(site.day).total <= Site.CAP

    check()
    store.close()
