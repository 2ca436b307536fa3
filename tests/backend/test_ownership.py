"""One process owns a SQLite file: a second one waits for the first, or does not start."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest
from owning import Owner
from process import StartProcess
from store_forms import answer, begin, question
from stream_client import joined_text

from chatbubble.errors import StoreUnavailable
from chatbubble.stores.sql import SqlStore

WAITING = re.compile(r"chat\.db belongs to process (\d+) on \S+: waiting up to (\d+) s for its end")
IMPATIENT = "import sys; from chatbubble.stores.sql import SqlStore; SqlStore(sys.argv[1], hand_over_s=0).open()"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/chat.db"


@pytest.fixture
def own(url: str) -> Iterator[Callable[..., Owner]]:
    """Opens the store in another process."""
    owners: list[Owner] = []

    def start(habit: str = "") -> Owner:
        owners.append(Owner(url, habit))
        return owners[-1]

    yield start
    for owner in owners:
        owner.end()


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[..., SqlStore]]:
    """Opens one in this process."""
    stores: list[SqlStore] = []

    def start(url: str = url, hand_over_s: float = 0) -> SqlStore:
        stores.append(SqlStore(url, hand_over_s=hand_over_s))
        stores[-1].open()
        return stores[-1]

    yield start
    for store in stores:
        store.close()


def test_a_file_that_another_process_owns_is_refused_by_name(
    own: Callable[..., Owner], open_store: Callable[..., SqlStore]
) -> None:
    owner = own()
    with pytest.raises(StoreUnavailable) as refused:
        open_store()
    assert refused.value.detail.startswith("one process at a time may use chat.db, and process ")
    assert f"process {owner.pid} on " in refused.value.detail
    assert "\n" not in refused.value.detail


def test_a_symbolic_link_is_the_same_file(
    own: Callable[..., Owner], open_store: Callable[..., SqlStore], tmp_path: Path
) -> None:
    own()
    (tmp_path / "link.db").symlink_to(tmp_path / "chat.db")
    with pytest.raises(StoreUnavailable, match="one process at a time"):
        open_store(f"sqlite:///{tmp_path}/link.db")


def test_it_is_had_as_soon_as_the_owner_closes_it(
    own: Callable[..., Owner], open_store: Callable[..., SqlStore]
) -> None:
    owner = own()
    opening = gevent.spawn(open_store, hand_over_s=20)
    ticks = 0
    while ticks < 50:  # nobody else waits meanwhile
        gevent.sleep(0.001)
        ticks += 1
    assert not opening.ready()
    owner.close_store()
    begin(opening.get(timeout=5))


def test_the_wait_is_counted_from_the_first_attempt_on(
    own: Callable[..., Owner], open_store: Callable[..., SqlStore], url: str
) -> None:
    owner = own()
    store = SqlStore(url, hand_over_s=0.2)
    with pytest.raises(StoreUnavailable):
        store.open()
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            store.open()
    assert time.monotonic() - began < 0.2
    owner.end()
    store.open()
    begin(store)
    store.close()


def test_a_killed_owner_leaves_nothing_behind_even_with_a_child(
    own: Callable[..., Owner], open_store: Callable[..., SqlStore]
) -> None:
    owner = own("forks")
    os.kill(owner.pid, signal.SIGKILL)
    owner.process.wait()
    begin(open_store())


def test_apps_of_one_process_share_a_file_and_end_nothing_of_each_other(open_store: Callable[..., SqlStore]) -> None:
    first = open_store()
    assert first.interrupt_running() == 0
    turn = begin(first)
    second = open_store()
    assert second.interrupt_running() == 0
    second.close()
    second.close()
    assert first.finish_turn(turn, answer())


def test_a_file_is_owned_until_its_last_store_of_the_process_is_closed(
    open_store: Callable[..., SqlStore], own: Callable[..., Owner], url: str
) -> None:
    first, second = open_store(), open_store()
    first.close()
    refused = subprocess.run([sys.executable, "-c", IMPATIENT, url], capture_output=True, text=True, check=False)
    assert "one process at a time may use chat.db" in refused.stderr
    second.close()
    own()


def test_a_file_that_was_closed_and_opened_again_was_cut(open_store: Callable[..., SqlStore]) -> None:
    first = open_store()
    begin(first)
    first.close()
    assert open_store().interrupt_running() == 1


@pytest.mark.parametrize("memory", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_belongs_to_its_store(
    open_store: Callable[..., SqlStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for store in (open_store(memory), open_store(memory)):
        begin(store)
        assert store.interrupt_running() == 1
        begin(store, question("again", "r2"), "s2")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_cannot_be_had_is_named(open_store: Callable[..., SqlStore], tmp_path: Path) -> None:
    (tmp_path / "chat.db.lock").mkdir()
    with pytest.raises(StoreUnavailable) as refused:
        open_store()
    assert refused.value.detail == "chat.db.lock cannot be locked: Is a directory"


def test_a_second_server_refuses_in_one_line_and_the_first_answers_whole(start_process: StartProcess) -> None:
    first = start_process()
    visitor = first.visitor()
    reply = visitor.ask("answer: 400 tokens at 20 ms")
    reply.next_event()
    # Its own time to drain is what it allows the other one, and five seconds.
    second = start_process(is_awaited=False, drain_s="0")
    assert second.wait() == 1
    waiting = WAITING.search(second.log)
    assert waiting is not None
    assert waiting.groups() == (str(first.process.pid), "5")
    last = second.log.splitlines()[-1]
    assert last.startswith(
        "Error: CHATBUBBLE_DATABASE_URL cannot be used: one process at a time may use chat.db, "
        f"and process {first.process.pid} on "
    )
    assert last.endswith("stop that one first, or give this one a file of its own")
    assert "Traceback" not in second.log
    done = reply.until_end()[-1]
    assert (done.type, done.data["finishReason"]) == ("done", "stop")
    assert joined_text(reply.seen) == done.data["fullText"] == "".join(f"word{n} " for n in range(1, 401))


def test_in_a_deploy_the_new_server_waits_for_the_last_answers_of_the_old(start_process: StartProcess) -> None:
    old = start_process()
    visitor = old.visitor()
    reply = visitor.ask("answer: 60 tokens at 30 ms")
    reply.next_event()
    new = start_process(is_awaited=False)
    new.await_words(WAITING)
    old.signal(signal.SIGTERM)
    done = reply.until_end()[-1]
    assert (done.type, done.data["finishReason"]) == ("done", "stop")
    assert old.wait() == 0
    new.await_start()
    assert "answers were cut" not in new.log
    message = new.visitor(visitor.session).conversation()["messages"][-1]
    assert (message["content"], message["finishReason"]) == (done.data["fullText"], "stop")


def test_after_a_sudden_death_the_next_server_starts_at_once(start_process: StartProcess) -> None:
    first = start_process()
    visitor = first.visitor()
    reply = visitor.ask("answer: 1000 tokens at 20 ms")
    reply.next_event()
    first.kill()
    second = start_process()
    assert WAITING.search(second.log) is None
    assert "1 answers were cut" in second.log
    assert second.visitor(visitor.session).conversation()["messages"][-1]["finishReason"] == "interrupted"
