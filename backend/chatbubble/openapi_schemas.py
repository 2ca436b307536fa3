"""The shapes of all bodies and events, as JSON Schema for the OpenAPI document.

Only what clients may rely on: there will be more fields, so none is forbidden. What JSON Schema cannot say, such as
that a message needs one character that can be seen, docs/wire.md does.
"""

from __future__ import annotations

from typing import Any

from .errors import ChatbubbleError, ClientNotFound, ConfigError, StreamEnded
from .feedback import COMMENT_CHARS
from .identity import MAX_TOKEN_CHARS
from .records import Author, FinishReason, Rating, TurnState
from .signed_sessions import PREFIX

Schema = dict[str, Any]

SESSION_PATTERN = "^[A-Za-z0-9_-]{16,128}$"
_REQUEST_ID = "^[A-Za-z0-9._:-]{1,128}$"
_LOCALE = "^$|^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$"


def _text(**rules: Any) -> Schema:
    return {"type": "string", **rules}


def _object(required: Schema, optional: Schema | None = None, **more: Any) -> Schema:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required), **more}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    """The schema of this name."""
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT = _text()
_COUNT: Schema = {"type": "integer", "minimum": 0}
_MOMENT: Schema = {"type": "integer", "minimum": 0, "description": "milliseconds since the Unix epoch, UTC"}
_NEVER_SENT = {ConfigError, ClientNotFound, StreamEnded}
_CODES = sorted({kind.code for kind in ChatbubbleError.__subclasses__() if kind not in _NEVER_SENT})

_BODIES: dict[str, Schema] = {
    "Question": _object(
        {
            "message": _text(minLength=1, description="at least one visible character; outer blanks are taken off"),
            "sessionId": _text(pattern=SESSION_PATTERN, description=f"{PREFIX}... only as POST /identify gave it"),
        },
        {
            "requestId": _or_null(_text(pattern=_REQUEST_ID)),
            "replaces": _or_null(_text(pattern=_REQUEST_ID)),
            "page": _or_null(_object({"url": _text(pattern="^[hH][tT][tT][pP][sS]?:")}, {"title": _TEXT})),
            "locale": _or_null(_text(pattern=_LOCALE)),
        },
    ),
    "Adoption": _object(
        {"sessionId": _text(pattern=SESSION_PATTERN, description=f"one that a browser made up, not {PREFIX}...")}
    ),
    "Feedback": _object(
        {
            "messageId": _text(pattern="^[A-Za-z0-9_-]{1,64}$"),
            "rating": {"enum": [*(rating.value for rating in Rating), None]},
        },
        {"comment": _or_null(_text(description=f"at most {COMMENT_CHARS:,} characters without outer blanks"))},
    ),
    "Identification": _object(
        {"token": _text(description=f"a JSON Web Token, at most {MAX_TOKEN_CHARS:,} characters")}
    ),
}

_ANSWERS: dict[str, Schema] = {
    "Error": _object(
        {
            "error": _object(
                {"code": _text(enum=_CODES), "message": _text(minLength=1), "retryable": {"type": "boolean"}},
                {
                    "field": _text(description="the way to what is wrong, such as page.url"),
                    "streamId": _TEXT,
                    "allow": _TEXT,
                },
            )
        }
    ),
    "Stopped": _object({"streamId": _TEXT, "state": _text(enum=[state.value for state in TurnState])}),
    "Conversation": _object(
        {
            "conversationId": _or_null(_TEXT),
            "messages": _list(ref("Message")),
            "activeStream": _or_null(
                _object({"streamId": _TEXT, "lastEventId": _TEXT, "messageId": _TEXT, "requestId": _TEXT})
            ),
        }
    ),
    "Message": _object(
        {
            "messageId": _TEXT,
            "author": _text(enum=[author.value for author in Author]),
            "content": _TEXT,
            "finishReason": _or_null(_text(enum=[reason.value for reason in FinishReason])),
            "errorCode": _or_null(_TEXT),
            "requestId": _or_null(_TEXT),
            "createdAt": _MOMENT,
            "sources": _or_null(_list(ref("Source"))),
            "suggestions": _or_null(_list(_TEXT)),
            "feedback": _or_null(
                _object({"rating": _text(enum=[rating.value for rating in Rating]), "comment": _TEXT})
            ),
        }
    ),
    "Source": _object({"n": _COUNT, "title": _TEXT, "url": _TEXT, "snippet": _TEXT}),
    "Session": _object({"sessionId": _TEXT, "expiresAt": _MOMENT}),
    "Options": _object(
        {
            "title": _or_null(_TEXT),
            "greeting": _or_null(_TEXT),
            "accent": _or_null(_TEXT),
            "suggestions": _or_null(_list(_TEXT)),
        }
    ),
    "Numbers": _object({"activeConnections": _COUNT, "activeTurns": _COUNT, "uptime": {"type": "number"}}),
    "Health": _object(
        {
            "status": _text(enum=["ok", "unavailable"]),
            "parts": {"type": "object", "additionalProperties": _TEXT},
        }
    ),
    "Document": _object({"openapi": _TEXT, "info": {"type": "object"}, "paths": {"type": "object"}}),
}

# The data of each event of a stream.
_EVENTS: dict[str, Schema] = {
    "Connected": _object(
        {"clientId": _TEXT, "message": _TEXT, "timestamp": _MOMENT},
        {"streamId": _TEXT, "conversationId": _TEXT, "messageId": _TEXT},
    ),
    "Token": _object({"text": _TEXT, "index": _COUNT, "timestamp": _MOMENT}),
    "Done": _object(
        {
            "messageId": _TEXT,
            "fullText": _TEXT,
            "tokens": _COUNT,
            "duration": _COUNT,
            "finishReason": _text(enum=["stop", "length", "aborted", "content_filter"]),
            "usage": _or_null(_object({"promptTokens": _COUNT, "completionTokens": _COUNT})),
            "message": _TEXT,
            "timestamp": _MOMENT,
        }
    ),
    "Failure": _object(
        {"code": _text(enum=_CODES), "message": _TEXT, "retryable": {"type": "boolean"}, "timestamp": _MOMENT}
    ),
    "Sources": _object({"sources": _list(ref("Source")), "timestamp": _MOMENT}),
    "Suggestions": _object({"suggestions": _list(_TEXT), "timestamp": _MOMENT}),
    "Reset": _object({"reason": _TEXT, "timestamp": _MOMENT}),
}

SCHEMAS: dict[str, Schema] = {**_BODIES, **_ANSWERS, **_EVENTS}
