"""How what somebody has said without a name becomes a person's, within one transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from ..errors import TurnRunning
from ..visitors import new_id
from . import queries, statements


def adopt(connection: Connection, visitor_id: str, nameless_id: str) -> list[str]:
    """See ConversationStore.adopt."""
    # In one order, whoever adopts from whom: two who wait for each other would wait for ever.
    ids = {each: statements.lock_conversation_of(connection, each) for each in sorted((visitor_id, nameless_id))}
    left, into = ids[nameless_id], ids[visitor_id]
    if left is None or left == into:
        return []
    for conversation_id in (left, into):
        running = statements.find_running(connection, conversation_id) if conversation_id else None
        if running is not None:
            raise TurnRunning(streamId=running.stream_id)
    streams = list(connection.scalars(queries.STREAMS, {"conversation_id": left}))
    if into is None:
        connection.execute(queries.HAND_OVER, {"left": left, "visitor_id": visitor_id})
    else:
        _merge(connection, left, into)
    return streams


def _merge(connection: Connection, left: str, into: str) -> None:
    """All rows that belong to messages and turns go where those go; both come in the order of their numbers, which is
    the one in which they were said."""
    both = {"left": left, "into": into}
    _rename_requests(connection, both)
    connection.execute(queries.BEGAN_EARLIER, both)
    for move in queries.MOVES:
        connection.execute(move, {"left": left, "conversation_id": into})
    connection.execute(queries.EMPTIED, {"left": left})


def _rename_requests(connection: Connection, both: dict[str, str]) -> None:
    """Clients make request ids up, each visitor's for themselves: the same one may be known on both sides."""
    for row in connection.execute(queries.TURNS_OF_KNOWN_REQUESTS, both).all():
        # Nobody can have guessed this one.
        named = {"request_id": new_id("req")}
        connection.execute(queries.RENAME_TURN, {"of_stream": row.stream_id, **named})
        found = {"of_question": row.question_id, "of_answer": row.message_id}
        connection.execute(queries.RENAME_MESSAGES, {**found, **named})
