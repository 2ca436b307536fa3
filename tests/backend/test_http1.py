"""HTTP/1.1 as a client reads and writes it, for every cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.providers.http1 import MAX_HEAD_BYTES, MalformedResponse, ResponseReader, encode_request

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b"0123456789abcdef"


def read(chunks: list[bytes], *, is_closed: bool = False) -> tuple[ResponseReader, bytes]:
    reader = ResponseReader()
    body = b"".join(reader.feed(chunk) for chunk in chunks)
    if is_closed:
        reader.end()
    return reader, body


def cuttings(whole: bytes) -> Iterator[list[bytes]]:
    yield [bytes([byte]) for byte in whole]
    for place in range(len(whole) + 1):
        yield [whole[:place], whole[place:]]


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (OK + b"Content-Length: 5, 5\r\n\r\nhello", b"hello"),
        (OK + b"content-length:0\r\n\r\n", b""),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
        (CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
        (CHUNKED + b"005;name=value\r\nhello\r\n0\r\nTrailer: x\r\n\r\n", b"hello"),
        (CHUNKED + b"A \nhello\r\n\r\n!\n0\n\n", b"hello\r\n\r\n!"),
        (CHUNKED + b"0\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304\r\nContent-Length: 5\r\n\r\n", b""),
    ],
)
def test_a_whole_response_can_be_followed_by_another(response: bytes, body: bytes) -> None:
    for chunks in cuttings(response):
        reader, taken = read(chunks)
        assert (taken, reader.is_complete, reader.is_reusable) == (body, True, True), chunks


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Connection: Close\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Connection: keep-alive, close\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Content-Length: 5\r\n\r\nhello and more",
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\nand more",
    ],
)
def test_a_response_after_which_the_connection_is_not_used(response: bytes) -> None:
    reader, body = read([response])
    assert (body, reader.is_complete, reader.is_reusable) == (b"hello", True, False)


def test_a_body_without_length_ends_with_the_connection() -> None:
    for chunks in cuttings(OK + b"\r\nhello"):
        assert not read(chunks)[0].is_complete
        reader, body = read(chunks, is_closed=True)
        assert (body, reader.is_complete, reader.is_reusable) == (b"hello", True, False)


def test_an_end_after_a_whole_response_is_no_fault() -> None:
    reader, _ = read([CHUNKED + b"0\r\n\r\n"], is_closed=True)
    assert (reader.is_complete, reader.is_reusable) == (True, False)


@pytest.mark.parametrize("response", [CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", OK + b"Content-Length: 5\r\n\r\nhello"])
def test_a_connection_that_ends_too_early_is_a_fault(response: bytes) -> None:
    for place in range(len(response)):
        with pytest.raises(MalformedResponse, match="closed"):
            read([response[:place]], is_closed=True)


def test_the_head_is_read_as_it_is() -> None:
    reader, _ = read([b"HTTP/1.1 429 Too Many\r\nRetry-After:  2 \r\nX-A: b: c\r\nEmpty:\r\n\r\n"])
    assert reader.status == 429
    assert reader.headers == [(b"Retry-After", b"2"), (b"X-A", b"b: c"), (b"Empty", b"")]


def test_what_one_receive_brings_is_one_piece_of_the_body() -> None:
    reader = ResponseReader()
    assert reader.feed(CHUNKED + b"1\r\na\r\n" * 200) == b"a" * 200


@pytest.mark.parametrize(
    "response",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 600 No\r\n\r\n",
        b"HTTP/1.1 2x0 No\r\n\r\n",
        OK + b"No colon\r\n\r\n",
        OK + b"Bad name: x\r\n\r\n",
        OK + b"Folded: x\r\n y\r\n\r\n",
        OK + b": x\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 1_0\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        CHUNKED + b"x\r\n",
        CHUNKED + b"-5\r\n",
        CHUNKED + b"0x5\r\n",
        CHUNKED + b"\r\n",
        CHUNKED + b"5\r\nhelloo\r\n",
        CHUNKED + b"1" * 5000,
        OK + b"X: " + b"y" * MAX_HEAD_BYTES,
        OK + b"X: " + b"y" * MAX_HEAD_BYTES + b"\r\n\r\n",
    ],
    ids=lambda response: repr(response[-24:]),
)
def test_what_is_not_http_is_refused(response: bytes) -> None:
    with pytest.raises(MalformedResponse):
        read([response])


@given(st.lists(st.binary(min_size=1, max_size=40)), st.integers(1, 50))
def test_any_chunks_come_through_any_reads(parts: list[bytes], size: int) -> None:
    whole = CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    reader, body = read([whole[place : place + size] for place in range(0, len(whole), size)])
    assert (body, reader.is_reusable) == (b"".join(parts), True)


def test_a_request_is_written_with_its_headers_and_body() -> None:
    assert encode_request("POST", b"/v1?a=b", [(b"Host", b"h"), (b"Content-Length", b"2")], b"{}") == (
        b"POST /v1?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize("value", [b"a\r\nX: y", b"a\nb", b"a\rb", b"a\0b"])
def test_a_header_cannot_smuggle_another(value: bytes) -> None:
    with pytest.raises(ValueError, match="line end"):
        encode_request("GET", b"/", [(b"A", value)], b"")
