"""What reads strangers' bytes, each as a function of bytes that returns for any of them, or something is wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from ipaddress import ip_network

from mutations import cut, mutated

from chatbubble.addresses import Addresses
from chatbubble.errors import BadRequest, ChatbubbleError
from chatbubble.events import Token, to_json
from chatbubble.feedback import parse_feedback
from chatbubble.identity import parse_identification
from chatbubble.providers.http1 import MalformedResponse, ResponseReader
from chatbubble.question import MESSAGE_CHARS, parse_question
from chatbubble.records import Cursor
from chatbubble.redaction import redact
from chatbubble.request_headers import RequestHeaders
from chatbubble.sse import Decoder, EventTooLarge, ServerSentEvent, encode_event
from chatbubble.visitors import Visitors
from chatbubble.well_formed import WellFormedText, well_formed
from chatbubble.wire import encode

_VISITORS = Visitors()
_CURSOR = Cursor("a", 1)
_ADDRESSES = Addresses(trusted_proxies=1)

Target = Callable[[bytes], None]


def read_stream(data: bytes) -> None:
    """The decoder: the same events however the bytes are cut, and none beyond its bound."""
    whole = _decoded([data])
    assert _decoded(cut(data, random.Random(data))) == whole
    assert _decoded([bytes([byte]) for byte in data[:200]]) == _decoded([data[:200]])


def _decoded(chunks: Sequence[bytes]) -> tuple[list[ServerSentEvent], int | None, str] | None:
    decoder = Decoder(max_bytes=4096)
    events: list[ServerSentEvent] = []
    try:
        for chunk in chunks:
            events += decoder.feed(chunk)
    except EventTooLarge:
        return None
    return events, decoder.retry_ms, decoder.last_event_id


def write_event(data: bytes) -> None:
    """The encoder: what it writes is read as what it was given, in whatever text; it refuses the rest by ValueError."""
    # What is no UTF-8 becomes halves of surrogate pairs.
    name, _, text = data.decode("utf-8", "surrogateescape").partition("|")
    event_id = name.strip(" \t")
    try:
        wire = encode_event(data=text, event=name or None, event_id=event_id or None)
    except ValueError:
        assert any(char in "\r\n\0" or "\ud800" <= char <= "\udfff" for char in name)
        return
    mended = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    lines = mended.replace("\r\n", "\n").replace("\r", "\n")
    assert Decoder().feed(wire) == [ServerSentEvent(name or "message", lines, event_id)]


def write_token(data: bytes) -> None:
    """The tokens' own encoder: the same bytes as the general one, and the same text once read."""
    text = WellFormedText()
    words = text.push(data.decode("utf-8", "replace")) + text.flush()
    token = Token(words, len(data), 1)
    wire = encode(token, _CURSOR)
    assert wire == encode_event(event="token", data=to_json(token), event_id=str(_CURSOR))
    assert wire.isascii()
    assert wire.count(b"\n") == 4
    (event,) = Decoder().feed(wire)
    assert json.loads(event.data)["text"] == words


def read_question(data: bytes) -> None:
    """The body of `POST /chat`: a question by the rules, or an error that says what is wrong on one line."""
    try:
        question = parse_question(data, _VISITORS)
    except ChatbubbleError as refusal:
        _check_refusal(refusal)
        return
    assert 1 <= len(question.text) <= MESSAGE_CHARS
    assert well_formed(question.text) == question.text == question.text.strip()


def read_others(data: bytes) -> None:
    """The bodies of the other routes."""
    for parse in (parse_feedback, parse_identification):
        try:
            parse(data)
        except BadRequest as refusal:
            _check_refusal(refusal)


def _check_refusal(refusal: ChatbubbleError) -> None:
    assert refusal.status < 500
    assert len(refusal.message) < 300
    assert "\n" not in refusal.message
    json.dumps(refusal.to_body()).encode("ascii")


def read_response(data: bytes) -> None:
    """What the model's server sends: the same body however it is cut, or MalformedResponse."""
    assert _responded([data]) == _responded(cut(data, random.Random(data)))


def _responded(chunks: Sequence[bytes]) -> tuple[bytes, bool] | None:
    reader = ResponseReader()
    try:
        body = b"".join(reader.feed(chunk) for chunk in chunks)
    except MalformedResponse:
        return None
    return body, reader.is_complete


def read_headers(data: bytes) -> None:
    """A request's headers: what was read is read again from how it would be written, or nothing is read."""
    file = BytesIO(data)
    try:
        fields = list(RequestHeaders.read(file).environ())
    except ValueError:
        return
    assert data[: file.tell()].endswith(b"\n")
    written = "".join(f"{name[5:].replace('_', '-')}: {value}\r\n" for name, value in fields) + "\r\n"
    assert list(RequestHeaders.read(BytesIO(written.encode("latin-1"))).environ()) == fields


def read_cursor(data: bytes) -> None:
    """The place to read on: what is one is written as it came."""
    text = data.decode("latin-1")
    cursor = Cursor.parse(text)
    assert cursor is None or str(cursor) == text


def take_out(data: bytes) -> None:
    """Card numbers and keys: what was taken out once is all that is taken out."""
    once = redact(data.decode("utf-8", "replace")[:MESSAGE_CHARS])
    assert redact(once) == once


def read_address(data: bytes) -> None:
    """Where a request comes from, by its headers: an address, or that of the connection."""
    told = {"REMOTE_ADDR": "192.0.2.7", "HTTP_X_FORWARDED_FOR": data.decode("latin-1")}
    address = _ADDRESSES.of(told)
    assert ip_network(address)


@dataclass(frozen=True)
class Parser:
    """A target, and inputs in order to begin with."""

    target: Target
    seeds: list[bytes]


_QUESTION = {
    "message": "h\u00e9llo \U0001f600",
    "sessionId": "session-of-the-fuzz",
    "requestId": "r:1",
    "locale": "zh-CN",
    "page": {"url": "https://shop.example/?a=b", "title": "Shop"},
    "x": [1, -0.5e3, {"y": [None, True]}],
}
_ESCAPED = json.dumps(_QUESTION).encode()
_PLAIN = json.dumps(_QUESTION, ensure_ascii=False).encode()
_STREAM = b"retry: 5\nid: a.1\nevent: token\ndata: {}\ndata: x\r\n\r: hb\n\n\xef\xbb\xbfid\n\n"
_EVENT = 'token|{"text":"a"}\r\nb\rc\n\U0001f600\u2028'.encode()
_WORDS = 'plain \U0001f600 \u2028 \\ " \0'.encode()
_RATING = b'{"messageId":"msg_1","rating":"up","comment":"fine \\ud83d\\ude00","token":"a.b.c"}'
_SECRETS = b"4111 1111-1111 1111, GB33 BUKB 2020 1555 5555 55, sk-0123456789abcdef and eyJhbGci.eyJzdWIi.c2ln"
_SENT = b"Host: shop.example\r\nContent-Type: application/json\r\nX-A:\t\xe9 \r\nOrigin: null\n\r\nbody"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n"
_MEASURED = _HEAD + b"Content-Length: 5\r\n\r\nhello"

PARSERS: dict[str, Parser] = {
    "decoder": Parser(read_stream, [_STREAM]),
    "encoder": Parser(write_event, [_EVENT, b"id with blanks | x"]),
    "tokens": Parser(write_token, [_WORDS, b"\xed\xa0\xbd and \xf0\x9f"]),
    "question": Parser(read_question, [_ESCAPED, _PLAIN]),
    "bodies": Parser(read_others, [_RATING]),
    "response": Parser(read_response, [_CHUNKED, _MEASURED]),
    "headers": Parser(read_headers, [_SENT]),
    "redaction": Parser(take_out, [_SECRETS]),
    "address": Parser(read_address, [b"198.51.100.1, [2001:db8::1]:443", b"unknown, 203.0.113.9:80"]),
    "cursor": Parser(read_cursor, [b"9f2c4e1ab0.12"]),
}


def feed(parser: Parser, seed: int, count: int) -> None:
    """Feed so many mutations of its inputs, blindly. An AssertionError or any other fault names the input."""
    luck = random.Random(seed)
    for _ in range(count):
        data = mutated(luck.choice(parser.seeds), luck)
        try:
            parser.target(data)
        except Exception as fault:
            raise AssertionError(f"{type(fault).__name__} for {data!r:.2000}: {fault!s:.500}") from fault
