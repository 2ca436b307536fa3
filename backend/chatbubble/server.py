"""The server behind `chatbubble serve`: the app, and gevent's pywsgi, made for streams, as the one process of it."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import time
from collections.abc import Mapping
from http import HTTPStatus
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import gevent
import gevent.event
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from .config import Settings
from .connections import ChatServer
from .errors import BadRequest, ConfigError, NotFound
from .extension import Chatbubble
from .logs import set_up
from .mount import EXTENSION_KEY
from .mounted import Mounted
from .process import get_ready, leave
from .provider import Provider
from .responses import refusal_response
from .risks import refuse_public_debugging

logger = logging.getLogger("chatbubble.server")

BACKLOG = 2048  # who comes while a thousand others do is not turned away by the system
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


def get_app(settings: Settings, path: str | None) -> Flask:
    """The app to serve: the one at MODULE:APP, or ours. Sets the log up as that app wants it. Raises ConfigError."""
    set_up(settings.log_format, settings.log_level)
    app = create_app() if path is None else _load(path)
    mounted: Mounted = app.extensions[EXTENSION_KEY]
    # The app's own config may say otherwise.
    set_up(mounted.settings.log_format, mounted.settings.log_level)
    return app


def announce(app: Flask) -> None:
    """Say who answers."""
    provider = app.extensions[EXTENSION_KEY].provider
    logging.getLogger("chatbubble").info("answers come from %s (%s)", provider.name, provider.model)
    if provider.name == "demo":
        logging.getLogger("chatbubble").info("demo mode: set OPENAI_API_KEY to let a model answer")


def serve(app: Flask, *, host: str, port: int) -> int:
    """Serve `app` until SIGTERM, SIGINT or SIGHUP; returns the exit code, 0 after a clean stop.

    A signal two seconds after the first one ends at once, with exit code 1.
    Raises ConfigError when the address cannot be used, or is for others while the app is in debug mode.
    """
    if app.debug:
        refuse_public_debugging(host)
    announce(app)
    mounted: Mounted = app.extensions[EXTENSION_KEY]
    server = ChatServer((host, port), app, slots=mounted.clients.slots, backlog=BACKLOG)
    try:
        server.start()
    except OSError as failure:
        raise ConfigError(f"cannot listen on {host}:{port}: {_reason(failure)}") from None
    stopping = _stop_on_signals()
    get_ready(mounted)
    logger.info("listening on http://%s:%d", host, server.server_port)
    stopping.wait()
    leave(mounted, server.make_way)
    return 0


def _refuse(failure: HTTPException) -> Response:
    """What Flask refuses before it knows the address, such as a broken `Host`, and other addresses."""
    return refusal_response(NotFound() if failure.code == HTTPStatus.NOT_FOUND else BadRequest())


def _load(path: str) -> Flask:
    module_name, _, attribute = path.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        app = getattr(import_module(module_name), attribute or "app")
    except (ImportError, AttributeError, TypeError, ValueError) as failure:
        raise ConfigError(f"--app should be MODULE:APP, but {path!r:.80} cannot be imported: {failure}") from failure
    if not isinstance(app, Flask) and _is_factory(app):
        app = app()
    if not isinstance(app, Flask) or EXTENSION_KEY not in app.extensions:
        raise ConfigError(f"--app {path!r:.80} is not a Flask app with a Chatbubble: call Chatbubble(app) first")
    return app


def _is_factory(found: object) -> bool:
    """Whether it can be called with nothing, as an application factory is."""
    if not callable(found):
        return False
    try:
        signature(found).bind()
    except (TypeError, ValueError):  # it needs arguments, or is so built in that it does not say
        return False
    return True


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

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # nohup has a hang-up ignored, and means it; a shell that starts us in the background does so with Ctrl-C.
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            gevent.signal_handler(number, stop)
    return stopping
