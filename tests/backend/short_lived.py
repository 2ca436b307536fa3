"""A proxy that bounds a connection's whole life, as some balancers do by default: whatever passes, it is cut then."""

from __future__ import annotations

from typing import Any

import gevent
from gevent import socket
from gevent.pool import Pool
from gevent.server import StreamServer


class ShortLivedProxy:
    """Forwards to `target_port`, on each connection for `life_s` seconds. `cuts` counts those that lived as long."""

    def __init__(self, target_port: int, life_s: float) -> None:
        self.cuts = 0
        self._target_port, self._life_s = target_port, life_s
        self._server = StreamServer(("127.0.0.1", 0), self._serve, spawn=Pool())

    def __enter__(self) -> ShortLivedProxy:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(timeout=0)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.address[1])

    def _serve(self, client: Any, _address: object) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target_port)) as upstream:
            ways = [gevent.spawn(_carry, *ends) for ends in ((client, upstream), (upstream, client))]
            gevent.wait(ways, timeout=self._life_s, count=1)
            self.cuts += not any(ways[at].ready() for at in (0, 1))
            gevent.killall(ways)


def _carry(source: Any, target: Any) -> None:
    try:
        while received := source.recv(65_536):
            target.sendall(received)
    except OSError:
        return  # one end has gone; the other one is told by the closing of both
