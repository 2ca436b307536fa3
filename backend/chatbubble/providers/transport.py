"""How requests reach a model's server from a process that runs on gevent.

The pool that comes with httpx2 is not one for greenlets that get killed, which is what Stop
does: under a lock it asks every idle connection whether it still lives, gevent answers such
a question by switching, and a greenlet killed right there leaves its entry in the pool for
ever. It also walks through all connections for every request. This one has no lock and no
slots that could leak: how many requests run at once is decided by whoever starts turns.
"""

from __future__ import annotations

import ssl
import sys
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import gevent
import httpx2
from gevent import monkey, socket

from .http1 import MalformedResponse, ResponseReader, encode_request

MAX_IDLE = 100
IDLE_S = 30.0
MAX_ERROR_BYTES = 65_536
READ_BYTES = 65_536

Address = tuple[str, str, int]

# The unpatched one: it answers at once, without switching greenlets.
_poll = monkey.get_original("select", "poll")
_READABLE = 1


class GeventTransport(httpx2.BaseTransport):
    """Sends each request on an idle connection or on a new one; HTTP/1.1, with or without TLS."""

    def __init__(self) -> None:
        # Where httpx2 would take truststore's context, gevent's sockets do not fit it.
        is_linux = sys.platform.startswith("linux")
        self._ssl_context = httpx2.create_ssl_context() if is_linux else ssl.create_default_context()
        self._idle: dict[Address, deque[_Connection]] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send `request`; returns when the response's headers are there.

        Raises the `httpx2.TransportError` that fits.
        """
        address = _address(request.url)
        connection = self._take_idle(address) or self._connect(address, _timeout_s(request, "connect"))
        try:
            reader, start = connection.exchange(request)
        except BaseException:
            connection.close()
            raise
        body = _Body(self, connection, reader, start)
        return httpx2.Response(reader.status, headers=reader.headers, stream=body)

    def close(self) -> None:
        """Close the idle connections. Those at work end with their responses."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def keep(self, connection: _Connection) -> None:
        """Take back a connection that can be used again."""
        idle = self._idle.setdefault(connection.address, deque())
        connection.idle_since = time.monotonic()
        idle.append(connection)
        while idle and (len(idle) > MAX_IDLE or not idle[0].is_usable()):
            idle.popleft().close()

    def _take_idle(self, address: Address) -> _Connection | None:
        idle = self._idle.get(address)
        while idle:
            # The newest first: it is the likeliest to live.
            newest = idle.pop()
            if newest.is_usable():
                return newest
            newest.close()
        return None

    def _connect(self, address: Address, timeout_s: float | None) -> _Connection:
        scheme, host, port = address
        # One timer for all of it: a socket's own leaves out the look-up of the name and
        # starts again with each address of the host and each step of the handshake.
        timer = gevent.Timeout(timeout_s, httpx2.ConnectTimeout(f"no connection within {timeout_s} s"))
        try:
            with timer:
                sock = socket.create_connection((host, port))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if scheme == "https":
                    sock = self._shake_hands(sock, host)
        except OSError as error:
            raise httpx2.ConnectError(str(error)) from error
        return _Connection(sock, address)

    def _shake_hands(self, plain: Any, host: str) -> ssl.SSLSocket:
        sock = self._ssl_context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        try:
            sock.do_handshake()
        except BaseException:
            sock.close()
            raise
        return sock


class _Connection:
    """One socket, one request at a time."""

    def __init__(self, sock: Any, address: Address) -> None:
        self.address = address
        self.idle_since = 0.0
        self._sock = sock

    def is_usable(self) -> bool:
        """Whether an idle connection still stands. It has nothing to say: if it is readable,
        its end was announced."""
        if time.monotonic() - self.idle_since > IDLE_S:
            return False
        poll = _poll()
        poll.register(self._sock.fileno(), _READABLE)
        return not poll.poll(0)

    def exchange(self, request: httpx2.Request) -> tuple[ResponseReader, bytes]:
        """Send a request and read the response's head; returns what came of the body with it."""
        try:
            sent = encode_request(request.method, request.url.raw_path, request.headers.raw, request.read())
        except ValueError as error:
            raise httpx2.LocalProtocolError(str(error)) from error
        self._send(sent, _timeout_s(request, "write"))
        self._sock.settimeout(_timeout_s(request, "read"))
        reader, start = ResponseReader(), b""
        while not reader.status:
            start = self.receive(reader)
        return reader, start

    def receive(self, reader: ResponseReader) -> bytes:
        """Wait for what the server says next; returns what of it belongs to the body."""
        try:
            data = self._sock.recv(READ_BYTES)
            if data:
                return reader.feed(data)
            reader.end()
        except TimeoutError as error:
            raise httpx2.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx2.ReadError(str(error)) from error
        except MalformedResponse as error:
            raise httpx2.RemoteProtocolError(str(error)) from error
        return b""

    def close(self) -> None:
        """Let go of it at once."""
        self._sock.close()

    def _send(self, data: bytes, timeout_s: float | None) -> None:
        self._sock.settimeout(timeout_s)
        try:
            self._sock.sendall(data)
        except TimeoutError as error:
            raise httpx2.WriteTimeout(str(error)) from error
        except OSError:
            # A server may refuse without having read all of a request. If it did not,
            # reading fails just as well.
            return


class _Body(httpx2.SyncByteStream):
    def __init__(
        self, transport: GeventTransport, connection: _Connection, reader: ResponseReader, start: bytes
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._reader = reader
        self._start = start
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        chunk, taken = self._start, 0
        while True:
            if chunk:
                yield chunk
                taken += len(chunk)
            # The openai package reads the body of a refusal whole, however long it is.
            if self._reader.is_complete or (self._reader.status >= 400 and taken > MAX_ERROR_BYTES):
                return
            chunk = self._connection.receive(self._reader)

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._reader.is_complete and self._reader.is_reusable:
            self._transport.keep(self._connection)
        else:
            self._connection.close()


def _address(url: httpx2.URL) -> Address:
    if url.scheme not in ("http", "https") or not url.host:
        raise httpx2.UnsupportedProtocol(f"not an address for HTTP: {url.scheme!r}")
    return url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)


def _timeout_s(request: httpx2.Request, part: str) -> float | None:
    timeout_s: float | None = request.extensions.get("timeout", {}).get(part)
    return timeout_s
