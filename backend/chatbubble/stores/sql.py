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
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..budget import Reservation, Standing
from ..errors import ChatbubbleError, StoreUnavailable
from ..records import Answer, Conversation, Feedback, Message, Question, Turn
from ..store import Admission, AnswerPart, Purged, StoredTurn
from . import ledger, queries, retention, statements
from .address import create_database
from .admission import admit
from .adoption import adopt
from .database import LONGEST_S
from .faults import is_deadlock, is_passing, unavailable
from .ownership import HAND_OVER_S
from .rows import to_turn
from .upgrade import current_revision, upgrade

T = TypeVar("T")
logger = logging.getLogger("chatbubble.store")

# Alembic works on the one migration of its process.
_upgrading = BoundedSemaphore(1)

# A page shows no more of it, and nobody should have us hold megabytes of what they have said.
SHOWN_MESSAGES, SHOWN_CHARS = 500, 250_000
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
        self._database = create_database(url, connections, is_shared, hand_over_s)
        self._now_ms = now_ms

    def open(self) -> None:
        """See ConversationStore.open; unless shared, the database is this process's own from here on."""
        self._database.claim(self.transact)
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
            self.transact(locked, limit_s=None)

    def revision(self) -> str | None:
        """The revision of the tables; None for a new database, and for one older than revisions."""
        return self.transact(current_revision)

    def begin_turn(self, question: Question, stream_id: str) -> Admission:
        """See ConversationStore.begin_turn."""
        return self.transact(lambda connection: admit(connection, question, stream_id, self._now_ms()))

    def find_request(self, question: Question) -> Turn | None:
        """See ConversationStore.find_request."""
        return self.transact(lambda connection: statements.find_same_request(connection, question))

    def history(self, turn: Turn, limit: int) -> tuple[Message, ...]:
        """See ConversationStore.history."""
        return self.transact(lambda connection: statements.messages_before(connection, turn, limit))

    def save_parts(self, parts: Sequence[AnswerPart]) -> None:
        """See ConversationStore.save_parts."""
        if parts:
            self.transact(lambda connection: statements.insert_parts(connection, parts))

    def finish_turn(self, turn: Turn, answer: Answer) -> bool:
        """See ConversationStore.finish_turn."""
        return self.transact(lambda connection: statements.finish_turn(connection, turn, answer))

    def find_turn(self, stream_id: str, visitor_id: str | None = None) -> StoredTurn | None:
        """See ConversationStore.find_turn."""

        def find(connection: Connection) -> StoredTurn | None:
            turn = statements.find_turn(connection, stream_id, visitor_id)
            return StoredTurn(turn, statements.find_message(connection, turn.message_id)) if turn else None

        return self.transact(find)

    def conversation(self, visitor_id: str) -> Conversation | None:
        """See ConversationStore.conversation; the newest messages, as many as a page shows."""

        def read(connection: Connection) -> Conversation | None:
            conversation_id = statements.find_conversation(connection, visitor_id)
            if conversation_id is None:
                return None
            return Conversation(
                conversation_id,
                statements.shown_messages(connection, conversation_id, SHOWN_MESSAGES, SHOWN_CHARS),
                statements.find_running(connection, conversation_id),
            )

        return self.transact(read)

    def save_feedback(self, visitor_id: str, message_id: str, feedback: Feedback | None) -> bool:
        """See ConversationStore.save_feedback."""
        return self.transact(lambda connection: statements.put_feedback(connection, visitor_id, message_id, feedback))

    def adopt(self, visitor_id: str, nameless_id: str) -> tuple[str, ...]:
        """See ConversationStore.adopt."""
        return self._transact_streams(lambda connection: adopt(connection, visitor_id, nameless_id))

    def erase(self, visitor_id: str) -> tuple[str, ...]:
        """See ConversationStore.erase."""
        streams = self._transact_streams(lambda connection: statements.erase(connection, visitor_id))
        self._forget_erased()
        return streams

    def purge(self, before: int, after: str = "") -> Purged | None:
        """See RetainingStore.purge."""

        def purge(connection: Connection) -> Purged | None:
            return retention.purge(connection, before, after) if self._database.lock_purge(connection) else None

        purged = self.transact(purge)
        if purged and purged.conversations:
            self._forget_erased()
        return purged

    def erased_elsewhere(self) -> tuple[str, ...]:
        """See RetainingStore.erased_elsewhere."""
        return self.transact(lambda connection: retention.erased_elsewhere(connection, self._now_ms()))

    def forget_erased(self) -> bool:
        """See to it that no file holds what was deleted; False when that has to wait."""
        return self._database.forget_erased()

    def interrupt_running(self) -> int:
        """See ConversationStore.interrupt_running."""
        if not self._database.is_first:
            return 0  # what runs is at work in another app of this process, or in another process

        def interrupt(connection: Connection) -> int:
            cut = connection.execute(queries.TURNS_RUNNING).all()
            for row in cut:
                statements.interrupt_turn(connection, to_turn(row), self._now_ms())
            return len(cut)

        return self.transact(interrupt)

    def restart_turn(self, stream_id: str) -> Turn | None:
        """See ConversationStore.restart_turn."""
        return self.transact(lambda connection: statements.restart_turn(connection, stream_id))

    def interrupt_turn(self, stream_id: str) -> bool:
        """See ConversationStore.interrupt_turn."""

        def interrupt(connection: Connection) -> bool:
            turn = statements.find_turn(connection, stream_id)
            return turn is not None and statements.interrupt_turn(connection, turn, self._now_ms())

        return self.transact(interrupt)

    def running_streams(self) -> tuple[str, ...]:
        """See ConversationStore.running_streams."""
        return self.transact(lambda connection: tuple(connection.scalars(queries.STREAMS_RUNNING)))

    def reserve(self, reservation: Reservation, cap: int) -> tuple[bool, Standing]:
        """See LedgerStore.reserve."""
        return self.transact(lambda connection: ledger.reserve(connection, reservation, cap))

    def settle(self, reservation: Reservation, cost: int) -> Standing:
        """See LedgerStore.settle."""
        return self.transact(lambda connection: ledger.settle(connection, reservation, cost))

    def cancel(self, reservation: Reservation) -> Standing:
        """See LedgerStore.cancel."""
        return self.transact(lambda connection: ledger.cancel(connection, reservation))

    def standing(self, day: str) -> Standing:
        """See LedgerStore.standing."""
        return self.transact(lambda connection: ledger.standing_of(connection, day))

    def announce(self, day: str, amount: int) -> bool:
        """See LedgerStore.announce."""
        return self.transact(lambda connection: ledger.announce(connection, day, amount))

    def is_ready(self) -> bool:
        """See ConversationStore.is_ready."""
        try:
            return bool(self.transact(lambda connection: connection.scalar(_PROBE), limit_s=READY_S) == 1)
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

    def _forget_erased(self) -> None:
        if not self.forget_erased():
            logger.warning("somebody reads the database file: erased words stay in its log until the next erasure")

    def transact(self, transaction: Callable[[Connection], T], *, limit_s: float | None = LONGEST_S) -> T:
        """Run one whole transaction, while other greenlets run; up to three times where that may help.

        Raises StoreUnavailable, and what the transaction raises of ours."""
        outcome: T | _Failed = self._database.run(lambda: self._transact(transaction), limit_s)
        if isinstance(outcome, _Failed):
            raise outcome.error
        return outcome

    def _transact_streams(self, transaction: Callable[[Connection], list[str]]) -> tuple[str, ...]:
        # A second attempt may find that the first one, whose end we have not heard of, has done it all: its streams
        # count.
        streams: dict[str, None] = {}
        self.transact(lambda connection: streams.update(dict.fromkeys(transaction(connection))))
        return tuple(streams)

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
