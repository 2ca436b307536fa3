"""Requests with random faults in them: refused or answered, never a fault of ours, never a hang."""

from __future__ import annotations

import random
import re

import pytest
from hosting import JSON, Site, assert_refused, bearer, question
from mutations import mutated
from raw_http import Answer, Wire, chunked, request

SESSION = "session-id-of-the-noise"
CHUNKED = [JSON, ("Transfer-Encoding", "chunked")]
REQUESTS = [
    request("POST", "/api/ai/chat", [JSON, ("Origin", "https://shop.example")], question(SESSION)),
    request("POST", "/api/ai/chat", CHUNKED) + chunked(question(SESSION), 20),
    request("GET", "/api/ai/chat/stream_0?lastEventId=a.1", [bearer(SESSION), ("Last-Event-ID", "a.1")]),
    request("POST", "/api/ai/chat/stream_0/abort", [bearer(SESSION)]),
    request("GET", "/api/ai/conversation", [bearer(SESSION), ("Accept-Encoding", "br, gzip;q=0.5")]),
    request("GET", "/api/ai/assets/chat.0123456789ab.mjs", [("If-None-Match", 'W/"x-br"'), ("Range", "bytes=0-5")]),
    request("OPTIONS", "/api/ai/chat", [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "POST")]),
]
OURS = re.compile(rb"\S+ /api/ai[/? ]")


def answer_to(site: Site, data: bytes) -> Answer | None:
    """The first answer to these bytes; None where the server just hangs up."""
    with Wire(site.port) as wire:
        wire.send(data)
        wire.half_close()
        try:
            return wire.read(has_body=not data.startswith(b"HEAD"))
        except (ConnectionError, IndexError):
            return None


@pytest.mark.parametrize("whole", REQUESTS, ids=range(len(REQUESTS)))
def test_noise_never_makes_a_fault_of_ours(
    site: Site, whole: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    luck = random.Random(whole)
    for _ in range(250):
        data = mutated(whole, luck)
        answer = answer_to(site, data)
        if answer is not None and answer.status >= 400 and OURS.match(data):
            assert answer.status < 500, data
            code = answer.json()["error"]["code"]
            assert_refused(answer, answer.status, code)
    assert "Traceback" not in caplog.text + "".join(capfd.readouterr())
