"""What each route takes and gives, in a row per method: `views.ROUTES` for people and their programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import errors as e
from .incoming import MAX_WAIT_S
from .openapi_schemas import Schema

JSON = "application/json"
EVENTS = "text/event-stream"

_UNREADY = (e.StoreUnavailable, e.Unpatched, e.SeveralProcesses)
_OF_BODY = (e.PayloadTooLarge, e.UnsupportedMediaType)
_OF_TURN = (e.ShuttingDown, e.TurnRunning, e.RequestMismatch, e.RateLimited)

PARAMETERS: Mapping[str, Schema] = {
    "streamId": {"name": "streamId", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
    "file": {"name": "file", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
    "lastEventIdHeader": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The place to read on from: the id of the last event that was read. Any text is taken.",
        "schema": {"type": "string"},
    },
    "lastEventId": {
        "name": "lastEventId",
        "in": "query",
        "description": "The same, where headers cannot be set.",
        "schema": {"type": "string"},
    },
    "wait": {
        "name": "wait",
        "in": "query",
        "description": "Have the body end once there is something to tell, or after so many seconds.",
        "schema": {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S},
    },
    "processes": {
        "name": "processes",
        "in": "query",
        "description": "`all`: of all processes, not of this one alone.",
        "schema": {"type": "string"},
    },
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one address does.

    Args:
        name: how generated clients call it.
        gives: the answers that are no errors: for each status a media type and the name of a schema; an empty media
            type where there is no body, an empty name where its shape is not told.
        refuses: the errors, but for those of every route and those that `access` and `body` bring along.
        access: who may: `session`, `operator`, or anybody.
        body: the name of the schema of what it takes.
        is_public: pages of any origin may load it.
    """

    name: str
    summary: str
    gives: Mapping[int, tuple[str, str]]
    refuses: tuple[type[e.ChatbubbleError], ...] = ()
    access: str = ""
    body: str = ""
    parameters: tuple[str, ...] = ()
    is_public: bool = False

    @property
    def errors(self) -> list[type[e.ChatbubbleError]]:
        """Every error that it may answer with, a fault of ours left out."""
        found: list[type[e.ChatbubbleError]] = [e.BadRequest, e.RequestTooSlow, *self.refuses]
        if not self.is_public:
            found += [e.OriginRefused, e.Overloaded]
        if self.body:
            found += _OF_BODY
        if self.access == "session":
            found += [e.SessionMissing, e.SessionExpired]
        if self.access == "operator":
            found += [e.OperatorRequired, e.NotFound]
        return sorted(set(found), key=lambda kind: (kind.status, kind.code))


def _file(name: str, what: str, *refuses: type[e.ChatbubbleError], parameters: tuple[str, ...] = ()) -> Operation:
    gives = {200: ("*/*" if parameters else "text/javascript", ""), 304: ("", "")}
    if parameters:
        gives[302] = ("", "")  # a file of an earlier build: to today's
    return Operation(name, what, gives, refuses, parameters=parameters, is_public=True)


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", "/chat"): Operation(
        "ask",
        "Ask, and read the answer as it is written",
        {200: (EVENTS, "")},
        (*_UNREADY, *_OF_TURN, e.SessionExpired),
        body="Question",
        parameters=("wait",),
    ),
    ("GET", "/chat/<stream_id>"): Operation(
        "resume",
        "Read an answer on after an event, or from its beginning; 204 when its end was read already",
        {200: (EVENTS, ""), 204: ("", "")},
        (*_UNREADY, e.NotFound, e.RateLimited),
        access="session",
        parameters=("streamId", "lastEventIdHeader", "lastEventId", "wait"),
    ),
    ("POST", "/chat/<stream_id>/abort"): Operation(
        "abort",
        "Stop an answer; what was said so far is kept",
        {200: (JSON, "Stopped")},
        (*_UNREADY, e.NotFound),
        access="session",
        parameters=("streamId",),
    ),
    ("GET", "/conversation"): Operation(
        "getConversation",
        "What was said so far, and which answer is being written",
        {200: (JSON, "Conversation")},
        _UNREADY,
        access="session",
    ),
    ("DELETE", "/conversation"): Operation(
        "eraseConversation", "Erase everything of this visitor", {204: ("", "")}, _UNREADY, access="session"
    ),
    ("POST", "/conversation/adopt"): Operation(
        "adoptConversation",
        "Make what was said under a session id of a browser's own that of the person who asks for it",
        {204: ("", "")},
        (*_UNREADY, e.TurnRunning, e.IdentityRefused),
        access="session",
        body="Adoption",
    ),
    ("POST", "/feedback"): Operation(
        "rate",
        "Say whether an answer helped, or take that back",
        {204: ("", "")},
        (*_UNREADY, e.NotFound, e.RateLimited),
        access="session",
        body="Feedback",
    ),
    ("GET", "/stream"): Operation(
        "listen",
        "The visitor's own channel: what the server sends of its own accord",
        {200: (EVENTS, "")},
        (*_UNREADY, e.ShuttingDown, e.RateLimited),
        access="session",
    ),
    ("POST", "/identify"): Operation(
        "identify",
        "A session of the person whom a token of the site's own server names",
        {200: (JSON, "Session")},
        (e.IdentityRefused, e.IdentityOff, e.RateLimited),
        body="Identification",
    ),
    ("GET", "/config"): Operation("getOptions", "What the widget may know", {200: (JSON, "Options")}),
    ("GET", "/openapi.json"): Operation("getDocument", "This document", {200: (JSON, "Document")}),
    ("GET", "/widget.js"): _file("getLauncher", "The launcher, for a script tag"),
    ("GET", "/widget.mjs"): _file("getModule", "The widget as a module"),
    ("GET", "/assets/<path:name>"): _file(
        "getFile", "One of the widget's hashed files", e.NotFound, parameters=("file",)
    ),
    ("GET", "/stats"): Operation(
        "getNumbers", "Numbers about all processes and each", {200: (JSON, "Numbers")}, access="operator"
    ),
    ("GET", "/metrics"): Operation(
        "getMetrics",
        "The same and more for Prometheus",
        {200: ("text/plain", "")},
        access="operator",
        parameters=("processes",),
    ),
    ("GET", "/healthz"): Operation(
        "getHealth",
        "Whether questions would be answered, and the state of each part",
        {200: (JSON, "Health"), 503: (JSON, "Health")},
        is_public=True,
    ),
}
