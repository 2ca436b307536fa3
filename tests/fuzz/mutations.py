"""Inputs with random faults in them, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

PIECES = [
    b"\0", b"\r\n", b"\r", b"\n", b" ", b"\t", b":", b"%00", b"%", b"\xff\xfe", b"\xc3\x28", b'"', b"{", b"}", b"\\",
    b"[" * 500, b"9" * 40, b"-1", b"chunked", b"\xf0\x9f\x98\x80", b"A" * 9000, b"/../", b"//", b"?", b"#", b";", b",",
    b"\\u0000", b"\xef\xbb\xbf", b"NaN", b"1e999", b'"x":1,"x":2,', b"\\ud800", b"null", b"\xe2\x80\xae",
    b"\xcc\x81" * 300, b"' OR 1=1 --", b"{{7*7}}", b"=1+1", b"\ndata: x\n\n", b"Content-Length: 5\r\n", b"id: ",
    b"Transfer-Encoding: chunked\r\n", b"retry: 1\n", b"$(id)", b"<script>",
]  # fmt: skip


def mutated(whole: bytes, luck: random.Random, pieces: Sequence[bytes] = PIECES) -> bytes:
    """The input with up to four bytes changed, pieces put in, doubled, dropped or cut off."""
    data = bytearray(whole)
    for _ in range(luck.randint(1, 4)):
        at, to = sorted(luck.randrange(len(data) + 1) for _ in range(2))
        to = min(to, at + 30)
        match luck.randrange(5):
            case 0:
                data[at : at + 1] = bytes([luck.randrange(256)])
            case 1:
                data[at:at] = luck.choice(pieces)
            case 2:
                data[at:at] = data[at:to]
            case 3:
                del data[at:to]
            case _:
                data[at:to] = luck.choice(pieces)
    return bytes(data)


def mutated_request(whole: bytes, luck: random.Random) -> bytes:
    """An HTTP request with faults anywhere, or in its body alone, or in one line of its head: what is broken as HTTP
    already never gets to what reads JSON and headers."""
    head, gap, body = whole.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    match luck.randrange(3):
        case 0:
            return mutated(whole, luck)
        case 1 if b"Content-Length" in head:
            body = mutated(body, luck)
            lines = [b"Content-Length: %d" % len(body) if b"Content-Length" in line else line for line in lines]
        case _:
            at = luck.choice([0, *range(2, len(lines))])
            start, end = lines[at].find(b" ") + 1, lines[at].rfind(b" HTTP/") if at == 0 else len(lines[at])
            wrong = mutated(lines[at][start:end], luck).replace(b"\r", b"%0d").replace(b"\n", b"%0a")
            lines[at] = lines[at][:start] + wrong + lines[at][end:]
    return b"\r\n".join(lines) + gap + body


def cut(data: bytes, luck: random.Random) -> list[bytes]:
    """The same bytes in up to six chunks."""
    places = sorted(luck.randrange(len(data) + 1) for _ in range(luck.randrange(6)))
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
