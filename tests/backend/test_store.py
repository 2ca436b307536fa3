"""What every conversation store promises. Another one joins by a line in `store_forms.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import gevent
import pytest
from store_forms import EVERY_CHARACTER, answer, begin, question, said

from chatbubble.errors import RequestMismatch, TurnRunning
from chatbubble.records import Answer, Author, FinishReason, Message, Source, TurnState, Usage
from chatbubble.store import HISTORY_MESSAGES, ConversationStore


def test_before_the_first_question_there_is_no_conversation(store: ConversationStore) -> None:
    assert store.conversation("anna") is None
    assert store.find_request(question()) is None
    assert store.find_turn("s1") is None


def test_a_question_opens_a_running_turn(store: ConversationStore) -> None:
    turn = begin(store)
    assert (turn.stream_id, turn.visitor_id, turn.request_id, turn.state) == ("s1", "anna", "r1", TurnState.RUNNING)
    conversation = store.conversation("anna")
    assert conversation is not None
    assert conversation.conversation_id == turn.conversation_id
    assert conversation.running == turn
    assert said(store) == [(Author.VISITOR, "hello")]


def test_an_answer_ends_the_turn(store: ConversationStore) -> None:
    turn = begin(store)
    assert store.finish_turn(turn, answer("hi"))
    conversation = store.conversation("anna")
    assert conversation is not None
    assert conversation.running is None
    assert conversation.messages[-1] == Message(
        turn.message_id, Author.ASSISTANT, "hi", 1_700_000_000_000, FinishReason.STOP, None, "r1"
    )


@pytest.mark.parametrize("state", [TurnState.ABORTED, TurnState.FAILED, TurnState.INTERRUPTED])
def test_how_a_turn_ended_is_kept(store: ConversationStore, state: TurnState) -> None:
    turn = begin(store)
    store.finish_turn(turn, answer("part", state))
    stored = store.find_turn("s1")
    assert stored is not None
    assert stored.answer is not None
    assert stored.turn.state is state
    expected = answer("part", state)
    assert (stored.answer.content, stored.answer.finish_reason, stored.answer.error_code) == (
        "part",
        expected.finish_reason,
        expected.error_code,
    )


def test_a_turn_is_found_for_its_visitor_alone(store: ConversationStore) -> None:
    turn = begin(store)
    store.finish_turn(turn, answer("hi"))
    assert store.find_turn("s1", turn.visitor_id) == store.find_turn("s1")
    assert store.find_turn("s1", "somebody else") is None
    assert store.find_turn("s2", turn.visitor_id) is None


def test_a_turn_ends_once(store: ConversationStore) -> None:
    turn = begin(store)
    assert store.finish_turn(turn, answer("first"))
    assert not store.finish_turn(turn, answer("second"))
    assert said(store) == [(Author.VISITOR, "hello"), (Author.ASSISTANT, "first")]


def test_what_was_saved_already_is_saved(store: ConversationStore) -> None:
    # Whoever has not heard that a transaction succeeded tries it again.
    turn = begin(store)
    assert store.finish_turn(turn, answer())
    assert store.finish_turn(turn, answer())
    assert said(store) == [(Author.VISITOR, "hello"), (Author.ASSISTANT, "hi")]


def test_a_turn_that_was_begun_already_is_still_to_be_answered(store: ConversationStore) -> None:
    assert begin(store) == begin(store)
    assert said(store) == [(Author.VISITOR, "hello")]


def test_a_model_with_an_endless_name_does_not_stop_a_turn_from_ending(store: ConversationStore) -> None:
    assert store.finish_turn(begin(store), replace(answer(), model="m" * 1000))
    assert said(store)[-1] == (Author.ASSISTANT, "hi")


def test_a_running_turn_has_no_answer(store: ConversationStore) -> None:
    turn = begin(store)
    stored = store.find_turn("s1")
    assert stored is not None
    assert stored.turn == turn
    assert stored.answer is None


def test_one_turn_runs_in_a_conversation(store: ConversationStore) -> None:
    begin(store)
    with pytest.raises(TurnRunning) as refused:
        store.begin_turn(question("again", "r2"), "s2")
    assert refused.value.extra == {"streamId": "s1"}
    assert said(store) == [(Author.VISITOR, "hello")]


def test_the_next_question_may_follow_an_answer(store: ConversationStore) -> None:
    first = begin(store)
    store.finish_turn(first, answer())
    second = begin(store, question("again", "r2"), "s2")
    assert second.conversation_id == first.conversation_id
    assert [text for _, text in said(store)] == ["hello", "hi", "again"]


def test_visitors_do_not_stand_in_each_others_way(store: ConversationStore) -> None:
    begin(store)
    begin(store, question(visitor_id="bert"), "s2")
    assert said(store, "anna") == said(store, "bert") == [(Author.VISITOR, "hello")]


@pytest.mark.parametrize("is_finished", [False, True], ids=["running", "finished"])
def test_the_same_request_finds_its_turn(store: ConversationStore, is_finished: bool) -> None:
    turn = begin(store)
    if is_finished:
        store.finish_turn(turn, answer())
    found = store.find_request(question())
    again = store.begin_turn(question(), "s2")
    assert found == again.turn
    assert again.turn.stream_id == "s1"
    assert not again.is_new
    assert store.find_turn("s2") is None


@pytest.mark.parametrize("is_finished", [False, True], ids=["running", "finished"])
def test_a_request_id_belongs_to_one_question(store: ConversationStore, is_finished: bool) -> None:
    turn = begin(store)
    if is_finished:
        store.finish_turn(turn, answer())
    for attempt in (lambda: store.begin_turn(question("other"), "s2"), lambda: store.find_request(question("other"))):
        with pytest.raises(RequestMismatch):
            attempt()


def test_a_request_id_belongs_to_its_visitor(store: ConversationStore) -> None:
    begin(store)
    assert store.find_request(question("other", visitor_id="bert")) is None
    begin(store, question("other", visitor_id="bert"), "s2")


def test_the_same_question_at_the_same_moment_is_admitted_once(store: ConversationStore) -> None:
    asking = [gevent.spawn(store.begin_turn, question(), f"s{number}") for number in range(20)]
    admissions = [greenlet.get(timeout=5) for greenlet in asking]
    assert sum(admission.is_new for admission in admissions) == 1
    assert len({admission.turn.stream_id for admission in admissions}) == 1
    assert said(store) == [(Author.VISITOR, "hello")]


def test_the_prompt_sees_everything_up_to_its_question(store: ConversationStore) -> None:
    for number in range(3):
        turn = begin(store, question(f"q{number}", f"r{number}"), f"s{number}")
        assert store.history(turn, 100)[-1].content == f"q{number}"
        store.finish_turn(turn, answer(f"a{number}"))
    assert [message.content for message in store.history(turn, 100)] == ["q0", "a0", "q1", "a1", "q2"]
    assert [message.content for message in store.history(turn, 2)] == ["a1", "q2"]


def test_a_new_turn_comes_with_its_history(store: ConversationStore) -> None:
    for number, replaces in enumerate(("", "", "r1", "nobody's")):
        admission = store.begin_turn(question(f"q{number}", f"r{number}", replaces=replaces), f"s{number}")
        assert admission.history == store.history(admission.turn, HISTORY_MESSAGES)
        assert admission.history[-1].content == f"q{number}"
        store.finish_turn(admission.turn, answer(f"a{number}"))
    assert [message.content for message in admission.history] == ["q0", "a0", "q2", "a2", "q3"]


def test_erasing_leaves_nothing_and_names_the_streams(store: ConversationStore) -> None:
    store.finish_turn(begin(store), answer())
    running = begin(store, question("again", "r2"), "s2")
    assert sorted(store.erase("anna")) == ["s1", "s2"]
    assert store.conversation("anna") is None
    assert store.find_turn("s1") is None
    assert store.find_request(question()) is None
    assert not store.finish_turn(running, answer("too late"))
    assert store.conversation("anna") is None


def test_erasing_touches_nobody_else(store: ConversationStore) -> None:
    begin(store)
    begin(store, question(visitor_id="bert"), "s2")
    assert store.erase("anna") == ("s1",)
    assert said(store, "bert") == [(Author.VISITOR, "hello")]


def test_erasing_nothing_is_harmless(store: ConversationStore) -> None:
    assert store.erase("anna") == ()


def test_after_erasing_a_new_conversation_begins(store: ConversationStore) -> None:
    first = begin(store)
    store.erase("anna")
    second = begin(store, question("other"))
    assert second.conversation_id != first.conversation_id
    assert said(store) == [(Author.VISITOR, "other")]


def test_history_survives_a_restart(open_store: Callable[[], ConversationStore]) -> None:
    store = open_store()
    store.finish_turn(begin(store), answer())
    before = store.conversation("anna")
    store.close()
    assert open_store().conversation("anna") == before


def test_turns_that_were_cut_are_interrupted_at_the_next_start(open_store: Callable[[], ConversationStore]) -> None:
    store = open_store()
    store.finish_turn(begin(store), answer())
    cut = begin(store, question("again", "r2"), "s2")
    begin(store, question(visitor_id="bert"), "s3")
    store.close()
    store = open_store()
    assert store.interrupt_running() == 2
    assert store.interrupt_running() == 0
    stored = store.find_turn("s2")
    assert stored is not None
    assert stored.answer is not None
    assert (stored.turn.state, stored.turn.message_id) == (TurnState.INTERRUPTED, cut.message_id)
    assert (stored.answer.finish_reason, stored.answer.error_code) == (FinishReason.INTERRUPTED, "INTERRUPTED")
    begin(store, question("third", "r3"), "s4")


def test_what_an_answer_has_beside_its_text_is_kept(open_store: Callable[[], ConversationStore]) -> None:
    store = open_store()
    sources = (Source(EVERY_CHARACTER, "https://shop.example/", "60 days", 2), Source("", "", "", 1))
    added = replace(answer(), sources=sources, suggestions=(EVERY_CHARACTER, "Why?"))
    store.finish_turn(begin(store), added)
    store.close()
    store = open_store()
    conversation, stored = store.conversation("anna"), store.find_turn("s1")
    assert conversation is not None
    assert stored is not None
    for message in (conversation.messages[-1], stored.answer):
        assert message is not None
        assert (message.sources, message.suggestions) == (added.sources, added.suggestions)
    assert (conversation.messages[0].sources, conversation.messages[0].suggestions) == ((), ())


def test_every_character_comes_back_as_it_was(store: ConversationStore) -> None:
    turn = begin(store, question(EVERY_CHARACTER))
    store.finish_turn(turn, answer(EVERY_CHARACTER))
    assert [text for _, text in said(store)] == [EVERY_CHARACTER, EVERY_CHARACTER]


def test_the_longest_answer_comes_back_whole(store: ConversationStore) -> None:
    longest = "\u4e2d" * 1_500_000
    store.finish_turn(begin(store), answer(longest))
    assert said(store)[-1] == (Author.ASSISTANT, longest)


def test_of_long_messages_fewer_are_shown(store: ConversationStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        asked = question(f"question {number}", f"r{number}")
        store.finish_turn(begin(store, asked, f"s{number}"), answer("x" * 100))
    counts = []
    for chars in (1000, 250, 110, 0):
        monkeypatch.setattr("chatbubble.stores.sql.SHOWN_CHARS", chars)
        shown = [text for _, text in said(store)]
        assert shown[-2:] == ["question 3", "x" * 100]
        counts.append(len(shown))
    assert counts == [8, 4, 2, 2]


def test_messages_come_oldest_first_and_the_newest_are_kept(store: ConversationStore) -> None:
    for number in range(260):
        store.finish_turn(begin(store, question(f"q{number}", f"r{number}"), f"s{number}"), answer(f"a{number}"))
    shown = [text for _, text in said(store)]
    assert len(shown) == 500
    assert shown == [f"{kind}{number}" for number in range(10, 260) for kind in "qa"]


def test_a_count_beyond_all_reason_does_not_stop_a_turn_from_ending(store: ConversationStore) -> None:
    # It comes from a model's server, and a turn that cannot be saved stays running for ever.
    turn = begin(store)
    absurd = Answer("hi", TurnState.DONE, FinishReason.STOP, usage=Usage(10**30, -(10**30)), finished_at=1)
    assert store.finish_turn(turn, absurd)
    assert said(store)[-1] == (Author.ASSISTANT, "hi")


def test_a_ready_store_says_so(store: ConversationStore) -> None:
    assert store.is_ready()
