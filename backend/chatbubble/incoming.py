"""What the routes read of a request beside its address: the body, the place to resume from, and how long to wait."""

from __future__ import annotations

import re

import gevent
from flask import Request
from werkzeug.exceptions import ClientDisconnected

from .errors import BadRequest, PayloadTooLarge, RequestTooSlow, UnsupportedMediaType

MAX_BODY_BYTES = 16_384
BODY_S = 30.0
MAX_WAIT_S = 25


def read_last_event_id(request: Request) -> str:
    """Where to read on, or an empty text. Raises BadRequest."""
    try:
        return request.headers.get("Last-Event-ID") or request.args.get("lastEventId") or ""
    except UnicodeDecodeError:
        raise BadRequest("The query should be percent-encoded UTF-8.", field="lastEventId") from None


def read_wait(request: Request) -> int | None:
    """For how many seconds the answer may wait for something to tell and then end, or None where it is to go on as
    the events do. Raises BadRequest."""
    try:
        text = request.args.get("wait")
    except UnicodeDecodeError:  # then nobody who knows this setting has written it
        return None
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,2}", text) or int(text) > MAX_WAIT_S:
        raise BadRequest(f"wait should be whole seconds from 0 to {MAX_WAIT_S}.", field="wait")
    return int(text)


def wants_all_processes(request: Request) -> bool:
    """Whether metrics of all processes are asked for. Raises BadRequest."""
    try:
        return request.args.get("processes") == "all"
    except UnicodeDecodeError:
        raise BadRequest("The query should be percent-encoded UTF-8.", field="processes") from None


def read_json_body(request: Request) -> bytes:
    """A body that says it is JSON. Raises UnsupportedMediaType, PayloadTooLarge or RequestTooSlow."""
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype != "application/json" or charset.lower() != "utf-8":
        raise UnsupportedMediaType(detail=f"Content-Type {request.headers.get('Content-Type')!r:.80}")
    # Ours instead of the host app's limit; the one byte more tells a body that fits from one that was cut.
    request.max_content_length = MAX_BODY_BYTES + 1
    body = _read_in_time(request)
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLarge()
    return body


def _read_in_time(request: Request) -> bytes:
    """The body. Raises RequestTooSlow when it has not come whole within BODY_S, on any gevent server."""
    try:
        with gevent.Timeout(BODY_S, RequestTooSlow()):
            # Not the stream: the host app may have read it already, in a hook of its own.
            return request.get_data()
    except ClientDisconnected as end:
        # What Werkzeug makes of every fault of the connection, our server's own time-out among them.
        if isinstance(end.__context__, TimeoutError):
            raise RequestTooSlow() from None
        raise
