"""Requests in whose length a proxy and the server may not agree, behind the documented nginx: nobody gets what is
somebody else's, and no request comes out of the body of another."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from flask import request as incoming
from fronts import Front
from hosting import HostSite, Site, new_session
from nginx_server import documented_nginx

INNER = b"GET /api/ai/inner HTTP/1.1\r\nHost: localhost\r\nX-Left: "
ZERO = b"0\r\n\r\n" + INNER
# What stands for the length, and the body behind it. `@` is the number of bytes of the body.
SHAPES: dict[str, tuple[bytes, bytes]] = {
    "a length, then chunks": (b"Content-Length: @\r\nTransfer-Encoding: chunked", ZERO),
    "chunks, then a length": (b"Transfer-Encoding: chunked\r\nContent-Length: 4", b"5c\r\n" + INNER + b"\r\n0\r\n\r\n"),
    "a blank before the colon": (b"Content-Length: @\r\nTransfer-Encoding : chunked", ZERO),
    "a tab before chunked": (b"Content-Length: @\r\nTransfer-Encoding:\tchunked", ZERO),
    "a vertical tab": (b"Content-Length: @\r\nTransfer-Encoding: \x0bchunked", ZERO),
    "a folded line": (b"Content-Length: @\r\nTransfer-Encoding:\r\n chunked", ZERO),
    "another coding": (b"Content-Length: @\r\nTransfer-Encoding: xchunked", ZERO),
    "two codings": (b"Content-Length: @\r\nTransfer-Encoding: identity, chunked", ZERO),
    "two transfer headers": (b"Content-Length: @\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x", ZERO),
    "in capitals": (b"Content-Length: @\r\nTRANSFER-ENCODING: CHUNKED", ZERO),
    "with an underscore": (b"Content-Length: @\r\nTransfer_Encoding: chunked", ZERO),
    "a name by a NUL": (b"Content-Length: @\r\nTransfer-Encoding\0: chunked", ZERO),
    "a lone LF before it": (b"Content-Length: @\r\nX: y\nTransfer-Encoding: chunked", ZERO),
    "a lone CR before it": (b"Content-Length: @\r\nX: y\rTransfer-Encoding: chunked", ZERO),
    "two lengths": (b"Content-Length: 0\r\nContent-Length: @", INNER),
    "two lengths in one": (b"Content-Length: 0, @", INNER),
    "a length with a plus": (b"Content-Length: +@", INNER),
    "a length with an underscore": (b"Content-Length: 1_0", INNER),
    "a negative length": (b"Content-Length: -1", INNER),
    "a length by blanks": (b"Content-Length : @", INNER),
    "no length at all": (b"X-Nothing: 1", INNER),
    "chunks of a huge size": (b"Transfer-Encoding: chunked", b"FFFFFFFFFFFFFFFF1\r\n" + INNER),
    "chunks with an odd end": (b"Transfer-Encoding: chunked", b"0\r\n\n" + INNER),
    "a chunk with an extension of lines": (b"Transfer-Encoding: chunked", b"5;x=\ny\r\nhello\r\n" + ZERO),
    "a trailer that is a header": (b"Transfer-Encoding: chunked", b"0\r\nContent-Length: 50\r\n\r\n" + INNER),
    "a body of a GET": (b"Content-Length: @", INNER),
    "an upgrade": (b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: @", INNER),
}
_SILENCE_S = 0.7


@pytest.fixture
def seen(host_site: HostSite) -> tuple[Site, list[str]]:
    """A site, and the addresses that it was asked for."""
    site = host_site(allowed_origins="https://shop.example")
    addresses: list[str] = []
    site.app.before_request(lambda: addresses.append(incoming.full_path))
    return site, addresses


@pytest.fixture
def nginx(seen: tuple[Site, list[str]], tmp_path: Path) -> Iterator[Front]:
    """The documented one in front of it."""
    with documented_nginx(tmp_path, seen[0].port) as (front, _):
        yield front


def attack(nginx: Front, number: int, path: str, length: bytes, body: bytes) -> bytes:
    """Send one shape, then a request in order, and read what comes until nothing more does."""
    method = "GET" if "GET" in list(SHAPES)[number] else "POST"
    head = f"{method} /api/ai{path}?outer={number} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    inner = body.replace(b"/inner", f"/inner-{number}".encode())
    line = length.replace(b"@", str(len(inner)).encode())
    connection = nginx.connect()
    connection.socket.settimeout(_SILENCE_S)
    connection.socket.sendall(head.encode() + line + b"\r\n\r\n" + inner)
    received = b""
    try:
        while piece := connection.socket.recv(65_536):
            received += piece
    except OSError:
        pass
    connection.socket.close()
    return received


def be_a_visitor(nginx: Front, secret: str) -> list[str]:
    """Ask a question with a secret in it, again and again look at the conversation; what was not one's own."""
    session = new_session()
    foreign = []
    connection = nginx.connect()
    body = {"message": f"my secret is {secret}", "sessionId": session}
    connection.request("POST", "/api/ai/chat", body=body).until_end()
    for _ in range(20):
        reply = nginx.connect().request("GET", "/api/ai/conversation", headers={"Authorization": f"Bearer {session}"})
        told = json.dumps(reply.json())
        if reply.status != 200 or told.count(secret) != 2:
            foreign.append(told)
        gevent.sleep(0.01)
    return foreign


@pytest.mark.parametrize("path", ["/chat", "/nothing"])
def test_no_request_comes_out_of_another_and_nobody_gets_anothers_answer(
    nginx: Front, seen: tuple[Site, list[str]], path: str
) -> None:
    visitors = [gevent.spawn(be_a_visitor, nginx, f"SECRET-{number}") for number in range(3)]
    attacks = [
        gevent.spawn(attack, nginx, number, path, length, body) for number, (length, body) in enumerate(SHAPES.values())
    ]
    answers = {name: greenlet.get() for name, greenlet in zip(SHAPES, attacks, strict=True)}
    assert [greenlet.get() for greenlet in visitors] == [[], [], []]
    addresses = seen[1]
    # No inner request has an end: only somebody else's that came after it on the same connection could give it one.
    assert not [address for address in addresses if "inner" in address]
    assert len({address for address in addresses if "outer" in address}) >= 5
    for name, received in answers.items():
        assert b"SECRET" not in received, name
        statuses = set(re.findall(rb"HTTP/1\.1 (\d{3})", received))
        assert statuses <= {b"100", b"200", b"400", b"404", b"405", b"411", b"501"}, (name, received[:300])


def test_an_inner_request_would_be_seen(nginx: Front, seen: tuple[Site, list[str]]) -> None:
    attack(nginx, 0, "/nothing", b"Content-Length: 0", b"")
    attack(nginx, 0, "/nothing", b"Content-Length: 0\r\n\r\n" + INNER + b"x", b"")
    assert [address.partition("?")[0] for address in seen[1]] == ["/api/ai/nothing"] * 2 + ["/api/ai/inner"]
