"""Rows of the tables as the records the rest of the package speaks of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from ..records import Author, FinishReason, Message, Turn, TurnState


def to_turn(row: Row[Any]) -> Turn:
    """A row of `turns` joined with its conversation's `visitor_id`."""
    return Turn(
        stream_id=row.stream_id,
        conversation_id=row.conversation_id,
        message_id=row.message_id,
        visitor_id=row.visitor_id,
        request_id=row.request_id,
        state=TurnState(row.state),
        created_at=row.created_at,
    )


def to_message(row: Row[Any]) -> Message:
    """A row of `messages`."""
    return Message(
        message_id=row.message_id,
        author=Author(row.author),
        content=row.content,
        created_at=row.created_at,
        finish_reason=FinishReason(row.finish_reason) if row.finish_reason else None,
        error_code=row.error_code,
        request_id=row.request_id,
    )
