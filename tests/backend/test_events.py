"""Stream events to and from JSON: one line of ASCII, camelCase names, nothing lost."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.errors import ChatbubbleError, RateLimited
from chatbubble.events import (
    RESERVED_TYPES,
    TERMINAL_TYPES,
    Connected,
    Custom,
    Done,
    Error,
    Event,
    Reset,
    Sources,
    Suggestions,
    Token,
    from_json,
    is_terminal,
    to_json,
    utf16_length,
)
from chatbubble.records import FinishReason, Source, Usage

# Lone surrogates too: half an emoji may come in one delta.
TEXT = st.text(st.characters(), max_size=30)
WHOLE = st.integers(0, 2**53)
USAGE = st.none() | st.builds(Usage, WHOLE, WHOLE)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)
EVENTS = st.one_of(
    st.builds(Connected, TEXT, TEXT, WHOLE, st.none() | TEXT, st.none() | TEXT, st.none() | TEXT),
    st.builds(Token, TEXT, WHOLE, WHOLE),
    st.builds(Done, TEXT, TEXT, WHOLE, WHOLE, st.sampled_from(FinishReason), USAGE, TEXT, WHOLE),
    st.builds(Error, TEXT, TEXT, st.booleans(), WHOLE),
    st.builds(Reset, TEXT, WHOLE),
    st.builds(Sources, st.lists(st.builds(Source, TEXT, TEXT, TEXT, WHOLE), max_size=3).map(tuple), WHOLE),
    st.builds(Suggestions, st.lists(TEXT, max_size=3).map(tuple), WHOLE),
    st.builds(Custom, st.text(min_size=1).filter(lambda kind: kind not in RESERVED_TYPES), JSON_VALUES),
)
DONE = Done("msg_1", "Hi", 1, 5, FinishReason.STOP, Usage(3, 1), "The answer is complete.", 9)

WRITTEN: list[tuple[Event, object]] = [
    (Connected("c", "Connected.", 1), {"clientId": "c", "message": "Connected.", "timestamp": 1}),
    (
        Connected("c", "Connected.", 1, "s", "v", "m"),
        {"clientId": "c", "message": "Connected.", "timestamp": 1,
         "streamId": "s", "conversationId": "v", "messageId": "m"},
    ),
    (Token("Hi", 0, 1), {"text": "Hi", "index": 0, "timestamp": 1}),
    (
        DONE,
        {"messageId": "msg_1", "fullText": "Hi", "tokens": 1, "duration": 5, "finishReason": "stop",
         "usage": {"promptTokens": 3, "completionTokens": 1}, "message": "The answer is complete.", "timestamp": 9},
    ),
    (Error("X", "Oh.", True, 1), {"code": "X", "message": "Oh.", "retryable": True, "timestamp": 1}),
    (Reset("epoch", 1), {"reason": "epoch", "timestamp": 1}),
    (
        Sources((Source("Returns", "https://a.example/", "60 days.", 1),), 1),
        {"sources": [{"n": 1, "title": "Returns", "url": "https://a.example/", "snippet": "60 days."}], "timestamp": 1},
    ),
    (Suggestions(["Why?"], 1), {"suggestions": ["Why?"], "timestamp": 1}),
    (Custom("offer", [1, {"a": None}]), [1, {"a": None}]),
]  # fmt: skip


@pytest.mark.parametrize(("event", "written"), WRITTEN, ids=lambda value: getattr(value, "type", ""))
def test_an_event_is_written_with_the_names_of_the_wire(event: Event, written: object) -> None:
    assert json.loads(to_json(event)) == written


def test_an_answer_without_usage_says_null() -> None:
    done = Done("m", "", 0, 0, FinishReason.ABORTED, None, "", 0)
    assert json.loads(to_json(done))["usage"] is None
    assert from_json("done", to_json(done)) == done


@given(EVENTS)
def test_an_event_reads_back_as_it_was(event: Event) -> None:
    text = to_json(event)
    assert text.isascii()
    assert "\n" not in text
    assert "\r" not in text
    assert from_json(event.type, text) == event


def test_fields_of_tomorrow_are_ignored() -> None:
    assert from_json("token", '{"text":"a","index":0,"timestamp":1,"mood":"good"}') == Token("a", 0, 1)
    source = '{"title":"a","url":"b","rank":0.5}'
    assert from_json("sources", f'{{"sources":[{source}]}}') == Sources((Source("a", "b"),))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("token", "{}"),
        ("token", '{"text":"a","index":0}'),
        ("token", "[]"),
        ("token", '"a"'),
        ("token", "null"),
        ("token", "{"),
        ("offer", "{"),
        ("done", '{"messageId":"m"}'),
        ("sources", '{"sources":[{"title":"a"}]}'),
        ("sources", '{"sources":[1]}'),
        ("sources", '{"sources":null}'),
        ("suggestions", "{}"),
        ("done", to_json(DONE).replace('"stop"', '"tired"')),
        ("done", to_json(DONE).replace('"promptTokens"', '"tokens"')),
        ("done", to_json(DONE).replace('"usage":{', '"usage":[{').replace('},"message"', '}],"message"')),
    ],
)
def test_what_is_not_an_event_is_a_value_error(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_json(kind, text)


@pytest.mark.parametrize("data", [float("nan"), float("inf"), {1, 2}, b"x", object()])
def test_what_is_not_json_cannot_be_sent(data: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        to_json(Custom("offer", data))


def test_done_and_error_end_a_stream_and_nothing_else_does() -> None:
    assert {event.type for event, _ in WRITTEN if is_terminal(event)} == {"done", "error"} == TERMINAL_TYPES


def test_our_own_types_and_those_of_browsers_are_reserved() -> None:
    own = {"connected", "token", "done", "error", "reset", "sources", "suggestions"}
    assert own | {"message", "open"} == RESERVED_TYPES


def test_an_error_event_says_what_a_refusal_would() -> None:
    assert Error.of(RateLimited(detail="for the log"), 5) == Error("RATE_LIMITED", RateLimited.message, True, 5)
    assert Error.of(ChatbubbleError("Own words."), 5).message == "Own words."


@given(TEXT)
def test_length_is_counted_as_browsers_do(text: str) -> None:
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2
