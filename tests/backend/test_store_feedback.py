"""What every conversation store promises of feedback: see `store_forms.py`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from store_forms import EVERY_CHARACTER, answer, begin, question

from chatbubble.records import Feedback, Rating, TurnState
from chatbubble.store import ConversationStore

UP = Feedback(Rating.UP, "", 1_700_000_000_001)
DOWN = Feedback(Rating.DOWN, EVERY_CHARACTER, 1_700_000_000_002)


def answered(store: ConversationStore, visitor_id: str = "anna", state: TurnState = TurnState.DONE) -> str:
    """One whole turn; returns the id of its answer."""
    turn = begin(store, question(visitor_id=visitor_id), f"s.{visitor_id}")
    store.finish_turn(turn, answer(state=state))
    return turn.message_id


def given(store: ConversationStore, visitor_id: str = "anna") -> list[Feedback | None]:
    """The feedback on each message of a visitor's conversation."""
    conversation = store.conversation(visitor_id)
    return [message.feedback for message in conversation.messages] if conversation else []


def test_feedback_is_kept_with_its_answer(open_store: Callable[[], ConversationStore]) -> None:
    store = open_store()
    message_id = answered(store)
    assert given(store) == [None, None]
    assert store.save_feedback("anna", message_id, DOWN)
    assert given(store) == [None, DOWN]
    store.close()
    assert given(open_store()) == [None, DOWN]


def test_the_latest_feedback_stands_alone(store: ConversationStore) -> None:
    message_id = answered(store)
    for feedback in (DOWN, UP, UP):
        assert store.save_feedback("anna", message_id, feedback)
        assert given(store) == [None, feedback]


def test_feedback_can_be_taken_back(store: ConversationStore) -> None:
    message_id = answered(store)
    store.save_feedback("anna", message_id, UP)
    for _ in range(2):
        assert store.save_feedback("anna", message_id, None)
        assert given(store) == [None, None]


@pytest.mark.parametrize("state", [TurnState.ABORTED, TurnState.FAILED, TurnState.INTERRUPTED])
def test_an_answer_that_ended_badly_can_be_rated(store: ConversationStore, state: TurnState) -> None:
    assert store.save_feedback("anna", answered(store, state=state), DOWN)


@pytest.mark.parametrize("feedback", [UP, None], ids=["given", "taken back"])
def test_nobody_rates_what_is_no_answer_of_theirs(store: ConversationStore, feedback: Feedback | None) -> None:
    of_bert = answered(store, "bert")
    answered(store)
    running = begin(store, question("again", "r2"), "s2")
    conversation = store.conversation("anna")
    assert conversation is not None
    own_question = conversation.messages[0].message_id
    for message_id in (of_bert, own_question, running.message_id, "unknown", ""):
        assert not store.save_feedback("anna", message_id, feedback)
    assert not store.save_feedback("nobody", of_bert, feedback)
    assert given(store, "bert") == [None, None]


def test_feedback_is_erased_with_its_conversation(store: ConversationStore) -> None:
    message_id = answered(store)
    store.save_feedback("anna", message_id, UP)
    store.erase("anna")
    assert not store.save_feedback("anna", message_id, UP)
    # Whatever was left of it would stand at the messages that come next.
    answered(store)
    assert given(store) == [None, None]
