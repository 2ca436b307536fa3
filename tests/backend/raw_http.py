"""HTTP by hand: exactly the bytes that a test wants to send, and every header that comes back."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Headers = Iterable[tuple[str, str]]

_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Answer:
    """One whole HTTP answer. `headers` keeps order and repetitions; names are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Every value of a header, as often as it came."""
        return [value for known, value in self.headers if known == name.lower()]

    def get(self, name: str) -> str | None:
        """A header's value, or None. Fails when it came more than once."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    def tokens(self, name: str) -> list[str]:
        """The parts of a header that lists them with commas, in lower case."""
        return [part.strip().lower() for value in self.all(name) for part in value.split(",")]

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def request(method: str, path: str, headers: Headers = (), body: bytes | None = None, host: str = "127.0.0.1") -> bytes:
    """The bytes of one request. `path` may hold any character of Latin-1, as it is."""
    length = [] if body is None else [("Content-Length", str(len(body)))]
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in (*headers, *length)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


def chunked(body: bytes, size: int) -> bytes:
    """`body` in the chunked coding, `size` bytes each."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


class Wire:
    """One connection to a server of this machine."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_S)
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def half_close(self) -> None:
        """Say that no more will come, and stay able to read."""
        self.socket.shutdown(socket.SHUT_WR)

    def read(self, *, has_body: bool = True) -> Answer:
        """The next answer, to its end; without `has_body` only its head."""
        status = int(self._line().split(" ")[1])
        headers = []
        while line := self._line():
            name, _, value = line.partition(":")
            headers.append((name.lower(), value.strip()))
        head = Answer(status, tuple(headers))
        return self.read_rest(head) if has_body else head

    def read_rest(self, head: Answer) -> Answer:
        """An answer whose head was read before, to its end."""
        return head if head.status in (204, 304) else Answer(head.status, head.headers, self._body(head))

    def read_chunks(self) -> bytes:
        """The rest of a chunked body, whose head was read before."""
        body = b""
        while size := int(self._line(), 16):
            body += self._file.read(size)
            self._line()
        self._line()
        return body

    def _line(self) -> str:
        line = self._file.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        return line.rstrip(b"\r\n").decode("latin-1")

    def _body(self, head: Answer) -> bytes:
        if head.get("Transfer-Encoding") == "chunked":
            return self.read_chunks()
        length = head.get("Content-Length")
        return self._file.read(-1 if length is None else int(length))


def exchange(port: int, data: bytes, *, has_body: bool = True) -> Answer:
    """Send bytes on a connection of their own and read one answer."""
    with Wire(port) as wire:
        wire.send(data)
        return wire.read(has_body=has_body)


def call(
    port: int, method: str, path: str, headers: Headers = (), body: bytes | None = None, host: str = "127.0.0.1"
) -> Answer:
    """One request and its whole answer."""
    return exchange(port, request(method, path, headers, body, host), has_body=method != "HEAD")
