"""How a question becomes a turn, within one transaction."""

from __future__ import annotations

from sqlalchemy import Connection

from ..errors import TurnRunning
from ..records import Author, Message, Question, Turn, TurnState
from ..store import HISTORY_MESSAGES, Admission
from ..visitors import new_id
from . import queries, statements


def admit(connection: Connection, question: Question, stream_id: str, now: int) -> Admission:
    """See ConversationStore.begin_turn; `now` in milliseconds since the Unix epoch."""
    conversation_id = statements.lock_conversation_of(connection, question.visitor_id)
    if conversation_id is None:
        # Whoever loses a race for it looks a second time. Who does not has no turns: looking for them took 0.3 ms.
        return _open(connection, question, stream_id, now)
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
    turn, _ = _begin(connection, conversation_id, question, stream_id, now)
    # Here a thread and a transaction are at it. With ones of its own, the history took 0.7 ms more before the model
    # was asked.
    history = statements.messages_before(connection, turn, HISTORY_MESSAGES)
    return Admission(turn, is_new=True, history=history)


def _open(connection: Connection, question: Question, stream_id: str, now: int) -> Admission:
    conversation_id = new_id("conv")
    row = {"conversation_id": conversation_id, "visitor_id": question.visitor_id, "created_at": now}
    connection.execute(queries.NEW_CONVERSATION, row)
    turn, asked = _begin(connection, conversation_id, question, stream_id, now)
    return Admission(turn, is_new=True, is_first=True, history=(asked,))


def _begin(
    connection: Connection, conversation_id: str, question: Question, stream_id: str, now: int
) -> tuple[Turn, Message]:
    """A new turn, and its question."""
    turn = Turn(
        stream_id=stream_id,
        conversation_id=conversation_id,
        message_id=new_id("msg"),
        visitor_id=question.visitor_id,
        request_id=question.request_id,
        state=TurnState.RUNNING,
        created_at=now,
    )
    asked = Message(new_id("msg"), Author.VISITOR, question.text, now, request_id=question.request_id)
    _insert(connection, turn, asked)
    return turn, asked


def _insert(connection: Connection, turn: Turn, question: Message) -> None:
    asked = {
        "message_id": question.message_id,
        "conversation_id": turn.conversation_id,
        "author": question.author,
        "content": question.content,
        "created_at": question.created_at,
        "request_id": question.request_id,
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
