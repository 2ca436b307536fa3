"""One turn: what becomes of what a provider says."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from stream_client import utf16_length
from switches import no_switches
from turning import MakeTurns, Turns, check, provider_of

from chatbubble.errors import StoreUnavailable
from chatbubble.events import Custom
from chatbubble.generation import MAX_ANSWER_UNITS
from chatbubble.provider import Piece
from chatbubble.records import Finish, FinishReason, Message, Prompt, Turn, TurnState, Usage
from chatbubble.stream_logs.memory import MAX_STREAM_BYTES
from chatbubble.turn import StopReason


def test_an_answer_is_told_piece_by_piece_and_saved(turns: Turns) -> None:
    told = check(turns.run("Hel", "lo ", "\U0001f44b", "!", Finish(FinishReason.STOP, Usage(7, 5))))
    assert told.state is TurnState.DONE
    assert [event.data["text"] for event in told.events[:-1]] == ["Hel", "lo ", "\U0001f44b", "!"]
    assert [event.data["index"] for event in told.events[:-1]] == [0, 3, 6, 8]
    assert told.last.data["fullText"] == "Hello \U0001f44b!"
    assert told.last.data["tokens"] == 5
    assert told.last.data["usage"] == {"promptTokens": 7, "completionTokens": 5}


def test_without_usage_the_deltas_are_counted(turns: Turns) -> None:
    done = turns.run("a", "", "b").last.data
    assert (done["tokens"], done["usage"]) == (2, None)


def test_durations_and_times_are_whole_milliseconds(turns: Turns) -> None:
    before = int(time.time() * 1000)
    told = turns.run("a")
    assert 0 <= told.last.data["duration"] < 5000
    for event in told.events:
        assert before <= event.data["timestamp"] <= int(time.time() * 1000)
        assert all(type(event.data[name]) is int for name in ("timestamp", "duration", "index") if name in event.data)


@pytest.mark.parametrize("reason", [FinishReason.STOP, FinishReason.LENGTH, FinishReason.CONTENT_FILTER])
def test_the_reason_of_the_end_is_passed_on(turns: Turns, reason: FinishReason) -> None:
    told = check(turns.run("part", Finish(reason)))
    assert (told.state, told.last.data["finishReason"]) == (TurnState.DONE, reason)


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        (("",), "EMPTY_ANSWER"),
        ((Finish(),), "EMPTY_ANSWER"),
        ((Finish(FinishReason.LENGTH),), "EMPTY_ANSWER"),
        ((Custom("card", 1),), "EMPTY_ANSWER"),
        ((Finish(FinishReason.CONTENT_FILTER),), "CONTENT_FILTERED"),
    ],
)
def test_an_answer_without_a_word_is_an_error(turns: Turns, pieces: tuple[Piece, ...], code: str) -> None:
    told = check(turns.run(*pieces))
    assert (told.state, told.last.data["code"]) == (TurnState.FAILED, code)


def test_an_event_of_the_providers_own_goes_through(turns: Turns) -> None:
    told = check(turns.run("a", Custom("card", {"size": 47}), "b"))
    assert [event.type for event in told.events] == ["token", "card", "token", "done"]
    assert told.events[1].data == {"size": 47}


@pytest.mark.parametrize("delta", ["x" * 1_000_000, "\u4e2d\U0001f600" * 200_000])
def test_a_huge_delta_becomes_many_tokens(turns: Turns, delta: str) -> None:
    told = check(turns.run(delta))
    assert told.last.data["fullText"] == delta
    assert max(len(event.data["text"]) for event in told.events[:-1]) <= 16_384


def test_an_endless_answer_ends_at_its_bound(make_turns: MakeTurns) -> None:
    def stream(_prompt: Prompt) -> Iterator[str]:
        while True:
            yield "\U0001f600" * 10_000

    told = check(make_turns(provider_of(stream)).run())
    assert told.last.data["finishReason"] == "length"
    assert utf16_length(told.last.data["fullText"]) == 1_500_000


def test_the_halves_of_a_character_are_joined(turns: Turns) -> None:
    told = check(turns.run("a\ud83d", "\ude00b", "\ud83d", "c", "\ude00", "\0", "\ud83d"))
    assert told.last.data["fullText"] == "a\U0001f600b\ufffdc\ufffd\ufffd\ufffd"


def test_stopping_before_the_provider_is_called(turns: Turns) -> None:
    running = turns.begin()
    running.stop(StopReason.ABORTED)
    told = check(turns.told(running.run()))
    assert (told.state, told.last.data["fullText"]) == (TurnState.ABORTED, "")
    assert turns.provider.calls == []


def test_stopping_while_the_history_is_read(turns: Turns) -> None:
    running = turns.begin()
    turning = turns.start(running)
    gevent.sleep(0)
    gevent.sleep(0)
    running.stop(StopReason.ABORTED)
    assert check(turns.told(turning.get(timeout=5))).state is TurnState.ABORTED
    assert turns.provider.calls == []


@pytest.mark.parametrize("pieces", [(), ("a",), ("a", "b \U0001f600")])
def test_stopping_keeps_the_text_so_far(turns: Turns, pieces: tuple[str, ...]) -> None:
    told = check(turns.stop_after(*pieces))
    assert told.state is TurnState.ABORTED
    assert (told.last.data["finishReason"], told.last.data["fullText"]) == ("aborted", "".join(pieces))


def test_being_interrupted_keeps_the_text_so_far(turns: Turns) -> None:
    told = check(turns.stop_after("part", reason=StopReason.INTERRUPTED))
    assert (told.state, told.last.data["code"]) == (TurnState.INTERRUPTED, "INTERRUPTED")


def test_the_first_reason_to_stop_counts(turns: Turns) -> None:
    call, running = turns.provider.hold(), turns.begin()
    turning = turns.start(running)
    assert call.began.wait(5)
    running.stop(StopReason.ABORTED)
    running.stop(StopReason.INTERRUPTED)
    assert check(turns.told(turning.get(timeout=5))).state is TurnState.ABORTED


def test_stopping_after_the_end_changes_nothing(turns: Turns) -> None:
    turns.provider.script("whole")
    running = turns.begin()
    state = running.run()
    running.stop(StopReason.ABORTED)
    assert state is running.state is check(turns.told(state)).state is TurnState.DONE


def test_stopping_never_switches(turns: Turns) -> None:
    call, running = turns.provider.hold(), turns.begin()
    turning = turns.start(running)
    assert call.began.wait(5)
    with no_switches():
        running.stop(StopReason.ABORTED)
    turning.get(timeout=5)


def test_an_answer_that_cannot_be_logged_is_a_failed_turn(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatbubble.stream_logs.memory.MAX_STREAM_BYTES", 5000)
    told = check(turns.run("short ", "x" * 10_000, "never"))
    assert (told.state, told.last.data["code"]) == (TurnState.FAILED, "OVERLOADED")


def test_an_answer_that_cannot_be_saved_is_whole_and_saved_later(
    turns: Turns, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fail_times(turns, monkeypatch, 3)
    caplog.set_level(logging.ERROR)
    running = turns.begin()
    turns.provider.script("part")
    assert running.run() is TurnState.DONE
    assert (turns.events()[-1].type, turns.events()[-1].data["fullText"]) == ("done", "part")
    assert "is not saved yet" in caplog.text
    deadline = time.monotonic() + 5
    while turns.told(TurnState.DONE).stored is None:
        assert time.monotonic() < deadline
        gevent.sleep(0.02)
    stored = turns.told(TurnState.DONE).stored
    assert stored is not None
    assert (stored.content, stored.finish_reason) == ("part", FinishReason.STOP)


def test_a_process_that_has_lost_a_turn_tells_nobody_its_end(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_times(turns, monkeypatch, 1)
    turns.provider.script("an old end")
    running = turns.begin(is_held=lambda: False)
    reader = turns.log.reader(turns.stream_id)
    assert running.run() is TurnState.INTERRUPTED
    assert reader.is_closed
    assert not reader.is_exhausted
    assert not turns.parts.saver.holds(turns.stream_id)


def fail_times(turns: Turns, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Have the store fail to save that many answers, each time in another way."""
    faults = [StoreUnavailable(detail="disk full"), OSError("disk gone")]
    finish = turns.store.finish_turn

    def finish_turn(*arguments: Any) -> bool:
        nonlocal times
        if times > 0:
            times -= 1
            raise faults[times % 2]
        return finish(*arguments)

    monkeypatch.setattr(turns.store, "finish_turn", finish_turn)


def test_a_turn_that_was_erased_leaves_nothing(turns: Turns) -> None:
    call, running = turns.provider.hold(), turns.begin()
    turning = turns.start(running)
    assert call.began.wait(5)
    turns.store.erase("anna")
    call.finish("too late")
    turning.get(timeout=5)
    assert turns.log.owner(turns.stream_id) is None
    assert turns.store.conversation("anna") is None


def test_a_turn_that_is_erased_before_it_begins_asks_nobody(turns: Turns, caplog: pytest.LogCaptureFixture) -> None:
    running = turns.begin()
    turns.store.erase("anna")
    running.run()
    assert turns.provider.calls == []
    assert turns.log.owner(turns.stream_id) is None
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_a_turn_that_is_erased_while_it_is_saved_leaves_nothing(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    running = turns.begin()
    turns.provider.script("whole")
    finish = turns.store.finish_turn

    def finish_turn(*arguments: Any) -> bool:
        is_kept = finish(*arguments)
        turns.log.discard(turns.stream_id)
        return is_kept

    monkeypatch.setattr(turns.store, "finish_turn", finish_turn)
    assert running.run() is TurnState.DONE
    assert turns.log.owner(turns.stream_id) is None


def test_what_a_turn_may_hold_is_what_the_log_may_hold() -> None:
    # Each unit may take six bytes, and the newest tokens are not merged yet.
    assert MAX_ANSWER_UNITS * 6 < MAX_STREAM_BYTES * 0.75


def take_away(turns: Turns, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let the store fail so many times to say what was said so far."""
    read, left = turns.store.history, iter(range(times))

    def fail(turn: Turn, limit: int) -> tuple[Message, ...]:
        if next(left, None) is not None:
            raise StoreUnavailable(detail="away")
        return read(turn, limit)

    monkeypatch.setattr(turns.store, "history", fail)
    monkeypatch.setattr("chatbubble.generation._STORE_PAUSE_S", 0.001)


def test_a_store_that_is_away_as_an_answer_begins_is_waited_for(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(turns, monkeypatch, times=3)
    told = check(turns.run("here ", "again"))
    assert (told.state, told.last.data["fullText"]) == (TurnState.DONE, "here again")


def test_a_store_that_stays_away_ends_the_answer(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(turns, monkeypatch, times=1_000_000)
    monkeypatch.setattr("chatbubble.generation._STORE_WAIT_S", 0.01)
    told = check(turns.run("never"))
    assert (told.state, told.last.data["code"]) == (TurnState.FAILED, "STORE_UNAVAILABLE")
