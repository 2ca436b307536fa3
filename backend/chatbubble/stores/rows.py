"""Rows of the tables as the records the rest of the package speaks of."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row

from ..records import (
    Answer,
    Author,
    Feedback,
    FinishReason,
    KeptMessage,
    Message,
    ModelCall,
    Provenance,
    Rating,
    Source,
    Turn,
    TurnState,
    Usage,
)
from ..well_formed import well_formed

NAME_CHARS = 128
PROVIDER_CHARS = 64


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


def from_provenance(provenance: Provenance) -> dict[str, str | int]:
    """The columns of `answer_provenance`. Whatever a provider may say must fit: its answer is not to be lost for it."""
    call = provenance.call
    return {
        "provider": well_formed(str(provenance.provider))[:PROVIDER_CHARS],
        "upstream_id": well_formed(str(call.request_id))[:NAME_CHARS],
        "upstream_model": well_formed(str(call.model))[:NAME_CHARS],
        "settings": json.dumps({str(name): value for name, value in call.settings.items()}, default=str),
        "asked_at": provenance.asked_at,
    }


def to_kept_message(row: Row[Any]) -> KeptMessage:
    """A row of `messages` with all that any table has of it."""
    call = ModelCall(row.upstream_id, row.upstream_model, json.loads(row.settings)) if row.settings else None
    has_usage = row.prompt_tokens is not None and row.completion_tokens is not None
    return KeptMessage(
        message=to_message(row),
        is_replaced=row.replaced_at is not None,
        model=row.model or "",
        usage=Usage(row.prompt_tokens, row.completion_tokens) if has_usage else None,
        provenance=Provenance(row.provider, row.asked_at, call) if call else None,
    )
