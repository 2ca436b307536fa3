"""How a question becomes a turn, within one transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from ..errors import TurnRunning
from ..records import Author, Question, Turn, TurnState
from ..store import Admission
from ..visitors import new_id
from . import queries, statements


def admit(connection: Connection, question: Question, stream_id: str, now: int) -> Admission:
    """See ConversationStore.begin_turn; `now` in milliseconds since the Unix epoch."""
    conversation_id = statements.lock_conversation_of(connection, question.visitor_id)
    is_first = conversation_id is None
    if conversation_id is None:
        conversation_id = new_id("conv")
        row = {"conversation_id": conversation_id, "visitor_id": question.visitor_id, "created_at": now}
        connection.execute(queries.NEW_CONVERSATION, row)
    same = statements.find_same_request(connection, question)
    if same is not None:
        # With this very stream it is our own, of an attempt whose end we have not heard of.
        return Admission(same, is_new=same.stream_id == stream_id)
    running = statements.find_running(connection, conversation_id)
    if running is not None:
        raise TurnRunning(streamId=running.stream_id)
    if question.replaces:
        told = {"conversation_id": conversation_id, "request_id": question.replaces, "replaced_at": now}
        connection.execute(queries.mark_replaced(connection.dialect.name), told)
    turn = Turn(
        stream_id=stream_id,
        conversation_id=conversation_id,
        message_id=new_id("msg"),
        visitor_id=question.visitor_id,
        request_id=question.request_id,
        state=TurnState.RUNNING,
        created_at=now,
    )
    _insert(connection, turn, question)
    return Admission(turn, is_new=True, is_first=is_first)


def _insert(connection: Connection, turn: Turn, question: Question) -> None:
    asked = {
        "message_id": new_id("msg"),
        "conversation_id": turn.conversation_id,
        "author": Author.VISITOR,
        "content": question.text,
        "created_at": turn.created_at,
        "request_id": turn.request_id,
    }
    begun = {
        "stream_id": turn.stream_id,
        "conversation_id": turn.conversation_id,
        "request_id": turn.request_id,
        "question_id": connection.scalar(queries.NEW_MESSAGE, asked),
        "message_id": turn.message_id,
        "state": turn.state,
        "created_at": turn.created_at,
    }
    connection.execute(queries.NEW_TURN, begun)
