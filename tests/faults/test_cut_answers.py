"""The short form of `cut_answers.py`: 0 lost, 0 doubled, 0 stuck, whatever the network does."""

from __future__ import annotations

from cut_answers import cut_answers
from model_server import ModelServer
from process import StartProcess
from wire_client import Answer, Event, WireClient


def test_answers_cut_at_random_places_arrive_whole_and_once(
    start_process: StartProcess, model_server: ModelServer
) -> None:
    tally = cut_answers(start_process().port, answers=60, seed=7)
    assert tally.answers == 60
    assert tally.cuts > 90
    assert (tally.lost, tally.doubled, tally.stuck, tally.wrong) == (0, 0, 0, 0)
    # No answer was so long or so old that it had to be begun again.
    assert (tally.resets, tally.refusals) == (0, {})
    # However often a visitor came back, each question was asked, and paid for, once.
    assert len(model_server.requests) == 60


def told(*events: Event) -> Answer:
    client = WireClient(0, "hello")
    for event in events:
        client._take(event)
    return client.answer


def token(text: str, index: int) -> Event:
    return Event("token", {"text": text, "index": index}, "e.1")


def done(text: str) -> Event:
    return Event("done", {"fullText": text, "finishReason": "stop"}, "e.9")


def test_the_counting_client_takes_a_whole_answer_for_whole() -> None:
    assert told(token("\U0001f600a", 0), token("b", 3), done("\U0001f600ab")).is_whole
    assert told(token("a", 0), Event("reset", {}, "e.0"), token("ab", 0), done("ab")).is_whole


def test_the_counting_client_notices_what_is_missing_or_came_twice() -> None:
    assert told(token("a", 0), token("c", 2), done("abc")).units_lost == 1
    assert told(token("ab", 0), token("b", 1), done("ab")).units_doubled == 1
    assert not told(token("a", 0), done("ab")).is_whole
    assert not told(token("a", 0)).is_whole
    assert not told(token("a", 0), Event("error", {"code": "INTERRUPTED"}, "e.2")).is_whole
    assert told(done(""), done("")).refusals == ["done after the end"]
