"""The stores that the contract suite runs on, and how its tests ask and answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from absent import end_without
from postgres_server import PostgresMissing, PostgresServer

from chatbubble.records import Answer, Author, FinishReason, Question, Turn, TurnState, Usage
from chatbubble.store import ConversationStore
from chatbubble.stores.sql import SqlStore

STORES = ("sqlite", "postgresql")
EVERY_CHARACTER = "".join(map(chr, [*range(1, 0xD800), *range(0xE000, 0x110000, 37)]))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests."""
    try:
        server = PostgresServer()
    except PostgresMissing as missing:
        end_without(str(missing))
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgres_tables(postgres: PostgresServer) -> str:
    """A database on it that has our tables: making them anew for each test takes a while."""
    url = postgres.create_database()
    store = SqlStore(url)
    store.upgrade()
    store.close()
    return url


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_tables: str) -> Iterator[str]:
    """A database on it with our tables, and nothing in them."""
    yield postgres_tables
    postgres.empty(postgres_tables)


@pytest.fixture(params=STORES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind, with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/chat.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def open_store(database_url: str) -> Iterator[Callable[[], ConversationStore]]:
    """Opens a store on the test's own database; opening again is a restart."""
    opened: list[ConversationStore] = []

    def open_again() -> ConversationStore:
        store = SqlStore(database_url)
        store.open()
        opened.append(store)
        return store

    yield open_again
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], ConversationStore]) -> ConversationStore:
    return open_store()


def question(text: str = "hello", request_id: str = "r1", visitor_id: str = "anna", replaces: str = "") -> Question:
    return Question(text, visitor_id, request_id, replaces=replaces)


def answer(text: str = "hi", state: TurnState = TurnState.DONE) -> Answer:
    reasons = {
        TurnState.DONE: FinishReason.STOP,
        TurnState.ABORTED: FinishReason.ABORTED,
        TurnState.FAILED: FinishReason.ERROR,
        TurnState.INTERRUPTED: FinishReason.INTERRUPTED,
    }
    code = {TurnState.FAILED: "STREAM_ERROR", TurnState.INTERRUPTED: "INTERRUPTED"}.get(state)
    return Answer(text, state, reasons[state], code, Usage(3, 4), "model-1", finished_at=1_700_000_000_000)


def begin(store: ConversationStore, asked: Question | None = None, stream_id: str = "s1") -> Turn:
    admission = store.begin_turn(asked or question(), stream_id)
    assert admission.is_new
    return admission.turn


def said(store: ConversationStore, visitor_id: str = "anna") -> list[tuple[Author, str]]:
    conversation = store.conversation(visitor_id)
    return [(message.author, message.content) for message in conversation.messages] if conversation else []
