"""What every conversation store promises of a question that takes an earlier one's place: see `store_forms.py`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from store_forms import answer, begin, question, said

from chatbubble.errors import TurnRunning
from chatbubble.records import TurnState
from chatbubble.store import ConversationStore


def talk(store: ConversationStore, number: int, visitor_id: str = "anna", state: TurnState = TurnState.DONE) -> None:
    """One whole turn: question and answer of that number."""
    turn = begin(store, question(f"q{number}", f"r{number}", visitor_id), f"s{number}.{visitor_id}")
    store.finish_turn(turn, answer(f"a{number}", state))


def texts(store: ConversationStore, visitor_id: str = "anna") -> list[str]:
    return [text for _, text in said(store, visitor_id)]


def test_a_replaced_turn_is_told_no_more(store: ConversationStore) -> None:
    for number in (1, 2, 3):
        talk(store, number)
    turn = begin(store, question("better", "r4", replaces="r2"), "s4")
    assert texts(store) == ["q1", "a1", "q3", "a3", "better"]
    assert [message.content for message in store.history(turn, 100)] == ["q1", "a1", "q3", "a3", "better"]
    store.finish_turn(turn, answer("best"))
    assert texts(store) == ["q1", "a1", "q3", "a3", "better", "best"]


@pytest.mark.parametrize("state", [TurnState.ABORTED, TurnState.FAILED, TurnState.INTERRUPTED])
def test_a_turn_that_ended_badly_can_be_replaced(store: ConversationStore, state: TurnState) -> None:
    talk(store, 1, state=state)
    begin(store, question("again", "r2", replaces="r1"), "s2")
    assert texts(store) == ["again"]


def test_the_limit_counts_what_is_told(store: ConversationStore) -> None:
    for number in (1, 2):
        talk(store, number)
    turn = begin(store, question("again", "r3", replaces="r2"), "s3")
    assert [message.content for message in store.history(turn, 2)] == ["a1", "again"]


def test_a_replaced_turn_is_kept(store: ConversationStore) -> None:
    talk(store, 1)
    begin(store, question("again", "r2", replaces="r1"), "s2")
    stored = store.find_turn("s1.anna")
    assert stored is not None
    assert stored.answer is not None
    assert stored.answer.content == "a1"
    found = store.find_request(question("q1", "r1"))
    assert found is not None
    assert found.stream_id == "s1.anna"


@pytest.mark.parametrize("replaces", ["unknown", "r2"], ids=["unknown", "its own"])
def test_what_is_not_there_to_be_replaced_is_ignored(store: ConversationStore, replaces: str) -> None:
    talk(store, 1)
    begin(store, question("again", "r2", replaces=replaces), "s2")
    assert texts(store) == ["q1", "a1", "again"]


def test_a_first_question_may_replace_nothing(store: ConversationStore) -> None:
    begin(store, question(replaces="r0"))
    assert texts(store) == ["hello"]


def test_nobody_replaces_what_somebody_else_asked(store: ConversationStore) -> None:
    talk(store, 1, "bert")
    talk(store, 2)
    begin(store, question("again", "r3", replaces="r1"), "s3")
    assert texts(store, "bert") == ["q1", "a1"]
    assert texts(store) == ["q2", "a2", "again"]


def test_a_running_turn_is_not_replaced(store: ConversationStore) -> None:
    begin(store)
    with pytest.raises(TurnRunning) as refused:
        store.begin_turn(question("again", "r2", replaces="r1"), "s2")
    assert refused.value.extra == {"streamId": "s1"}
    assert texts(store) == ["hello"]


def test_the_same_request_replaces_once(store: ConversationStore) -> None:
    for number in (1, 2):
        talk(store, number)
    asked = question("again", "r3", replaces="r2")
    store.finish_turn(begin(store, asked, "s3"), answer("anew"))
    for replaces in ("r2", "r1", "r3", ""):
        assert not store.begin_turn(question("again", "r3", replaces=replaces), "s4").is_new
    assert texts(store) == ["q1", "a1", "again", "anew"]


def test_what_has_replaced_can_be_replaced(store: ConversationStore) -> None:
    talk(store, 1)
    store.finish_turn(begin(store, question("second", "r2", replaces="r1"), "s2"), answer("no"))
    store.finish_turn(begin(store, question("third", "r3", replaces="r2"), "s3"), answer("yes"))
    begin(store, question("fourth", "r4", replaces="r1"), "s4")
    assert texts(store) == ["third", "yes", "fourth"]


def test_erasing_takes_what_was_replaced_along(store: ConversationStore) -> None:
    talk(store, 1)
    begin(store, question("again", "r2", replaces="r1"), "s2")
    assert sorted(store.erase("anna")) == ["s1.anna", "s2"]
    assert store.find_turn("s1.anna") is None
    # Whatever was left of the mark would hide the messages that come next.
    talk(store, 1)
    assert texts(store) == ["q1", "a1"]


def test_what_was_replaced_stays_so_after_a_restart(open_store: Callable[[], ConversationStore]) -> None:
    store = open_store()
    talk(store, 1)
    store.finish_turn(begin(store, question("again", "r2", replaces="r1"), "s2"), answer("anew"))
    store.close()
    assert texts(open_store()) == ["again", "anew"]
