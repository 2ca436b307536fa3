"""What every conversation store promises of a conversation that becomes somebody else's: see `store_forms.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import gevent
import pytest
from store_forms import answer, begin, question, said

from chatbubble.errors import TurnRunning
from chatbubble.records import Feedback, KeptMessage, ModelCall, Provenance, Rating, Source, Turn, TurnState
from chatbubble.store import ConversationStore
from chatbubble.stores.archive import Archive
from chatbubble.stores.sql import SqlStore

MADE = Provenance("openai", 5, ModelCall("req_1", "model-1-2024", {"temperature": 0.7}))
SOURCE = Source("Returns", "https://shop.example/returns", "60 days", 1)
LIKED = Feedback(Rating.UP, "good", 7)


def talk(store: ConversationStore, visitor_id: str, name: str, replaces: str = "") -> Turn:
    """A question of that name and its answer, with all that an answer can have."""
    turn = begin(store, question(f"{name}?", name, visitor_id, replaces), f"s-{visitor_id}-{name}")
    told = replace(answer(f"{name}!"), sources=(SOURCE,), suggestions=(f"{name} again?",), provenance=MADE)
    assert store.finish_turn(turn, told)
    store.save_feedback(visitor_id, turn.message_id, LIKED)
    return turn


def texts(store: ConversationStore, visitor_id: str) -> list[str]:
    return [text for _, text in said(store, visitor_id)]


def requests(store: ConversationStore, visitor_id: str) -> list[str | None]:
    conversation = store.conversation(visitor_id)
    return [message.request_id for message in conversation.messages] if conversation else []


@pytest.fixture
def kept(database_url: str) -> Iterator[SqlStore]:
    """A store on a database of each kind, whose clock goes on by a second at each look."""
    moments = iter(range(1000, 1_000_000, 1000))
    store = SqlStore(database_url, now_ms=lambda: next(moments))
    store.open()
    yield store
    store.close()


def all_of(store: SqlStore, visitor_id: str) -> list[KeptMessage]:
    """Everything that any table has of what a visitor has said and was told."""
    return [message for found in Archive(store, 0).read_one(visitor_id) for message in found.messages]


def test_a_person_who_has_said_nothing_gets_the_whole_conversation(kept: SqlStore) -> None:
    first, second = talk(kept, "nameless", "r1"), talk(kept, "nameless", "r2", replaces="r1")
    before, told = all_of(kept, "nameless"), kept.conversation("nameless")
    assert sorted(kept.adopt("nell", "nameless")) == [first.stream_id, second.stream_id]
    assert kept.conversation("nell") == told
    assert all_of(kept, "nell") == before
    assert [message.is_replaced for message in before] == [True, True, False, False]
    assert kept.conversation("nameless") is None


def test_two_conversations_become_one_in_the_order_in_which_all_was_said(kept: SqlStore) -> None:
    talk(kept, "nameless", "r1")
    talk(kept, "nell", "r2")
    talk(kept, "nameless", "r3", replaces="r1")
    talk(kept, "nell", "r4")
    mine, before = kept.conversation("nell"), [*all_of(kept, "nameless"), *all_of(kept, "nell")]
    assert sorted(kept.adopt("nell", "nameless")) == ["s-nameless-r1", "s-nameless-r3"]
    assert texts(kept, "nell") == ["r2?", "r2!", "r3?", "r3!", "r4?", "r4!"]
    after = kept.conversation("nell")
    assert mine is not None
    assert after is not None
    assert after.conversation_id == mine.conversation_id
    assert texts(kept, "nameless") == []
    # With whatever belongs to each of them: replaced ones, feedback, sources, how it came about.
    names = {message.message.message_id: message for message in before}
    assert [message.message.content for message in all_of(kept, "nell")][:2] == ["r1?", "r1!"]
    assert {message.message.message_id: message for message in all_of(kept, "nell")} == names
    assert sum(message.is_replaced for message in names.values()) == 2
    assert sum(message.provenance == MADE for message in names.values()) == 4
    assert sum(message.message.feedback == LIKED for message in names.values()) == 4


def test_a_conversation_is_as_old_as_what_is_oldest_in_it(kept: SqlStore) -> None:
    talk(kept, "nameless", "r1")
    talk(kept, "nell", "r2")
    (began,) = [found.created_at for found in Archive(kept, 0).read_one("nameless")]
    kept.adopt("nell", "nameless")
    assert [found.created_at for found in Archive(kept, 0).read()] == [began]
    talk(kept, "later", "r3")
    kept.adopt("nell", "later")
    assert [found.created_at for found in Archive(kept, 0).read()] == [began]


def test_whose_turns_they_were_finds_them_no_more(store: ConversationStore) -> None:
    turn = talk(store, "nameless", "r1")
    talk(store, "nell", "r2")
    store.adopt("nell", "nameless")
    stored = store.find_turn(turn.stream_id, "nell")
    assert stored is not None
    assert stored.answer is not None
    assert (stored.turn.visitor_id, stored.answer.content) == ("nell", "r1!")
    assert store.find_turn(turn.stream_id, "nameless") is None
    assert not store.save_feedback("nameless", turn.message_id, None)
    assert store.save_feedback("nell", turn.message_id, None)
    assert store.erase("nameless") == ()
    assert texts(store, "nell") == ["r1?", "r1!", "r2?", "r2!"]


def test_who_asks_a_second_time_finds_nothing(store: ConversationStore) -> None:
    talk(store, "nameless", "r1")
    assert store.adopt("nell", "nameless") == ("s-nameless-r1",)
    assert store.adopt("nell", "nameless") == ()
    assert store.adopt("nell", "nell") == ()
    assert store.adopt("nell", "nobody") == ()
    assert texts(store, "nell") == ["r1?", "r1!"]


def test_what_one_has_adopted_another_does_not_get(store: ConversationStore) -> None:
    talk(store, "nameless", "r1")
    store.adopt("nell", "nameless")
    assert store.adopt("olga", "nameless") == ()
    assert (texts(store, "nell"), texts(store, "olga")) == (["r1?", "r1!"], [])


def test_the_one_who_adopts_goes_on_from_what_was_said(store: ConversationStore) -> None:
    talk(store, "nell", "r1")
    talk(store, "nameless", "r2")
    store.adopt("nell", "nameless")
    turn = begin(store, question("r3?", "r3", "nell", replaces="r2"), "s3")
    assert [message.content for message in store.history(turn, 100)] == ["r1?", "r1!", "r3?"]
    # And who comes after them under that session begins anew.
    begin(store, question("hello", "r1", "nameless"), "s4")
    assert texts(store, "nameless") == ["hello"]


@pytest.mark.parametrize("running", ["nameless", "nell"])
def test_while_an_answer_of_either_runs_all_stays_as_it_is(store: ConversationStore, running: str) -> None:
    talk(store, "nameless", "r1")
    talk(store, "nell", "r2")
    turn = begin(store, question("r3?", "r3", running), "s-running")
    with pytest.raises(TurnRunning) as refused:
        store.adopt("nell", "nameless")
    assert refused.value.extra == {"streamId": "s-running"}
    assert (len(texts(store, "nameless")), len(texts(store, "nell"))) == ((3, 2) if running == "nameless" else (2, 3))
    assert store.finish_turn(turn, answer("r3!", TurnState.ABORTED))
    assert store.adopt("nell", "nameless") != ()
    assert texts(store, "nell") == ["r1?", "r1!", "r2?", "r2!", "r3?", "r3!"]


def test_a_running_answer_of_a_person_who_has_nothing_else_is_not_adopted(store: ConversationStore) -> None:
    begin(store, question("r1?", "r1", "nameless"), "s1")
    with pytest.raises(TurnRunning):
        store.adopt("nell", "nameless")
    assert store.conversation("nell") is None


def test_a_request_id_that_both_have_used_stays_with_the_persons_own_question(store: ConversationStore) -> None:
    theirs = talk(store, "nameless", "same")
    talk(store, "nameless", "other")
    own = begin(store, question("mine?", "same", "nell"), "s-own")
    store.finish_turn(own, answer("mine!"))
    store.adopt("nell", "nameless")
    found = store.find_request(question("mine?", "same", "nell"))
    assert found is not None
    assert found.stream_id == "s-own"
    stored = store.find_turn(theirs.stream_id, "nell")
    assert stored is not None
    renamed = stored.turn.request_id
    assert renamed not in ("same", "other")
    assert requests(store, "nell") == [renamed, renamed, "other", "other", "same", "same"]
    assert store.find_request(question("same?", renamed, "nell")) == stored.turn


def test_others_who_use_the_same_request_ids_keep_theirs(store: ConversationStore) -> None:
    for visitor_id in ("nameless", "nell", "olga"):
        talk(store, visitor_id, "same")
    store.adopt("nell", "nameless")
    assert requests(store, "olga") == ["same", "same"]


def test_many_at_once_adopt_once(store: ConversationStore) -> None:
    talk(store, "nameless", "r1")
    talk(store, "nell", "r2")
    adopting = [gevent.spawn(store.adopt, person, "nameless") for person in ("nell", "olga") * 10]
    outcomes = [greenlet.get(timeout=10) for greenlet in adopting]
    assert sorted(len(streams) for streams in outcomes) == [0] * 19 + [1]
    assert len(texts(store, "nell")) + len(texts(store, "olga")) == 4


def test_two_who_adopt_from_each_other_do_not_wait_for_ever(store: ConversationStore) -> None:
    # No route lets anybody, but a database that locks in the wrong order would hang here.
    for number in range(5):
        talk(store, "anna", f"a{number}")
        talk(store, "bert", f"b{number}")
        both = [gevent.spawn(store.adopt, "anna", "bert"), gevent.spawn(store.adopt, "bert", "anna")]
        for greenlet in both:
            greenlet.get(timeout=10)
        assert len(texts(store, "anna")) + len(texts(store, "bert")) == 4 * (number + 1)


def test_a_question_that_comes_meanwhile_is_lost_to_nobody(store: ConversationStore) -> None:
    for number in range(10):
        nameless, person = f"nameless-{number}", f"person-{number}"
        talk(store, nameless, "r1")
        asking = gevent.spawn(store.begin_turn, question("now?", "r2", person), f"s-now-{number}")
        adopting = gevent.spawn(store.adopt, person, nameless)
        turn = asking.get(timeout=10).turn
        try:
            adopting.get(timeout=10)
        except TurnRunning:
            store.finish_turn(turn, answer("now!"))
            store.adopt(person, nameless)
        assert texts(store, person)[:3] == ["r1?", "r1!", "now?"]


def test_what_was_adopted_is_there_after_a_restart(open_store: Callable[[], ConversationStore]) -> None:
    store = open_store()
    talk(store, "nameless", "r1")
    talk(store, "nell", "r2")
    store.adopt("nell", "nameless")
    before = store.conversation("nell")
    store.close()
    assert open_store().conversation("nell") == before
