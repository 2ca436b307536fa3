"""Rows of the tables as the records the rest of the package speaks of."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from ..records import Answer, Author, Feedback, FinishReason, Message, Rating, Source, Turn, TurnState


def to_turn(row: Row[Any]) -> Turn:
    """A row of `turns` joined with its conversation's `visitor_id` and the `attempt` that counts."""
    return Turn(
        stream_id=row.stream_id,
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        visitor_id=row.visitor_id,
        request_id=row.request_id,
        state=TurnState(row.state),
        created_at=row.created_at,
        attempt=row.attempt,
    )


def to_message(row: Row[Any]) -> Message:
    """A row of `messages` joined with its `answer_additions` and its `feedback`, if it has any."""
    return Message(
        message_id=row.message_id,
        author=Author(row.author),
        content=row.content,
        created_at=row.created_at,
        finish_reason=FinishReason(row.finish_reason) if row.finish_reason else None,
        error_code=row.error_code,
        request_id=row.request_id,
        sources=tuple(Source(**source) for source in json.loads(row.sources or "[]")),
        suggestions=tuple(json.loads(row.suggestions or "[]")),
        feedback=Feedback(Rating(row.rating), row.comment, row.given_at) if row.rating else None,
    )


def from_additions(answer: Answer) -> dict[str, str]:
    """The columns of `answer_additions` that hold what `answer` has beside its text."""
    return {
        "sources": json.dumps([asdict(source) for source in answer.sources]),
        "suggestions": json.dumps(answer.suggestions),
    }
