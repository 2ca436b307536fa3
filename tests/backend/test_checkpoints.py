"""A running answer is saved now and then, beside its turn; a sudden death costs its last second only."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.event import Event
from process import StartProcess
from stream_client import joined_text
from turning import MakeTurns, Turns

from chatbubble.checkpoints import Checkpoints
from chatbubble.errors import StoreUnavailable
from chatbubble.records import TurnState
from chatbubble.store import AnswerPart

FAST_S = 0.005


class Growing:
    """An answer that grows as the test says."""

    def __init__(self, *pieces: str) -> None:
        self.pieces = [*pieces]

    @property
    def length(self) -> int:
        """See GrowingText."""
        return len(self.pieces)

    def text_from(self, piece: int) -> str:
        """See GrowingText."""
        return "".join(self.pieces[piece:])


class Shelf:
    """A store that keeps parts, slowly or not at all when the test says so."""

    def __init__(self) -> None:
        self.rounds: list[list[AnswerPart]] = []
        self.is_open = Event()
        self.is_open.set()
        self.at_once = self.most_at_once = 0
        self.failure: Exception | None = None

    def save_parts(self, parts: Sequence[AnswerPart]) -> None:
        """See ConversationStore."""
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.is_open.wait()
        self.at_once -= 1
        if self.failure is not None:
            raise self.failure
        self.rounds.append([*parts])

    def text(self, stream_id: str) -> str:
        """What would be left of an answer."""
        return "".join(part.text for parts in self.rounds for part in parts if part.stream_id == stream_id)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def checkpoints(shelf: Shelf) -> Checkpoints:
    store: Any = shelf  # has the one method that they use
    return Checkpoints(store, every_s=FAST_S)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it; fails after 5 s."""
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline
        gevent.sleep(0.001)


def test_only_what_is_new_is_saved(shelf: Shelf, checkpoints: Checkpoints) -> None:
    answer = Growing("One ", "two ")
    checkpoints.watch("s1", answer)
    until(lambda: len(shelf.rounds) == 1)
    gevent.sleep(FAST_S * 5)
    assert shelf.rounds == [[AnswerPart("s1", 0, "One two ")]]
    answer.pieces += ["three ", "four"]
    until(lambda: len(shelf.rounds) == 2)
    assert shelf.rounds[1] == [AnswerPart("s1", 2, "three four")]
    checkpoints.leave("s1")


def test_all_answers_are_saved_together(shelf: Shelf, checkpoints: Checkpoints) -> None:
    answers = {f"s{number}": Growing(f"answer {number}") for number in range(250)}
    for stream_id, answer in answers.items():
        checkpoints.watch(stream_id, answer)
    until(lambda: sum(map(len, shelf.rounds)) == 250)
    assert len(shelf.rounds) == 3
    assert all(shelf.text(stream_id) == answer.text_from(0) for stream_id, answer in answers.items())
    for stream_id in answers:
        checkpoints.leave(stream_id)


def test_a_slow_store_is_handed_one_thing_at_a_time_and_holds_up_no_answer(
    shelf: Shelf, checkpoints: Checkpoints
) -> None:
    shelf.is_open.clear()
    answer = Growing("a")
    checkpoints.watch("s1", answer)
    until(lambda: shelf.at_once == 1)
    answer.pieces.append("b")
    checkpoints.watch("s2", Growing("c"))
    gevent.sleep(FAST_S * 10)
    assert shelf.most_at_once == 1
    shelf.is_open.set()
    until(lambda: (shelf.text("s1"), shelf.text("s2")) == ("ab", "c"))
    assert shelf.most_at_once == 1
    for stream_id in ("s1", "s2"):
        checkpoints.leave(stream_id)


@pytest.mark.parametrize("failure", [StoreUnavailable(detail="the disk is full"), RuntimeError("the disk is full")])
def test_what_a_store_could_not_save_comes_with_the_next(
    shelf: Shelf, checkpoints: Checkpoints, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.failure = failure
    answer = Growing("a")
    checkpoints.watch("s1", answer)
    until(lambda: "the disk is full" in caplog.text)
    answer.pieces.append("b")
    gevent.sleep(FAST_S * 5)
    assert caplog.text.count("the disk is full") == 1
    shelf.failure = None
    until(lambda: shelf.text("s1") == "ab")
    checkpoints.leave("s1")


def test_nothing_runs_while_nothing_is_answered(shelf: Shelf, checkpoints: Checkpoints) -> None:
    for text in ("first", "second"):
        rounds = len(shelf.rounds)
        checkpoints.watch("s1", Growing(text))
        while len(shelf.rounds) == rounds:
            gevent.sleep(0.001)
        checkpoints.leave("s1")
        until(lambda: not checkpoints._is_at_work)
    assert shelf.text("s1") == "firstsecond"


def saved(turns: Turns) -> str:
    """What the file has of the newest turn's answer."""
    with sqlite3.connect(turns.database) as connection:
        rows = connection.execute("SELECT text FROM answer_parts ORDER BY position").fetchall()
    connection.close()
    return "".join(text for (text,) in rows)


def test_a_turn_saves_what_it_has_said_so_far(make_turns: MakeTurns) -> None:
    turns = make_turns()
    call = turns.provider.hold()
    turning = turns.start(turns.begin())
    call.say("Hello ", "\U0001f600 world")
    until(lambda: saved(turns) == "Hello \U0001f600 world")
    call.finish("!")
    told = turns.told(turning.get(timeout=5))
    assert told.state is TurnState.DONE
    assert told.stored is not None
    assert told.stored.content == "Hello \U0001f600 world!"
    assert saved(turns) == ""


def test_a_sudden_death_leaves_what_was_said_before_its_last_second(
    start_process: StartProcess, tmp_path: Path
) -> None:
    server = start_process()
    visitor = server.visitor()
    reply = visitor.ask("answer: 1000 tokens at 20 ms")
    stream_id = reply.next_event().data["streamId"]
    while len(reply.seen) < 150:  # three seconds of it
        reply.next_event()
    server.signal(signal.SIGKILL)
    server.wait()
    with pytest.raises(ConnectionError):
        reply.until_end()
    seen = joined_text(reply.seen)
    server = start_process()
    visitor = server.visitor(visitor.session)
    message = visitor.conversation()["messages"][-1]
    assert (message["finishReason"], message["errorCode"]) == ("interrupted", "INTERRUPTED")
    whole = "".join(f"word{number} " for number in range(1, 1001))
    assert whole.startswith(message["content"])
    # A second and a half is 75 words: the machine may be slow.
    assert len(message["content"].split()) > len(seen.split()) - 75
    told = visitor.resume(stream_id).until_end()
    assert joined_text(told) == message["content"]
    assert told[-1].data["code"] == "INTERRUPTED"
