"""What becomes of answers while their database is away, stands still, is full of others or refuses to write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import psycopg
import pytest
from postgres_server import PostgresServer
from scripted import Call
from serving import Serve, Served
from sqlalchemy import Connection, text
from store_forms import answer, begin, said
from stream_client import Reply, Visitor, joined_text

from chatbubble.stores import postgresql
from chatbubble.stores.sql import SqlStore


@pytest.fixture
def served(serve: Serve, postgres_url: str) -> Served:
    """A server whose conversations are in PostgreSQL."""
    return serve(database_url=postgres_url, database_connections=3)


@pytest.fixture
def answering(served: Served) -> tuple[Visitor, Call, Reply]:
    """A visitor who has read the first word of an answer, which is the test's to go on with."""
    call = served.provider.hold()
    visitor = served.visitor()
    reply = visitor.ask("first")
    call.say("one ")
    reply.next_event()
    assert reply.next_event().data["text"] == "one "
    return visitor, call, reply


@pytest.fixture
def restarted(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server, for tests that stop it; it runs again afterwards, as it did."""
    yield postgres
    postgres.stop()
    postgres.start()


def store_of(served: Served) -> SqlStore:
    store = served.mounted.store
    assert isinstance(store, SqlStore)
    return store


def finish(answering: tuple[Visitor, Call, Reply]) -> None:
    """The rest of the answer: it comes whole, whatever the database does."""
    _, call, reply = answering
    began = time.monotonic()
    call.say("two ")
    assert reply.next_event().data["text"] == "two "
    assert time.monotonic() - began < 1, "a word waited for the database"
    call.finish("three")
    done = reply.until_end()[-1]
    assert (done.type, done.data["fullText"], joined_text(reply.seen)) == ("done", "one two three", "one two three")


def assert_refused_for_now(served: Served) -> None:
    refused = served.visitor().ask("somebody else's")
    assert (refused.status, refused.json()["error"]["code"]) == (503, "STORE_UNAVAILABLE")
    assert int(refused.headers["retry-after"]) > 0


def assert_goes_on(served: Served, visitor: Visitor) -> None:
    """Everything was saved, and the visitor's next question is answered."""
    served.await_stats(unsaved=0, savedNever=0)
    served.provider.script("fine")
    assert visitor.ask("second").until_end()[-1].type == "done"
    texts = [message["content"] for message in visitor.conversation()["messages"]]
    assert texts == ["first", "one two three", "second", "fine"]


def test_an_answer_outlives_a_database_that_is_down(
    served: Served, answering: tuple[Visitor, Call, Reply], restarted: PostgresServer
) -> None:
    restarted.stop()
    finish(answering)
    assert_refused_for_now(served)
    served.await_stats(unsaved=1, savedLate=0)
    restarted.start()
    served.await_stats(unsaved=0, savedLate=1)
    assert_goes_on(served, answering[0])


def test_an_answer_outlives_a_restart_unnoticed(
    served: Served, answering: tuple[Visitor, Call, Reply], restarted: PostgresServer
) -> None:
    restarted.stop()
    restarted.start()
    # Every connection of the pool is dead, and says so only when it is used.
    finish(answering)
    served.await_stats(unsaved=0, savedLate=0)
    assert_goes_on(served, answering[0])


def test_an_answer_outlives_a_database_that_stands_still(
    served: Served,
    answering: tuple[Visitor, Call, Reply],
    restarted: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(served.mounted.saver, "_patience_s", 0.2)
    monkeypatch.setattr("chatbubble.stores.sql.READY_S", 0.2)
    restarted.pause()
    finish(answering)
    served.await_stats(unsaved=1)
    assert not store_of(served).is_ready()
    restarted.resume()
    served.await_stats(unsaved=0)
    assert_goes_on(served, answering[0])


def test_an_answer_outlives_a_pool_that_is_exhausted(
    served: Served, answering: tuple[Visitor, Call, Reply], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.mounted.saver, "_patience_s", 0.1)
    pool = store_of(served)._database.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.05)
    busy = [pool.connect() for _ in range(3)]
    finish(answering)
    assert_refused_for_now(served)
    served.await_stats(unsaved=1)
    for connection in busy:
        connection.close()
    assert_goes_on(served, answering[0])


def test_an_answer_outlives_a_database_that_may_only_be_read(
    served: Served, answering: tuple[Visitor, Call, Reply], postgres: PostgresServer, postgres_url: str
) -> None:
    name = postgres_url.rpartition("/")[2]
    switch = f"ALTER DATABASE {name} SET default_transaction_read_only"
    end_sessions = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
    postgres.execute(f"{switch} = on")
    postgres.execute(end_sessions)
    finish(answering)
    assert_refused_for_now(served)
    assert answering[0].conversation()["messages"][0]["content"] == "first"
    served.await_stats(unsaved=1)
    # What a pool has connected to a server that may only be read does not stay there.
    postgres.execute(f"{switch} = off")
    served.await_stats(unsaved=0, savedLate=1)
    assert_goes_on(served, answering[0])


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    """A store without a server, closed whatever becomes of the test: nobody else could have the database."""
    store = SqlStore(postgres_url)
    store.open()
    yield store
    store.close()


def test_a_deadlock_is_tried_again(store: SqlStore, postgres_url: str, postgres: PostgresServer) -> None:
    postgres.execute("INSERT INTO conversations VALUES ('a', 'anna', 1), ('b', 'bert', 1)", postgres_url)
    attempts = 0

    def lock(who: str) -> bytes:
        return f"UPDATE conversations SET created_at = 2 WHERE conversation_id = '{who}'".encode()  # noqa: S608

    with psycopg.connect(postgres_url) as other:
        # The other side looks for a deadlock later than we do, and so is not the one that is chosen.
        other.execute("SET deadlock_timeout = '60s'")
        other.execute(lock("b"))
        crossing: list[gevent.Greenlet[..., object]] = []

        def cross(connection: Connection) -> None:
            nonlocal attempts
            attempts += 1
            connection.execute(text(lock("a").decode()))
            if attempts == 1:
                crossing.append(gevent.spawn(other.execute, lock("a")))
                postgres.await_blocked(postgres_url)
            connection.execute(text(lock("b").decode()))

        waiting = gevent.spawn(store.transact, cross)
        while not crossing:
            gevent.sleep(0.001)
        crossing[0].get(timeout=20)
        other.commit()
    waiting.get(timeout=20)
    assert attempts > 1


def test_a_transaction_that_is_committed_but_not_heard_of_is_not_done_twice(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqlStore(postgres_url)
    store.open()
    dialect = store._database.engine.dialect
    commit: Callable[..., None] = dialect.do_commit

    def lose_connection(connection: Any) -> None:
        monkeypatch.setattr(dialect, "do_commit", commit)
        commit(connection)
        connection.dbapi_connection.close()
        raise psycopg.OperationalError("the connection is lost")

    monkeypatch.setattr(dialect, "do_commit", lose_connection)
    turn = begin(store)
    monkeypatch.setattr(dialect, "do_commit", lose_connection)
    assert store.finish_turn(turn, answer())
    assert [text for _, text in said(store)] == ["hello", "hi"]
    monkeypatch.setattr(dialect, "do_commit", lose_connection)
    assert store.erase("anna") == ("s1",)
    assert store.conversation("anna") is None
    store.close()


def test_the_pool_waits_five_seconds_and_a_query_may_take_ten() -> None:
    assert (postgresql.POOL_WAIT_S, postgresql._STATEMENT_MS) == (5, 10_000), "docs/settings.md says so"
