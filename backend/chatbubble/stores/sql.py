"""Conversations in a SQL database, SQLite or PostgreSQL, through SQLAlchemy Core.

What is different about the two is told in `sqlite.py` and `postgresql.py`; the tables and what
is read and written are the same. Where processes race, the unique indexes decide: whoever
loses looks a second time, and finds what the faster one has written.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gevent.lock import BoundedSemaphore
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from ..budget import Reservation, Standing
from ..errors import ChatbubbleError, ConfigError, StoreUnavailable
from ..records import Answer, Conversation, Feedback, Message, Question, Turn
from ..store import Admission, AnswerPart, StoredTurn
from . import ledger, queries, statements
from .admission import admit
from .database import LONGEST_S, Database
from .faults import is_deadlock, is_passing, unavailable
from .ownership import HAND_OVER_S
from .postgresql import PostgresDatabase
from .rows import to_turn
from .sqlite import SqliteDatabase
from .upgrade import current_revision, upgrade

T = TypeVar("T")
logger = logging.getLogger("chatbubble.store")

# Alembic works on the one migration of its process.
_upgrading = BoundedSemaphore(1)

SHOWN_MESSAGES = 500
CONNECTIONS = 10
READY_S = 2.0
_TRIES = 3
_PROBE = text("SELECT 1")


@dataclass(frozen=True, slots=True)
class _Failed:
    """What became of a transaction that did not happen."""

    error: ChatbubbleError


class SqlStore:
    """See ConversationStore.

    Args:
        url: a SQLAlchemy database URL for SQLite or PostgreSQL.
        connections: how many to PostgreSQL this process opens at most.
        is_shared: other processes use the same PostgreSQL database and know of this one: then
            nobody owns it, and `interrupt_running` ends nothing.
        hand_over_s: how long `open` waits for another process that owns the database.

    Raises:
        ConfigError: the URL cannot be used, or its driver is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = CONNECTIONS,
        is_shared: bool = False,
        hand_over_s: float = HAND_OVER_S,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        self._database = _create_database(url, connections, is_shared, hand_over_s)
        self._now_ms = now_ms

    def open(self) -> None:
        """See ConversationStore.open; unless shared, the database is this process's own from here on."""
        self._database.claim(self._run)
        try:
            self.upgrade()
        except BaseException:
            self._database.release()
            raise

    def upgrade(self) -> None:
        """Bring the tables to today's revision, whoever uses them meanwhile. Raises StoreUnavailable."""

        def locked(connection: Connection) -> None:
            self._database.lock_schema(connection)
            upgrade(connection)

        with _upgrading:
            self._run(locked, limit_s=None)

    def revision(self) -> str | None:
        """The revision of the tables; None for a new database, and for one older than revisions."""
        return self._run(current_revision)

    def begin_turn(self, question: Question, stream_id: str) -> Admission:
        """See ConversationStore.begin_turn."""
        return self._run(lambda connection: admit(connection, question, stream_id, self._now_ms()))

    def find_request(self, question: Question) -> Turn | None:
        """See ConversationStore.find_request."""
        return self._run(lambda connection: statements.find_same_request(connection, question))

    def history(self, turn: Turn, limit: int) -> tuple[Message, ...]:
        """See ConversationStore.history."""
        return self._run(lambda connection: statements.messages_before(connection, turn, limit))

    def save_parts(self, parts: Sequence[AnswerPart]) -> None:
        """See ConversationStore.save_parts."""
        if parts:
            self._run(lambda connection: statements.insert_parts(connection, parts))

    def finish_turn(self, turn: Turn, answer: Answer) -> bool:
        """See ConversationStore.finish_turn."""
        return self._run(lambda connection: statements.finish_turn(connection, turn, answer))

    def find_turn(self, stream_id: str, visitor_id: str | None = None) -> StoredTurn | None:
        """See ConversationStore.find_turn."""

        def find(connection: Connection) -> StoredTurn | None:
            turn = statements.find_turn(connection, stream_id, visitor_id)
            return StoredTurn(turn, statements.find_message(connection, turn.message_id)) if turn else None

        return self._run(find)

    def conversation(self, visitor_id: str) -> Conversation | None:
        """See ConversationStore.conversation; the newest 500 messages."""

        def read(connection: Connection) -> Conversation | None:
            conversation_id = statements.find_conversation(connection, visitor_id)
            if conversation_id is None:
                return None
            return Conversation(
                conversation_id,
                statements.newest_messages(connection, conversation_id, SHOWN_MESSAGES),
                statements.find_running(connection, conversation_id),
            )

        return self._run(read)

    def save_feedback(self, visitor_id: str, message_id: str, feedback: Feedback | None) -> bool:
        """See ConversationStore.save_feedback."""
        return self._run(lambda connection: statements.put_feedback(connection, visitor_id, message_id, feedback))

    def erase(self, visitor_id: str) -> tuple[str, ...]:
        """See ConversationStore.erase."""
        # A second attempt may find that the first one has erased everything: its streams count.
        streams: dict[str, None] = {}

        def erase(connection: Connection) -> None:
            streams.update(dict.fromkeys(statements.erase(connection, visitor_id)))

        self._run(erase)
        if not self._database.forget_erased():
            logger.warning("somebody reads the database file: erased words stay in its log until the next erasure")
        return tuple(streams)

    def interrupt_running(self) -> int:
        """See ConversationStore.interrupt_running."""
        if not self._database.is_first:
            return 0  # what runs is at work in another app of this process, or in another process

        def interrupt(connection: Connection) -> int:
            cut = connection.execute(queries.TURNS_RUNNING).all()
            for row in cut:
                statements.interrupt_turn(connection, to_turn(row), self._now_ms())
            return len(cut)

        return self._run(interrupt)

    def restart_turn(self, stream_id: str) -> Turn | None:
        """See ConversationStore.restart_turn."""
        return self._run(lambda connection: statements.restart_turn(connection, stream_id))

    def interrupt_turn(self, stream_id: str) -> bool:
        """See ConversationStore.interrupt_turn."""

        def interrupt(connection: Connection) -> bool:
            turn = statements.find_turn(connection, stream_id)
            return turn is not None and statements.interrupt_turn(connection, turn, self._now_ms())

        return self._run(interrupt)

    def running_streams(self) -> tuple[str, ...]:
        """See ConversationStore.running_streams."""
        return self._run(lambda connection: tuple(connection.scalars(queries.STREAMS_RUNNING)))

    def reserve(self, reservation: Reservation, cap: int) -> tuple[bool, Standing]:
        """See LedgerStore.reserve."""
        return self._run(lambda connection: ledger.reserve(connection, reservation, cap))

    def settle(self, reservation: Reservation, cost: int) -> Standing:
        """See LedgerStore.settle."""
        return self._run(lambda connection: ledger.settle(connection, reservation, cost))

    def cancel(self, reservation: Reservation) -> Standing:
        """See LedgerStore.cancel."""
        return self._run(lambda connection: ledger.cancel(connection, reservation))

    def standing(self, day: str) -> Standing:
        """See LedgerStore.standing."""
        return self._run(lambda connection: ledger.standing_of(connection, day))

    def announce(self, day: str, amount: int) -> bool:
        """See LedgerStore.announce."""
        return self._run(lambda connection: ledger.announce(connection, day, amount))

    def is_ready(self) -> bool:
        """See ConversationStore.is_ready."""
        try:
            return bool(self._run(lambda connection: connection.scalar(_PROBE), limit_s=READY_S) == 1)
        except StoreUnavailable as failure:
            logger.warning("the store is not ready: %s", failure.detail)
            return False

    @property
    def queue_length(self) -> int:
        """See QueueingStore."""
        return self._database.queue_length

    def close(self) -> None:
        """See ConversationStore.close."""
        self._database.close()

    def _run(self, transaction: Callable[[Connection], T], *, limit_s: float | None = LONGEST_S) -> T:
        """One whole transaction, while other greenlets run; up to three times where that may help."""
        outcome: T | _Failed = self._database.run(lambda: self._transact(transaction), limit_s)
        if isinstance(outcome, _Failed):
            raise outcome.error
        return outcome

    def _transact(self, transaction: Callable[[Connection], T]) -> T | _Failed:
        # What a thread or a greenlet raises, gevent prints with its traceback, and most of it
        # are ordinary refusals: so it is returned instead.
        try:
            return self._persist(transaction)
        except ChatbubbleError as refusal:
            return _Failed(refusal)
        except SQLAlchemyError as failure:
            return _Failed(unavailable(failure))
        except Exception as failure:
            logger.exception("a transaction failed")
            return _Failed(unavailable(failure))

    def _persist(self, transaction: Callable[[Connection], T]) -> T:
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._attempt(transaction)
            except DBAPIError as failure:
                if not tries_left or not is_passing(failure):
                    raise
                logger.info("once more: %s", unavailable(failure).detail)
                if is_deadlock(failure):
                    # Whoever waited for our locks has to wake before we take them again.
                    time.sleep(random.uniform(0.01, 0.1))
        raise AssertionError("the last try returns or raises")

    def _attempt(self, transaction: Callable[[Connection], T]) -> T:
        with self._database.engine.begin() as connection:
            return transaction(connection)


def _create_database(url: str, connections: int, is_shared: bool, hand_over_s: float) -> Database:
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        if kind in ("postgresql", "postgres"):
            return PostgresDatabase(parsed, connections=connections, is_shared=is_shared, hand_over_s=hand_over_s)
        if kind == "sqlite":
            return SqliteDatabase(parsed, hand_over_s=hand_over_s)
    except (ArgumentError, SQLAlchemyError, ValueError):
        pass  # said below, in our words
    raise ConfigError(
        f"CHATBUBBLE_DATABASE_URL should be like sqlite:///chatbubble.db or postgresql://user:password@host/name, "
        f"and begins with {url.split(':')[0]!r:.40}"
    )
