"""A model's server that costs next to nothing: OpenAI's stream of chat completions, from frames made beforehand.

    python tests/bench/streams/standin_model.py      prints its port, and serves until its input ends

HTTP/1.1, chunked and kept alive, one thread on epoll: 50,000 tokens a second take about a third of a core. It writes
each token when it is due and stamps it as it does; where it cannot keep the pace, tokens come later, never in heaps.
"""

from __future__ import annotations

import gc
import heapq
import itertools
import re
import select
import socket
import sys
import time
from contextlib import suppress

from wording import FIRST_TOKEN, TOKEN, now_us, understood

BACKLOG = 4096
_MOST_AT_ONCE = 256  # tokens between two looks at the sockets
_REQUEST_BYTES = 65_536
_PATH = b"POST /v1/chat/completions "
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\nx-request-id: req_%024d\r\n\r\n"
)
_REFUSED = b'{"error":{"message":"That is no question for a stand-in.","type":"invalid_request_error","code":null}}'
_REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
_BEFORE = (
    b'data: {"id":"chatcmpl-%024d","object":"chat.completion.chunk","created":1767225600,'
    b'"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_560af6e559",'
)
_DELTA = b'"choices":[{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}],"usage":null}\n\n'
_USAGE = b'"choices":[],"usage":{"prompt_tokens":64,"completion_tokens":%d,"total_tokens":%d}}\n\n'


def chunk(frame: bytes) -> bytes:
    """A piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(frame), frame)


class Answer:
    """One answer's frames, whose question came now. `take` gives the next bytes to write; nothing after the last."""

    def __init__(self, serial: int, tokens: int, per_second: int) -> None:
        before = _BEFORE % serial
        self.interval_us = 1_000_000 / per_second
        self.asked_us = now_us()
        self.is_over = False
        self._number, self._tokens = 0, tokens
        role = before + _DELTA % (b'{"role":"assistant","content":"","refusal":null}', b"null")
        self.head = _HEAD % serial + chunk(role)
        self._first = before, _DELTA % (b'{"content":"%b"}', b"null")
        # All later tokens are of one length, so that the chunk around them is made once.
        frame = before + _DELTA % (b'{"content":"%b"}' % TOKEN, b"null")
        size = len(frame % (0, 0))
        self._frame = b"%x\r\n%b\r\n" % (size, frame)
        ended = chunk(before + _DELTA % (b"{}", b'"stop"')) + chunk(before + _USAGE % (tokens, tokens + 64))
        self._end = ended + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"

    def take(self, stamp_us: int) -> bytes:
        """The next token, with this stamp; after the last one the end."""
        number = self._number = self._number + 1
        if 1 < number <= self._tokens:
            return self._frame % (number, stamp_us)
        if number == 1:
            before, delta = self._first
            return chunk(before + delta % (FIRST_TOKEN % (1, stamp_us, self.asked_us)))
        self.is_over = True
        return self._end


class Connection:
    """One client, one request at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.answer: Answer | None = None
        self.due_us = 0.0
        self.unsent = b""
        self.received = b""

    def request(self) -> bytes:
        """The next request, whole; nothing until it is there."""
        head, end, rest = self.received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        wanted = int(length[1]) if length else 0
        if not end or len(rest) < wanted:
            return b""
        self.received = rest[wanted:]
        return head + end + rest[:wanted]


class StandinModel:
    """The server; `port` is where it listens."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._connections: dict[int, Connection] = {}
        self._due: list[tuple[float, int, Connection]] = []
        self._serials = itertools.count(1)

    def serve(self, until: int) -> None:
        """Serve until the descriptor `until` has something to read, or has ended."""
        self._epoll.register(until, select.EPOLLIN)
        while True:
            pause_s = self._speak()
            for descriptor, event in self._epoll.poll(pause_s, 1024):
                connection = self._connections.get(descriptor)
                if connection is not None:
                    self._attend(connection, event)
                elif descriptor == until:
                    return
                else:
                    self._accept()

    def _speak(self) -> float:
        """Write what is due; returns how long nothing else will be."""
        due, clock = self._due, time.monotonic_ns
        for _ in range(_MOST_AT_ONCE):
            if not due:
                return 60.0
            at, serial, connection = due[0]
            stamp_us = clock() // 1000
            if at > stamp_us:
                return (at - stamp_us) / 1e6
            answer = connection.answer
            if answer is None or connection.due_us != at:  # it left, or waits for its reader
                heapq.heappop(due)
                continue
            self._write(connection, answer.take(stamp_us))
            if answer.is_over or connection.unsent:
                heapq.heappop(due)
                connection.answer = None if answer.is_over else answer
            else:
                connection.due_us = max(at + answer.interval_us, stamp_us)
                heapq.heapreplace(due, (connection.due_us, serial, connection))
        return 0.0

    def _write(self, connection: Connection, data: bytes) -> None:
        try:
            sent = connection.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(connection)
            return
        if sent < len(data):
            # Its reader is behind: the next token is written, and stamped, once this one is gone.
            connection.unsent = data[sent:]
            self._epoll.modify(connection.sock, select.EPOLLIN | select.EPOLLOUT)

    def _attend(self, connection: Connection, event: int) -> None:
        if event & select.EPOLLOUT and connection.unsent:
            unsent, connection.unsent = connection.unsent, b""
            self._write(connection, unsent)
            if not connection.unsent and connection.sock.fileno() >= 0:
                self._epoll.modify(connection.sock, select.EPOLLIN)
                if connection.answer is not None:
                    self._schedule(connection, now_us())
        if event & ~select.EPOLLOUT:
            self._read(connection)

    def _read(self, connection: Connection) -> None:
        try:
            received = connection.sock.recv(_REQUEST_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._drop(connection)
            return
        connection.received += received
        while connection.answer is None and (request := connection.request()):
            self._begin(connection, request)

    def _begin(self, connection: Connection, request: bytes) -> None:
        asked = understood(request) if request.startswith(_PATH) else None
        if asked is None:
            self._write(connection, _REFUSAL % (len(_REFUSED), _REFUSED))
            return
        tokens, per_second, think_ms = asked
        connection.answer = Answer(next(self._serials), tokens, per_second)
        self._write(connection, connection.answer.head)
        if not connection.unsent:
            self._schedule(connection, connection.answer.asked_us + think_ms * 1000)

    def _schedule(self, connection: Connection, at_us: float) -> None:
        connection.due_us = at_us
        heapq.heappush(self._due, (at_us, next(self._serials), connection))

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                sock, _ = self._listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections[sock.fileno()] = Connection(sock)
                self._epoll.register(sock, select.EPOLLIN)

    def _drop(self, connection: Connection) -> None:
        connection.answer = None
        if self._connections.pop(connection.sock.fileno(), None):
            connection.sock.close()


def main() -> None:
    """Serve until the input ends."""
    model = StandinModel()
    print(model.port, flush=True)
    gc.disable()
    model.serve(sys.stdin.fileno())


if __name__ == "__main__":
    main()
