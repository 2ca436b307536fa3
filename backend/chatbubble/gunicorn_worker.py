"""One process of several under gunicorn: its worker, with all that our own server does.

gunicorn's own process imports this module, and must not be patched by gevent. So nothing is imported here that brings
sockets, ssl or threading along; what a worker needs of that, it imports when it has patched itself.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import gevent
from gunicorn.errors import AppImportError
from gunicorn.workers.ggevent import GeventWorker

from .connections import ChatServer
from .errors import ConfigError
from .process import get_ready, leave

if TYPE_CHECKING:
    from .mounted import Mounted

logger = logging.getLogger("chatbubble.server")

_LOOK_EVERY_S = 0.25
_FIRST_S = 10.0


class ChatWorker(GeventWorker):  # type: ignore[misc]  # gunicorn states no types
    """A gevent worker that serves a Flask app with a Chatbubble, for gunicorn's `worker_class`.

    Its connections are those of `chatbubble serve`: slow requests have an end, readers who leave are noticed at once.
    On SIGTERM, which a reload sends as well, it drains for CHATBUBBLE_DRAIN_S; on SIGQUIT or Ctrl-C it saves what was
    said and ends. `graceful_timeout` has to be longer than a drain; `worker_connections` is not looked at, since
    CHATBUBBLE_MAX_STREAMS says how many.
    """

    alive: bool
    _mounted: Mounted
    _drain_s: float | None = None

    def load_wsgi(self) -> None:
        """Load the app and open what it needs. Where that cannot be, gunicorn ends as a whole, but for a worker
        that takes the place of another one: what is away will come back, and the others may still work."""
        try:
            super().load_wsgi()
            self._mounted = _find_chat(self.wsgi)
            self._get_ready()
        except ConfigError as failure:
            self._leave_it_to_the_first()
            raise AppImportError(f"Error: {failure.message}") from None

    def run(self) -> None:
        """Serve until a signal says otherwise, then leave."""
        servers = [self._listen(listener) for listener in self.sockets]
        while self.alive:
            self.notify()
            gevent.sleep(_LOOK_EVERY_S)
        leaving = gevent.spawn(leave, self._mounted, lambda: _make_way(servers), drain_s=self._drain_s)
        while not leaving.ready():
            self.notify()
            leaving.join(_LOOK_EVERY_S)
        leaving.get()

    def notify(self) -> None:
        """Tell gunicorn that this process lives; without gunicorn, it leaves as well."""
        self.tmp.notify()
        if self.ppid != os.getppid() and self.alive:
            logger.warning("gunicorn's own process is gone: stopping")
            self.alive = False

    def handle_quit(self, sig: int, frame: object) -> None:  # noqa: ARG002 -- gunicorn's form
        """SIGQUIT, and SIGINT: leave at once."""
        self._drain_s = 0.0
        self.alive = False

    def _leave_it_to_the_first(self) -> None:
        """All workers fail alike: one of them says so, and gunicorn stops the others."""
        gives_up_at = time.monotonic() + _FIRST_S
        while self.age > 1 and self.alive and time.monotonic() < gives_up_at:
            self.notify()
            gevent.sleep(_LOOK_EVERY_S)
        if not self.alive:
            sys.exit(0)

    def _get_ready(self) -> None:
        try:
            get_ready(self._mounted, is_one_of_several=self.cfg.workers > 1)
        except ConfigError as failure:
            is_first = self.age <= self.cfg.workers
            if is_first:
                raise
            logger.error("questions are refused for now: %s", failure.message)

    def _listen(self, listener: Any) -> ChatServer:
        listener.setblocking(1)
        environ = {"wsgi.multiprocess": self.cfg.workers > 1}
        server = ChatServer(listener, self.wsgi, slots=self._mounted.clients.slots, environ=environ)
        server.start()
        return server


def _find_chat(app: Any) -> Mounted:
    from .mount import EXTENSION_KEY

    try:
        mounted: Mounted = app.extensions[EXTENSION_KEY]
    except (AttributeError, KeyError):
        raise ConfigError(
            "ChatWorker serves a Flask app with a Chatbubble; wrap app.wsgi_app, and not the app, where you wrap it"
        ) from None
    return mounted


def _make_way(servers: list[ChatServer]) -> None:
    for server in servers:
        server.make_way()
