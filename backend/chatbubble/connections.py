"""How `chatbubble serve` speaks HTTP: gevent's pywsgi, made for streams and for strangers."""

from __future__ import annotations

import errno
import io
import json
import logging
import re
import socket
import traceback
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal

import gevent.socket
from gevent.pywsgi import WSGIHandler, WSGIServer

from .arrivals import Arrivals
from .errors import BadRequest, ChatbubbleError, RequestTooSlow
from .logs import Trace, follow
from .request_headers import RequestHeaders
from .slots import Slots
from .sockets import STREAM_KEY, send_at_once

logger = logging.getLogger("chatbubble.server")

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}", re.ASCII)
_SEND_TIMEOUT_S = 60.0
_DISCARD_S = 10.0
_TOGETHER_BYTES = 16_384
# Of a head at once. With gevent's buffer of 8,192 and all of its request, a waiting stream weighed 31 KB.
_READ_BYTES = 2048
# Of a stream's request, what tells it in a log if it fails.
_KEPT = ("REQUEST_METHOD", "PATH_INFO", "REMOTE_ADDR")
_UNCOUNTED = Slots(1_000_000)  # of a server that is none of ours


class ChatServer(WSGIServer):
    """A server of StreamingHandlers.

    Args:
        listener, application, options: as WSGIServer takes them.
        slots: counts its connections.

    Attributes:
        is_leaving: each connection ends with its next answer.
    """

    # gevent takes in 100 newcomers before it looks at anything else, and serves each as far as it goes: when a thousand
    # readers came back at once, others waited 509 ms for their next word. With a few at a time it is 12 ms; the rest
    # of the crowd stands in the system's own line meanwhile.
    max_accept = 4

    def __init__(self, listener: Any, application: Any, *, slots: Slots, **options: Any) -> None:
        self.slots = slots
        self.is_leaving = False
        super().__init__(listener, application, handler_class=StreamingHandler, log=None, error_log=logger, **options)

    def make_way(self) -> None:
        """Take no more connections: others do. Who is connected already is let in; what waits idle is closed, and
        everything else after its next answer. Harmless when repeated."""
        self.is_leaving = True
        if not self.closed:
            with suppress(OSError):  # no more files: then the system turns away who is left
                while (accepted := self.do_read()) is not None:
                    self.do_handle(*accepted)
            self.close()
        self.slots.send_idle_away()


class StreamingHandler(WSGIHandler):
    """Serves one connection: gives the app its socket, takes a reader's leaving as ordinary, and
    waits for no request longer than it may take.

    Attributes:
        head_s: the longest a request's head may take, from its first byte or, of the first one,
            from the connection's.
        body_s: the longest a body may take that comes slower than MIN_BYTES_PER_S.
        idle_s: how long a connection is kept between two requests.
    """

    head_s = 10.0
    body_s = 30.0
    idle_s = 75.0

    # A reader that stopped reading ends as a time-out, one that lost its network as a
    # broken route: neither is a fault of the app.
    ignored_socket_errors: tuple[Any, ...] = (
        *WSGIHandler.ignored_socket_errors,
        errno.ETIMEDOUT,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        "timed out",  # gevent's own time-out has no number
    )
    headers: Any  # RequestHeaders, and not an email's
    _arrivals: Arrivals
    _slots: Slots
    _has_head = False
    _held: bytearray | None = None

    def __init__(self, sock: Any, address: Any, server: Any) -> None:
        self._arrivals = Arrivals(sock)
        initialise: Any = super().__init__
        initialise(sock, address, server, io.BufferedReader(self._arrivals, _READ_BYTES))

    def send_away(self) -> None:
        """See slots.Waiter: whoever reads from the connection reads its end."""
        with suppress(OSError):  # of a connection that is closed already
            self.socket.shutdown(socket.SHUT_RDWR)

    def get_environ(self) -> dict[str, Any]:
        """The WSGI environ of a request whose head is complete, with `chatbubble.socket`."""
        self._has_head = True
        self._slots.serve(self)
        self._arrivals.expect_flow(self.body_s)
        environ: dict[str, Any] = super().get_environ()
        environ["chatbubble.socket"] = self.socket
        return environ

    def handle(self) -> None:
        """Serve one connection, from its first byte to its last."""
        self.socket.settimeout(_SEND_TIMEOUT_S)
        with suppress(OSError):  # of a connection that is closed already: reading it says so
            send_at_once(self.socket)
        self._arrivals.expect_within(self.head_s)
        self._slots = getattr(self.server, "slots", _UNCOUNTED)
        self._slots.wait(self)
        try:
            super().handle()
        except OSError as failure:
            logger.info("%s left before it was refused: %.200r", self.client_address, failure)
        finally:
            self._slots.leave(self)

    def MessageClass(self, file: Any, *_: Any) -> Any:  # noqa: N802 -- gevent's name for what reads the headers
        """The headers. Raises ValueError where two readers could disagree about whom they are for or
        about the length of the body."""
        headers = RequestHeaders.read(file)
        is_old = self.request_version == "HTTP/1.0"
        _check_host(headers, is_old=is_old)
        _check_length(headers, is_old=is_old)
        return headers

    def _headers(self) -> Iterator[tuple[str, str]]:
        headers: RequestHeaders = self.headers
        return headers.environ()

    def read_request(self, raw_requestline: str) -> Any:
        """Read the head. Raises ValueError for what is not HTTP/1.0 or later."""
        method, *others = raw_requestline.split()
        if len(others) != 2 or not _METHOD.fullmatch(method):
            raise ValueError("not a request line")
        is_read = super().read_request(raw_requestline)
        wishes = {part.strip().lower() for value in self.headers.get_all("connection") for part in value.split(",")}
        is_kept = self.request_version != "HTTP/1.0" or "keep-alive" in wishes
        self.close_connection = "close" in wishes or not is_kept
        return is_read

    def handle_one_request(self) -> tuple[str, bytes] | Literal[True] | None:
        """Serve one request; what is not HTTP, or comes too slowly, is refused in our JSON, too."""
        follow(Trace())
        self._has_head = False
        outcome = super().handle_one_request()
        if self._arrivals.is_late and not self._has_head:
            # Who has not begun a request waits for no answer.
            return _refused("408", RequestTooSlow()) if self._arrivals.has_begun else None
        if outcome is True:
            self._slots.wait(self)
            self._arrivals.expect_after_pause(self.idle_s, self.head_s)
            return True
        return None if outcome is None else _refused(outcome[0], BadRequest("This is not a valid HTTP request."))

    def run_application(self) -> None:
        """Let the app answer; what it has not read of the body may come, but not for long."""
        try:
            super().run_application()
        finally:
            self._arrivals.expect_within(_DISCARD_S)

    def process_result(self) -> None:
        """Send the answer. What a stream that has begun no longer needs of its request is let go of before, since it
        may wait for hours; with the smaller buffer, one weighs 26 KB."""
        environ: dict[str, Any] = self.environ or {}
        if STREAM_KEY in environ:
            environ.pop("werkzeug.request", None)  # each holds the other
            self.environ = {name: environ[name] for name in _KEPT if name in environ}
            del self.headers
        super().process_result()

    def finalize_headers(self) -> None:
        """Complete the answer's headers: it says when the connection ends with it, and has to where nothing
        else tells where the answer ends."""
        super().finalize_headers()
        if self.connection_upgraded:
            return
        headers: Any = self.response_headers
        names = {name.lower() for name, _ in headers}
        has_end = self.response_use_chunked or b"content-length" in names or self.code in (204, 304)
        is_leaving = getattr(self.server, "is_leaving", False) or self._slots.is_over
        self.close_connection = self.close_connection or self._arrivals.is_late or is_leaving or not has_end
        if self.close_connection:
            headers[:] = [pair for pair in headers if pair[0].lower() != b"connection"]
            headers.append((b"Connection", b"close"))

    def handle_one_response(self) -> None:
        """Answer one request; what is left of a broken body is not read as another one."""
        super().handle_one_response()
        body: Any = self.wsgi_input
        is_broken = body._chunked_input_error or self._arrivals.is_late
        self.close_connection = self.close_connection or is_broken or getattr(self.server, "is_leaving", False)

    def _write_with_headers(self, data: bytes) -> None:
        # Head and a short first part of the body leave together: a send is a call of the system and wakes the reader.
        handler: Any = super()
        self._held = bytearray()
        try:
            handler._write_with_headers(data)
        finally:
            held, self._held = self._held, None
        if held:
            self._sendall(held)

    def _sendall(self, data: bytes | bytearray) -> None:
        if self._held is not None and len(data) <= _TOGETHER_BYTES:
            self._held += data
            return
        if self._held:
            data, self._held = self._held + data, None
        # Almost always the system takes all of it at once. gevent's own way asks for the size of its buffer each time.
        handler: Any = super()
        cooperative: Any = self.socket
        sent = 0
        if type(self.socket) is gevent.socket.socket:  # and not one that encrypts
            with suppress(OSError):  # what is wrong, or to be waited for, comes again below
                sent = cooperative._sock.send(data)
        self.response_length += sent
        if sent < len(data):
            handler._sendall(memoryview(data)[sent:])

    def log_request(self) -> None:
        """Nothing: the views log what they answer. gevent makes a line of each request also where nobody reads it."""

    def handle_error(self, kind: Any, failure: Any, trace: TracebackType | None) -> None:
        """Log a failure and answer 500, unless the answer is out and only the rest of the body was broken."""
        if isinstance(failure, ValueError) and any(step.name == "_discard" for step in traceback.extract_tb(trace)):
            logger.info("not a body, from %s: %.200r", self.client_address, failure)
            self.close_connection = True
        else:
            super().handle_error(kind, failure, trace)

    def _handle_client_error(self, failure: Exception) -> tuple[str, bytes]:
        # gevent prints a traceback for some of them: a stranger's nonsense is not worth that.
        logger.info("not a request, from %s: %.200r", self.client_address, failure)
        return "400", b""


def _check_host(headers: RequestHeaders, *, is_old: bool) -> None:
    hosts = headers.get_all("host")
    if len(hosts) > 1 or (not is_old and not any(host.strip() for host in hosts)):
        raise ValueError("Host should come once")


def _check_length(headers: RequestHeaders, *, is_old: bool) -> None:
    lengths = headers.get_all("content-length")
    codings = headers.get_all("transfer-encoding")
    if not all(re.fullmatch("[0-9]{1,18}", length, re.ASCII) for length in lengths):
        raise ValueError("Content-Length is not a whole number")
    if codings and is_old:
        raise ValueError("Transfer-Encoding is not of HTTP/1.0")
    if not all(coding.lower() == "chunked" for coding in codings):
        raise ValueError("Transfer-Encoding is not chunked")
    if len(lengths) + len(codings) > 1:
        raise ValueError("the length of the body is told more than once")


def _refused(status: str, error: ChatbubbleError) -> tuple[str, bytes]:
    body = json.dumps(error.to_body()).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(int(status)).phrase}\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return status, head.encode("ascii") + body
