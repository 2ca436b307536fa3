"""What nobody may read along: a run through every route, with faults, is searched for session ids, keys and words.

Every secret of the run begins with the same letters. They may stand in what a visitor reads of their own, and nowhere
in logs, metrics, numbers or errors.
"""

from __future__ import annotations

import json
import logging
import secrets
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gevent
import pytest
from hosting import OPERATOR_TOKEN
from model_server import ModelServer
from model_steps import Step, delta, failure, frame, stream
from process import ServerProcess, StartProcess
from redis_server import shared_redis
from serving import Serve
from stream_client import Connection, Reply, Visitor

from chatbubble import views
from chatbubble.fleets import redis_leases

CANARY = "cAnArY"
SESSION = f"{CANARY}-session-0123456789"
WORDS = f"My {CANARY} is 4111 1111 1111 1111"
KEY = f"sk-{CANARY}-0123456789abcdef"
MODEL = "gpt-4o-mini"
PAGE = {"url": f"https://shop.example/?{CANARY}=1", "title": f"{CANARY} shop"}

FAULTS: list[list[Step]] = [
    failure(401, "invalid_api_key", f"Incorrect API key provided: {KEY}, for {WORDS}"),
    stream(delta("So far "), frame({"error": {"code": "odd", "message": f"lost at {WORDS}"}})),
    stream(delta(f"You said {WORDS}"), b"data: {broken\n\n"),
]


def wrong_bodies(ask: dict[str, Any]) -> list[Any]:
    """What is no question, in many ways."""
    wrong: list[dict[str, Any]] = [
        {"message": ""},
        {"message": CANARY * 1000},
        {"requestId": f"{CANARY} "},
        {"replaces": f"{CANARY}!"},
        {"sessionId": CANARY},
        {"page": CANARY},
        {"locale": [CANARY]},
    ]
    return [
        *({**ask, **fields} for fields in wrong),
        {"message": CANARY},
        [CANARY],
        b"{" + CANARY.encode(),
        b"\xff" + CANARY.encode(),
        f'{{"message": "{CANARY}", "message": "{CANARY}"}}'.encode(),
    ]


def requests_to_every_route(stream_id: str, message_id: str) -> Iterator[tuple[str, str, Any, dict[str, str]]]:
    """Right and wrong ones: method, path, body, headers."""
    ask = {"message": WORDS, "sessionId": SESSION, "page": PAGE}
    for body in wrong_bodies(ask):
        yield "POST", "/chat", body, {}
    yield "POST", f"/chat?wait={CANARY}", ask, {}
    yield "GET", f"/chat/{stream_id}", None, {"Last-Event-ID": f"{CANARY}.1"}
    yield "GET", f"/chat/{stream_id}?lastEventId={CANARY}", None, {}
    yield "GET", "/chat/unknown", None, {}
    yield "POST", f"/chat/{stream_id}/abort", None, {}
    yield "GET", "/conversation", None, {}
    for rating in ({"rating": "up", "comment": WORDS}, {"rating": CANARY}, {"rating": "up", "comment": CANARY * 1000}):
        yield "POST", "/feedback", {"messageId": message_id, **rating}, {}
    for session_id in (SESSION, CANARY, f"signed_{CANARY}"):
        yield "POST", "/conversation/adopt", {"sessionId": session_id}, {}
    for token in (CANARY, f"e30.{CANARY}.e30"):
        yield "POST", "/identify", {"token": token}, {}
    for path in (
        "/config",
        "/widget.js",
        "/widget.mjs",
        "/healthz",
        "/stats",
        "/metrics",
        "/openapi.json",
        f"/assets/{CANARY}.js",
        "/stream",
    ):
        yield "GET", path, None, {}
    yield "PUT", f"/{CANARY}", {"any": CANARY}, {"Cookie": f"{CANARY}=1", "Referer": f"https://{CANARY}.example/"}
    yield "DELETE", "/conversation", None, {}


def answer_of(port: int, method: str, path: str, body: Any, headers: dict[str, str]) -> bytes:
    """Everything that comes back, but for the visitor's own words."""
    reply = Connection(port).request(method, f"/api/ai{path}", body=body, session=SESSION, headers=headers)
    if "event-stream" in reply.headers["content-type"] if "content-type" in reply.headers else False:
        reply.close()
        return b""
    is_own = method == "GET" and path == "/conversation"
    return b"" if is_own else json.dumps([reply.headers, reply.status]).encode() + reply.read()


def ask(visitor: Visitor, message: str = WORDS) -> Reply:
    """A question from a page, read to its end."""
    body = {"message": message, "sessionId": visitor.session, "page": PAGE}
    reply = Connection(visitor.port).request("POST", "/api/ai/chat", body=body)
    reply.until_end()
    return reply


def use_all(server: ServerProcess, model_server: ModelServer) -> bytes:
    """Ask in every way, stop, rate, erase; everything that was answered beside the words."""
    visitor = server.visitor(SESSION)
    model_server.forget()
    first = ask(visitor, f"say: {WORDS}").seen[0].data
    errors = b""
    for steps in FAULTS:
        model_server.forget()
        model_server.script(MODEL, steps)
        errors += json.dumps(ask(visitor).seen[-1].data).encode()
    model_server.forget()
    running = visitor.ask("stall")
    visitor.abort(running.next_event().data["streamId"])
    running.until_end()
    requests = requests_to_every_route(first["streamId"], first["messageId"])
    answered = [answer_of(server.port, *request) for request in requests]
    operator = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    pages = {page: Connection(server.port) for page in ("stats", "metrics")}
    numbers = [each.request("GET", f"/api/ai/{page}", headers=operator) for page, each in pages.items()]
    assert [reply.status for reply in numbers] == [200, 200]
    return b"\n".join([errors, *answered, *(reply.read() for reply in numbers)])


def test_every_route_is_part_of_the_run() -> None:
    tried = {path.partition("?")[0] for _, path, _, _ in requests_to_every_route("<stream_id>", "")} | {"/chat"}
    tried |= {"/assets/<path:name>"}
    assert {*views.ROUTES} <= tried


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_nobody_reads_along(start_process: StartProcess, model_server: ModelServer, log_format: str) -> None:
    settings = {"operator_token": OPERATOR_TOKEN, "identity_secret": secrets.token_hex(32)}
    server = start_process(log_format=log_format, **settings, first_token_timeout_s=str(1), drain_s="0")
    answered = use_all(server, model_server)
    last = server.visitor(SESSION).ask("answer: 500 tokens at 20 ms")
    last.until("token")
    server.signal(signal.SIGTERM)
    with suppress(ConnectionError):
        last.until_end()
    assert server.wait() == 0
    assert [line for line in server.log.splitlines() if CANARY in line] == []
    assert [part[-200:] for part in answered.split(CANARY.encode())[:-1]] == []
    assert len(server.log.splitlines()) > 20


def test_nobody_reads_along_when_another_process_goes_on(
    serve: Serve, postgres_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for name, value in (("LEASE_S", 0.6), ("RENEW_S", 0.1)):
        monkeypatch.setattr(redis_leases, name, value)
    shared = {"redis_url": shared_redis().url, "redis_prefix": f"test-{secrets.token_hex(4)}:"}
    here, there = (serve(drain_s=0, database_url=postgres_url, **shared) for _ in range(2))
    for served in (here, there):
        served.mounted.start()
    call = here.provider.hold()
    reply = here.visitor(SESSION).ask(WORDS)
    reply.until("connected")
    call.say(f"{WORDS} is half")
    reply.until("token")
    there.provider.script(f"{WORDS} is whole", KeyError(WORDS))
    gevent.sleep(1)  # as long as it takes until leases may be claimed
    here.mounted.drain()
    other = there.visitor(SESSION)
    with gevent.Timeout(20):
        while other.conversation()["activeStream"]:
            gevent.sleep(0.05)
    assert other.conversation()["messages"][-1]["content"] == f"{WORDS} is whole"
    assert other.erase() == 204
    told = [*caplog.messages, *(f"{served.mounted.get_stats()}" for served in (here, there))]
    told += [served.mounted.render_metrics(None)[0].decode() for served in (here, there)]
    assert any("provider scripted failed" in line for line in told)
    assert [line for line in (*told, caplog.text) if CANARY in line] == []
