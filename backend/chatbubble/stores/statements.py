"""What the SQL store reads and writes within one transaction: one function, one question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Text, bindparam, delete, exists, func, insert, literal, select, update

from ..errors import RequestMismatch
from ..records import Answer, Author, Feedback, Message, Question, Turn, TurnState
from ..store import AnswerPart
from .rows import from_additions, to_message, to_turn
from .schema import answer_additions, answer_parts, conversations, feedback, messages, replaced_messages, turns

MAX_COUNT = 2**31 - 1

# Only while the turn runs: a part that comes late can neither outlive an answer nor an erasure.
_INSERT_PART = (
    insert(answer_parts)
    .prefix_with("OR REPLACE", dialect="sqlite")
    .from_select(
        ["stream_id", "position", "text"],
        select(turns.c.stream_id, bindparam("position"), bindparam("text", type_=Text)).where(
            turns.c.stream_id == bindparam("stream_id"), turns.c.state == literal(TurnState.RUNNING)
        ),
    )
)


def find_conversation(connection: Connection, visitor_id: str) -> str | None:
    """The id of the visitor's conversation, or None before the first question."""
    return connection.scalar(select(conversations.c.conversation_id).where(conversations.c.visitor_id == visitor_id))


def select_turns() -> Any:
    """A query for turns as `to_turn` takes them."""
    owner = conversations.c.conversation_id == turns.c.conversation_id
    return select(turns, conversations.c.visitor_id).join(conversations, owner)


def find_same_request(connection: Connection, question: Question) -> Turn | None:
    """The turn that the question's request id has opened. Raises RequestMismatch when that was for another text."""
    known = select_turns().add_columns(messages.c.content).join(messages, messages.c.id == turns.c.question_id)
    row = connection.execute(
        known.where(conversations.c.visitor_id == question.visitor_id, turns.c.request_id == question.request_id)
    ).first()
    if row is None:
        return None
    if row.content != question.text:
        raise RequestMismatch()
    return to_turn(row)


def select_running(conversation_id: str) -> Any:
    """A query for the turn of a conversation that runs."""
    return select_turns().where(turns.c.conversation_id == conversation_id, turns.c.state == TurnState.RUNNING)


def select_messages() -> Any:
    """A query for messages as `to_message` takes them."""
    added, given = answer_additions.c, feedback.c
    columns = (added.sources, added.suggestions, given.rating, given.comment, given.given_at)
    with_additions = select(messages, *columns).outerjoin(answer_additions, added.id == messages.c.id)
    return with_additions.outerjoin(feedback, given.id == messages.c.id)


def newest_messages(connection: Connection, conversation_id: str, limit: int, *conditions: Any) -> tuple[Message, ...]:
    """The newest messages of a conversation that are told, oldest first."""
    is_told = ~exists().where(replaced_messages.c.id == messages.c.id)
    found = select_messages().where(messages.c.conversation_id == conversation_id, is_told, *conditions)
    rows = connection.execute(found.order_by(messages.c.id.desc()).limit(limit)).all()
    return tuple(to_message(row) for row in reversed(rows))


def put_feedback(connection: Connection, visitor_id: str, message_id: str, given: Feedback | None) -> bool:
    """Replace what is said of an answer; False when the visitor has no such answer."""
    owner = conversations.c.conversation_id == messages.c.conversation_id
    answer_id = connection.scalar(
        select(messages.c.id)
        .join(conversations, owner)
        .where(
            conversations.c.visitor_id == visitor_id,
            messages.c.message_id == message_id,
            messages.c.author == Author.ASSISTANT,
        )
    )
    if answer_id is None:
        return False
    connection.execute(delete(feedback).where(feedback.c.id == answer_id))
    if given is not None:
        row = {"rating": given.rating, "comment": given.comment, "given_at": given.given_at}
        connection.execute(insert(feedback).values(id=answer_id, **row))
    return True


def insert_parts(connection: Connection, parts: Sequence[AnswerPart]) -> None:
    """Keep these parts, as far as their turns run."""
    rows = [{"stream_id": part.stream_id, "position": part.position, "text": part.text} for part in parts]
    connection.execute(_INSERT_PART, rows)


def find_text(connection: Connection, stream_id: str) -> str:
    """A running answer, as far as its parts were kept."""
    parts = select(answer_parts.c.text).where(answer_parts.c.stream_id == stream_id)
    return "".join(connection.scalars(parts.order_by(answer_parts.c.position)))


def finish_turn(connection: Connection, stream_id: str, answer: Answer) -> bool:
    """Save the answer and end the turn; False when it does not run any more."""
    row = connection.execute(select(turns).where(turns.c.stream_id == stream_id)).first()
    if row is None or row.state != TurnState.RUNNING:
        return False
    _insert_answer(connection, row, answer)
    connection.execute(
        update(turns)
        .where(turns.c.stream_id == stream_id)
        .values(state=answer.state, finished_at=func.coalesce(answer.finished_at, turns.c.created_at))
    )
    connection.execute(delete(answer_parts).where(answer_parts.c.stream_id == stream_id))
    return True


def _insert_answer(connection: Connection, turn: Row[Any], answer: Answer) -> None:
    answer_id = connection.scalar(
        insert(messages)
        .values(
            message_id=turn.message_id,
            conversation_id=turn.conversation_id,
            author=Author.ASSISTANT,
            content=answer.text,
            created_at=answer.finished_at,
            finish_reason=answer.finish_reason,
            error_code=answer.error_code,
            request_id=turn.request_id,
            model=answer.model,
            prompt_tokens=_count(answer.usage.prompt_tokens if answer.usage else None),
            completion_tokens=_count(answer.usage.completion_tokens if answer.usage else None),
        )
        .returning(messages.c.id)
    )
    if answer.sources or answer.suggestions:
        connection.execute(insert(answer_additions).values(id=answer_id, **from_additions(answer)))


def _count(tokens: int | None) -> int | None:
    # A model's server may say anything; a number that no column takes must not keep the
    # turn from being saved.
    return tokens if tokens is not None and 0 <= tokens <= MAX_COUNT else None
