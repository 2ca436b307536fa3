"""What HTTP/1.0 and HTTP/1.1 ask of a server: whom a request is for, and when a connection ends."""

from __future__ import annotations

import pytest
from hosting import Site, assert_refused, new_session, question
from raw_http import Answer, Wire, exchange

PATH = b"/api/ai/config"
LOCAL = b"Host: 127.0.0.1\r\n"
KEEP = b"Connection: keep-alive\r\n"


def get(version: bytes, *headers: bytes) -> bytes:
    """A `GET` by hand."""
    return b"GET " + PATH + b" HTTP/" + version + b"\r\n" + b"".join(headers) + b"\r\n"


def ask(version: bytes, *headers: bytes) -> bytes:
    """A `POST /chat` by hand."""
    body = question(new_session())
    lengths = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return b"POST /api/ai/chat HTTP/" + version + b"\r\n" + lengths + b"".join(headers) + b"\r\n" + body


@pytest.mark.parametrize("headers", [[], [b"Host:\r\n"], [b"Host:  \r\n"], [LOCAL, LOCAL], [LOCAL, b"Host: other\r\n"]])
def test_http_1_1_names_its_host_once(site: Site, headers: list[bytes]) -> None:
    answer = exchange(site.port, get(b"1.1", *headers))
    assert_refused(answer, 400, "BAD_REQUEST")
    assert answer.get("Connection") == "close"


def test_http_1_0_need_not_name_its_host(site: Site) -> None:
    assert exchange(site.port, get(b"1.0")).status == 200
    assert exchange(site.port, get(b"1.0", LOCAL)).status == 200
    assert_refused(exchange(site.port, get(b"1.0", LOCAL, b"Host: other\r\n")), 400, "BAD_REQUEST")


def test_what_was_before_http_1_0_is_none(site: Site) -> None:
    assert_refused(exchange(site.port, b"GET " + PATH + b"\r\n"), 400, "BAD_REQUEST")


def test_http_1_0_knows_no_chunks(site: Site) -> None:
    data = b"POST /api/ai/chat HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    assert_refused(exchange(site.port, data), 400, "BAD_REQUEST")


def twice(site: Site, data: bytes) -> list[Answer]:
    """The answers to a request that is sent twice on one connection, as far as it lasts."""
    answers = []
    with Wire(site.port) as wire:
        for _ in range(2):
            try:
                wire.send(data)
                answers.append(wire.read())
            except OSError:
                break
    return answers


CLOSED = [
    get(b"1.0"), get(b"1.0", b"Connection: close\r\n"), get(b"1.1", LOCAL, b"Connection: close\r\n"),
    get(b"1.1", LOCAL, b"Connection: Close, TE\r\n"), get(b"1.1", LOCAL, KEEP, b"Connection: close\r\n"),
]  # fmt: skip
KEPT = [get(b"1.0", KEEP), get(b"1.0", b"Connection: TE, Keep-Alive\r\n"), get(b"1.1", LOCAL), get(b"1.1", LOCAL, KEEP)]


@pytest.mark.parametrize("data", CLOSED)
def test_a_connection_that_ends_with_its_answer_says_so(site: Site, data: bytes) -> None:
    (answer,) = twice(site, data)
    assert (answer.status, answer.get("Connection")) == (200, "close")


@pytest.mark.parametrize("data", KEPT)
def test_a_connection_that_is_kept_takes_another_request(site: Site, data: bytes) -> None:
    answers = twice(site, data)
    assert [answer.status for answer in answers] == [200, 200]
    assert {answer.get("Connection") for answer in answers} == {"keep-alive" if b"HTTP/1.0" in data else None}


@pytest.mark.parametrize("headers", [[], [KEEP]])
def test_a_stream_over_http_1_0_ends_with_its_connection(site: Site, headers: list[bytes]) -> None:
    (answer,) = twice(site, ask(b"1.0", *headers))
    assert (answer.status, answer.get("Connection"), answer.get("Transfer-Encoding")) == (200, "close", None)
    assert answer.body.endswith(b"\n\n")
    assert answer.body.count(b"event: done\n") == 1


def test_a_stream_over_http_1_1_leaves_its_connection_open(site: Site) -> None:
    with Wire(site.port) as wire:
        for _ in range(2):
            wire.send(ask(b"1.1", LOCAL))
            answer = wire.read()
            assert (answer.get("Connection"), answer.get("Transfer-Encoding")) == (None, "chunked")
