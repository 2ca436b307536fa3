"""The single-process server behind `chatbubble serve`: gevent's pywsgi, made for streams."""

from __future__ import annotations

import errno
import gc
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import gevent
import gevent.event
from flask import Flask, Response
from gevent.pywsgi import WSGIServer
from werkzeug.exceptions import HTTPException

from .connections import StreamingHandler
from .errors import BadRequest, ConfigError, NotFound, RedisUnavailable, StoreUnavailable
from .extension import Chatbubble
from .mount import EXTENSION_KEY
from .mounted import Mounted
from .provider import Provider
from .responses import refusal_response

logger = logging.getLogger("chatbubble.server")

_FLUSH_S = 5.0
_OTHER_FILES = 1024  # beside the streams: the database, requests on their way, idle connections
_SAME_STOP_S = 2.0  # Ctrl-C reaches a whole process group, and a parent may pass it on again


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

    While running answers finish it goes on listening: whoever asks anew is told to come back, and a reader
    that was cut can still resume. A signal two seconds after the first one ends at once, with exit code 1.
    Raises ConfigError when the address cannot be used.
    """
    mounted: Mounted = app.extensions[EXTENSION_KEY]
    _allow_open_files(2 * mounted.settings.max_streams + _OTHER_FILES)
    server = WSGIServer((host, port), app, handler_class=StreamingHandler, log=None, error_log=logger)
    try:
        server.start()
    except OSError as failure:
        raise ConfigError(f"cannot listen on {host}:{port}: {_reason(failure)}") from None
    stopping = _stop_on_signals()
    try:
        mounted.start()
    except StoreUnavailable as failure:
        setting = "CHATBUBBLE_REDIS_URL" if isinstance(failure, RedisUnavailable) else "CHATBUBBLE_DATABASE_URL"
        raise ConfigError(f"{setting} cannot be used: {failure.detail:.200}") from None
    _settle_heap()
    logger.info("listening on http://%s:%d", host, server.server_port)
    stopping.wait()
    logger.info("stopping: no new questions, %.0f s for running answers", mounted.settings.drain_s)
    mounted.drain()
    if not mounted.clients.wait_until_gone(_FLUSH_S):
        logger.warning("some readers were too slow to take their last event")
    server.stop()
    mounted.close()
    return 0


def _allow_open_files(count: int) -> None:
    """Ask the system for so many open files, a connection being one; it often begins with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as refusal:  # some systems allow less than they say
        logger.warning("only %d files may be open, and so many connections less: %s", soft, refusal)


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
