"""How requests reach a model's server from a process that runs on gevent.

httpcore2 brings a connection pool, but not one for greenlets that get killed, which is
what Stop does: under a lock it asks every idle connection whether it still lives, gevent
answers such a question by switching, and a greenlet killed right there leaves its entry in
the pool for ever. It also walks through all connections for every request. So we use its
connections and keep the idle ones ourselves. There are no slots that could leak: how many
requests run at once is decided by whoever starts turns.
"""

from __future__ import annotations

import ssl
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import gevent
import httpcore2
import httpx2
from gevent import monkey

MAX_IDLE = 100
IDLE_S = 30.0
MAX_ERROR_BYTES = 65_536

# The unpatched one: it answers at once, without switching greenlets.
_poll = monkey.get_original("select", "poll")
_READABLE = 1


class _Idle(NamedTuple):
    connection: httpcore2.HTTPConnection
    socket: Any
    expires_at: float

    def is_usable(self) -> bool:
        """An idle connection has nothing to say: if it is readable, its end was announced."""
        if time.monotonic() > self.expires_at or self.socket.fileno() < 0:
            return False
        poll = _poll()
        poll.register(self.socket.fileno(), _READABLE)
        return not poll.poll(0)


class GeventTransport(httpx2.BaseTransport):
    """Sends each request on an idle connection or on a new one; HTTP/1.1, with or without TLS."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl_context = ssl_context or httpcore2.default_ssl_context()
        self._backend = _Backend()
        self._idle: dict[str, deque[_Idle]] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send `request`; returns when the response's headers are there."""
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        sent = httpcore2.Request(
            request.method, url, headers=request.headers.raw, content=request.stream, extensions=request.extensions
        )
        connection = self._connection(url.origin)
        try:
            with _httpx2_errors():
                response = connection.handle_request(sent)
        except BaseException:
            connection.close()
            raise
        return httpx2.Response(
            response.status,
            headers=response.headers,
            stream=_Body(self, connection, response, origin=str(url.origin)),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close the idle connections. Those at work end with their responses."""
        for idle in self._idle.values():
            while idle:
                idle.pop().connection.close()

    def keep(self, connection: httpcore2.HTTPConnection, response: httpcore2.Response, origin: str) -> None:
        """Take back a connection whose response was read to its end; let go of any other."""
        if not connection.is_idle():
            return
        idle = self._idle.setdefault(origin, deque())
        socket = response.extensions["network_stream"].get_extra_info("socket")
        idle.append(_Idle(connection, socket, time.monotonic() + IDLE_S))
        while len(idle) > MAX_IDLE or not idle[0].is_usable():
            idle.popleft().connection.close()
            if not idle:
                break

    def _connection(self, origin: httpcore2.Origin) -> httpcore2.HTTPConnection:
        idle = self._idle.get(str(origin))
        while idle:
            # The newest first: it is the likeliest to live.
            newest = idle.pop()
            if newest.is_usable():
                return newest.connection
            newest.connection.close()
        return httpcore2.HTTPConnection(origin, ssl_context=self._ssl_context, network_backend=self._backend)


class _Body(httpx2.SyncByteStream):
    def __init__(
        self,
        transport: GeventTransport,
        connection: httpcore2.HTTPConnection,
        response: httpcore2.Response,
        origin: str,
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._response = response
        self._origin = origin

    def __iter__(self) -> Iterator[bytes]:
        is_error = self._response.status >= 400
        taken = 0
        with _httpx2_errors():
            for chunk in self._response.iter_stream():
                yield chunk
                taken += len(chunk)
                # The openai package reads the body of a refusal whole, however long it is.
                if is_error and taken > MAX_ERROR_BYTES:
                    break

    def close(self) -> None:
        self._response.close()
        self._transport.keep(self._connection, self._response, self._origin)


class _Backend(httpcore2.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        # A socket's own time-out leaves out the look-up of the name and starts again with
        # each address of the host.
        with gevent.Timeout(timeout, httpcore2.ConnectTimeout(f"no connection within {timeout} s")):
            return super().connect_tcp(host, port, timeout, local_address, socket_options or ())


@contextmanager
def _httpx2_errors() -> Iterator[None]:
    """httpx2 has the exceptions of httpcore2 under the same names."""
    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.ProxyError,
        httpcore2.UnsupportedProtocol,
    ) as error:
        raise getattr(httpx2, type(error).__name__)(str(error)) from error
