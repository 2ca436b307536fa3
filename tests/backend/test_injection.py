"""Words that are commands elsewhere, in SQL, Redis, a log, a stream or a template: kept as they came, to no effect."""

from __future__ import annotations

import base64
import json
import logging
import re
from pathlib import Path

import gevent
import pytest
from deployment import Deployment, deployment  # noqa: F401 -- a fixture
from fuzzed_server import FuzzedServer, fuzzed_server
from hosting import JSON, Site, bearer, new_session
from raw_http import call
from redis import Redis
from turning import Turns

from chatbubble.errors import BadRequest, UpstreamRefused
from chatbubble.responses import refusal_response

COMMANDS = {
    "SQL": "'; DROP TABLE messages; DELETE FROM turns; --",
    "SQL in double quotes": '" OR "1"="1" UNION SELECT * FROM messages --',
    "SQL placeholders": "%s %(name)s :name ? $1 {0} \\' ''",
    "SQL wildcards": "%_% LIKE '%'",
    "Redis": "x\r\n*1\r\n$8\r\nFLUSHALL\r\nFLUSHALL\r\n",
    "a script in Redis": "' .. redis.call('FLUSHALL') .. '",
    "a line of the log": "x\r\n2026-01-01 00:00:00,000 ERROR chatbubble: forged",
    "a terminal": "\x1b[2J\x1b]0;title\x07 wiped",
    "an event": 'x\n\nid: 9.9\nevent: done\ndata: {"fullText":"forged"}\n\nretry: 1',
    "an event by CR": "x\r\rid: 1\revent: error\rdata: y\r\r",
    "Jinja": "{{ 7*7 }} {% import os %} {{ config }}",
    "other templates": "${7*7} #{7*7} <%= 7*7 %> {{constructor.constructor('x')()}}",
    "printf": "%n%n%s%1000000d %(message)s",
    "Python's format": "{0.__class__.__mro__} {message!r:>99999}",
    "a shell": "$(reboot) `id` ; rm -rf / | cat /etc/passwd",
    "JSON": '","sessionId":"x"},{"__proto__":{"a":1}}',
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_message_is_one_event_after_the_other_and_stored_as_it_came(site: Site, name: str) -> None:
    session, message = new_session(), COMMANDS[name]
    answer = site.ask(session, message)
    told = [line for line in answer.body.decode("ascii").split("\n") if line.startswith("event: ")]
    assert [told[0], *sorted(set(told[1:-1])), told[-1]] == ["event: connected", "event: token", "event: done"]
    done = json.loads(answer.body.strip().split(b"\ndata: ")[-1])
    stored = message.strip()
    assert done["fullText"] == f"You said: {stored}"
    messages = site.call("GET", "/conversation", [bearer(session)]).json()["messages"]
    assert [each["content"] for each in messages] == [stored, f"You said: {stored}"]
    rating = {"messageId": messages[1]["messageId"], "rating": "down", "comment": message[:900]}
    assert site.call("POST", "/feedback", [JSON, bearer(session)], json.dumps(rating).encode()).status == 204
    again = site.call("GET", "/conversation", [bearer(session)]).json()["messages"]
    assert again[1]["feedback"]["comment"] == stored


def kept_by_both(deployment: Deployment, message: str) -> str:  # noqa: F811
    """Ask the one process, and read the answer at the other; what the conversation says then."""
    first, second = deployment.processes[:2]
    visitor = first.visitor()
    stream = visitor.ask(f"say: {message}").until("connected")[-1].data["streamId"]
    elsewhere = second.visitor(visitor.session)
    assert elsewhere.resume(stream).until_end()[-1].type == "done"
    return str(elsewhere.conversation()["messages"][0]["content"])


def test_postgresql_and_redis_keep_it_as_it_came_too(deployment: Deployment) -> None:  # noqa: F811
    redis = Redis.from_url(deployment.redis.url)
    canary = f"{deployment.prefix}canary"
    redis.set(canary, "alive")
    other = deployment.processes[0].visitor()
    other.ask("say: something else").until_end()
    asked = [gevent.spawn(kept_by_both, deployment, message) for message in COMMANDS.values()]
    assert [greenlet.get() for greenlet in asked] == [f"say: {message}".strip() for message in COMMANDS.values()]
    assert redis.get(canary) == b"alive"
    assert len(other.conversation()["messages"]) == 2
    redis.close()


def lines_of(server: FuzzedServer) -> list[str]:
    """What it has logged, line by line in whatever way a line may end."""
    return server.log.splitlines()


def token_with(header: str) -> str:
    """What looks like a token with this header."""
    return base64.urlsafe_b64encode(header.encode()).decode().rstrip("=") + ".e30.c2ln"


FORGED = "x\r\n2026-01-01 00:00:00,000 ERROR chatbubble: forged\x1b[2J\u2028y"


def test_whatever_comes_a_line_of_the_log_stays_one(tmp_path: Path) -> None:
    with fuzzed_server(tmp_path, log_level="info", log_format="text") as server:
        for headers, body in attempts():
            call(server.port, "POST", "/api/ai/chat", headers, body)
            call(server.port, "POST", "/api/ai/identify", headers, body)
        for path in ("/api/ai/%0d%0aforged", "/%0aforged", "/api/ai/chat/x%0aforged%1b[2J", "/api/ai/config?%0aforged"):
            call(server.port, "GET", path, [bearer(new_session())])
        lines = lines_of(server)
    assert len(lines) > 20
    for line in lines:
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [\w.]+: ", line), line
        assert line.isprintable(), line
        assert not line.startswith("2026-01-01 00:00:00,000"), line


def attempts() -> list[tuple[list[tuple[str, str]], bytes]]:
    """Requests whose every part would like to be a line of its own."""
    forged = FORGED.encode("utf-8").decode("latin-1").replace("\r\n", "\t")
    bodies = [
        json.dumps({"message": FORGED, "sessionId": new_session(), "requestId": FORGED}),
        json.dumps({FORGED: 1})[:-1] + f",{json.dumps(FORGED)}:2}}",
        json.dumps({"token": FORGED}),
        json.dumps({"token": token_with(json.dumps({"kid": FORGED}))}),
        json.dumps({"token": token_with(json.dumps({"alg": FORGED, "typ": FORGED}))}),
        json.dumps({"token": token_with(json.dumps({FORGED: 1})[:-1] + f",{json.dumps(FORGED)}:2}}")}),
    ]
    named = ("Origin", "Content-Type", "X-Request-ID", "User-Agent", "Last-Event-ID", "Accept", "Host2")
    return [([JSON], body.encode()) for body in bodies] + [([(name, forged)], b"{}") for name in named]


def test_an_errors_detail_stays_on_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    refusal_response(BadRequest(detail=FORGED))
    (line,) = caplog.messages
    assert line.isprintable()


def test_what_the_models_server_says_stays_on_one_line(turns: Turns, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    turns.run(UpstreamRefused(detail=FORGED))
    told = [line for line in caplog.messages if "forged" in line]
    assert told
    assert all(line.isprintable() for line in told)
