"""What an owner does with conversations: read them all, erase some, delete old ones. One function, one transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from ..records import KeptConversation
from ..store import Purged
from . import queries, statements
from .rows import to_kept_message

PAGE = 100
TOLD_FOR_MS = 3_600_000  # servers look every few seconds


def purge(connection: Connection, before: int, after: str) -> Purged:
    """See RetainingStore.purge, of the conversations after that one by their ids."""
    page = connection.execute(queries.STALE_PAGE, {"before": before, "after": after, "count": PAGE}).all()
    found = [row for row in page if row.is_stale and _delete_stale(connection, row.visitor_id, before)]
    return Purged(len(found), page[-1].conversation_id if len(page) == PAGE else None)


def _delete_stale(connection: Connection, visitor_id: str, before: int) -> bool:
    # Its visitor may have come back since the page was read: once it is locked, nobody else can.
    conversation_id = statements.lock_conversation_of(connection, visitor_id)
    if not connection.scalar(queries.STALE, {"conversation_id": conversation_id, "before": before}):
        return False
    statements.erase(connection, visitor_id)
    return True


def erase_and_tell(connection: Connection, visitor_id: str, now: int) -> list[str]:
    """Erase everything that the visitor has, and leave word of it for servers that run; returns the streams."""
    streams = statements.erase(connection, visitor_id)
    if streams:
        told = [{"stream_id": stream_id, "erased_at": now} for stream_id in streams]
        connection.execute(queries.NEW_ERASED_STREAM, told)
    return streams


def erased_elsewhere(connection: Connection, now: int) -> tuple[str, ...]:
    """What `erase_and_tell` has left word of, lately."""
    connection.execute(queries.NO_ERASED_STREAMS, {"before": now - TOLD_FOR_MS})
    return tuple(connection.scalars(queries.ERASED_STREAMS))


def read_page(connection: Connection, after: str, since: int) -> tuple[list[KeptConversation], str | None]:
    """Some conversations with what was said in them since then, and where the next page begins; None after the last."""
    page = connection.execute(queries.CONVERSATIONS_PAGE, {"after": after, "count": PAGE}).all()
    read = [_read(connection, row.visitor_id, since) for row in page]
    return [kept for kept in read if kept], page[-1].conversation_id if len(page) == PAGE else None


def read_one(connection: Connection, visitor_id: str, since: int) -> list[KeptConversation]:
    """The same of one visitor, if they have said anything."""
    kept = _read(connection, visitor_id, since)
    return [kept] if kept else []


def _read(connection: Connection, visitor_id: str, since: int) -> KeptConversation | None:
    row = connection.execute(queries.CONVERSATION_ROW, {"visitor_id": visitor_id}).first()
    if row is None:
        return None
    wanted = {"conversation_id": row.conversation_id, "since": since}
    messages = tuple(to_kept_message(message) for message in connection.execute(queries.KEPT_MESSAGES, wanted))
    return KeptConversation(visitor_id, row.conversation_id, row.created_at, messages) if messages else None
