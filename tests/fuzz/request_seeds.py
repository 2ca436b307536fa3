"""Requests in order, for every route: what the mutations of the requests begin with."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from raw_http import Headers, chunked, request

from chatbubble.views import ROUTES

SHOP = "https://shop.example"
OPERATOR_TOKEN = "operator-token-of-the-fuzz"  # noqa: S105 -- guards nothing
_JSON = ("Content-Type", "application/json")
_OPERATOR = ("Authorization", f"Bearer {OPERATOR_TOKEN}")
_VISITORS = 40

Seed = Callable[[random.Random], bytes]


def _session(luck: random.Random) -> str:
    return f"session-of-the-noise-{luck.randrange(_VISITORS)}"


def _body(luck: random.Random, **more: object) -> bytes:
    return json.dumps({"message": "hello, is it open?", "sessionId": _session(luck), **more}).encode()


def _at(method: str, path: str, headers: Headers = (), body: bytes | None = None) -> bytes:
    return request(method, f"/api/ai{path}", headers, body)


def _bearer(luck: random.Random) -> tuple[str, str]:
    return ("Authorization", f"Bearer {_session(luck)}")


def _ask_with_everything(luck: random.Random) -> bytes:
    page = {"url": "https://shop.example/cart?id=1", "title": "Cart"}
    request_id = f"r:{luck.randrange(1000)}"
    body = _body(luck, requestId=request_id, replaces="r:0", page=page, locale="zh-Hant-TW", future=[1, {"a": 0.5}])
    return _at("POST", "/chat?wait=0", [_JSON, ("Origin", SHOP)], body)


SEEDS: dict[tuple[str, str], list[Seed]] = {
    ("POST", "/chat"): [
        lambda luck: _at("POST", "/chat", [_JSON, ("Origin", SHOP)], _body(luck)),
        lambda luck: _at("POST", "/chat", [_JSON, ("Transfer-Encoding", "chunked")]) + chunked(_body(luck), 20),
        _ask_with_everything,
        lambda luck: _at("POST", "/chat", [_JSON, ("X-Forwarded-For", "203.0.113.9, 2001:db8::1")], _body(luck)),
    ],
    ("GET", "/chat/<stream_id>"): [
        lambda luck: _at("GET", "/chat/stream_0?lastEventId=a.1", [_bearer(luck), ("Last-Event-ID", "a.1")]),
        lambda luck: _at("GET", "/chat/stream_0?wait=0", [_bearer(luck), ("Last-Event-ID", "9f2c4e1ab0.3")]),
    ],
    ("POST", "/chat/<stream_id>/abort"): [lambda luck: _at("POST", "/chat/stream_0/abort", [_bearer(luck)])],
    ("GET", "/conversation"): [
        lambda luck: _at("GET", "/conversation", [_bearer(luck), ("Accept-Encoding", "br, gzip;q=0.5")])
    ],
    ("DELETE", "/conversation"): [lambda luck: _at("DELETE", "/conversation", [_bearer(luck), ("Origin", SHOP)])],
    ("POST", "/conversation/adopt"): [
        lambda luck: _at(
            "POST", "/conversation/adopt", [_JSON, _bearer(luck)], json.dumps({"sessionId": _session(luck)}).encode()
        )
    ],
    ("POST", "/feedback"): [
        lambda luck: _at(
            "POST", "/feedback", [_JSON, _bearer(luck)], b'{"messageId":"msg_1","rating":"up","comment":"fine"}'
        )
    ],
    ("GET", "/stream"): [lambda luck: _at("GET", "/stream", [_bearer(luck)])],
    ("POST", "/identify"): [
        lambda _: _at("POST", "/identify", [_JSON], b'{"token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmVk"}')
    ],
    ("GET", "/config"): [lambda _: _at("GET", "/config", [("Origin", SHOP)])],
    ("GET", "/openapi.json"): [lambda _: _at("GET", "/openapi.json")],
    ("GET", "/widget.js"): [lambda _: _at("GET", "/widget.js", [("If-None-Match", '"x"'), ("Range", "bytes=0-5")])],
    ("GET", "/widget.mjs"): [lambda _: _at("GET", "/widget.mjs", [("Accept-Encoding", "gzip;q=0, br")])],
    ("GET", "/assets/<path:name>"): [
        lambda _: _at("GET", "/assets/chat.0123456789ab.mjs", [("If-None-Match", 'W/"x-br"')])
    ],
    ("GET", "/stats"): [lambda _: _at("GET", "/stats", [_OPERATOR])],
    ("GET", "/metrics"): [lambda _: _at("GET", "/metrics?processes=all", [_OPERATOR, ("Accept", "text/plain")])],
    ("GET", "/healthz"): [lambda _: _at("GET", "/healthz")],
}


def unseeded_routes() -> set[tuple[str, str]]:
    """The routes for which there is no request in order."""
    return {(method, rule) for rule, views in ROUTES.items() for method in views} - SEEDS.keys()
