"""Bodies of `POST /chat` over real HTTP: types, sizes, codings, and bytes that are no request at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hosting import JSON, Site, assert_refused, bearer, new_session, question
from raw_http import Wire, chunked, exchange, request

from chatbubble.incoming import MAX_BODY_BYTES

CONTENT_TYPES = [
    "", "text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded", "application/jsonp",
    "multipart/form-data; boundary=x", "application/json5", "application/vnd.api+json", "text/json", "json",
    "application/json,text/plain", "application", "*/*", "\xff", "application/octet-stream", "text/html",
    "application/json; charset=utf-16", "application/json; charset=latin-1",
    'application/json; charset="utf-7"', "application/json; charset=utf-8x",
]  # fmt: skip


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_only_json_is_taken(site: Site, content_type: str) -> None:
    answer = site.call("POST", "/chat", [("Content-Type", content_type)], question(new_session()))
    assert_refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def test_without_a_content_type_nothing_is_taken(site: Site) -> None:
    assert_refused(site.call("POST", "/chat", [], question(new_session())), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", [
    "application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;CHARSET="UTF-8"',
    "application/json; odata=verbose",
])  # fmt: skip
def test_json_may_be_declared_as_http_allows(site: Site, content_type: str) -> None:
    assert site.call("POST", "/chat", [("Content-Type", content_type)], question(new_session())).status == 200


def test_a_form_post_does_nothing(site: Site) -> None:
    session = new_session()
    form = f"message=hello&sessionId={session}".encode()
    answer = site.call("POST", "/chat", [("Content-Type", "application/x-www-form-urlencoded")], form)
    assert_refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert site.call("GET", "/conversation", [bearer(session)]).json()["conversationId"] is None


CODINGS: list[Callable[[bytes], bytes]] = [
    lambda body: request("POST", "/api/ai/chat", [JSON], body),
    lambda body: request("POST", "/api/ai/chat", [JSON, ("Transfer-Encoding", "chunked")]) + chunked(body, 1000),
]


@pytest.mark.parametrize("coding", CODINGS, ids=["with a length", "in chunks"])
def test_a_body_may_have_16384_bytes_and_no_more(site: Site, coding: Callable[[bytes], bytes]) -> None:
    fits = exchange(site.port, coding(question(new_session(), MAX_BODY_BYTES)))
    assert fits.status == 200
    session = new_session()
    assert_refused(exchange(site.port, coding(question(session, MAX_BODY_BYTES + 1))), 413, "PAYLOAD_TOO_LARGE")
    assert_refused(exchange(site.port, coding(question(session, 200_000))), 413, "PAYLOAD_TOO_LARGE")
    assert site.call("GET", "/conversation", [bearer(session)]).json()["conversationId"] is None


def test_a_body_may_come_byte_by_byte(site: Site) -> None:
    head = request("POST", "/api/ai/chat", [JSON, ("Transfer-Encoding", "chunked")])
    assert exchange(site.port, head + chunked(question(new_session()), 1)).status == 200


def test_a_body_may_wait_for_the_servers_go_ahead(site: Site) -> None:
    body = question(new_session())
    with Wire(site.port) as wire:
        wire.send(
            request("POST", "/api/ai/chat", [JSON, ("Expect", "100-continue"), ("Content-Length", str(len(body)))])
        )
        assert wire.read(has_body=False).status == 100
        wire.send(body)
        assert wire.read().status == 200


def test_a_declared_size_is_refused_before_the_body_comes(site: Site) -> None:
    with Wire(site.port) as wire:
        wire.send(request("POST", "/api/ai/chat", [JSON, ("Content-Length", "1000000000000")]))
        assert_refused(wire.read(), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("missing", [1, 10_000])
def test_a_body_that_ends_early_is_a_bad_request(site: Site, missing: int) -> None:
    body = question(new_session())
    with Wire(site.port) as wire:
        wire.send(request("POST", "/api/ai/chat", [JSON, ("Content-Length", str(len(body) + missing))]) + body)
        wire.half_close()
        assert_refused(wire.read(), 400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "body",
    [b"", b"zz\r\n", b"5\r\nhello", b"-5\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloXX\r\n", b"F" * 40, b"\r\n", b"\r\n\r\n"],
)
def test_broken_chunks_are_a_bad_request(site: Site, body: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with Wire(site.port) as wire:
        wire.send(request("POST", "/api/ai/chat", [JSON, ("Transfer-Encoding", "chunked")]) + body)
        wire.half_close()
        assert_refused(wire.read(), 400, "BAD_REQUEST")
        with pytest.raises(ConnectionError):
            wire.read()
    assert "Traceback" not in "".join(capfd.readouterr())


def test_no_length_means_no_body(site: Site) -> None:
    answer = exchange(site.port, request("POST", "/api/ai/chat", [JSON]))
    assert_refused(answer, 400, "BAD_REQUEST")


LENGTHS = [
    [("Content-Length", value)] for value in ("x", "-1", "+5", "1_0", "0x10", "1.5", "5 5", "5,5", "\xb2", "1" * 30, "")
] + [
    [("Content-Length", "5"), ("Content-Length", "6")],
    [("Content-Length", "5"), ("Content-Length", "5")],
    [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
    [("Transfer-Encoding", "gzip")],
    [("Transfer-Encoding", "gzip, chunked")],
    [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
    [("Transfer-Encoding", "xchunked")],
]


@pytest.mark.parametrize("headers", LENGTHS)
def test_a_body_of_doubtful_length_is_refused_and_the_connection_closed(
    site: Site, headers: list[tuple[str, str]]
) -> None:
    with Wire(site.port) as wire:
        wire.send(request("POST", "/api/ai/chat", [JSON, *headers]) + b"5\r\nhello\r\n0\r\n\r\n")
        answer = wire.read()
        assert_refused(answer, 400, "BAD_REQUEST")
        assert answer.get("Connection") == "close"
        with pytest.raises(ConnectionError):
            wire.read()


GET = b"GET /api/ai/config HTTP/1.1\r\n"
NOT_HTTP = [
    b"hello\r\n\r\n", b"GET /api/ai/config HTTP/9.9\r\n\r\n", b"GET /api/ai/config HTTP/x\r\n\r\n",
    b"\x16\x03\x01\x02\r\n\r\n", b"POST /api/ai/chat\r\n\r\n", b"GET /a b HTTP/1.1\r\n\r\n",
    b"\x1b[2K\x1b[1G2026-01-01 /api/ai/config HTTP/1.1\r\nHost: a\r\n\r\n",
    b"X" * 65 + b" /api/ai/config HTTP/1.1\r\nHost: a\r\n\r\n",
    GET + b"A: b\r\n" * 200 + b"\r\n", GET + b"A: " + b"b" * 70_000 + b"\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("data", NOT_HTTP)
def test_what_is_not_http_gets_json_too(site: Site, data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    assert_refused(exchange(site.port, data), 400, "BAD_REQUEST")
    assert "Traceback" not in "".join(capfd.readouterr())


def test_an_endless_address_is_too_long(site: Site) -> None:
    assert_refused(exchange(site.port, request("GET", "/api/ai/" + "a" * 9000)), 414, "BAD_REQUEST")


def test_a_connection_goes_on_after_a_refusal(site: Site) -> None:
    session = new_session()
    with Wire(site.port) as wire:
        for body, status in ((b"{", 400), (question(session, 20_000), 413), (question(session), 200)):
            wire.send(request("POST", "/api/ai/chat", [JSON], body))
            assert wire.read().status == status
