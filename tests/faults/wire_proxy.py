"""A TCP proxy that does to connections what their scripts say, at chosen bytes: see wire_faults.py.

It knows no HTTP. Counted are the bytes on one connection from the first one after, or of, a request that holds
`match`. In a process that runs on gevent:

    proxy = WireProxy(lambda: 8000, [cut(812), read_script("300:slice=1,900:rst")])
    proxy.start()                                # a free port: proxy.port
    ... the first connection is cut after 812 bytes of its answer, the second comes in single bytes, then is reset ...
    proxy.stop()

Or as a process, here for the connections that ask a question or read an answer on:

    python tests/faults/wire_proxy.py --target 8000 --port 8001 --match /chat --script 812 --script 0:rst
"""

from __future__ import annotations

import argparse
import struct
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import gevent
from gevent import socket
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer
from wire_faults import ENDINGS, Fault, Kind, Script, read_script
from wire_flow import Flow

_RESET = struct.pack("ii", 1, 0)


class WireProxy:
    """Forwards each connection to a port of this machine, which `way` gives. Each takes the next script once a
    request with `match` comes by; when none is left, everything passes."""

    def __init__(
        self, way: Callable[[], int], scripts: Iterable[Script] = (), *, match: bytes = b"", port: int = 0
    ) -> None:
        self.scripts = deque(scripts)
        self.made: Counter[Kind] = Counter()
        self.connections = 0
        self._way = way
        self._match = match
        self._server = StreamServer(("127.0.0.1", port), self._serve, spawn=Pool(), backlog=1024)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.address[1])

    @property
    def cuts_made(self) -> int:
        """How many connections it has ended."""
        return sum(self.made[kind] for kind in ENDINGS)

    def start(self) -> None:
        """Listen."""
        self._server.start()

    def stop(self) -> None:
        """Close the listener and every connection."""
        self._server.stop(timeout=0)

    def serve_forever(self) -> None:
        """Listen until the process is stopped."""
        self._server.serve_forever()

    def take_script(self, sent: bytes) -> Script | None:
        """The script for a connection that sends these bytes, if it is to have one."""
        return self.scripts.popleft() if self.scripts and self._match in sent else None

    def _serve(self, client: Any, _address: object) -> None:
        self.connections += 1
        with client:
            try:
                upstream = socket.create_connection(("127.0.0.1", self._way()))
            except OSError:
                return  # nobody is there: the client is told by the end of its connection
            with upstream:
                _Wire(self, client, upstream).carry()


class _Wire:
    """One connection, in both directions, until it is over."""

    def __init__(self, proxy: WireProxy, client: Any, upstream: Any) -> None:
        self._proxy, self._client, self._upstream = proxy, client, upstream
        self._requests = Flow(client, upstream, self._make)
        self._answers = Flow(upstream, client, self._make)
        self._has_script = False
        self._over = Event()
        for end in (client, upstream):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def carry(self) -> None:
        ways = [gevent.spawn(self._carry_requests), gevent.spawn(self._carry_answers)]
        try:
            self._over.wait()
        finally:
            gevent.killall(ways)

    def _carry_requests(self) -> None:
        # Where one end has gone, the other one is told by the closing of both.
        try:
            if self._requests.run(self._look_for_match):
                self._upstream.shutdown(socket.SHUT_WR)
        except OSError:
            self._over.set()

    def _carry_answers(self) -> None:
        with suppress(OSError):
            if not self._answers.run():
                return
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)
        self._over.set()

    def _look_for_match(self, sent: bytes) -> None:
        script = None if self._has_script else self._proxy.take_script(sent)
        if script is not None:
            self._has_script = True
            self._requests.begin(script.side(is_on_request=True))
            self._answers.begin(script.side(is_on_request=False))

    def _make(self, fault: Fault) -> bool:
        """Do what ends a connection; whether the bytes of this direction end with it."""
        self._proxy.made[fault.kind] += 1
        if fault.kind is Kind.HALF_CLOSE:
            self._upstream.shutdown(socket.SHUT_WR)
            return False
        if fault.kind is Kind.FIN:
            self._client.shutdown(socket.SHUT_WR)
            (self._requests if fault.is_on_request else self._answers).drain()
        if fault.kind is Kind.BLACK_HOLE:
            gevent.sleep(fault.value)
        if fault.kind is Kind.RESET:
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        if fault.kind in ENDINGS:
            self._over.set()
        return fault.kind in ENDINGS


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A TCP proxy that breaks connections by script.")
    parser.add_argument("--target", type=int, required=True, help="port of the server")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--match", default="", help="only connections whose request holds this")
    parser.add_argument("--script", type=read_script, action="append", default=[], metavar="BYTES[:FAULT][,...]")
    chosen = parser.parse_args()
    proxy = WireProxy(lambda: chosen.target, chosen.script, match=chosen.match.encode(), port=chosen.port)
    proxy.start()
    sys.stdout.write(f"listening on 127.0.0.1:{proxy.port}\n")
    sys.stdout.flush()
    try:
        proxy.serve_forever()
    except KeyboardInterrupt:
        proxy.stop()


if __name__ == "__main__":
    main()
