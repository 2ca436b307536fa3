"""Everything that is kept of conversations, as JSON for programs or as CSV for spreadsheets."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import IO, Any

from .records import KeptConversation, KeptMessage

# What makes a spreadsheet take the text of a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
COLUMNS = (
    "visitorId", "conversationId", "messageId", "author", "createdAt", "content", "finishReason", "errorCode",
    "requestId", "isReplaced", "provider", "model", "upstreamModel", "upstreamRequestId", "settings", "askedAt",
    "promptTokens", "completionTokens", "sources", "suggestions", "rating", "comment", "ratedAt",
)  # fmt: skip


def write_json(conversations: Iterable[KeptConversation], out: IO[str]) -> int:
    """Write one JSON list, a conversation a line, with times in milliseconds since the Unix epoch; returns how many."""
    count = 0
    out.write("[")
    for count, kept in enumerate(conversations, 1):
        out.write("\n" if count == 1 else ",\n")
        head = {"visitorId": kept.visitor_id, "conversationId": kept.conversation_id, "createdAt": kept.created_at}
        messages = [_told(message) for message in kept.messages]
        out.write(json.dumps({**head, "messages": messages}, ensure_ascii=False))
    out.write("\n]\n")
    return count


def write_csv(conversations: Iterable[KeptConversation], out: IO[str]) -> int:
    """Write one line a message, with times as ISO 8601 in UTC; returns how many conversations there were.

    A cell that a spreadsheet would take for a formula begins with an apostrophe: it is what strangers have written.
    """
    writer, count = csv.writer(out), 0
    writer.writerow(COLUMNS)
    for kept in conversations:
        count += 1
        for row in _rows(kept):
            writer.writerow(_cell(row.get(name)) for name in COLUMNS)
    return count


def _told(kept: KeptMessage) -> dict[str, Any]:
    """A message with all that is known of it, and nothing where nothing is."""
    message, made, usage, rated = kept.message, kept.provenance, kept.usage, kept.message.feedback
    told: dict[str, Any] = {
        "messageId": message.message_id,
        "author": message.author,
        "createdAt": message.created_at,
        "content": message.content,
        "finishReason": message.finish_reason,
        "errorCode": message.error_code,
        "requestId": message.request_id,
        "isReplaced": kept.is_replaced or None,
        "model": kept.model or None,
        "sources": [asdict(source) for source in message.sources] or None,
        "suggestions": list(message.suggestions) or None,
    }
    if made:
        call = made.call
        told |= {"provider": made.provider, "askedAt": made.asked_at, "settings": dict(call.settings)}
        told |= {"upstreamModel": call.model or None, "upstreamRequestId": call.request_id or None}
    if usage:
        told |= {"promptTokens": usage.prompt_tokens, "completionTokens": usage.completion_tokens}
    if rated:
        told |= {"rating": rated.rating, "comment": rated.comment, "ratedAt": rated.given_at}
    return {name: value for name, value in told.items() if value is not None}


def _rows(kept: KeptConversation) -> Iterator[dict[str, Any]]:
    for message in kept.messages:
        told = _told(message)
        told |= {name: _shown_time(told[name]) for name in ("createdAt", "askedAt", "ratedAt") if name in told}
        yield {"visitorId": kept.visitor_id, "conversationId": kept.conversation_id, **told}


def _shown_time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULA) else text
