"""What the SQL store reads and writes within one transaction: one function, one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from ..errors import RequestMismatch
from ..records import Answer, Author, Feedback, FinishReason, Message, Question, Turn, TurnState
from ..store import AnswerPart
from .rows import from_additions, to_message, to_turn
from .schema import (
    answer_additions,
    answer_parts,
    conversations,
    feedback,
    messages,
    replaced_messages,
    turn_attempts,
    turns,
)

MAX_COUNT = 2**31 - 1
MODEL_CHARS = 128

# Word for word as the index of running turns has it: with a parameter there, no database would use that one.
IS_RUNNING = turns.c.state == literal_column("'running'")

# Which attempt at a row of `turns` counts.
_ATTEMPT = func.coalesce(
    select(turn_attempts.c.attempt)
    .where(turn_attempts.c.stream_id == turns.c.stream_id)
    .correlate(turns)
    .scalar_subquery(),
    1,
)

_UPSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


def upsert(connection: Connection, table: Table) -> Any:
    """An insert that can say what to do about a row that is there already."""
    return _UPSERTS[connection.dialect.name](table)


def find_conversation(connection: Connection, visitor_id: str) -> str | None:
    """The id of the visitor's conversation, or None before the first question."""
    return connection.scalar(select(conversations.c.conversation_id).where(conversations.c.visitor_id == visitor_id))


def lock_conversation_of(connection: Connection, visitor_id: str) -> str | None:
    """The same, and nobody else may begin, finish or erase anything in it until the end of this
    transaction. SQLite knows no such clause: there every transaction has the whole file."""
    found = select(conversations.c.conversation_id).where(conversations.c.visitor_id == visitor_id)
    return connection.scalar(found.with_for_update())


def select_turns() -> Any:
    """A query for turns as `to_turn` takes them."""
    owner = conversations.c.conversation_id == turns.c.conversation_id
    return select(turns, _ATTEMPT.label("attempt"), conversations.c.visitor_id).join(conversations, owner)


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
    return select_turns().where(turns.c.conversation_id == conversation_id, IS_RUNNING)


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
    rows = [asdict(part) for part in parts]
    connection.execute(_insert_part(connection.dialect.name), rows)


@cache
def _insert_part(dialect: str) -> Any:
    # Only while the turn runs, and nobody ends it meanwhile: a part that comes late can neither
    # outlive an answer nor an erasure.
    given = (bindparam("position", type_=Integer), bindparam("text", type_=Text))
    running = select(turns.c.stream_id, *given).where(
        turns.c.stream_id == bindparam("stream_id"),
        IS_RUNNING,
        bindparam("attempt", type_=Integer) == _ATTEMPT,
    )
    part = _UPSERTS[dialect](answer_parts).from_select(
        ["stream_id", "position", "text"], running.with_for_update(read=True)
    )
    return part.on_conflict_do_update(index_elements=["stream_id", "position"], set_={"text": part.excluded.text})


def find_text(connection: Connection, stream_id: str) -> str:
    """A running answer, as far as its parts were kept."""
    parts = select(answer_parts.c.text).where(answer_parts.c.stream_id == stream_id)
    return "".join(connection.scalars(parts.order_by(answer_parts.c.position)))


def finish_turn(connection: Connection, turn: Turn, answer: Answer) -> bool:
    """Save the answer and end the turn; False when it does not run any more."""
    lock_conversation_of(connection, turn.visitor_id)
    row = connection.execute(select(turns).where(turns.c.stream_id == turn.stream_id)).first()
    if row is None:
        return False
    if row.state != TurnState.RUNNING:
        return _is_saved(connection, row, answer)
    if _find_attempt(connection, turn.stream_id) != turn.attempt:
        return False
    _insert_answer(connection, row, answer)
    connection.execute(
        update(turns)
        .where(turns.c.stream_id == turn.stream_id)
        .values(state=answer.state, finished_at=answer.finished_at)
    )
    connection.execute(delete(answer_parts).where(answer_parts.c.stream_id == turn.stream_id))
    return True


def _is_saved(connection: Connection, turn: Row[Any], answer: Answer) -> bool:
    """Whether it ended in this very answer: in an attempt whose end we have not heard of."""
    saved = connection.execute(select(messages).where(messages.c.message_id == turn.message_id)).first()
    return (
        saved is not None
        and turn.state == answer.state
        and (saved.content, saved.created_at) == (answer.text, answer.finished_at)
    )


def restart_turn(connection: Connection, stream_id: str) -> Turn | None:
    """Make the next attempt the one that counts; None when the turn does not run."""
    row = connection.execute(select_turns().where(turns.c.stream_id == stream_id)).first()
    if row is None:
        return None
    lock_conversation_of(connection, row.visitor_id)
    running = (turns.c.stream_id == stream_id, IS_RUNNING)
    # Locked, so that no part of the attempt before comes after it.
    if connection.execute(select(turns.c.stream_id).where(*running).with_for_update()).first() is None:
        return None
    attempt = _find_attempt(connection, stream_id) + 1
    connection.execute(delete(turn_attempts).where(turn_attempts.c.stream_id == stream_id))
    connection.execute(insert(turn_attempts).values(stream_id=stream_id, attempt=attempt))
    connection.execute(delete(answer_parts).where(answer_parts.c.stream_id == stream_id))
    return replace(to_turn(row), attempt=attempt)


def _find_attempt(connection: Connection, stream_id: str) -> int:
    return int(connection.scalar(select(_ATTEMPT).select_from(turns).where(turns.c.stream_id == stream_id)) or 1)


def interrupt_turn(connection: Connection, turn: Turn, now: int) -> bool:
    """End a turn that nobody runs any more, with what was kept of its answer; `now` in milliseconds."""
    turn = replace(turn, attempt=_find_attempt(connection, turn.stream_id))
    answer = Answer(
        text=find_text(connection, turn.stream_id),
        state=TurnState.INTERRUPTED,
        finish_reason=FinishReason.INTERRUPTED,
        error_code="INTERRUPTED",
        finished_at=now,
    )
    return finish_turn(connection, turn, answer)


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
            model=answer.model[:MODEL_CHARS],
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
