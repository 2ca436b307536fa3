"""Records: what they read and write themselves, and that they stay as they were made."""

from __future__ import annotations

import dataclasses
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble import records
from chatbubble.records import Cursor, Finish, FinishReason, Prompt, PromptMessage


@given(st.from_regex(r"[A-Za-z0-9]{1,24}", fullmatch=True), st.integers(0, 10**15 - 1))
def test_a_cursor_reads_what_it_wrote(epoch: str, seq: int) -> None:
    cursor = Cursor(epoch, seq)
    assert Cursor.parse(str(cursor)) == cursor
    assert len(str(cursor)) <= 40


NO_CURSORS = [
    "", ".", "a", "a.", ".1", "a.1.2", "a.-1", "a.+1", "a.01", "a.1e3", "a.1 ", " a.1", "a.1\n", "a-b.1", "a.\u0661",
    "\u00e4.1", "a" * 25 + ".1", "a." + "9" * 16, "a.x", "a,1", "a.1\0", "a.0x1",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_CURSORS)
def test_another_shape_is_no_cursor(text: str) -> None:
    assert Cursor.parse(text) is None


@given(st.text(max_size=50))
def test_a_cursor_reads_nothing_that_it_would_not_write(text: str) -> None:
    cursor = Cursor.parse(text)
    assert cursor is None or str(cursor) == text


def test_a_prompts_question_is_its_newest_message() -> None:
    prompt = Prompt((PromptMessage("system", "Be brief."), PromptMessage("user", "Why?")))
    assert prompt.question == "Why?"


def test_an_answer_ends_by_itself_unless_the_provider_says_otherwise() -> None:
    assert Finish() == Finish(FinishReason.STOP, None)


def test_every_record_is_frozen_and_has_only_its_fields() -> None:
    kinds = [kind for _, kind in inspect.getmembers(records, dataclasses.is_dataclass) if inspect.isclass(kind)]
    assert len(kinds) >= 10
    for kind in kinds:
        assert kind.__dataclass_params__.frozen, kind  # type: ignore[attr-defined]
        assert "__dict__" not in dir(kind), f"{kind} has no slots"


def test_the_words_of_the_wire_are_plain_text() -> None:
    assert [str(reason) for reason in FinishReason] == [
        "stop", "length", "aborted", "content_filter", "error", "interrupted",
    ]  # fmt: skip
    assert [str(author) for author in records.Author] == ["visitor", "assistant", "operator", "system"]
    assert [str(state) for state in records.TurnState] == ["running", "done", "aborted", "failed", "interrupted"]
