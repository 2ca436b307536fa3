"""Chatbubble on a real HTTP server in the test's own process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from flask import Flask
from gevent.pywsgi import WSGIHandler
from scripted import ScriptedProvider
from stream_client import Connection, Reply, Visitor, close_all

from chatbubble.connections import ChatServer, StreamingHandler
from chatbubble.extension import Chatbubble
from chatbubble.mount import EXTENSION_KEY
from chatbubble.mounted import Mounted


class Served:
    """One app with one Chatbubble, listening. `settings` are named without their prefix."""

    def __init__(self, provider: Any, settings: dict[str, Any], handler_class: type[WSGIHandler]) -> None:
        self.provider = provider
        self.app = Flask("tested")
        self.app.config.update({f"CHATBUBBLE_{name.upper()}": value for name, value in settings.items()})
        self.chatbubble = Chatbubble(self.app, provider=provider)
        self.mounted: Mounted = self.app.extensions[EXTENSION_KEY]
        self._server = ChatServer(("127.0.0.1", 0), self.app, slots=self.mounted.clients.slots)
        self._server.handler_class = handler_class
        self._server.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.address[1])

    def visitor(self, session: str | None = None) -> Visitor:
        """A new visitor, or the one of a session id."""
        return Visitor(self.port, session)

    def get(self, path: str) -> Reply:
        """`GET` any path of the server, without a session."""
        return Connection(self.port).request("GET", path)

    def await_stats(self, **expected: int) -> None:
        """Wait until the operator's numbers are these; fails after 5 s."""
        deadline = time.monotonic() + 5
        while (seen := {name: self.mounted.get_stats()[name] for name in expected}) != expected:
            assert time.monotonic() < deadline, f"{seen} did not become {expected}"
            gevent.sleep(0.002)

    def leave(self) -> None:
        """What a signal has a process do, up to its end."""
        self.mounted.drain(10, self._server.make_way)

    def stop(self) -> None:
        """Stop listening and release the store; turns that still run are interrupted."""
        self._server.close()
        self.mounted.workers.drain(0)
        self.mounted.clients.close_channels()
        self._server.stop()
        self.mounted.close()


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers: `serve(heartbeat_s=1)`, or with a `provider` other than a scripted one.

    All of a test share one database, so that serving again is a restart.
    """
    servers: list[Served] = []

    def start(*, provider: Any = None, handler_class: type[WSGIHandler] = StreamingHandler, **settings: Any) -> Served:
        database = f"sqlite:///{tmp_path}/chat.db"
        chosen = {"database_url": database, "rate_limit": "off", "heartbeat_s": 300, **settings}
        servers.append(Served(provider or ScriptedProvider(), chosen, handler_class))
        return servers[-1]

    yield start
    close_all()
    for server in servers:
        server.stop()


@pytest.fixture
def served(serve: Serve) -> Served:
    """A server with default settings, no rate limit, no heartbeats and a scripted provider."""
    return serve()
