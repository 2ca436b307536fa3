"""How a question becomes a turn, within one transaction."""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, insert, literal, or_, select

from ..errors import TurnRunning
from ..records import Author, Question, Turn, TurnState
from ..store import Admission
from ..visitors import new_id
from . import statements
from .schema import conversations, messages, replaced_messages, turns


def admit(connection: Connection, question: Question, stream_id: str, now: int) -> Admission:
    """See ConversationStore.begin_turn; `now` in milliseconds since the Unix epoch."""
    conversation_id = statements.lock_conversation_of(connection, question.visitor_id)
    if conversation_id is None:
        conversation_id = new_id("conv")
        connection.execute(
            insert(conversations).values(
                conversation_id=conversation_id, visitor_id=question.visitor_id, created_at=now
            )
        )
    same = statements.find_same_request(connection, question)
    if same is not None:
        # With this very stream it is our own, of an attempt whose end we have not heard of.
        return Admission(same, is_new=same.stream_id == stream_id)
    running = connection.execute(statements.select_running(conversation_id)).first()
    if running is not None:
        raise TurnRunning(streamId=running.stream_id)
    if question.replaces:
        _mark_replaced(connection, conversation_id, question.replaces, now)
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
    return Admission(turn, is_new=True)


def _mark_replaced(connection: Connection, conversation_id: str, request_id: str, now: int) -> None:
    # Nothing runs here, so both its messages are there; of an unknown turn there are none.
    told = select(messages.c.id, literal(now, BigInteger)).join(
        turns, or_(turns.c.question_id == messages.c.id, turns.c.message_id == messages.c.message_id)
    )
    found = told.where(turns.c.conversation_id == conversation_id, turns.c.request_id == request_id)
    mark = statements.upsert(connection, replaced_messages).from_select(["id", "replaced_at"], found)
    connection.execute(mark.on_conflict_do_nothing())


def _insert(connection: Connection, turn: Turn, question: Question) -> None:
    question_id = connection.scalar(
        insert(messages)
        .values(
            message_id=new_id("msg"),
            conversation_id=turn.conversation_id,
            author=Author.VISITOR,
            content=question.text,
            created_at=turn.created_at,
            request_id=turn.request_id,
        )
        .returning(messages.c.id)
    )
    connection.execute(
        insert(turns).values(
            stream_id=turn.stream_id,
            conversation_id=turn.conversation_id,
            request_id=turn.request_id,
            question_id=question_id,
            message_id=turn.message_id,
            state=turn.state,
            created_at=turn.created_at,
        )
    )
