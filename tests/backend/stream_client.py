"""A client of the event stream on a raw socket: it sees bytes, and can do what browsers cannot.

Written from the wire table alone; it shares no code with the package that it tests.
"""

from __future__ import annotations

import json
import secrets
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

TERMINAL = ("done", "error")
_TIMEOUT_S = 10.0
opened: set[Connection] = set()


def close_all() -> None:
    """Close every connection that a test has left open."""
    while opened:
        opened.pop().close()


@dataclass(frozen=True)
class Received:
    """One event as it came."""

    type: str
    data: Any
    id: str


class Connection:
    """One TCP connection. Every read fails after `timeout_s` instead of waiting for ever."""

    def __init__(self, port: int, *, timeout_s: float = _TIMEOUT_S, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        opened.add(self)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout_s)
        self.socket.connect(("127.0.0.1", port))
        self._buffer = bytearray()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        session: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send one request; `body` is sent as JSON unless it is bytes."""
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        if session is not None:
            lines.append(f"Authorization: Bearer {session}")
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(sent)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + sent)

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        session: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request and read the head of its answer."""
        self.send(method, path, body=body, session=session, headers=headers)
        return self.read_reply()

    def read_reply(self) -> Reply:
        """Read status line and headers of the next answer."""
        head = self.read_until(b"\r\n\r\n").decode("latin-1")
        status_line, *lines = head.rstrip().split("\r\n")
        named = (line.partition(":") for line in lines)
        return Reply(self, int(status_line.split(" ")[1]), {name.lower(): value.strip() for name, _, value in named})

    def read_until(self, mark: bytes) -> bytes:
        """Bytes up to and including `mark`. Raises ConnectionError when the server closes before."""
        while (end := self._buffer.find(mark)) < 0:
            self._fill()
        return self._take(end + len(mark))

    def read_exactly(self, count: int) -> bytes:
        """The next `count` bytes. Raises ConnectionError when the server closes before."""
        while len(self._buffer) < count:
            self._fill()
        return self._take(count)

    def half_close(self) -> None:
        """Send FIN, and stay able to read."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Send FIN, or RST where bytes are left unread."""
        opened.discard(self)
        self.socket.close()

    def reset(self) -> None:
        """Send RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _fill(self) -> None:
        received = self.socket.recv(65_536)
        if not received:
            raise ConnectionError("the server closed the connection")
        self._buffer += received

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


@dataclass
class Reply:
    """One answer. Its body is read as bytes or as events, not both; `seen` has all events so far."""

    connection: Connection
    status: int
    headers: dict[str, str]
    wire: bytearray = field(default_factory=bytearray)
    seen: list[Received] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    retry: int | None = None
    is_at_end: bool = False
    last_event_id: str = ""

    def read(self) -> bytes:
        """The rest of the body."""
        return b"".join(self.chunks())

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.read())

    def chunks(self) -> Iterator[bytes]:
        """The body as the server cut it; ends with the body."""
        if self.headers.get("transfer-encoding") != "chunked":
            self.wire += self.connection.read_exactly(int(self.headers.get("content-length", "0")))
            self.is_at_end = True
            yield bytes(self.wire)
            return
        while not self.is_at_end:
            size = int(self.connection.read_until(b"\r\n"), 16)
            chunk = self.connection.read_exactly(size + 2)[:-2]
            self.is_at_end = size == 0
            self.wire += chunk
            if chunk:
                yield chunk

    def next_event(self) -> Received:
        """The next event. Raises ConnectionError when the body ends before one."""
        event = next(self._events, None)
        if event is None:
            raise ConnectionError("the body ended")
        return event

    def until(self, event_type: str) -> list[Received]:
        """The events up to and including the next one of this type."""
        events = [self.next_event()]
        while events[-1].type != event_type:
            events.append(self.next_event())
        return events

    def until_end(self) -> list[Received]:
        """All events that are left."""
        return list(self._events)

    def events(self) -> Iterator[Received]:
        """The events that are left, each as it comes."""
        return self._events

    def close(self) -> None:
        """Close the connection under it."""
        self.connection.close()

    def __post_init__(self) -> None:
        self._events = self._decode()
        self._block: dict[str, str] = {}

    def _decode(self) -> Iterator[Received]:
        # Our own streams end their lines with LF only.
        rest = b""
        for chunk in self.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                event = self._read_line(line.decode("ascii"))
                if event is not None:
                    self.seen.append(event)
                    yield event

    def _read_line(self, line: str) -> Received | None:
        if line.startswith(":"):
            self.comments.append(line[1:].strip())
        elif line.startswith("retry: "):
            self.retry = int(line[7:])
        elif line:
            name, _, value = line.partition(": ")
            assert name in ("id", "event", "data"), f"not in the wire table: {line!r}"
            assert name not in self._block, f"twice in one event: {line!r}"
            self._block[name] = value
        elif self._block:
            block, self._block = self._block, {}
            self.last_event_id = block["id"]
            return Received(block["event"], json.loads(block["data"]), block["id"])
        return None


class Visitor:
    """A browser with a session id of its own, against the server on `port`."""

    def __init__(self, port: int, session: str | None = None, prefix: str = "/api/ai") -> None:
        self.port = port
        self.session = session or secrets.token_urlsafe(24)
        self.prefix = prefix

    def ask(
        self, message: str = "hello", request_id: str | None = None, replaces: str | None = None, **options: Any
    ) -> Reply:
        """`POST /chat` on a connection of its own."""
        body = {"message": message, "sessionId": self.session, "requestId": request_id, "replaces": replaces}
        return Connection(self.port, **options).request("POST", f"{self.prefix}/chat", body=body)

    def resume(self, stream_id: str, last_event_id: str = "", **options: Any) -> Reply:
        """`GET /chat/<streamId>` on a connection of its own."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        return self.get(f"/chat/{stream_id}", headers=headers, **options)

    def abort(self, stream_id: str) -> Reply:
        """`POST /chat/<streamId>/abort`, answered whole."""
        return self._call("POST", f"/chat/{stream_id}/abort")

    def conversation(self) -> Any:
        """The body of `GET /conversation`."""
        return self._call("GET", "/conversation").json()

    def erase(self) -> int:
        """`DELETE /conversation`; returns the status."""
        return self._call("DELETE", "/conversation").status

    def get(self, path: str, headers: dict[str, str] | None = None, **options: Any) -> Reply:
        """Any other address, with the session id."""
        connection = Connection(self.port, **options)
        return connection.request("GET", self.prefix + path, session=self.session, headers=headers)

    def _call(self, method: str, path: str) -> Reply:
        return Connection(self.port).request(method, self.prefix + path, session=self.session)


def joined_text(events: list[Received], text: str = "") -> str:
    """The answer's text by the rules of the wire: `reset` forgets, and every `index` must fit.
    `text` is what came before these events."""
    for event in events:
        if event.type == "reset":
            text = ""
        elif event.type == "token":
            assert event.data["index"] == utf16_length(text), f"{event} does not follow {len(text)} characters"
            text += event.data["text"]
    return text


def utf16_length(text: str) -> int:
    """Length as a browser counts it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
