"""A TCP proxy that cuts answers off: at a chosen byte, with FIN or RST.

It knows no HTTP. Counted are the bytes that the server sends on one connection, from the
first one after a request that holds `match`. In a process that runs on gevent:

    proxy = WireProxy(8000, [Cut(812), Cut(0, is_reset=True)])
    proxy.start()                                # a free port: proxy.port
    ... the first connection is cut after 812 bytes, the second before its first ...
    proxy.stop()

Or as a process, here for the connections that ask a question or read an answer on:

    python tests/faults/wire_proxy.py --target 8000 --port 8001 --match /chat --cut 812 --cut 0:rst
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent import socket
from gevent.pool import Pool
from gevent.server import StreamServer

_READ_BYTES = 65_536
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Cut:
    """Where one connection is cut: after so many bytes of the answer."""

    after_bytes: int
    is_reset: bool = False


def random_cuts(chance: random.Random, most: int, longest: int) -> list[Cut]:
    """One to `most` cuts for an answer of about `longest` bytes that is read on after each of
    them: a third among the first 600 bytes, where the head, the first line and the first event
    are, the others anywhere in what may be left of it."""
    return [
        Cut(chance.randrange(600 if chance.random() < 1 / 3 else 1 + longest // place), chance.random() < 0.5)
        for place in range(1, 1 + chance.randint(1, most))
    ]


class WireProxy:
    """Forwards to `target_port`. Each connection takes the next cut once a request with `match`
    comes by; when none is left, everything passes."""

    def __init__(self, target_port: int, cuts: Iterable[Cut] = (), *, match: bytes = b"", port: int = 0) -> None:
        self.cuts = deque(cuts)
        self.cuts_made = 0
        self.connections = 0
        self.target_port = target_port
        self._match = match
        self._server = StreamServer(("127.0.0.1", port), self._serve, spawn=Pool())

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.address[1])

    def start(self) -> None:
        """Listen."""
        self._server.start()

    def stop(self) -> None:
        """Close the listener and every connection."""
        self._server.stop(timeout=0)

    def serve_forever(self) -> None:
        """Listen until the process is stopped."""
        self._server.serve_forever()

    def _serve(self, client: Any, _address: object) -> None:
        self.connections += 1
        upstream = socket.create_connection(("127.0.0.1", self.target_port))
        for end in (client, upstream):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire = _Wire(self, client, upstream)
        asking = gevent.spawn(wire.carry_requests)
        try:
            wire.carry_answers()
        finally:
            asking.kill()
            client.close()
            upstream.close()

    def take_cut(self, sent: bytes) -> Cut | None:
        """The cut for a connection that has sent these bytes, if it is one to cut."""
        return self.cuts.popleft() if self.cuts and self._match in sent else None


class _Wire:
    """One connection: bytes from the client to the server, and back until the cut."""

    def __init__(self, proxy: WireProxy, client: Any, upstream: Any) -> None:
        self._proxy, self._client, self._upstream = proxy, client, upstream
        self._cut: Cut | None = None
        self._left = 0

    def carry_requests(self) -> None:
        try:
            while sent := self._client.recv(_READ_BYTES):
                if self._cut is None and (cut := self._proxy.take_cut(sent)) is not None:
                    self._cut, self._left = cut, cut.after_bytes
                self._upstream.sendall(sent)
            self._upstream.shutdown(socket.SHUT_WR)
        except OSError:
            # One end has gone. The other is told by the closing of both.
            self._upstream.close()

    def carry_answers(self) -> None:
        try:
            while received := self._upstream.recv(_READ_BYTES):
                if self._cut is not None:
                    received = received[: self._left]
                    self._left -= len(received)
                self._client.sendall(received)
                if self._cut is not None and self._left == 0:
                    self._make_cut(self._cut)
                    return
            self._client.shutdown(socket.SHUT_WR)
        except OSError:
            # As above.
            self._client.close()

    def _make_cut(self, cut: Cut) -> None:
        self._proxy.cuts_made += 1
        if cut.is_reset:
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _read_cut(text: str) -> Cut:
    after_bytes, _, way = text.partition(":")
    if way not in ("", "fin", "rst"):
        raise argparse.ArgumentTypeError(f"a cut is like 812, 812:fin or 812:rst, not {text!r}")
    return Cut(int(after_bytes), way == "rst")


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="A TCP proxy that cuts answers at chosen bytes.")
    parser.add_argument("--target", type=int, required=True, help="port of the server")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--match", default="", help="only connections whose request holds this")
    parser.add_argument("--cut", type=_read_cut, action="append", default=[], metavar="BYTES[:rst]")
    chosen = parser.parse_args()
    proxy = WireProxy(chosen.target, chosen.cut, match=chosen.match.encode(), port=chosen.port)
    proxy.start()
    sys.stdout.write(f"listening on 127.0.0.1:{proxy.port}\n")
    sys.stdout.flush()
    try:
        proxy.serve_forever()
    except KeyboardInterrupt:
        proxy.stop()


if __name__ == "__main__":
    main()
