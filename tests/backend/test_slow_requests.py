"""Requests that drip: each part of one has its time, and whoever needs more costs nobody else anything."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
import pytest
from gevent.pywsgi import WSGIHandler, WSGIServer
from hosting import JSON, assert_refused, bearer, new_session, question
from raw_http import Answer, Wire, chunked, request
from serving import Serve, Served

from chatbubble import incoming
from chatbubble.arrivals import MIN_BYTES_PER_S
from chatbubble.connections import StreamingHandler

HEAD = request("GET", "/api/ai/config")
DRIP_S = 0.02


class Hasty(StreamingHandler):
    """Our handler, with less patience."""

    head_s = 0.4
    body_s = 0.5
    idle_s = 0.6


@pytest.fixture
def hasty(serve: Serve) -> Served:
    """A server of hasty handlers."""
    return serve(handler_class=Hasty)


def drip(wire: Wire, data: bytes) -> None:
    """Send byte by byte until the other side has closed."""
    for byte in data:
        try:
            wire.send(bytes([byte]))
        except OSError:
            return
        gevent.sleep(DRIP_S)


def answer_to_drips(port: int, first: bytes, rest: bytes) -> tuple[Answer, float]:
    """What comes back on sending `first` at once and then dripping `rest`, and after how many seconds."""
    with Wire(port) as wire:
        began = time.monotonic()
        wire.send(first)
        dripping = gevent.spawn(drip, wire, rest)
        answer = wire.read()
        taken_s = time.monotonic() - began
        with pytest.raises(ConnectionError):
            wire.read()
        dripping.kill()
    return answer, taken_s


@pytest.mark.parametrize("first", [b"G", HEAD[:-2]], ids=["its first line", "its headers"])
def test_a_head_that_drips_is_given_up(hasty: Served, first: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    answer, taken_s = answer_to_drips(hasty.port, first, b"X-A: " + b"a" * 1000)
    error = assert_refused(answer, 408, "REQUEST_TIMEOUT")
    assert error["retryable"] is True
    assert answer.get("Connection") == "close"
    assert Hasty.head_s <= taken_s < Hasty.head_s + 0.3
    assert "Traceback" not in "".join(capfd.readouterr())


BODIES: list[Callable[[bytes], bytes]] = [
    lambda body: request("POST", "/api/ai/chat", [JSON, ("Content-Length", str(len(body)))]),
    lambda _: request("POST", "/api/ai/chat", [JSON, ("Transfer-Encoding", "chunked")]),
]


@pytest.mark.parametrize("head", BODIES, ids=["with a length", "in chunks"])
def test_a_body_that_drips_is_given_up(
    hasty: Served, head: Callable[[bytes], bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    body = question(new_session(), 1000)
    rest = body if b"Content-Length" in head(body) else chunked(body, 1)
    answer, taken_s = answer_to_drips(hasty.port, head(body), rest)
    assert_refused(answer, 408, "REQUEST_TIMEOUT")
    assert answer.get("Connection") == "close"
    assert Hasty.body_s <= taken_s < Hasty.body_s + 0.3
    assert "Traceback" not in "".join(capfd.readouterr())
    hasty.await_stats(activeConnections=0, totalConnections=0)


def test_a_body_that_is_not_wanted_is_not_waited_for(hasty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatbubble.connections._DISCARD_S", 0.3)
    head = request("POST", "/api/ai/conversation", [bearer(new_session()), ("Content-Length", "100000000")])
    answer, taken_s = answer_to_drips(hasty.port, head, b"x" * 1000)
    assert_refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert taken_s < 0.3


def test_a_slow_line_may_take_its_time_with_a_large_body(hasty: Served) -> None:
    # The host app's own uploads: long past the limit, but never slower than a modem.
    body = question(new_session(), int(MIN_BYTES_PER_S * 1.2))
    with Wire(hasty.port) as wire:
        wire.send(request("POST", "/api/ai/chat", [JSON, ("Content-Length", str(len(body)))]))
        for start in range(0, len(body), 50):
            wire.send(body[start : start + 50])
            gevent.sleep(0.06)
        assert wire.read(has_body=False).status == 200


def test_an_idle_connection_is_closed_without_a_word_and_an_active_one_is_kept(hasty: Served) -> None:
    with Wire(hasty.port) as wire:
        for _ in range(3):
            gevent.sleep(Hasty.head_s * 0.7)
            wire.send(HEAD)
            assert wire.read().status == 200
        began = time.monotonic()
        assert wire.socket.recv(1) == b""
        assert Hasty.idle_s * 0.9 <= time.monotonic() - began < Hasty.idle_s + 0.3


def test_the_next_request_of_a_connection_has_its_own_time(hasty: Served) -> None:
    with Wire(hasty.port) as wire:
        wire.send(HEAD)
        assert wire.read().status == 200
        wire.send(b"G")
        assert_refused(wire.read(), 408, "REQUEST_TIMEOUT")


def test_who_connects_and_says_nothing_is_sent_away(hasty: Served) -> None:
    with Wire(hasty.port) as wire:
        began = time.monotonic()
        assert wire.socket.recv(1) == b""
        assert time.monotonic() - began < Hasty.head_s + 0.3


def test_a_stream_may_outlive_every_limit(hasty: Served) -> None:
    call = hasty.provider.hold()
    reply = hasty.visitor().ask()
    assert reply.next_event().type == "connected"
    gevent.sleep(Hasty.idle_s + 0.2)
    call.finish("late")
    assert reply.until_end()[-1].data["fullText"] == "late"


def test_hundreds_that_drip_hold_nobody_up(served: Served) -> None:
    wires = [Wire(served.port) for _ in range(300)]
    try:
        for wire in wires:
            wire.send(HEAD[:10])
        gevent.sleep(0.1)
        served.provider.script("a")
        began = time.monotonic()
        assert served.visitor().ask().until_end()[-1].data["fullText"] == "a"
        assert time.monotonic() - began < 0.5
    finally:
        for wire in wires:
            wire.socket.close()


def test_on_a_plain_gevent_server_our_own_routes_do_not_wait_either(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "BODY_S", 0.3)
    server = WSGIServer(("127.0.0.1", 0), served.app, handler_class=WSGIHandler, log=None, error_log=None)
    server.start()
    try:
        with Wire(int(server.server_port or 0)) as wire:
            wire.send(request("POST", "/api/ai/chat", [JSON, ("Content-Length", "1000")]))
            dripping = gevent.spawn(drip, wire, b"{" * 100)
            assert_refused(wire.read(), 408, "REQUEST_TIMEOUT")
            dripping.kill()
    finally:
        server.stop()
