"""The routes: parse, call, answer. The only module that sees `request`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flask import Response, current_app, request
from werkzeug.exceptions import HTTPException

from .assets import Assets
from .chat import Chat, Snapshot
from .clients import Clients
from .config import Settings
from .delivery import Delivery
from .errors import (
    BadRequest,
    ChatbubbleError,
    MethodNotAllowed,
    NotFound,
    OperatorRequired,
    OriginRefused,
    PayloadTooLarge,
    StreamError,
    UnsupportedMediaType,
)
from .origins import OriginRules
from .question import parse_question
from .records import Message
from .sockets import find_socket, tune_for_streaming, watch_for_leaving
from .stream_log import StreamReader
from .visitors import bears_token, visitor_from_authorization

logger = logging.getLogger("chatbubble.views")

EXTENSION_KEY = "chatbubble"
MAX_BODY_BYTES = 16_384
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
STREAM_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}


class Mount(Protocol):
    """What one app's routes work with; the extension provides it."""

    settings: Settings
    origins: OriginRules
    assets: Assets
    clients: Clients
    chat: Chat

    def start(self) -> None:
        """Open what needs opening, once. Raises Unpatched or StoreUnavailable."""
        ...

    def get_stats(self) -> dict[str, Any]:
        """The numbers of `GET /stats`."""
        ...

    def get_health(self) -> tuple[bool, dict[str, str]]:
        """Whether all is well, and the state of each part."""
        ...


View = Callable[..., Response]


def _mount() -> Mount:
    mount: Mount = current_app.extensions[EXTENSION_KEY]
    return mount


def ask() -> Response:
    """`POST /chat`: start a turn, or attach to its stream."""
    mount = _mount()
    question = parse_question(_json_body())
    client_id = mount.clients.register()
    try:
        reader = mount.chat.ask(question, client_id)
    except BaseException:
        mount.clients.remove(client_id)
        raise
    return _stream(mount, reader, client_id)


def resume(stream_id: str) -> Response:
    """`GET /chat/<streamId>`: everything after the cursor, then live."""
    mount = _mount()
    visitor_id = visitor_from_authorization(request.headers.get("Authorization"))
    last_event_id = request.headers.get("Last-Event-ID") or request.args.get("lastEventId") or ""
    client_id = mount.clients.register()
    try:
        reader = mount.chat.resume(visitor_id, stream_id, last_event_id)
    except BaseException:
        mount.clients.remove(client_id)
        raise
    if reader is None:
        mount.clients.remove(client_id)
        return Response(status=204)
    return _stream(mount, reader, client_id)


def abort(stream_id: str) -> Response:
    """`POST /chat/<streamId>/abort`: stop the turn, idempotent."""
    visitor_id = visitor_from_authorization(request.headers.get("Authorization"))
    state = _mount().chat.stop(visitor_id, stream_id)
    return _json({"streamId": stream_id, "state": state})


def conversation() -> Response:
    """`GET /conversation`: what a reload or a second tab needs."""
    visitor_id = visitor_from_authorization(request.headers.get("Authorization"))
    return _json(_to_body(_mount().chat.snapshot(visitor_id)))


def erase() -> Response:
    """`DELETE /conversation`: forget everything."""
    _mount().chat.erase(visitor_from_authorization(request.headers.get("Authorization")))
    return Response(status=204)


def channel() -> Response:
    """`GET /stream`: the visitor's own channel."""
    mount = _mount()
    visitor_from_authorization(request.headers.get("Authorization"))
    client_id = mount.clients.register()
    return _stream(mount, mount.clients.open_channel(client_id), client_id)


def config() -> Response:
    """`GET /config`: what the widget may know."""
    settings = _mount().settings
    shown = {"title": settings.title, "greeting": settings.greeting, "accent": settings.accent}
    response = _json({name: value or None for name, value in shown.items()})
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def launcher() -> Response:
    """`GET /widget.js`."""
    return _mount().assets.launcher(request.accept_encodings, request.if_none_match)


def module() -> Response:
    """`GET /widget.mjs`: the widget as a module."""
    return _mount().assets.module(request.accept_encodings, request.if_none_match)


def asset(name: str) -> Response:
    """`GET /assets/<file>`: hashed files, cached for a year."""
    return _mount().assets.file(name, request.accept_encodings, request.if_none_match)


def stats() -> Response:
    """`GET /stats`, for operators."""
    mount = _mount()
    token = mount.settings.operator_token
    if not token:
        raise NotFound()
    if not bears_token(request.headers.get("Authorization"), token):
        raise OperatorRequired()
    return _json(mount.get_stats())


def healthz() -> Response:
    """`GET /healthz`: alive and ready."""
    is_well, parts = _mount().get_health()
    response = _json({"status": "ok" if is_well else "unavailable", "parts": parts})
    response.status_code = 200 if is_well else 503
    return response


def nowhere(rest: str = "") -> Response:
    """Any other address under the prefix."""
    raise NotFound()


ROUTES: Mapping[str, Mapping[str, View]] = {
    "/chat": {"POST": ask},
    "/chat/<stream_id>": {"GET": resume},
    "/chat/<stream_id>/abort": {"POST": abort},
    "/conversation": {"GET": conversation, "DELETE": erase},
    "/stream": {"GET": channel},
    "/config": {"GET": config},
    "/widget.js": {"GET": launcher},
    "/widget.mjs": {"GET": module},
    "/assets/<path:name>": {"GET": asset},
    "/stats": {"GET": stats},
    "/healthz": {"GET": healthz},
}
_STREAMS = frozenset({resume, channel})
_PUBLIC = frozenset({launcher, module, asset, healthz})


def dispatch(views: Mapping[str, View]) -> View:
    """One Flask view for all methods of an address, so that a wrong method, too, is
    answered in our JSON and the host app's own error pages stay out of it."""
    takes_head = "GET" in views and views["GET"] not in _STREAMS
    allow = ", ".join(sorted({*views, "OPTIONS", *(["HEAD"] if takes_head else [])}))

    def answer(**arguments: str) -> Response:
        try:
            method = "GET" if request.method == "HEAD" and takes_head else request.method
            view = views.get(method)
            if view not in _PUBLIC:
                _check_origin()
            if method == "OPTIONS":
                return Response(status=204, headers={"Allow": allow})
            if view is None:
                raise MethodNotAllowed(f"This address takes {allow}, not {request.method}.", allow=allow)
            if view not in _PUBLIC:
                _mount().start()
            return view(**arguments)
        except ChatbubbleError as error:
            return _refusal(error)
        except HTTPException as error:
            return _refusal(BadRequest(detail=error.description or ""))
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return _refusal(StreamError())

    return answer


def _check_origin() -> None:
    origin = request.headers.get("Origin")
    # Behind a proxy that ends TLS we see http while the browser says https.
    own = {f"{request.scheme}://{request.host}", f"https://{request.host}"}
    if origin is not None and origin not in own and not _mount().origins.allows(origin):
        raise OriginRefused(detail=f"Origin {origin!r:.200} is not in CHATBUBBLE_ALLOWED_ORIGINS")


def _json_body() -> bytes:
    if request.mimetype != "application/json":
        raise UnsupportedMediaType(detail=f"Content-Type {request.mimetype!r:.80}")
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise PayloadTooLarge()
    body = request.stream.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLarge()
    return body


def _stream(mount: Mount, reader: StreamReader, client_id: str) -> Response:
    connection = find_socket(request.environ)
    cancel_watch: Callable[[], None] | None = None
    timeout_before: float | None = None
    if connection is not None:
        timeout_before = connection.gettimeout()
        tune_for_streaming(connection, mount.settings.send_timeout_s)
        cancel_watch = watch_for_leaving(connection, reader.close)

    def on_close() -> None:
        mount.clients.remove(client_id)
        if connection is not None and cancel_watch is not None:
            cancel_watch()
            connection.settimeout(timeout_before)

    body = Delivery(reader, heartbeat_s=mount.settings.heartbeat_s, on_close=on_close)
    return Response(body, headers=STREAM_HEADERS, direct_passthrough=True)


def _json(body: Mapping[str, Any]) -> Response:
    text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(text + "\n", mimetype="application/json", headers=headers)


def _refusal(error: ChatbubbleError) -> Response:
    if error.detail:
        logger.info("%s: %s", error.code, error.detail)
    response = _json(error.to_body())
    response.status_code = error.status
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    if "allow" in error.extra:
        response.headers["Allow"] = error.extra["allow"]
    return response


def _to_body(snapshot: Snapshot | None) -> dict[str, Any]:
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
    return {
        "messageId": message.message_id,
        "author": message.author,
        "content": message.content,
        "finishReason": message.finish_reason,
        "errorCode": message.error_code,
        "requestId": message.request_id,
        "createdAt": message.created_at,
    }
