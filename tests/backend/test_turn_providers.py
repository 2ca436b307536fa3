"""Providers that fail, fall silent, or do not want to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from stream_client import joined_text
from turning import MakeTurns, Turns, check, provider_of

from chatbubble import turn as turn_module
from chatbubble.errors import UpstreamBusy, UpstreamUnavailable
from chatbubble.events import Custom
from chatbubble.records import Finish, FinishReason, Prompt, TurnState
from chatbubble.turn import StopReason

INTERNALS = "sk-live-1234 at https://models.internal"


@pytest.mark.parametrize("error", [UpstreamBusy(detail=INTERNALS), UpstreamUnavailable(detail=INTERNALS)])
def test_a_failure_of_the_providers_keeps_the_text_so_far(turns: Turns, error: UpstreamBusy) -> None:
    told = check(turns.run("par", "tial", error))
    assert told.state is TurnState.FAILED
    assert told.last.data["code"] == error.code
    assert told.last.data["retryable"] is True
    assert told.stored is not None
    assert told.stored.content == "partial"


@pytest.mark.parametrize(
    "fault",
    [
        RuntimeError(INTERNALS),
        KeyError(INTERNALS),
        MemoryError(INTERNALS),
        47,
        b"bytes",
        Custom("done", {}),
        Custom("a\nb", {}),
        Custom("card", object()),
        Custom("card", math.nan),
        Finish(FinishReason.ABORTED),
        Finish(FinishReason.ERROR),
        Finish(FinishReason.INTERRUPTED),
    ],
)
def test_any_other_fault_is_ours_to_explain(turns: Turns, fault: Any, caplog: pytest.LogCaptureFixture) -> None:
    told = check(turns.run("part", fault))
    assert (told.state, told.last.data["code"]) == (TurnState.FAILED, "STREAM_ERROR")
    assert INTERNALS not in str(told.events)
    tracebacks = [record for record in caplog.records if record.exc_info]
    assert len(tracebacks) == 1


def test_a_time_out_of_the_providers_own_is_a_time_out(make_turns: MakeTurns) -> None:
    def stream(_prompt: Prompt) -> Iterator[str]:
        yield "part"
        with gevent.Timeout(0.01):
            gevent.sleep(5)

    told = check(make_turns(provider_of(stream)).run())
    assert told.last.data["code"] == "UPSTREAM_TIMEOUT"


@pytest.mark.parametrize("stream", [lambda _: ["a", "b"], lambda _: iter("ab"), lambda _: ("a", "b")])
def test_anything_that_can_be_iterated_will_do(make_turns: MakeTurns, stream: Any) -> None:
    assert check(make_turns(provider_of(stream)).run()).last.data["fullText"] == "ab"


def test_a_provider_that_fails_when_called_is_a_failed_turn(make_turns: MakeTurns) -> None:
    def stream(_prompt: Prompt) -> Iterator[str]:
        raise UpstreamUnavailable

    assert check(make_turns(provider_of(stream)).run()).last.data["code"] == "UPSTREAM_UNAVAILABLE"


def test_a_fault_while_cleaning_up_does_not_spoil_a_whole_answer(make_turns: MakeTurns) -> None:
    class Pieces:
        def __iter__(self) -> Iterator[str]:
            return iter(["whole"])

        def close(self) -> None:
            raise RuntimeError(INTERNALS)

    told = check(make_turns(provider_of(lambda _: Pieces())).run())
    assert (told.state, told.last.data["fullText"]) == (TurnState.DONE, "whole")


@pytest.mark.parametrize("pieces", [(), ("a",), ("a", "b")])
def test_silence_ends_the_turn_and_lets_go_of_the_provider(make_turns: MakeTurns, pieces: tuple[str, ...]) -> None:
    turns = make_turns(first_token_timeout_s=0.1, token_timeout_s=0.15)
    call = turns.provider.hold()
    call.say(*pieces)
    began = time.monotonic()
    told = check(turns.run())
    assert (told.state, told.last.data["code"]) == (TurnState.FAILED, "UPSTREAM_TIMEOUT")
    assert (0.15 if pieces else 0.1) <= call.wait_until_ended() - began < 1
    assert told.stored is not None
    assert told.stored.content == "".join(pieces)


def test_a_sign_of_life_is_no_silence(make_turns: MakeTurns) -> None:
    def stream(_prompt: Prompt) -> Iterator[str]:
        for _ in range(10):
            gevent.sleep(0.05)
            yield ""
        yield "thought about it"

    turns = make_turns(provider_of(stream), first_token_timeout_s=0.2, token_timeout_s=0.2)
    assert check(turns.run()).state is TurnState.DONE


def test_an_answer_has_a_longest_life(make_turns: MakeTurns) -> None:
    def stream(_prompt: Prompt) -> Iterator[str]:
        while True:
            yield "on and "
            gevent.sleep(0.01)

    began = time.monotonic()
    told = check(make_turns(provider_of(stream), turn_timeout_s=0.3).run())
    assert told.last.data["code"] == "UPSTREAM_TIMEOUT"
    assert time.monotonic() - began < 1


def deaf(_prompt: Prompt) -> Iterator[str]:
    """Swallows its GreenletExit and goes on talking."""
    try:
        yield "before "
        gevent.sleep(60)
    except gevent.GreenletExit:
        yield "after "


def stubborn(_prompt: Prompt) -> Iterator[str]:
    """Takes its time to clean up."""
    try:
        yield "before "
        gevent.sleep(60)
    finally:
        gevent.sleep(5)


def converting(_prompt: Prompt) -> Iterator[str]:
    """Turns its own death into a fault."""
    try:
        yield "before "
        gevent.sleep(60)
    except BaseException as death:
        raise RuntimeError(INTERNALS) from death


@pytest.mark.parametrize("stream", [deaf, stubborn, converting])
@pytest.mark.parametrize("is_silent", [False, True], ids=["stopped", "silent"])
def test_a_provider_that_does_not_want_to_die_is_not_heard_any_more(
    make_turns: MakeTurns, monkeypatch: pytest.MonkeyPatch, stream: Any, is_silent: bool
) -> None:
    monkeypatch.setattr(turn_module, "_KILL_GRACE_S", 0.2)
    turns = make_turns(provider_of(stream), token_timeout_s=0.1 if is_silent else 60)
    running = turns.begin()
    turning = turns.start(running)
    while not any(event.type == "token" for event in turns.events()):
        gevent.sleep(0.001)
    if not is_silent:
        running.stop(StopReason.ABORTED)
    began = time.monotonic()
    told = check(turns.told(turning.get(timeout=5)))
    # Long before the slowest of them has cleaned up.
    assert time.monotonic() - began < 2.5
    assert told.state is (TurnState.FAILED if is_silent else TurnState.ABORTED)
    assert joined_text(told.events) == "before "
    gevent.sleep(0.6)
    assert turns.events() == told.events
