"""The routes: parse, call, answer. The only module that sees `request`."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping

from flask import Response, current_app, request

from .errors import IdentityRefused, MethodNotAllowed, NotFound, OriginRefused, Overloaded
from .feedback import parse_feedback
from .identity import parse_adoption, parse_identification
from .incoming import read_json_body, read_last_event_id, read_wait, wants_all_processes
from .logs import begin_request
from .mount import EXTENSION_KEY, Mount
from .openapi import build_document
from .question import parse_question
from .responses import (
    answer_response,
    close_stream,
    conversation_body,
    json_response,
    keep_while_sent,
    refuse,
    stream_response,
)
from .visitors import check_operator

logger = logging.getLogger("chatbubble.views")

View = Callable[..., Response]


def _mount() -> Mount:
    mount: Mount = current_app.extensions[EXTENSION_KEY]
    return mount


def _mount_of_operator() -> Mount:
    mount = _mount()
    check_operator(request.headers.get("Authorization"), mount.settings.operator_token)
    return mount


def _address() -> str:
    return _mount().addresses.of(request.environ)


def _visitor_id() -> str:
    return _mount().identity.visitors.of_authorization(request.headers.get("Authorization"))


def ask() -> Response:
    """`POST /chat`: start a turn, or attach to its stream."""
    mount, address = _mount(), _address()
    mount.flood_gate.refuse(request.environ, address)
    wait_s = read_wait(request)
    question = parse_question(read_json_body(request), mount.identity.visitors, mount.redact)
    client_id = mount.clients.register(address)
    try:
        reader = mount.chat.ask(question, client_id, address)
    except BaseException:
        mount.clients.remove(client_id)
        raise
    return answer_response(mount, request.environ, reader, client_id, wait_s)


def resume(stream_id: str) -> Response:
    """`GET /chat/<streamId>`: everything after the cursor, then live."""
    mount, visitor_id = _mount(), _visitor_id()
    last_event_id, wait_s = read_last_event_id(request), read_wait(request)
    client_id = mount.clients.register(_address())
    try:
        reader = mount.chat.resume(visitor_id, stream_id, last_event_id)
    except BaseException:
        mount.clients.remove(client_id)
        raise
    if reader is None:
        mount.clients.remove(client_id)
        return Response(status=204)
    mount.measures.resumes += wait_s is None
    return answer_response(mount, request.environ, reader, client_id, wait_s)


def abort(stream_id: str) -> Response:
    """`POST /chat/<streamId>/abort`: stop the turn, idempotent."""
    mount, visitor_id = _mount(), _visitor_id()
    state = mount.chat.stop(visitor_id, stream_id)
    mount.measures.aborts += 1
    return json_response({"streamId": stream_id, "state": state})


def conversation() -> Response:
    """`GET /conversation`: what a reload or a second tab needs."""
    visitor_id, mount, address = _visitor_id(), _mount(), _address()
    with mount.reads.hold(address) as keep:
        response = json_response(conversation_body(mount.chat.snapshot(visitor_id)))
        return keep_while_sent(response, keep, lambda: mount.reads.leave(address))


def rate() -> Response:
    """`POST /feedback`: whether an answer helped."""
    mount, visitor_id = _mount(), _visitor_id()
    message_id, feedback = parse_feedback(read_json_body(request), mount.redact)
    mount.chat.rate(visitor_id, message_id, feedback)
    return Response(status=204)


def adopt() -> Response:
    """`POST /conversation/adopt`: a person takes over what they said before they were named."""
    body, visitors = read_json_body(request), _mount().identity.visitors
    visitor_id = visitors.of_person(request.headers.get("Authorization"))
    _mount().chat.adopt(visitor_id, parse_adoption(body, visitors))
    return Response(status=204)


def erase() -> Response:
    """`DELETE /conversation`: forget everything."""
    _mount().chat.erase(_visitor_id())
    return Response(status=204)


def channel() -> Response:
    """`GET /stream`: the visitor's own channel."""
    mount = _mount()
    _visitor_id()
    client_id = mount.clients.register(_address())
    try:
        channel_of_client = mount.clients.open_channel(client_id)
    except BaseException:
        mount.clients.remove(client_id)
        raise
    return stream_response(mount, request.environ, channel_of_client, client_id, has_end=False)


def identify() -> Response:
    """`POST /identify`: a session id for the person whom the site's server names."""
    mount, token = _mount(), parse_identification(read_json_body(request))
    with mount.tokens.count_failures(_address(), IdentityRefused):
        session = mount.identity.identify(token)
    return json_response({"sessionId": session.session_id, "expiresAt": session.expires_at})


def config() -> Response:
    """`GET /config`: what the widget may know."""
    settings = _mount().settings
    shown = ("title", "greeting", "accent", "suggestions")
    response = json_response({name: getattr(settings, name) or None for name in shown})
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def openapi() -> Response:
    """`GET /openapi.json`: these routes, for programs."""
    prefix = (request.script_root + request.path).removesuffix("/openapi.json")
    response = json_response(build_document(ROUTES, prefix, _mount().version))
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
    return json_response(_mount_of_operator().get_stats())


def metrics() -> Response:
    """`GET /metrics`, for operators: what Prometheus reads."""
    mount = _mount_of_operator()
    of_all = wants_all_processes(request)
    page, content_type = mount.render_metrics(request.headers.get("Accept"), of_all=of_all)
    return Response(page, content_type=content_type)


def healthz() -> Response:
    """`GET /healthz`: alive and ready."""
    is_well, parts = _mount().get_health(is_one_of_several=_is_one_of_several())
    response = json_response({"status": "ok" if is_well else "unavailable", "parts": parts})
    response.status_code = 200 if is_well else 503
    return response


ROUTES: Mapping[str, Mapping[str, View]] = {
    "/chat": {"POST": ask},
    "/chat/<stream_id>": {"GET": resume},
    "/chat/<stream_id>/abort": {"POST": abort},
    "/conversation": {"GET": conversation, "DELETE": erase},
    "/conversation/adopt": {"POST": adopt},
    "/feedback": {"POST": rate},
    "/stream": {"GET": channel},
    "/identify": {"POST": identify},
    "/config": {"GET": config},
    "/openapi.json": {"GET": openapi},
    "/widget.js": {"GET": launcher},
    "/widget.mjs": {"GET": module},
    "/assets/<path:name>": {"GET": asset},
    "/stats": {"GET": stats},
    "/metrics": {"GET": metrics},
    "/healthz": {"GET": healthz},
}
_STREAMS = frozenset({resume, channel})
_FILES = frozenset({launcher, module, asset})
_PUBLIC = _FILES | {healthz}
_STORELESS = _PUBLIC | {identify, config, openapi, stats, metrics}


def end_request(fault: BaseException | None) -> None:
    """At the end of each of our requests: where something of the host app failed after the view, its error
    page has taken the place of our answer, and no server will ever close that."""
    if fault is not None:
        close_stream(request.environ)


def is_file(views: Mapping[str, View]) -> bool:
    """Whether an address holds a file of the widget, which any page may load."""
    return not _FILES.isdisjoint(views.values())


def dispatch(rule: str, views: Mapping[str, View]) -> View:
    """One Flask view for all methods of an address, so that a wrong method, too, is
    answered in our JSON and the host app's own error pages stay out of it.

    An address without any views answers 404.
    """
    takes_head = "GET" in views and views["GET"] not in _STREAMS
    allow = ", ".join(sorted({*views, "OPTIONS", *(["HEAD"] if takes_head else [])}))
    names = re.findall(r"<(?:\w+:)?(\w+)>", rule) if views else []

    def choose() -> View | None:
        return views.get("GET" if request.method == "HEAD" and takes_head else request.method)

    def answer(**arguments: str) -> Response:
        view = choose()
        if view not in _PUBLIC:
            _check_origin()
        if request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": allow})
        if not views:
            raise NotFound()
        if view is None:
            raise MethodNotAllowed(f"This address takes {allow}, not {request.method:.20}.", allow=allow)
        if view not in _PUBLIC and _mount().clients.slots.is_over:
            raise Overloaded(retry_after_s=5, detail="more requests at once than there are connections")
        if view not in _STORELESS:
            _mount().start(is_one_of_several=_is_one_of_several())
        # The prefix that the host app chose may have variables of its own.
        return view(**{name: arguments[name] for name in names})

    def answer_all(**arguments: str) -> Response:
        request_id = begin_request(request.headers.get("X-Request-ID"))
        response = _answer_or_refuse(answer, arguments)
        level = logging.DEBUG if choose() in _STORELESS else logging.INFO
        logger.log(level, "%s %s: %d", request.method, rule or "/", response.status_code)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        if not is_file(views):
            # Also where no Origin came: a cache must not give that answer to a page.
            response.vary.add("Origin")
            response.headers["X-Request-ID"] = request_id
        return response

    return answer_all


def _answer_or_refuse(answer: View, arguments: Mapping[str, str]) -> Response:
    try:
        return answer(**arguments)
    except Exception as failure:  # noqa: BLE001 -- named and logged by what it is
        # No name here outlives the block: an error knows this frame, and so the two would wait for the garbage
        # collector with all that the request had.
        return refuse(failure, f"{request.method} {request.path!a:.200}", _mount().measures.refusals)


def _check_origin() -> None:
    origin = request.headers.get("Origin")
    # Behind a proxy that ends TLS we see http, maybe with its port, while the browser says https.
    own = {f"{request.scheme}://{request.host}", f"https://{request.host.removesuffix(':443')}"}
    if origin is not None and origin not in own and not _mount().origins.allows(origin):
        _mount().refused_origins.tell(origin)
        raise OriginRefused()


def _is_one_of_several() -> bool:
    """Whether the server says that other processes of it run this app, as `gunicorn -w 2` does."""
    return bool(request.environ.get("wsgi.multiprocess"))
