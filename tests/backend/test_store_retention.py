"""What the owner of a database does with it: every message with how it came about, old conversations deleted, one
visitor erased by another program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection
from store_forms import answer, begin, question, said

from chatbubble.errors import StoreUnavailable
from chatbubble.records import Author, Feedback, KeptConversation, ModelCall, Provenance, Rating, Turn
from chatbubble.store import Purged
from chatbubble.stores import queries, retention, statements
from chatbubble.stores.archive import Archive
from chatbubble.stores.sql import SqlStore
from chatbubble.well_formed import REPLACEMENT

CALL = ModelCall("req_1", "model-1-2024", {"temperature": 0.7, "max_tokens": 9})
MADE = Provenance("openai", 5, CALL)
DAY_MS = 86_400_000


@pytest.fixture
def clock() -> list[int]:
    """The time in milliseconds, to be set."""
    return [1000]


@pytest.fixture
def kept(database_url: str, clock: list[int]) -> Iterator[SqlStore]:
    """A store on a database of each kind, by that clock."""
    store = SqlStore(database_url, now_ms=lambda: clock[0])
    store.open()
    yield store
    store.close()


@pytest.fixture
def archive(kept: SqlStore, clock: list[int]) -> Archive:
    return Archive(kept, clock[0])


def talk(store: SqlStore, visitor_id: str, clock: list[int], at: int, request_id: str = "r1") -> Turn:
    """A question and its answer at one moment."""
    clock[0] = at
    turn = begin(store, question(f"{visitor_id} asks", request_id, visitor_id), f"s-{visitor_id}-{request_id}")
    store.finish_turn(turn, replace(answer(f"{visitor_id} hears"), finished_at=at, provenance=MADE))
    return turn


def visitors(store: SqlStore) -> set[str]:
    return {conversation.visitor_id for conversation in Archive(store, 0).read()}


def purge_all(store: SqlStore, before: int) -> int:
    deleted, after = 0, ""
    while (purged := store.purge(before, after)) is not None:
        deleted += purged.conversations
        if purged.next is None:
            break
        after = purged.next
    return deleted


def test_an_answer_is_kept_with_how_it_came_about(kept: SqlStore, archive: Archive, clock: list[int]) -> None:
    turn = talk(kept, "anna", clock, 1000)
    kept.save_feedback("anna", turn.message_id, Feedback(Rating.UP, "good", 7))
    (conversation,) = archive.read()
    asked, answered = conversation.messages
    assert (conversation.visitor_id, conversation.conversation_id) == ("anna", turn.conversation_id)
    assert (asked.message.author, asked.message.content, asked.provenance) == (Author.VISITOR, "anna asks", None)
    assert answered.message.feedback == Feedback(Rating.UP, "good", 7)
    assert (answered.model, answered.provenance, answered.is_replaced) == ("model-1", MADE, False)


@pytest.mark.parametrize(
    "call",
    [ModelCall("a\0b" * 99, "\ud800", {"odd": {1}, 3: "three"}), ModelCall(None, 4)],  # type: ignore[dict-item, arg-type]
    ids=["odd", "wrong"],
)
def test_whatever_a_provider_says_of_its_call_its_answer_is_kept(
    kept: SqlStore, archive: Archive, call: ModelCall
) -> None:
    turn = begin(kept)
    assert kept.finish_turn(turn, replace(answer(), provenance=Provenance("own", 1, call)))
    (conversation,) = archive.read()
    told = conversation.messages[1].provenance
    assert told is not None
    assert len(told.call.request_id) <= 128
    if call.settings:
        assert told.call.settings == {"odd": "{1}", "3": "three"}
        assert told.call.model == REPLACEMENT


def test_replaced_questions_are_read_too_and_say_so(kept: SqlStore, archive: Archive, clock: list[int]) -> None:
    talk(kept, "anna", clock, 1000)
    begin(kept, question("better", "r2", "anna", replaces="r1"), "s2")
    (conversation,) = archive.read()
    assert [(message.message.content, message.is_replaced) for message in conversation.messages] == [
        ("anna asks", True), ("anna hears", True), ("better", False),
    ]  # fmt: skip


def test_everybody_is_read_however_many_pages_there_are(
    kept: SqlStore, archive: Archive, clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGE", 2)
    for count in range(5):
        talk(kept, f"v{count}", clock, 1000 + count)
    assert sorted(found.visitor_id for found in archive.read()) == ["v0", "v1", "v2", "v3", "v4"]


def test_what_was_said_before_a_date_is_left_out(kept: SqlStore, archive: Archive, clock: list[int]) -> None:
    talk(kept, "anna", clock, 1000)
    talk(kept, "anna", clock, 3000, "r2")
    talk(kept, "bert", clock, 2000)

    def shown(found: list[KeptConversation]) -> list[tuple[str, int]]:
        return [(conversation.visitor_id, len(conversation.messages)) for conversation in found]

    assert shown([*archive.read(3000)]) == [("anna", 2)]
    assert shown([*archive.read_one("bert", 2000)]) == [("bert", 2)]
    assert shown([*archive.read_one("bert", 2001)]) == shown([*archive.read_one("nobody")]) == []


def test_what_was_silent_for_too_long_is_deleted_and_nothing_else(kept: SqlStore, clock: list[int]) -> None:
    talk(kept, "old", clock, 1000)
    talk(kept, "came back", clock, 1000)
    talk(kept, "came back", clock, 5000, "r2")
    talk(kept, "just in time", clock, 5000)
    clock[0] = 1000
    begin(kept, question("still?", "r1", "running"), "s-running")
    assert purge_all(kept, 5000) == 1
    assert visitors(kept) == {"came back", "just in time", "running"}
    assert len(said(kept, "came back")) == 4
    assert purge_all(kept, 5000) == 0
    assert purge_all(kept, 5001) == 2


def test_a_purge_reaches_everybody_a_few_at_a_time(
    kept: SqlStore, clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGE", 2)
    for count in range(5):
        talk(kept, f"v{count}", clock, 1000)
    first = kept.purge(5000)
    assert first is not None
    assert (first.conversations, len(visitors(kept))) == (2, 3)
    assert purge_all(kept, 5000) == 3
    assert visitors(kept) == set()


def test_who_comes_back_while_others_are_deleted_keeps_all(
    kept: SqlStore, clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    talk(kept, "anna", clock, 1000)
    lock = statements.lock_conversation_of

    def come_back(connection: Connection, visitor_id: str) -> str | None:
        conversation_id = lock(connection, visitor_id)
        row = {"message_id": "late", "conversation_id": conversation_id, "author": "visitor", "request_id": "r9"}
        connection.execute(queries.NEW_MESSAGE, {**row, "content": "me again", "created_at": 9000})
        return conversation_id

    monkeypatch.setattr(statements, "lock_conversation_of", come_back)
    assert purge_all(kept, 5000) == 0
    assert [text for _, text in said(kept)] == ["anna asks", "anna hears", "me again"]


def test_what_another_program_erases_is_told_to_servers_for_a_while(
    kept: SqlStore, archive: Archive, clock: list[int]
) -> None:
    talk(kept, "anna", clock, 1000)
    talk(kept, "bert", clock, 1000)
    assert kept.erased_elsewhere() == ()
    assert archive.erase("anna") == ("s-anna-r1",)
    assert archive.erase("anna") == ()
    assert kept.erased_elsewhere() == ("s-anna-r1",)
    assert visitors(kept) == {"bert"}
    assert archive.forget_erased()
    clock[0] += retention.TOLD_FOR_MS + 1
    assert kept.erased_elsewhere() == ()


def test_what_a_server_erases_itself_is_told_to_nobody(kept: SqlStore, clock: list[int]) -> None:
    talk(kept, "anna", clock, 1000)
    kept.erase("anna")
    assert kept.erased_elsewhere() == ()


def test_a_database_that_is_not_the_right_one_is_named(tmp_path: Path, kept: SqlStore, archive: Archive) -> None:
    archive.check()
    empty = SqlStore(f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(StoreUnavailable, match="is it the one that the server uses"):
        Archive(empty, 0).check()
    empty.close()


@pytest.mark.parametrize("writes", [lambda store: store.erase("anna"), lambda store: store.purge(5000)])
def test_no_word_is_left_in_the_file(tmp_path: Path, clock: list[int], writes: Callable[[SqlStore], object]) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/words.db", now_ms=lambda: clock[0])
    store.open()
    talk(store, "anna", clock, 1000)
    writes(store)
    left = b"".join(path.read_bytes() for path in tmp_path.glob("words.db*"))
    store.close()
    assert b"anna asks" not in left
    assert b"req_1" not in left


def test_where_another_process_purges_nothing_is_purged(postgres_url: str, clock: list[int]) -> None:
    stores = [SqlStore(postgres_url, is_shared=True, now_ms=lambda: clock[0]) for _ in range(2)]
    talk(stores[0], "anna", clock, 1000)

    def meanwhile(_connection: Connection) -> Purged | None:
        assert stores[0]._database.lock_purge(_connection)
        return stores[1].purge(5000)

    assert stores[0].transact(meanwhile) is None
    assert stores[1].purge(5000) == Purged(1, None)
    for store in stores:
        store.close()
