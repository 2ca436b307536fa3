"""What the SQL store reads and writes within one transaction: one function, one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Row

from ..errors import RequestMismatch
from ..records import Answer, Author, Feedback, FinishReason, Message, Question, Turn, TurnState
from ..store import AnswerPart
from . import queries
from .rows import from_additions, from_provenance, to_message, to_turn

MAX_COUNT = 2**31 - 1
MODEL_CHARS = 128


def find_conversation(connection: Connection, visitor_id: str) -> str | None:
    """The id of the visitor's conversation, or None before the first question."""
    return connection.scalar(queries.CONVERSATION, {"visitor_id": visitor_id})


def lock_conversation_of(connection: Connection, visitor_id: str) -> str | None:
    """The same, and nobody else may begin, finish or erase anything in it until the end of this
    transaction. SQLite knows no such clause: there every transaction has the whole file."""
    return connection.scalar(queries.CONVERSATION_LOCKED, {"visitor_id": visitor_id})


def find_turn(connection: Connection, stream_id: str, visitor_id: str | None = None) -> Turn | None:
    """The turn of a stream; with `visitor_id` only if it is theirs."""
    wanted = {"stream_id": stream_id}
    if visitor_id is None:
        row = connection.execute(queries.TURN, wanted).first()
    else:
        row = connection.execute(queries.TURN_OF_VISITOR, {**wanted, "visitor_id": visitor_id}).first()
    return to_turn(row) if row else None


def find_same_request(connection: Connection, question: Question) -> Turn | None:
    """The turn that the question's request id has opened. Raises RequestMismatch when that was for another text."""
    wanted = {"visitor_id": question.visitor_id, "request_id": question.request_id}
    row = connection.execute(queries.TURN_OF_REQUEST, wanted).first()
    if row is None:
        return None
    if row.content != question.text:
        raise RequestMismatch()
    return to_turn(row)


def find_running(connection: Connection, conversation_id: str) -> Turn | None:
    """The turn of a conversation that runs."""
    row = connection.execute(queries.TURN_RUNNING, {"conversation_id": conversation_id}).first()
    return to_turn(row) if row else None


def find_message(connection: Connection, message_id: str) -> Message | None:
    """A question or an answer."""
    row = connection.execute(queries.MESSAGE, {"message_id": message_id}).first()
    return to_message(row) if row else None


def shown_messages(connection: Connection, conversation_id: str, limit: int, chars: int) -> tuple[Message, ...]:
    """The newest messages of a conversation that are told, as far as they have so many characters together, but at
    least two; oldest first."""
    wanted = {"conversation_id": conversation_id, "count": limit, "chars": chars}
    return _told(connection.execute(queries.SHOWN_MESSAGES, wanted).all())


def messages_before(connection: Connection, turn: Turn, limit: int) -> tuple[Message, ...]:
    """The newest messages that were told when the turn's question was put, and that one, oldest first."""
    wanted = {"conversation_id": turn.conversation_id, "count": limit, "stream_id": turn.stream_id}
    return _told(connection.execute(queries.MESSAGES_UP_TO_QUESTION, wanted).all())


def _told(rows: Sequence[Row[Any]]) -> tuple[Message, ...]:
    return tuple(to_message(row) for row in reversed(rows))


def put_feedback(connection: Connection, visitor_id: str, message_id: str, given: Feedback | None) -> bool:
    """Replace what is said of an answer; False when the visitor has no such answer."""
    wanted = {"visitor_id": visitor_id, "message_id": message_id}
    answer_id = connection.scalar(queries.ANSWER_OF_VISITOR, wanted)
    if answer_id is None:
        return False
    connection.execute(queries.NO_FEEDBACK, {"id": answer_id})
    if given is not None:
        row = {"rating": given.rating, "comment": given.comment, "given_at": given.given_at}
        connection.execute(queries.NEW_FEEDBACK, {"id": answer_id, **row})
    return True


def insert_parts(connection: Connection, parts: Sequence[AnswerPart]) -> None:
    """Keep these parts, as far as their turns run."""
    connection.execute(queries.new_part(connection.dialect.name), [asdict(part) for part in parts])


def find_text(connection: Connection, stream_id: str) -> str:
    """A running answer, as far as its parts were kept."""
    return "".join(connection.scalars(queries.PARTS, {"stream_id": stream_id}))


def finish_turn(connection: Connection, turn: Turn, answer: Answer) -> bool:
    """Save the answer and end the turn; False when it does not run any more."""
    lock_conversation_of(connection, turn.visitor_id)
    of_stream = {"stream_id": turn.stream_id}
    row = connection.execute(queries.TURN_ROW, of_stream).first()
    if row is None:
        return False
    if row.state != TurnState.RUNNING:
        return _is_saved(connection, row, answer)
    if _find_attempt(connection, turn.stream_id) != turn.attempt:
        return False
    _insert_answer(connection, row, answer)
    ended = {"ended": turn.stream_id, "state": answer.state, "finished_at": answer.finished_at}
    connection.execute(queries.END_TURN, ended)
    connection.execute(queries.NO_PARTS, of_stream)
    return True


def _is_saved(connection: Connection, turn: Row[Any], answer: Answer) -> bool:
    """Whether it ended in this very answer: in an attempt whose end we have not heard of."""
    saved = connection.execute(queries.MESSAGE_ROW, {"message_id": turn.message_id}).first()
    return (
        saved is not None
        and turn.state == answer.state
        and (saved.content, saved.created_at) == (answer.text, answer.finished_at)
    )


def restart_turn(connection: Connection, stream_id: str) -> Turn | None:
    """Make the next attempt the one that counts; None when the turn does not run."""
    turn = find_turn(connection, stream_id)
    if turn is None:
        return None
    lock_conversation_of(connection, turn.visitor_id)
    of_stream = {"stream_id": stream_id}
    # Locked, so that no part of the attempt before comes after it.
    if connection.execute(queries.TURN_LOCKED, of_stream).first() is None:
        return None
    attempt = _find_attempt(connection, stream_id) + 1
    connection.execute(queries.NO_ATTEMPT, of_stream)
    connection.execute(queries.NEW_ATTEMPT, {"stream_id": stream_id, "attempt": attempt})
    connection.execute(queries.NO_PARTS, of_stream)
    return replace(turn, attempt=attempt)


def _find_attempt(connection: Connection, stream_id: str) -> int:
    return int(connection.scalar(queries.ATTEMPT, {"stream_id": stream_id}) or 1)


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


def erase(connection: Connection, visitor_id: str) -> list[str]:
    """Everything that the visitor has; returns the streams of all turns that there were."""
    wanted = {"conversation_id": lock_conversation_of(connection, visitor_id)}
    streams = list(connection.scalars(queries.STREAMS, wanted))
    for erasure in queries.ERASURES:
        connection.execute(erasure, wanted)
    return streams


def _insert_answer(connection: Connection, turn: Row[Any], answer: Answer) -> None:
    row = {
        "message_id": turn.message_id,
        "conversation_id": turn.conversation_id,
        "author": Author.ASSISTANT,
        "content": answer.text,
        "created_at": answer.finished_at,
        "finish_reason": answer.finish_reason,
        "error_code": answer.error_code,
        "request_id": turn.request_id,
        "model": answer.model[:MODEL_CHARS],
        "prompt_tokens": _count(answer.usage.prompt_tokens if answer.usage else None),
        "completion_tokens": _count(answer.usage.completion_tokens if answer.usage else None),
    }
    answer_id = connection.scalar(queries.NEW_MESSAGE, row)
    if answer.sources or answer.suggestions:
        connection.execute(queries.NEW_ADDITIONS, {"id": answer_id, **from_additions(answer)})
    if answer.provenance is not None:
        connection.execute(queries.NEW_PROVENANCE, {"id": answer_id, **from_provenance(answer.provenance)})


def _count(tokens: int | None) -> int | None:
    # A model's server may say anything; a number that no column takes must not keep the
    # turn from being saved.
    return tokens if tokens is not None and 0 <= tokens <= MAX_COUNT else None
