"""The single-process server behind `chatbubble serve`: gevent's pywsgi, made for streams."""

from __future__ import annotations

import errno
import gc
import json
import logging
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal

import gevent
import gevent.event
from flask import Flask, Response
from gevent.pywsgi import WSGIHandler, WSGIServer
from werkzeug.exceptions import HTTPException

from .errors import BadRequest, ConfigError, NotFound, StoreUnavailable
from .extension import Chatbubble, Mounted
from .mount import EXTENSION_KEY
from .provider import Provider
from .responses import refusal_response
from .sockets import send_at_once

logger = logging.getLogger("chatbubble.server")

_FLUSH_S = 5.0
_REQUEST_TIMEOUT_S = 60.0
_SAME_STOP_S = 2.0  # Ctrl-C reaches a whole process group, and a parent may pass it on again


class StreamingHandler(WSGIHandler):
    """Gives the app its client's socket, and takes a reader's leaving as ordinary."""

    # A reader that stopped reading ends as a time-out, one that lost its network as a
    # broken route: neither is a fault of the app.
    ignored_socket_errors: tuple[Any, ...] = (
        *WSGIHandler.ignored_socket_errors,
        errno.ETIMEDOUT,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        "timed out",  # gevent's own time-out has no number
    )

    def get_environ(self) -> dict[str, Any]:
        """The WSGI environ, with `chatbubble.socket`."""
        environ: dict[str, Any] = super().get_environ()
        environ["chatbubble.socket"] = self.socket
        return environ

    def handle(self) -> None:
        """Serve one connection; a request that does not arrive in a minute is given up."""
        self.socket.settimeout(_REQUEST_TIMEOUT_S)
        with suppress(OSError):  # of a connection that is closed already: reading it says so
            send_at_once(self.socket)
        super().handle()

    def MessageClass(self, *arguments: Any) -> Any:  # noqa: N802 -- gevent's name for what parses the headers
        """The headers. Raises ValueError where two readers could disagree about the length of the body."""
        headers = super().MessageClass(*arguments)
        lengths = headers.get_all("Content-Length", [])
        codings = headers.get_all("Transfer-Encoding", [])
        if not all(re.fullmatch("[0-9]{1,18}", length, re.ASCII) for length in lengths):
            raise ValueError("Content-Length is not a whole number")
        if not all(coding.lower() == "chunked" for coding in codings):
            raise ValueError("Transfer-Encoding is not chunked")
        if len(lengths) + len(codings) > 1:
            raise ValueError("the length of the body is told more than once")
        return headers

    def handle_one_request(self) -> tuple[str, bytes] | Literal[True] | None:
        """Serve one request; what is not HTTP is refused in our JSON, too."""
        outcome = super().handle_one_request()
        return _not_http(outcome[0]) if isinstance(outcome, tuple) else outcome

    def handle_one_response(self) -> None:
        """Answer one request; what is left of a broken body is not read as another one."""
        super().handle_one_response()
        body: Any = self.wsgi_input
        self.close_connection = self.close_connection or body._chunked_input_error

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
        return _not_http("400")


def _not_http(status: str) -> tuple[str, bytes]:
    body = json.dumps(BadRequest("This is not a valid HTTP request.").to_body()).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(int(status)).phrase}\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return status, head.encode("ascii") + body


def create_app(config: Mapping[str, Any] | None = None, *, provider: Provider | None = None) -> Flask:
    """The app that is served when no other is named: the chat and nothing else.

    `config` joins the Flask config. Raises ConfigError.
    """
    app = Flask("chatbubble", static_folder=None)
    app.config.update(config or {})
    Chatbubble(app, provider=provider)
    app.register_error_handler(HTTPException, _refuse)
    return app


def _refuse(failure: HTTPException) -> Response:
    """What Flask refuses before it knows the address, such as a broken `Host`, and other addresses."""
    return refusal_response(NotFound() if failure.code == HTTPStatus.NOT_FOUND else BadRequest())


def serve(app: Flask, *, host: str, port: int) -> int:
    """Serve `app` until SIGTERM or SIGINT; returns the exit code, 0 after a clean stop.

    A signal two seconds after the first one ends at once, with exit code 1. Raises ConfigError when the address
    cannot be used.
    """
    mounted: Mounted = app.extensions[EXTENSION_KEY]
    server = WSGIServer((host, port), app, handler_class=StreamingHandler, log=None, error_log=logger)
    try:
        server.start()
    except OSError as failure:
        raise ConfigError(f"cannot listen on {host}:{port}: {_reason(failure)}") from None
    stopping = _stop_on_signals()
    try:
        mounted.start()
    except StoreUnavailable as failure:
        raise ConfigError(f"CHATBUBBLE_DATABASE_URL cannot be used: {failure.detail:.200}") from None
    _settle_heap()
    logger.info("listening on http://%s:%d", host, server.server_port)
    stopping.wait()
    logger.info("stopping: no new questions, %.0f s for running answers", mounted.settings.drain_s)
    server.close()
    mounted.drain()
    if not mounted.clients.wait_until_gone(_FLUSH_S):
        logger.warning("some readers were too slow to take their last event")
    server.stop()
    mounted.close()
    return 0


def _settle_heap() -> None:
    """Tell the garbage collector that what was imported stays: looking through all of it again
    would hold up every answer for 50 ms each time."""
    gc.collect()
    gc.freeze()


def _reason(failure: OSError) -> str:
    if failure.errno == errno.EADDRINUSE:
        return "another program does already; choose another port with --port"
    # gevent puts the address behind the system's words; the resolver's numbers are negative.
    number = failure.errno or 0
    return os.strerror(number) if number > 0 else failure.strerror or str(failure)


def _stop_on_signals() -> gevent.event.Event:
    stopping = gevent.event.Event()
    first_at = 0.0

    def stop() -> None:
        nonlocal first_at
        if not stopping.is_set():
            first_at = time.monotonic()
            stopping.set()
        elif time.monotonic() - first_at > _SAME_STOP_S:
            sys.exit(1)

    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop)
    return stopping
