"""Conversations in a SQL database, through SQLAlchemy Core.

SQLite: every transaction runs whole in one native thread, so no greenlet ever holds one
open across a switch, and the event loop never waits for the disk.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gevent.threadpool import ThreadPool
from sqlalchemy import Connection, create_engine, delete, select, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from ..errors import ChatbubbleError, ConfigError, StoreUnavailable
from ..records import Answer, Conversation, Feedback, FinishReason, Message, Question, Turn, TurnState
from ..store import Admission, AnswerPart, StoredTurn
from . import sqlite, statements
from .admission import admit
from .ownership import HAND_OVER_S, Ownership
from .rows import to_message, to_turn
from .schema import conversations, messages, metadata, turns

T = TypeVar("T")
logger = logging.getLogger("chatbubble.store")

SHOWN_MESSAGES = 500


@dataclass(frozen=True, slots=True)
class _Failed:
    """What became of a transaction that did not happen."""

    error: ChatbubbleError


class SqlStore:
    """See ConversationStore.

    Args:
        url: a SQLAlchemy database URL for SQLite.
        hand_over_s: how long `open` waits for another process to let go of the file.

    Raises:
        ConfigError: the URL cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        hand_over_s: float = HAND_OVER_S,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        if not url.startswith("sqlite:"):
            raise ConfigError(f"CHATBUBBLE_DATABASE_URL should start with sqlite:///, got {url.split(':')[0]!r:.40}")
        try:
            self._engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        except (ArgumentError, SQLAlchemyError):
            raise ConfigError("CHATBUBBLE_DATABASE_URL should be like sqlite:///chatbubble.db") from None
        sqlite.set_up(self._engine)
        self._now_ms = now_ms
        self._thread = ThreadPool(1)
        self._ownership = Ownership(hand_over_s)

    def open(self) -> None:
        """See ConversationStore.open; the file belongs to this process from here on."""
        self._ownership.take(self._run(sqlite.path_of))
        try:
            self._run(lambda connection: metadata.create_all(connection))
        except BaseException:
            self._ownership.release()
            raise

    def begin_turn(self, question: Question, stream_id: str) -> Admission:
        """See ConversationStore.begin_turn."""
        return self._run(lambda connection: admit(connection, question, stream_id, self._now_ms()))

    def find_request(self, question: Question) -> Turn | None:
        """See ConversationStore.find_request."""
        return self._run(lambda connection: statements.find_same_request(connection, question))

    def history(self, turn: Turn, limit: int) -> tuple[Message, ...]:
        """See ConversationStore.history."""

        def read(connection: Connection) -> tuple[Message, ...]:
            asked = select(turns.c.question_id).where(turns.c.stream_id == turn.stream_id).scalar_subquery()
            return statements.newest_messages(connection, turn.conversation_id, limit, messages.c.id <= asked)

        return self._run(read)

    def save_parts(self, parts: Sequence[AnswerPart]) -> None:
        """See ConversationStore.save_parts."""
        if parts:
            self._run(lambda connection: statements.insert_parts(connection, parts))

    def finish_turn(self, turn: Turn, answer: Answer) -> bool:
        """See ConversationStore.finish_turn."""
        return self._run(lambda connection: statements.finish_turn(connection, turn.stream_id, answer))

    def find_turn(self, stream_id: str) -> StoredTurn | None:
        """See ConversationStore.find_turn."""

        def find(connection: Connection) -> StoredTurn | None:
            row = connection.execute(statements.select_turns().where(turns.c.stream_id == stream_id)).first()
            if row is None:
                return None
            answer = connection.execute(
                statements.select_messages().where(messages.c.message_id == row.message_id)
            ).first()
            return StoredTurn(to_turn(row), to_message(answer) if answer else None)

        return self._run(find)

    def conversation(self, visitor_id: str) -> Conversation | None:
        """See ConversationStore.conversation; the newest 500 messages."""

        def read(connection: Connection) -> Conversation | None:
            conversation_id = statements.find_conversation(connection, visitor_id)
            if conversation_id is None:
                return None
            running = connection.execute(statements.select_running(conversation_id)).first()
            return Conversation(
                conversation_id,
                statements.newest_messages(connection, conversation_id, SHOWN_MESSAGES),
                to_turn(running) if running else None,
            )

        return self._run(read)

    def save_feedback(self, visitor_id: str, message_id: str, feedback: Feedback | None) -> bool:
        """See ConversationStore.save_feedback."""
        return self._run(lambda connection: statements.put_feedback(connection, visitor_id, message_id, feedback))

    def erase(self, visitor_id: str) -> tuple[str, ...]:
        """See ConversationStore.erase."""

        def erase(connection: Connection) -> tuple[str, ...]:
            conversation_id = statements.find_conversation(connection, visitor_id)
            owned = select(turns.c.stream_id).where(turns.c.conversation_id == conversation_id)
            streams = tuple(connection.scalars(owned))
            for table in (turns, messages, conversations):
                connection.execute(delete(table).where(table.c.conversation_id == conversation_id))
            return streams

        streams = self._run(erase)
        if not self._thread.apply(sqlite.empty_log, (self._engine,)):
            logger.warning("somebody reads the database file: erased words stay in its log until the next erasure")
        return streams

    def interrupt_running(self) -> int:
        """See ConversationStore.interrupt_running."""
        if not self._ownership.is_first:
            return 0  # what runs is at work in this very process, in another app

        def interrupt(connection: Connection) -> int:
            cut = connection.scalars(select(turns.c.stream_id).where(turns.c.state == TurnState.RUNNING)).all()
            for stream_id in cut:
                answer = Answer(
                    text=statements.find_text(connection, stream_id),
                    state=TurnState.INTERRUPTED,
                    finish_reason=FinishReason.INTERRUPTED,
                    error_code="INTERRUPTED",
                    finished_at=self._now_ms(),
                )
                statements.finish_turn(connection, stream_id, answer)
            return len(cut)

        return self._run(interrupt)

    def is_ready(self) -> bool:
        """See ConversationStore.is_ready."""
        try:
            return bool(self._run(lambda connection: connection.scalar(text("SELECT 1"))) == 1)
        except StoreUnavailable as failure:
            logger.warning("the store is not ready: %s", failure.detail)
            return False

    @property
    def queue_length(self) -> int:
        """See QueueingStore."""
        return len(self._thread)

    def close(self) -> None:
        """See ConversationStore.close."""
        self._thread.join()
        self._thread.apply(self._engine.dispose)
        self._thread.kill()
        self._ownership.release()

    def _run(self, transaction: Callable[[Connection], T]) -> T:
        """One whole transaction in the native thread, while other greenlets run."""
        outcome: T | _Failed = self._thread.apply(self._transact, (transaction,))
        if isinstance(outcome, _Failed):
            raise outcome.error
        return outcome

    def _transact(self, transaction: Callable[[Connection], T]) -> T | _Failed:
        # What a thread raises, gevent prints with its traceback, and most of it are
        # ordinary refusals: so it is returned instead.
        try:
            with self._engine.begin() as connection:
                return transaction(connection)
        except ChatbubbleError as refusal:
            return _Failed(refusal)
        except SQLAlchemyError as failure:
            return _Failed(_unavailable(failure))
        except Exception as failure:
            logger.exception("a transaction failed")
            return _Failed(_unavailable(failure))


def _unavailable(failure: Exception) -> StoreUnavailable:
    # Only the first line: the others hold the statement and what visitors wrote.
    reason = str(failure).partition("\n")[0]
    return StoreUnavailable(retry_after_s=5, detail=f"{type(failure).__name__}: {reason}")
