"""Flask responses: event streams, JSON, refusals."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from .chat import Snapshot
from .delivery import Delivery, Poll, excerpt
from .discretion import on_one_line
from .errors import BadRequest, ChatbubbleError, PayloadTooLarge, StreamError
from .mount import Mount
from .records import Message
from .sockets import STREAM_KEY, attend, find_socket
from .stream_log import StreamReader

_LONG_BYTES = 65_536
logger = logging.getLogger("chatbubble.views")

STREAM_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


def answer_response(
    mount: Mount, environ: dict[str, Any], reader: StreamReader, client_id: str, wait_s: int | None
) -> Response:
    """What one registered client gets of an answer: its events as they come or, with `wait_s`, those that there are."""
    if wait_s is None:
        return stream_response(mount, environ, reader, client_id)
    end_attention = _attend(mount, environ, reader)
    mount.clients.attach(client_id, Poll(reader))
    try:
        told = excerpt(reader, wait_s)
    finally:
        reader.close()
        mount.clients.remove(client_id)
        end_attention()
    mount.measures.polls += 1
    mount.measures.resets += told.resets
    return Response(told.wire, headers=STREAM_HEADERS)


def stream_response(
    mount: Mount, environ: dict[str, Any], reader: StreamReader, client_id: str, *, has_end: bool = True
) -> Response:
    """The event stream of one registered client, on a connection that is tuned and watched. One that
    `has_end` counts as dropped when it is over without its terminal event."""
    end_attention = _attend(mount, environ, reader)

    def on_close() -> None:
        mount.clients.remove(client_id)
        mount.measures.resets += body.resets
        mount.measures.drops += has_end and not body.is_whole
        end_attention()

    body = Delivery(reader, heartbeat_s=mount.settings.heartbeat_s, on_close=on_close)
    mount.clients.attach(client_id, body)
    environ[STREAM_KEY] = body
    return Response(body, headers=STREAM_HEADERS, direct_passthrough=True)


def _attend(mount: Mount, environ: Mapping[str, Any], reader: StreamReader) -> Callable[[], None]:
    """Close the reader when its client has gone, where the server lets that be seen; returns what ends that."""
    connection = find_socket(environ)
    if connection is None:
        return lambda: None
    return attend(connection, send_timeout_s=mount.settings.send_timeout_s, on_gone=reader.close)


def close_stream(environ: Mapping[str, Any]) -> None:
    """Give up the stream that was to answer this request, if there is one."""
    body: Delivery | None = environ.get(STREAM_KEY)
    if body is not None:
        body.close()


def json_response(body: Mapping[str, Any]) -> Response:
    """`body` as JSON that nobody caches."""
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(text + "\n", mimetype="application/json", headers=headers)


def keep_while_sent(response: Response, keep: Callable[[], None], leave: Callable[[], None]) -> Response:
    """Have a long response keep its place until it is over: it takes memory until it is read, which may never be."""
    if len(response.get_data()) > _LONG_BYTES:
        response.call_on_close(leave)
        keep()
    return response


def refuse(failure: Exception, what: str, refusals: Counter[str]) -> Response:
    """The answer to a request whose view ended by this failure, counted by its code. A fault of ours is logged as that
    of `what`."""
    error = _refusal_of(failure, what)
    refusals[error.code] += 1
    return refusal_response(error)


def _refusal_of(failure: Exception, what: str) -> ChatbubbleError:
    if isinstance(failure, ChatbubbleError):
        return failure
    if isinstance(failure, RequestEntityTooLarge):
        return PayloadTooLarge()
    if isinstance(failure, HTTPException):
        return BadRequest(detail=failure.description or "")
    logger.error("%s failed", what, exc_info=failure)
    return StreamError()


def refusal_response(error: ChatbubbleError) -> Response:
    """The JSON answer of an error, with `Retry-After` and `Allow` where they are known."""
    if error.detail:
        logger.info("%s: %s", error.code, on_one_line(error.detail))
    response = json_response(error.to_body())
    response.status_code = error.status
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    if "allow" in error.extra:
        response.headers["Allow"] = error.extra["allow"]
    return response


def conversation_body(snapshot: Snapshot | None) -> dict[str, Any]:
    """The body of `GET /conversation`."""
    if snapshot is None:
        return {"conversationId": None, "messages": [], "activeStream": None}
    running, start = snapshot.conversation.running, snapshot.stream_start
    active = None
    if running is not None and start is not None:
        active = {
            "streamId": running.stream_id,
            "lastEventId": str(start),
            "messageId": running.message_id,
            "requestId": running.request_id,
        }
    return {
        "conversationId": snapshot.conversation.conversation_id,
        "messages": [_message_body(message) for message in snapshot.conversation.messages],
        "activeStream": active,
    }


def _message_body(message: Message) -> dict[str, Any]:
    given = message.feedback
    return {
        "messageId": message.message_id,
        "author": message.author,
        "content": message.content,
        "finishReason": message.finish_reason,
        "errorCode": message.error_code,
        "requestId": message.request_id,
        "createdAt": message.created_at,
        "sources": [asdict(source) for source in message.sources] or None,
        "suggestions": message.suggestions or None,
        "feedback": {"rating": given.rating, "comment": given.comment} if given else None,
    }
