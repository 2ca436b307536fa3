"""What only the SQLite store promises: its file, its thread, and what happens when the disk fails it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import gevent
import pytest
from earlier_schemas import FIRST_TABLES, WORDS
from sqlalchemy import select
from store_forms import answer, begin, question, said

from chatbubble.errors import ConfigError, StoreUnavailable, TurnRunning
from chatbubble.records import Author, Feedback, Rating, Source, TurnState
from chatbubble.store import AnswerPart
from chatbubble.stores.queries import IS_RUNNING
from chatbubble.stores.schema import metadata, turns
from chatbubble.stores.sql import SqlStore
from chatbubble.stores.sqlite import empty_log

_EARLIER_ROWS = """
INSERT INTO conversations VALUES ('c1', 'anna', 1);
INSERT INTO messages VALUES (1, 'm1', 'c1', 'visitor', 'hello', 1, NULL, NULL, 'r1', NULL, NULL, NULL);
INSERT INTO turns VALUES ('s1', 'c1', 'r1', 1, 'm2', 'running', 1, NULL);
"""
# As the first Chatbubble made it, while an answer ran.
EARLIER_DATABASE = FIRST_TABLES.format(**WORDS["sqlite"]) + _EARLIER_ROWS
# What later ones have added: an earlier one does not name them when it erases.
NEW_TABLES = {table.name for table in metadata.tables.values()} - {"conversations", "messages", "turns"}
PRIVATE = "the shoe size of the visitor is 47"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(f"sqlite:///{tmp_path}/chat.db")
    store.open()
    yield store
    store.close()


def bytes_on_disk(folder: Path) -> bytes:
    """Every byte of the database, its write-ahead log included."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


def empty_log_of(store: SqlStore) -> bool:
    return store._database.run(lambda: empty_log(store._database.engine))


def test_a_transaction_runs_beside_the_event_loop(store: SqlStore) -> None:
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            gevent.sleep(0.001)

    ticking = gevent.spawn(tick)
    store.transact(lambda _connection: time.sleep(0.1))  # a native thread's own sleep: it is not patched there
    ticking.kill()
    assert ticks > 20


def test_running_turns_are_found_by_their_index(store: SqlStore) -> None:
    asked = select(turns.c.stream_id).where(IS_RUNNING).compile(dialect=store._database.engine.dialect)
    plan = store.transact(lambda connection: connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").all())
    assert "one_running_turn" in plan[0].detail


def test_a_refusal_is_not_printed_as_a_fault(store: SqlStore, capfd: pytest.CaptureFixture[str]) -> None:
    begin(store)
    with pytest.raises(TurnRunning):
        store.begin_turn(question("again", "r2"), "s2")
    # gevent prints whatever a thread raises: a refusal is no fault to fill a log with.
    assert capfd.readouterr().err == ""


def test_erased_words_are_not_left_on_the_disk(store: SqlStore, tmp_path: Path) -> None:
    store.finish_turn(begin(store, question(PRIVATE)), answer(PRIVATE))
    assert PRIVATE.encode() in bytes_on_disk(tmp_path)
    store.erase("anna")
    assert PRIVATE.encode() not in bytes_on_disk(tmp_path)


def test_what_an_answer_had_beside_its_text_is_erased_with_it(store: SqlStore, tmp_path: Path) -> None:
    sources = (Source("Shoes", "https://shop.example/47", PRIVATE),)
    turn = begin(store)
    store.finish_turn(turn, replace(answer(), sources=sources, suggestions=(PRIVATE,)))
    store.save_feedback("anna", turn.message_id, Feedback(Rating.UP, PRIVATE, 1))
    assert PRIVATE.encode() in bytes_on_disk(tmp_path)
    store.erase("anna")
    assert PRIVATE.encode() not in bytes_on_disk(tmp_path)


def test_erased_parts_are_not_left_on_the_disk(store: SqlStore, tmp_path: Path) -> None:
    begin(store)
    store.save_parts([AnswerPart("s1", 0, PRIVATE)])
    assert PRIVATE.encode() in bytes_on_disk(tmp_path)
    store.erase("anna")
    assert PRIVATE.encode() not in bytes_on_disk(tmp_path)


def test_the_parts_of_a_finished_answer_take_no_room(store: SqlStore) -> None:
    turn = begin(store)
    for position in range(5):
        store.save_parts([AnswerPart("s1", position, "word ")])
    store.finish_turn(turn, answer())
    count = "SELECT count(*) FROM answer_parts"
    assert store.transact(lambda connection: connection.exec_driver_sql(count).scalar()) == 0


def test_a_database_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    with sqlite3.connect(f"{tmp_path}/chat.db") as earlier:
        earlier.executescript(EARLIER_DATABASE)
    earlier.close()
    store = SqlStore(f"sqlite:///{tmp_path}/chat.db")
    store.open()
    store.save_parts([AnswerPart("s1", 0, "kept")])
    assert store.interrupt_running() == 1
    conversation = store.conversation("anna")
    assert conversation is not None
    assert [message.content for message in conversation.messages] == ["hello", "kept"]
    store.finish_turn(begin(store, question("again", "r2"), "s2"), answer())
    store.close()


def test_a_turn_of_an_earlier_version_can_be_replaced(tmp_path: Path) -> None:
    with sqlite3.connect(f"{tmp_path}/chat.db") as earlier:
        earlier.executescript(EARLIER_DATABASE)
    earlier.close()
    store = SqlStore(f"sqlite:///{tmp_path}/chat.db")
    store.open()
    store.interrupt_running()
    begin(store, question("again", "r2", replaces="r1"), "s2")
    assert said(store) == [(Author.VISITOR, "again")]
    store.close()


def test_an_earlier_version_can_erase_what_it_does_not_know(store: SqlStore, tmp_path: Path) -> None:
    turn = begin(store)
    store.finish_turn(turn, replace(answer(), suggestions=(PRIVATE,)))
    store.save_feedback("anna", turn.message_id, Feedback(Rating.UP, PRIVATE, 1))
    begin(store, question("again", "r2", replaces="r1"), "s2")
    store.save_parts([AnswerPart("s2", 0, PRIVATE)])
    with sqlite3.connect(f"{tmp_path}/chat.db") as earlier:
        earlier.execute("PRAGMA foreign_keys=ON")
        for table in ("turns", "messages", "conversations"):
            earlier.execute(f"DELETE FROM {table}")  # noqa: S608 -- the names stand in the line above
        for table in NEW_TABLES:
            assert earlier.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table  # noqa: S608 -- ours
    earlier.close()


def test_erasing_waits_for_nobody_who_reads_the_file(store: SqlStore, tmp_path: Path) -> None:
    begin(store, question(PRIVATE))
    with sqlite3.connect(f"{tmp_path}/chat.db") as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM messages").fetchall()
        began = time.monotonic()
        assert store.erase("anna") == ("s1",)
        assert time.monotonic() - began < 2
    assert store.conversation("anna") is None


def test_emptying_the_log_gives_way_to_another_writer(store: SqlStore, tmp_path: Path) -> None:
    begin(store, question(PRIVATE))
    other = sqlite3.connect(f"{tmp_path}/chat.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    assert not empty_log_of(store)
    assert time.monotonic() - began < 2
    other.execute("COMMIT")
    other.close()
    assert empty_log_of(store)
    # Afterwards others are waited for again.
    assert store.transact(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout").scalar()) == 5000


def test_a_fault_within_a_transaction_is_a_store_unavailable(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(StoreUnavailable):
        store.transact(lambda _connection: 1 / 0)
    assert "ZeroDivisionError" in caplog.text
    assert store.is_ready()


@pytest.mark.parametrize("place", ["no/such/folder/chat.db", "."])
def test_a_file_that_cannot_be_opened_is_a_store_unavailable(tmp_path: Path, place: str) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/{place}")
    with pytest.raises(StoreUnavailable):
        store.open()
    assert not store.is_ready()
    store.close()


def test_a_file_that_is_no_database_is_a_store_unavailable(tmp_path: Path) -> None:
    (tmp_path / "chat.db").write_bytes(b"this is not a database, it is a letter\n" * 100)
    store = SqlStore(f"sqlite:///{tmp_path}/chat.db")
    with pytest.raises(StoreUnavailable) as refused:
        store.open()
    assert "not a database" in refused.value.detail
    assert not store.is_ready()
    store.close()


def test_a_store_that_was_unavailable_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "mounted-later"
    store = SqlStore(f"sqlite:///{folder}/chat.db")
    with pytest.raises(StoreUnavailable):
        store.open()
    folder.mkdir()
    store.open()
    begin(store)
    store.close()


def test_another_writer_of_the_file_is_waited_for(store: SqlStore, tmp_path: Path) -> None:
    other = sqlite3.connect(f"{tmp_path}/chat.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = gevent.spawn(begin, store)
    gevent.sleep(0.1)
    assert not writing.ready()
    other.execute("COMMIT")
    other.close()
    assert writing.get(timeout=5).state is TurnState.RUNNING


def test_whoever_stops_waiting_for_the_store_leaves_it_as_it_was(store: SqlStore) -> None:
    turn = begin(store)
    for _ in range(5):
        waiting = [gevent.spawn(store.history, turn, 100) for _ in range(60)]
        gevent.sleep(0.001)
        gevent.killall(waiting[::2])
        assert all(len(greenlet.get(timeout=5)) == 1 for greenlet in waiting[1::2])
    assert store.history(turn, 100)[0].content == "hello"


@pytest.mark.parametrize("url", ["mysql://localhost/chat", "chat.db", "", "sqlite:relative.db"])
def test_an_address_that_is_for_no_database_of_ours_names_the_setting(url: str) -> None:
    with pytest.raises(ConfigError, match="CHATBUBBLE_DATABASE_URL"):
        SqlStore(url)


@pytest.mark.usefixtures("no_collections")
@pytest.mark.no_cover
def test_the_event_loop_is_never_held_up_by_fifty_writers(store: SqlStore) -> None:
    """The promise is 20 ms; the bench of the same name gives the figure."""
    lags: list[float] = []

    def measure() -> None:
        while True:
            began, began_cpu = time.perf_counter(), time.process_time()
            gevent.sleep(0.001)
            # Without a processor nobody is on time: only what we had one for is ours.
            lags.append(min(time.perf_counter() - began - 0.001, time.process_time() - began_cpu))

    def write(writer: int) -> None:
        for number in range(6):
            asked = question(f"question {number}", f"r{number}", f"visitor{writer}")
            store.finish_turn(begin(store, asked, f"s{writer}.{number}"), answer("word " * 200))

    measuring = gevent.spawn(measure)
    gevent.joinall([gevent.spawn(write, writer) for writer in range(50)], raise_error=True)
    measuring.kill()
    print(f"longest lag {max(lags) * 1000:.1f} ms in {len(lags)} looks")  # noqa: T201 -- the figure belongs in the report
    assert max(lags) < 0.1
