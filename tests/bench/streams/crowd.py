"""Many clients on one epoll. While it runs it only takes bytes and notes when they came: they are understood later."""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

_LAST_CHUNK = b"0\r\n\r\n"
_LONGEST_END = len(_LAST_CHUNK)  # so many pieces may hold it, one byte each
_READ_BYTES = 32_768
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
# So many come, and so many are read, before it looks at the others again: a thousand who came in one go kept their own
# process from reading for 100 ms, which looked like the server's doing.
_CONNECTS, _EVENTS = 10, 100
# A client's ports are counted by the address it comes from: so many of these make enough of them.
_ADDRESSES = 16
_BIND_ADDRESS_NO_PORT = 24  # of IPPROTO_IP: the port is chosen by connect, which knows more that are free


@dataclass(eq=False, slots=True)
class Client:
    """One request and what came for it: `parts[i]` was read at `times_ns[i]`, of CLOCK_MONOTONIC.

    Attributes:
        is_settled: nothing more is awaited of it.
        fault: why it did not come to an end, in the system's words.
    """

    request: bytes
    begun_ns: int = 0
    times_ns: list[int] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    is_sent: bool = False
    is_settled: bool = False
    fault: str = ""


@dataclass(frozen=True)
class Start:
    """When a client comes, in seconds from the beginning."""

    after_s: float
    client: Client


class Crowd:
    """The clients of one server.

    Args:
        port: where it listens.
        ready: where they are not to come to an end: who got this has all that is awaited, and stays.
    """

    def __init__(self, port: int, *, ready: bytes = b"") -> None:
        self._port, self._ready = port, ready
        self._epoll = select.epoll()
        self._open: dict[int, tuple[socket.socket, Client]] = {}
        self._count = 0
        self._unsettled = 0

    def run(
        self,
        starts: Sequence[Start],
        limit_s: float,
        events: Iterable[tuple[float, Callable[[], None]]] = (),
        then: Callable[[Client], Client | None] = lambda _: None,
    ) -> None:
        """Until each has come to its end, or the time is over; those that are left stay open until `close`.

        Args:
            events: what is called after so many seconds, once.
            then: given a client that has come to its end, who comes next, if anybody.
        """
        began = time.monotonic()
        coming = deque(sorted(starts, key=lambda start: start.after_s))
        calls = deque(sorted(events, key=lambda event: event[0]))
        self._unsettled += len(coming)
        while self._unsettled > 0 and (now_s := time.monotonic() - began) < limit_s:
            for _ in range(_CONNECTS):
                if coming and coming[0].after_s <= now_s:
                    self._connect(coming.popleft().client)
            while calls and calls[0][0] <= now_s:
                calls.popleft()[1]()
            next_s = min(limit_s, coming[0].after_s if coming else limit_s, calls[0][0] if calls else limit_s)
            for client in self._take(max(0.0, next_s - now_s)):
                follower = then(client)
                if follower is not None:
                    self._unsettled += 1
                    self._connect(follower)
        for _, call in calls:
            call()

    def stay(self, seconds: float) -> None:
        """Go on reading for so long."""
        ends_at = time.monotonic() + seconds
        while (left_s := ends_at - time.monotonic()) > 0:
            self._take(left_s)

    @property
    def count_open(self) -> int:
        """How many are connected."""
        return len(self._open)

    def close(self) -> None:
        """Leave, all that are still there."""
        for sock, client in self._open.values():
            if not client.is_settled:
                client.fault = "no end within the time"
            sock.close()
        self._open.clear()
        self._epoll.close()

    def _take(self, pause_s: float) -> list[Client]:
        """All that is there to be read; returns whose end it was."""
        ended = []
        known, now_ns = self._open, time.monotonic_ns
        for descriptor, _ in self._epoll.poll(pause_s, _EVENTS):
            sock, client = known[descriptor]
            if client.is_sent:  # the one path that each token takes
                try:
                    part = sock.recv(_READ_BYTES)
                except OSError as failure:
                    self._lose(sock, client, os.strerror(failure.errno or errno.EIO))
                    ended.append(client)
                    continue
                client.times_ns.append(now_ns())
                client.parts.append(part)
                if part.endswith(_LAST_CHUNK) or len(part) < _LONGEST_END or len(client.parts) == 1 or self._ready:
                    self._look(sock, client)
                    ended += [client] if sock.fileno() < 0 else []
            else:
                self._ask(sock, client)
        return ended

    def _look(self, sock: socket.socket, client: Client) -> None:
        """Whether what has come is all that is awaited, or the end."""
        tail = b"".join(client.parts[-_LONGEST_END:])
        if self._ready and self._ready in tail:
            self._settle(client)
        if not client.parts[-1] or tail.endswith(_LAST_CHUNK) or _is_refusal(client.parts[0]):
            self._leave(sock, client)

    def _connect(self, client: Client) -> None:
        self._count += 1
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        sock.bind((f"127.0.0.{1 + self._count % _ADDRESSES}", 0))
        client.begun_ns = time.monotonic_ns()
        self._open[sock.fileno()] = sock, client
        failure = sock.connect_ex(("127.0.0.1", self._port))
        if failure not in (0, errno.EINPROGRESS):
            self._lose(sock, client, os.strerror(failure))
            return
        self._epoll.register(sock, select.EPOLLOUT)

    def _ask(self, sock: socket.socket, client: Client) -> None:
        failure = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not failure:
            try:
                sock.sendall(client.request)  # small enough for any buffer
            except OSError as refused:
                failure = refused.errno or errno.EIO
        if failure:
            self._lose(sock, client, os.strerror(failure))
        else:
            client.is_sent = True
            self._epoll.modify(sock, select.EPOLLIN)

    def _lose(self, sock: socket.socket, client: Client, why: str) -> None:
        client.fault = why
        self._leave(sock, client)

    def _leave(self, sock: socket.socket, client: Client) -> None:
        self._open.pop(sock.fileno(), None)
        with suppress(OSError):  # one that was never watched
            self._epoll.unregister(sock)
        sock.close()
        self._settle(client)

    def _settle(self, client: Client) -> None:
        if not client.is_settled:
            client.is_settled = True
            self._unsettled -= 1


def _is_refusal(first_part: bytes) -> bool:
    """Whether a response is short, and all there: what has no chunks comes in one piece."""
    head, _, body = first_part.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return length is not None and len(body) >= int(length[1])
