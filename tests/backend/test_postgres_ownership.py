"""One process owns a PostgreSQL database, unless processes share it: as with a SQLite file."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator

import gevent
import pytest
from owning import Owner
from postgres_server import PostgresServer
from process import StartProcess
from store_forms import begin

from chatbubble.errors import StoreUnavailable
from chatbubble.stores import advisory
from chatbubble.stores.sql import SqlStore

OpenStore = Callable[..., SqlStore]


@pytest.fixture
def owner(postgres_url: str) -> Iterator[Owner]:
    """Another process that has the database."""
    owner = Owner(postgres_url)
    yield owner
    owner.end()


@pytest.fixture
def open_store(postgres_url: str) -> Iterator[OpenStore]:
    """Opens a store in this process."""
    stores: list[SqlStore] = []

    def start(hand_over_s: float = 0) -> SqlStore:
        stores.append(SqlStore(postgres_url, hand_over_s=hand_over_s))
        stores[-1].open()
        return stores[-1]

    yield start
    for store in stores:
        store.close()


def test_a_database_that_another_process_owns_is_refused_by_name(
    owner: Owner, open_store: OpenStore, postgres_url: str
) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        open_store()
    name = postgres_url.rpartition("/")[2]
    assert refused.value.detail.startswith(f"one process at a time may use {name}, and process {owner.pid} on "), (
        refused.value.detail
    )


def test_it_is_had_as_soon_as_the_owner_closes_it(owner: Owner, open_store: OpenStore) -> None:
    opening = gevent.spawn(open_store, hand_over_s=20)
    for _ in range(50):  # nobody else waits meanwhile
        gevent.sleep(0.001)
    assert not opening.ready()
    owner.close_store()
    begin(opening.get(timeout=5))


def test_a_killed_owner_leaves_nothing_behind(owner: Owner, open_store: OpenStore) -> None:
    os.kill(owner.pid, signal.SIGKILL)
    begin(open_store(hand_over_s=5))


def test_apps_of_one_process_own_it_together_and_end_nothing_of_each_other(open_store: OpenStore) -> None:
    first = open_store()
    begin(first)
    second = open_store()
    assert second.interrupt_running() == 0
    first.close()
    with pytest.raises(StoreUnavailable, match="one process at a time"):
        advisory.AdvisoryOwnership(second._database.engine.execution_options(isolation_level="AUTOCOMMIT"), 0)._lock()


def test_what_an_earlier_process_left_is_ended(open_store: OpenStore) -> None:
    first = open_store()
    begin(first)
    first.close()
    assert open_store().interrupt_running() == 1


def test_a_restart_of_the_server_takes_the_lock_away_for_a_moment_only(
    open_store: OpenStore,
    postgres: PostgresServer,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(advisory, "_RECONNECT_EVERY_S", 0.02)
    store = open_store()
    begin(store)
    with caplog.at_level(logging.WARNING):
        postgres.stop()
        postgres.start()
        deadline = time.monotonic() + 10
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        while postgres.execute(locks, postgres_url) != [(1,)]:
            assert time.monotonic() < deadline
            gevent.sleep(0.01)
    assert "the database has ended our session" in caplog.text
    assert store.conversation("anna") is not None


def test_after_a_sudden_death_the_next_server_shows_what_was_said(
    start_process: StartProcess, postgres_url: str
) -> None:
    first = start_process(database_url=postgres_url)
    visitor = first.visitor()
    reply = visitor.ask("answer: 1000 tokens at 20 ms")
    reply.next_event()
    assert reply.next_event().type == "token"
    first.kill()
    second = start_process(database_url=postgres_url)
    assert "1 answers were cut" in second.log
    question, answer = second.visitor(visitor.session).conversation()["messages"]
    assert question["content"] == "answer: 1000 tokens at 20 ms"
    assert (answer["finishReason"], answer["errorCode"]) == ("interrupted", "INTERRUPTED")
    assert "Traceback" not in second.log
