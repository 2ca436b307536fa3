"""A turn whose process has died is begun anew, or ended: whoever ran it before saves nothing more of it."""

from __future__ import annotations

from store_forms import answer, begin, question, said

from chatbubble.records import Author, TurnState
from chatbubble.store import AnswerPart, ConversationStore


def test_the_attempt_before_saves_nothing_more(store: ConversationStore) -> None:
    first = begin(store)
    again = store.restart_turn("s1")
    assert again is not None
    assert (first.attempt, again.attempt, again.message_id) == (1, 2, first.message_id)
    assert not store.finish_turn(first, answer("the old one"))
    assert store.finish_turn(again, answer("the new one"))
    assert said(store) == [(Author.VISITOR, "hello"), (Author.ASSISTANT, "the new one")]


def test_the_parts_of_the_attempt_before_are_forgotten(store: ConversationStore) -> None:
    begin(store)
    store.save_parts([AnswerPart("s1", 0, "old ")])
    again = store.restart_turn("s1")
    assert again is not None
    store.save_parts([AnswerPart("s1", 1, "late "), AnswerPart("s1", 0, "new ", again.attempt)])
    assert store.interrupt_turn("s1")
    assert said(store)[-1] == (Author.ASSISTANT, "new ")


def test_a_turn_may_be_begun_anew_again(store: ConversationStore) -> None:
    begin(store)
    attempts = [store.restart_turn("s1") for _ in range(3)]
    assert [again.attempt for again in attempts if again] == [2, 3, 4]
    assert [store.finish_turn(again, answer()) for again in attempts if again] == [False, False, True]


def test_what_has_ended_is_not_begun_anew(store: ConversationStore) -> None:
    turn = begin(store)
    assert store.finish_turn(turn, answer())
    assert store.restart_turn("s1") is None
    assert store.restart_turn("unknown") is None


def test_a_turn_is_interrupted_with_what_was_saved_of_it(store: ConversationStore) -> None:
    turn = begin(store)
    store.save_parts([AnswerPart("s1", 0, "half an "), AnswerPart("s1", 1, "answer")])
    assert store.interrupt_turn("s1")
    assert not store.interrupt_turn("s1")
    assert not store.interrupt_turn("unknown")
    assert not store.finish_turn(turn, answer("too late"))
    found = store.find_turn("s1")
    assert found is not None
    assert found.answer is not None
    assert (found.turn.state, found.answer.content) == (TurnState.INTERRUPTED, "half an answer")


def test_the_streams_of_running_turns_are_known(store: ConversationStore) -> None:
    turn = begin(store)
    begin(store, question(visitor_id="ben"), "s2")
    assert sorted(store.running_streams()) == ["s1", "s2"]
    store.finish_turn(turn, answer())
    assert store.running_streams() == ("s2",)


def test_an_erased_turn_is_not_begun_anew(store: ConversationStore) -> None:
    begin(store)
    assert store.restart_turn("s1") is not None
    store.erase("anna")
    assert store.restart_turn("s1") is None
    assert store.running_streams() == ()
