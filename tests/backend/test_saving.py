"""A finished answer is saved, later if need be; how much may wait is bounded, and what cannot wait is told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from gevent.event import Event
from scripted import ScriptedProvider
from serving import Serve, Served
from store_forms import answer
from stream_client import Reply, joined_text

from chatbubble.errors import Overloaded, StoreUnavailable
from chatbubble.measures import Measures
from chatbubble.records import Answer, Turn, TurnState
from chatbubble.saving import BEHIND, MAX_ATTEMPTS, Saved, Saver


class Shelf:
    """A store that takes answers while it is open, in its own time, and fails on those it is told to."""

    def __init__(self) -> None:
        self.is_open = True
        self.answers: dict[str, Answer] = {}
        self.erased: set[str] = set()
        self.poison: set[str] = set()
        self.asking = 0
        self.may_go_on = Event()
        self.may_go_on.set()

    def finish_turn(self, turn: Turn, answer: Answer) -> bool:
        """See ConversationStore."""
        self.asking += 1
        self.may_go_on.wait()
        self.asking -= 1
        if not self.is_open:
            raise StoreUnavailable(detail="closed")
        if turn.stream_id in self.poison:
            raise ValueError(turn.stream_id)
        if turn.stream_id in self.erased:
            return False
        self.answers[turn.stream_id] = answer
        return True


def turn(stream_id: str) -> Turn:
    return Turn(stream_id, "conv", f"message of {stream_id}", "anna", "r1", TurnState.RUNNING, 1)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for it; fails after 5 s."""
    deadline = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < deadline
        gevent.sleep(0.002)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def measures() -> Measures:
    return Measures()


@pytest.fixture
def make_saver(shelf: Shelf, measures: Measures) -> Callable[..., Saver]:
    store: Any = shelf  # has the one method that it uses

    def make(**bounds: Any) -> Saver:
        return Saver(store, measures, **bounds)

    return make


def test_an_answer_is_saved_at_once(make_saver: Callable[..., Saver], shelf: Shelf) -> None:
    assert make_saver().save(turn("s1"), answer()) is Saved.NOW
    assert shelf.answers == {"s1": answer()}


def test_an_erased_turn_keeps_nothing(make_saver: Callable[..., Saver], shelf: Shelf) -> None:
    shelf.erased.add("s1")
    assert make_saver().save(turn("s1"), answer()) is Saved.GONE


def test_what_the_store_does_not_take_is_saved_once_it_does(
    make_saver: Callable[..., Saver], shelf: Shelf, measures: Measures
) -> None:
    saver, shelf.is_open = make_saver(), False
    assert [saver.save(turn(f"s{n}"), answer(str(n))) for n in range(5)] == [Saved.LATER] * 5
    assert (measures.late_saves, measures.saved_late) == (5, 0)
    shelf.is_open = True
    until(lambda: measures.late_saves == 0)
    assert [kept.text for kept in shelf.answers.values()] == ["0", "1", "2", "3", "4"]
    assert (measures.saved_late, measures.saved_never) == (5, 0)


def test_nobody_waits_for_a_store_that_takes_its_time(
    make_saver: Callable[..., Saver], shelf: Shelf, measures: Measures
) -> None:
    saver = make_saver(patience_s=0.02)
    shelf.may_go_on.clear()
    assert saver.save(turn("s1"), answer()) is Saved.LATER
    shelf.may_go_on.set()
    until(lambda: measures.late_saves == 0)
    assert shelf.answers == {"s1": answer()}


@pytest.mark.parametrize("bounds", [{"max_answers": 2}, {"max_chars": 20}])
def test_what_has_no_room_to_wait_is_told_and_only_that_is_kept(
    make_saver: Callable[..., Saver],
    shelf: Shelf,
    measures: Measures,
    caplog: pytest.LogCaptureFixture,
    bounds: dict[str, float],
) -> None:
    saver, shelf.is_open = make_saver(**bounds), False
    text = "x" * 10
    assert [saver.save(turn(f"s{n}"), answer(text)) for n in range(3)] == [Saved.LATER, Saved.LATER, Saved.NEVER]
    assert "answer message of s2 will not be saved" in caplog.text
    shelf.is_open = True
    until(lambda: measures.late_saves == 0)
    assert [kept.text for kept in shelf.answers.values()] == [text, text, ""]
    assert (shelf.answers["s2"].state, shelf.answers["s2"].error_code) == (TurnState.FAILED, "STORE_UNAVAILABLE")
    assert measures.saved_never == 1
    # The room is there again.
    shelf.is_open = False
    assert saver.save(turn("s3"), answer(text)) is Saved.LATER
    shelf.is_open = True
    until(lambda: measures.late_saves == 0)


def test_an_answer_that_fails_alone_holds_up_no_other_and_is_given_up(
    make_saver: Callable[..., Saver], shelf: Shelf, measures: Measures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbubble.saving._FIRST_PAUSE_S", 0.001)
    saver = make_saver()
    shelf.poison.add("s1")
    assert saver.save(turn("s1"), answer()) is Saved.LATER
    shelf.is_open = False
    assert saver.save(turn("s2"), answer()) is Saved.LATER
    shelf.is_open = True
    until(lambda: measures.late_saves == 0)
    assert [*shelf.answers] == ["s2"]
    assert (measures.saved_late, measures.saved_never) == (1, 1)
    assert MAX_ATTEMPTS > 1


def test_who_could_not_be_saved_in_time_is_not_answered(make_saver: Callable[..., Saver], shelf: Shelf) -> None:
    saver = make_saver(patience_s=5.0)
    shelf.is_open = False
    for number in range(BEHIND):
        saver.admit()
        assert saver.save(turn(f"s{number}"), answer("Hello")) is Saved.LATER
    with pytest.raises(Overloaded, match="200 answers wait to be saved"):
        saver.admit()
    # Nor does one more ask a store that is behind: what ends now waits in line.
    shelf.may_go_on.clear()
    assert saver.save(turn("last"), answer("Hello")) is Saved.LATER
    shelf.is_open = True
    shelf.may_go_on.set()
    until(lambda: len(shelf.answers) == BEHIND + 1)
    saver.admit()


def test_a_slow_store_is_given_several_at_once(make_saver: Callable[..., Saver], shelf: Shelf) -> None:
    saver = make_saver()
    shelf.is_open = False
    for number in range(8):
        saver.save(turn(f"s{number}"), answer("Hello"))
    shelf.may_go_on.clear()
    shelf.is_open = True
    until(lambda: shelf.asking == 4)
    shelf.may_go_on.set()
    until(lambda: len(shelf.answers) == 8)


def test_a_turn_that_is_erased_while_its_answer_waits_is_left_erased(
    make_saver: Callable[..., Saver], shelf: Shelf, measures: Measures
) -> None:
    saver, shelf.is_open = make_saver(), False
    saver.save(turn("s1"), answer())
    shelf.erased.add("s1")
    shelf.is_open = True
    until(lambda: measures.late_saves == 0)
    assert (shelf.answers, measures.saved_late) == ({}, 0)


def test_an_ending_process_saves_what_waits(make_saver: Callable[..., Saver], shelf: Shelf) -> None:
    saver, shelf.is_open = make_saver(), False
    saver.save(turn("s1"), answer())
    gevent.spawn_later(0.05, setattr, shelf, "is_open", True)
    saver.flush(5)
    assert [*shelf.answers] == ["s1"]


def test_an_ending_process_says_what_is_lost(
    make_saver: Callable[..., Saver], shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    saver, shelf.is_open = make_saver(), False
    saver.save(turn("s1"), answer())
    caplog.set_level(logging.ERROR)
    saver.flush(0.01)
    assert "answer message of s1 is lost" in caplog.text
    shelf.is_open = True


@pytest.fixture
def away(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> tuple[Served, Callable[[], None]]:
    """A server whose store takes no answers, and what brings it back; nothing is tried again meanwhile."""
    monkeypatch.setattr("chatbubble.saving._FIRST_PAUSE_S", 60)
    served = serve(provider=ScriptedProvider())
    finish = served.mounted.store.finish_turn

    def refuse(turn: Turn, answer: Answer) -> bool:
        raise StoreUnavailable(detail="away")

    monkeypatch.setattr(served.mounted.store, "finish_turn", refuse)
    return served, lambda: monkeypatch.setattr(served.mounted.store, "finish_turn", finish)


def test_the_next_question_does_not_wait_until_the_last_answer_is_saved(
    away: tuple[Served, Callable[[], None]],
) -> None:
    served, come_back = away
    visitor = served.visitor()
    served.provider.script("one")
    first = visitor.ask("first")
    done = first.until_end()[-1]
    assert (done.type, done.data["fullText"], joined_text(first.seen)) == ("done", "one", "one")
    served.await_stats(unsaved=1, savedLate=0, savedNever=0)
    come_back()
    served.provider.script("two")
    second: Reply = visitor.ask("second")
    assert second.until_end()[-1].type == "done"
    assert [message["content"] for message in visitor.conversation()["messages"]] == ["first", "one", "second", "two"]
    served.await_stats(unsaved=0, savedLate=1, savedNever=0)


def test_while_an_answer_waits_its_conversation_shows_it_all_the_same(
    away: tuple[Served, Callable[[], None]],
) -> None:
    served, come_back = away
    visitor = served.visitor()
    served.provider.script("one")
    visitor.ask("first").until_end()
    active = visitor.conversation()["activeStream"]
    assert visitor.resume(active["streamId"]).until_end()[-1].data["fullText"] == "one"
    come_back()


def test_an_answer_without_room_ends_as_an_error(away: tuple[Served, Callable[[], None]]) -> None:
    served, come_back = away
    served.mounted.saver._max_answers = 0
    visitor = served.visitor()
    served.provider.script("one")
    reply = visitor.ask("first")
    error = reply.until_end()[-1]
    assert (error.type, error.data["code"], error.data["retryable"]) == ("error", "STORE_UNAVAILABLE", True)
    come_back()
    served.provider.script("again")
    assert visitor.ask("first").until_end()[-1].type == "done"
    messages = visitor.conversation()["messages"]
    assert [(message["content"], message["errorCode"]) for message in messages] == [
        ("first", None),
        ("", "STORE_UNAVAILABLE"),
        ("first", None),
        ("again", None),
    ]


def test_a_longer_answer_may_wait_once_a_shorter_one_is_saved(
    make_saver: Callable[..., Saver], shelf: Shelf, measures: Measures
) -> None:
    saver, shelf.is_open = make_saver(max_chars=10), False
    saver.save(turn("s1"), answer("x" * 10))
    assert saver.save(turn("s2"), answer("x")) is Saved.NEVER
    shelf.is_open = True
    until(lambda: measures.late_saves == 0)
    shelf.is_open = False
    assert saver.save(turn("s3"), answer("x" * 10)) is Saved.LATER
    shelf.is_open = True
    until(lambda: measures.late_saves == 0)
