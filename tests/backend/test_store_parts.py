"""What every conversation store promises of answers that are cut: see `store_forms.py`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from store_forms import EVERY_CHARACTER, answer, begin, question, said

from chatbubble.records import Author, TurnState
from chatbubble.store import AnswerPart, ConversationStore


def interrupted(open_store: Callable[[], ConversationStore], store: ConversationStore) -> str:
    """The text of anna's last answer after a sudden death and a new start."""
    store.close()
    store = open_store()
    store.interrupt_running()
    conversation = store.conversation("anna")
    assert conversation is not None
    assert conversation.running is None
    return conversation.messages[-1].content


def test_a_cut_answer_is_as_long_as_its_parts(open_store: Callable[[], ConversationStore]) -> None:
    store = open_store()
    begin(store)
    begin(store, question(visitor_id="bert"), "s2")
    store.save_parts([AnswerPart("s1", 0, "One "), AnswerPart("s2", 0, "Bert's ")])
    store.save_parts([])
    store.save_parts([AnswerPart("s2", 7, "own"), AnswerPart("s1", 11, "two " + EVERY_CHARACTER)])
    store.save_parts([AnswerPart("s1", 2000, "three")])
    assert interrupted(open_store, store) == f"One two {EVERY_CHARACTER}three"
    store = open_store()
    assert said(store, "bert")[-1] == (Author.ASSISTANT, "Bert's own")


def test_a_part_that_comes_twice_counts_once(open_store: Callable[[], ConversationStore]) -> None:
    store = open_store()
    begin(store)
    store.save_parts([AnswerPart("s1", 0, "a")])
    store.save_parts([AnswerPart("s1", 0, "ab"), AnswerPart("s1", 2, "c")])
    assert interrupted(open_store, store) == "abc"


def test_parts_of_a_running_answer_are_not_among_the_messages(store: ConversationStore) -> None:
    begin(store)
    store.save_parts([AnswerPart("s1", 0, "part")])
    stored = store.find_turn("s1")
    assert stored is not None
    assert stored.answer is None
    assert said(store) == [(Author.VISITOR, "hello")]


@pytest.mark.parametrize("state", [state for state in TurnState if state is not TurnState.RUNNING])
def test_no_part_touches_an_answer_that_has_ended(
    open_store: Callable[[], ConversationStore], state: TurnState
) -> None:
    store = open_store()
    turn = begin(store)
    store.save_parts([AnswerPart("s1", 0, "early")])
    store.finish_turn(turn, answer("whole", state))
    store.save_parts([AnswerPart("s1", 0, "late"), AnswerPart("s1", 1, "later")])
    assert interrupted(open_store, store) == "whole"
    stored = open_store().find_turn("s1")
    assert stored is not None
    assert stored.turn.state is state


def test_parts_of_an_erased_answer_are_gone_and_no_more_come(open_store: Callable[[], ConversationStore]) -> None:
    store = open_store()
    begin(store)
    store.save_parts([AnswerPart("s1", 0, "erased ")])
    assert store.erase("anna") == ("s1",)
    store.save_parts([AnswerPart("s1", 1, "late "), AnswerPart("unknown", 0, "nobody's")])
    # The same stream id, so that whatever is left of the erased one would show.
    begin(store)
    store.save_parts([AnswerPart("s1", 2, "new")])
    assert interrupted(open_store, store) == "new"
