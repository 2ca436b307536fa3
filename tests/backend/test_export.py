"""What an export says, and that no cell of it is a formula."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.export import COLUMNS, write_csv, write_json
from chatbubble.records import (
    Author,
    Feedback,
    FinishReason,
    KeptConversation,
    KeptMessage,
    Message,
    ModelCall,
    Provenance,
    Rating,
    Source,
    Usage,
)

CALL = ModelCall("req_1", "model-1-2024", {"temperature": 0.5})
ANSWER = KeptMessage(
    Message(
        "m2", Author.ASSISTANT, "Hi, \u4f60\u597d", 1_700_000_000_123, FinishReason.STOP, None, "r1",
        (Source("Help", "https://shop.example", "", 1),), ("Why?",), Feedback(Rating.UP, "=1+1", 1_700_000_009_000),
    ),
    False, "model-1", Usage(3, 4), Provenance("openai", 1_700_000_000_000, CALL),
)  # fmt: skip
QUESTION = KeptMessage(Message("m1", Author.VISITOR, "Hello", 1_699_999_999_000, request_id="r1"), True)
KEPT = KeptConversation("anna", "c1", 1_699_999_999_000, (QUESTION, ANSWER))


def csv_rows(*kept: KeptConversation) -> list[dict[str, str]]:
    out = io.StringIO(newline="")
    assert write_csv(kept, out) == len(kept)
    return list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))


def test_json_holds_everything() -> None:
    out = io.StringIO()
    assert write_json([KEPT, KEPT], out) == 2
    first, second = json.loads(out.getvalue())
    assert first == second
    assert first["visitorId"] == "anna"
    assert first["messages"][0] == {
        "messageId": "m1", "author": "visitor", "createdAt": 1_699_999_999_000, "content": "Hello", "requestId": "r1",
        "isReplaced": True,
    }  # fmt: skip
    assert first["messages"][1] == {
        "messageId": "m2", "author": "assistant", "createdAt": 1_700_000_000_123, "content": "Hi, \u4f60\u597d",
        "finishReason": "stop", "requestId": "r1", "model": "model-1",
        "sources": [{"title": "Help", "url": "https://shop.example", "snippet": "", "n": 1}], "suggestions": ["Why?"],
        "provider": "openai", "askedAt": 1_700_000_000_000, "settings": {"temperature": 0.5},
        "upstreamModel": "model-1-2024", "upstreamRequestId": "req_1", "promptTokens": 3, "completionTokens": 4,
        "rating": "up", "comment": "=1+1", "ratedAt": 1_700_000_009_000,
    }  # fmt: skip


def test_json_of_nothing_is_an_empty_list() -> None:
    out = io.StringIO()
    assert write_json([], out) == 0
    assert json.loads(out.getvalue()) == []


def test_csv_has_a_column_for_everything_that_json_has() -> None:
    out = io.StringIO()
    write_json([KEPT], out)
    (told,) = json.loads(out.getvalue())
    names = {"visitorId", "conversationId"}.union(*(message.keys() for message in told["messages"]))
    assert names | {"errorCode"} == set(COLUMNS)
    asked, answered = csv_rows(KEPT)
    assert (asked["content"], asked["isReplaced"], asked["model"]) == ("Hello", "true", "")
    assert (answered["createdAt"], answered["upstreamRequestId"]) == ("2023-11-14T22:13:20.123+00:00", "req_1")
    assert answered["settings"] == '{"temperature": 0.5}'
    assert answered["comment"] == "'=1+1"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_begins_as_a_formula_does(start: str) -> None:
    text = f'{start}HYPERLINK("https://evil.example";"x"),\r\nand more'
    evil = KeptMessage(Message("m1", Author.VISITOR, text, 1), False)
    (row,) = csv_rows(KeptConversation("anna", "c1", 1, (evil,)))
    assert row["content"] == f"'{text}"


@given(st.text())
def test_any_other_text_is_as_it_was_said(text: str) -> None:
    said = KeptMessage(Message("m1", Author.VISITOR, text, 1), False)
    (row,) = csv_rows(KeptConversation("anna", "c1", 1, (said,)))
    assert row["content"] in (text, f"'{text}")
    assert row["content"][:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")
