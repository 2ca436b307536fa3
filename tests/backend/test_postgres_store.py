"""What only the PostgreSQL store promises: cooperative waiting, a bounded pool, and races of several processes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import psycopg
import pytest
from postgres_server import PostgresServer
from psycopg._cmodule import _psycopg
from sqlalchemy import Connection, select, text
from store_forms import answer, begin, question, said

from chatbubble.errors import ConfigError, StoreUnavailable, TurnRunning
from chatbubble.records import Author, Feedback, Rating
from chatbubble.store import Admission, AnswerPart
from chatbubble.stores import postgresql
from chatbubble.stores.queries import IS_RUNNING
from chatbubble.stores.schema import turns
from chatbubble.stores.sql import SqlStore

OpenStore = Callable[..., SqlStore]
# Another process in the middle of a transaction that asks `r1` in anna's name.
INSERT_TURN = """
INSERT INTO conversations VALUES ('conv', 'anna', 1);
INSERT INTO messages (message_id, conversation_id, author, content, created_at, request_id)
VALUES ('m1', 'conv', 'visitor', 'hello', 1, 'r1');
INSERT INTO turns SELECT 'other', 'conv', 'r1', id, 'm2', 'running', 1 FROM messages;
"""


@pytest.fixture
def open_shared(postgres_url: str) -> Iterator[OpenStore]:
    """Opens stores on one database, each with a pool of its own, as several processes do."""
    stores: list[SqlStore] = []

    def start(**options: Any) -> SqlStore:
        stores.append(SqlStore(postgres_url, is_shared=True, **options))
        stores[-1].open()
        return stores[-1]

    yield start
    for store in stores:
        store.close()


@pytest.fixture
def store(open_shared: OpenStore) -> SqlStore:
    return open_shared()


@contextmanager
def other_process(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of somebody else's; committed at the end."""
    with psycopg.connect(url) as connection:
        yield connection


def sleep_in_database(seconds: float) -> Callable[[Connection], object]:
    """A transaction that takes so long."""
    return lambda connection: connection.scalar(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})


def checked_out(store: SqlStore) -> int:
    """How many connections are in use."""
    pool: Any = store._database.engine.pool
    return int(pool.checkedout())


def test_a_slow_query_holds_nobody_up(store: SqlStore) -> None:
    lags: list[float] = []

    def tick() -> None:
        while True:
            began = time.monotonic()
            gevent.sleep(0.001)
            lags.append(time.monotonic() - began)

    ticking = gevent.spawn(tick)
    began = time.monotonic()
    slow = [gevent.spawn(store.transact, sleep_in_database(0.3)) for _ in range(8)]
    gevent.joinall(slow, raise_error=True)
    ticking.kill()
    assert time.monotonic() - began < 1, "they waited for each other"
    assert len(lags) > 50
    assert max(lags) < 0.2


def test_a_driver_that_would_block_is_refused(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.waiting, "wait", _psycopg.wait_c)
    store = SqlStore(postgres_url)
    with pytest.raises(StoreUnavailable, match=r"monkey\.patch_all\(\)"):
        store.open()
    store.close()


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"pip install 'chatbubble\[postgresql\]'"):
        SqlStore("postgresql://localhost/chat")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_way_to_name_postgresql_is_taken(postgres_url: str, scheme: str) -> None:
    store = SqlStore(postgres_url.replace("postgresql", scheme, 1))
    store.open()
    assert store.is_ready()
    store.close()


def test_whoever_stops_waiting_for_the_store_leaves_it_as_it_was(open_shared: OpenStore) -> None:
    store = open_shared(connections=3)
    turn = begin(store)
    for _ in range(3):
        waiting = [gevent.spawn(store.history, turn, 100) for _ in range(40)]
        gevent.sleep(0.003)
        gevent.killall(waiting[::2])
        assert all(len(greenlet.get(timeout=5)) == 1 for greenlet in waiting[1::2])
    store._database.run(lambda: None)
    assert store.history(turn, 100)[0].content == "hello"


def test_when_all_connections_are_busy_the_setting_is_named(
    open_shared: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "POOL_WAIT_S", 0.05)
    store = open_shared(connections=2)
    busy = [gevent.spawn(store.transact, sleep_in_database(0.3)) for _ in range(2)]
    while checked_out(store) < 2:
        gevent.sleep(0.001)
    with pytest.raises(StoreUnavailable, match="CHATBUBBLE_DATABASE_CONNECTIONS"):
        store.conversation("anna")
    gevent.joinall(busy, raise_error=True)
    assert store.conversation("anna") is None
    assert checked_out(store) == 0


def test_no_more_connections_are_opened_than_there_may_be(
    open_shared: OpenStore, postgres: PostgresServer, postgres_url: str
) -> None:
    store = open_shared(connections=3)
    asking = [gevent.spawn(begin, store, question(visitor_id=f"v{n}"), f"s{n}") for n in range(60)]
    gevent.joinall(asking, raise_error=True)
    name = postgres_url.rpartition("/")[2]
    count = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 -- ours
    assert postgres.execute(count) == [(3,)]


def test_what_the_database_leaves_unanswered_for_too_long_is_given_up(store: SqlStore) -> None:
    with pytest.raises(StoreUnavailable, match="no answer within"):
        store.transact(sleep_in_database(5), limit_s=0.1)
    assert checked_out(store) == 0
    assert store.conversation("anna") is None


def test_running_turns_are_found_by_their_index(store: SqlStore) -> None:
    asked = select(turns.c.stream_id).where(IS_RUNNING).compile(dialect=store._database.engine.dialect)

    def explain(connection: Connection) -> str:
        # So small a table is read whole, if that is not made dear.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return str(connection.exec_driver_sql(f"EXPLAIN {asked}").all())

    assert "one_running_turn" in store.transact(explain)


def test_two_processes_admit_the_same_question_once(open_shared: OpenStore) -> None:
    stores = [open_shared(), open_shared()]
    for round_number in range(10):
        visitor = f"visitor{round_number}"
        asking = [
            gevent.spawn(stores[n % 2].begin_turn, question(visitor_id=visitor), f"s{round_number}.{n}")
            for n in range(8)
        ]
        admissions = [greenlet.get(timeout=10) for greenlet in asking]
        assert sum(admission.is_new for admission in admissions) == 1
        assert len({admission.turn.stream_id for admission in admissions}) == 1
        assert said(stores[0], visitor) == [(Author.VISITOR, "hello")]


def test_two_processes_admit_one_question_at_a_time(open_shared: OpenStore) -> None:
    stores = [open_shared(), open_shared()]

    def ask(round_number: int, number: int) -> str:
        try:
            asked = question(f"q{number}", f"r{number}", f"visitor{round_number}")
            return stores[number % 2].begin_turn(asked, f"s{round_number}.{number}").turn.stream_id
        except TurnRunning as refused:
            return f"refused for {refused.extra['streamId']}"

    for round_number in range(10):
        asking = [gevent.spawn(ask, round_number, number) for number in range(8)]
        told = [greenlet.get(timeout=10) for greenlet in asking]
        (winner,) = [stream_id for stream_id in told if stream_id.startswith("s")]
        assert told.count(f"refused for {winner}") == 7


def race(store: SqlStore, postgres: PostgresServer, url: str, request_id: str) -> gevent.Greenlet[..., Admission]:
    """Ask in the middle of another process's transaction that asks `r1` as anna, whose first question it is."""
    with other_process(url) as other:
        other.execute(INSERT_TURN)
        asking = gevent.spawn(store.begin_turn, question(request_id=request_id), "ours")
        postgres.await_blocked(url)
    return asking


def test_a_first_question_meets_another_one_of_the_same_new_visitor(
    store: SqlStore, postgres: PostgresServer, postgres_url: str
) -> None:
    asking = race(store, postgres, postgres_url, "r2")
    asking.join(5)
    assert isinstance(asking.exception, TurnRunning)
    assert asking.exception.extra == {"streamId": "other"}


def test_a_first_question_meets_itself(store: SqlStore, postgres: PostgresServer, postgres_url: str) -> None:
    admission = race(store, postgres, postgres_url, "r1").get(timeout=5)
    assert (admission.turn.stream_id, admission.is_new) == ("other", False)


def test_a_question_meets_an_erasure(store: SqlStore, postgres: PostgresServer, postgres_url: str) -> None:
    store.finish_turn(begin(store), answer())
    with other_process(postgres_url) as other:
        for table in ("turns", "messages", "conversations"):
            other.execute(f"DELETE FROM {table}".encode())  # noqa: S608 -- the names stand in the line above
        asking = gevent.spawn(store.begin_turn, question("again", "r2"), "s2")
        postgres.await_blocked(postgres_url)
    assert asking.get(timeout=5).is_new
    assert said(store) == [(Author.VISITOR, "again")]


def test_an_answer_and_an_erasure_in_two_processes_leave_nothing(open_shared: OpenStore) -> None:
    ours, other = open_shared(), open_shared()
    for _ in range(10):
        turn = begin(ours)
        ours.save_parts([AnswerPart("s1", 0, "h")])
        finishing, erasing = gevent.spawn(ours.finish_turn, turn, answer()), gevent.spawn(other.erase, "anna")
        finishing.get(timeout=5)
        assert erasing.get(timeout=5) == ("s1",)
        assert ours.conversation("anna") is None


def test_an_answer_that_two_processes_finish_is_saved_once(open_shared: OpenStore) -> None:
    ours, other = open_shared(), open_shared()
    for number in range(10):
        turn = begin(ours, question(request_id=f"r{number}"), f"s{number}")
        finishing = [gevent.spawn(store.finish_turn, turn, answer(said)) for store, said in ((ours, "a"), (other, "b"))]
        assert sorted(greenlet.get(timeout=5) for greenlet in finishing) == [False, True]
    assert len(said(ours)) == 20


def test_a_part_that_meets_the_end_of_its_answer_is_not_kept(
    store: SqlStore, postgres: PostgresServer, postgres_url: str
) -> None:
    begin(store)
    with other_process(postgres_url) as other:
        other.execute("UPDATE turns SET state = 'done'")
        saving = gevent.spawn(store.save_parts, [AnswerPart("s1", 0, "late")])
        postgres.await_blocked(postgres_url)
    saving.get(timeout=5)
    assert postgres.execute("SELECT count(*) FROM answer_parts", postgres_url) == [(0,)]


def test_feedback_from_two_processes_leaves_one_of_them(open_shared: OpenStore) -> None:
    stores = [open_shared(), open_shared()]
    turn = begin(stores[0])
    stores[0].finish_turn(turn, answer())
    given = [Feedback(Rating.UP, "", 1), Feedback(Rating.DOWN, "", 2)]
    for _ in range(10):
        rating = [
            gevent.spawn(store.save_feedback, "anna", turn.message_id, feedback)
            for store, feedback in zip(stores, given, strict=True)
        ]
        assert all(greenlet.get(timeout=5) for greenlet in rating)
        conversation = stores[0].conversation("anna")
        assert conversation is not None
        assert conversation.messages[-1].feedback in given


def test_stores_that_share_a_database_end_nothing_of_each_other(open_shared: OpenStore) -> None:
    turn = begin(open_shared())
    other = open_shared()
    assert other.interrupt_running() == 0
    assert other.finish_turn(turn, answer())
