"""Pages with an answer or a channel open, which come again as the widget does; and what each of them went through."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import gevent
from stream_client import TERMINAL, Connection, Received, Reply, Visitor, joined_text

_PATIENCE_S = 60.0  # silence that a page takes for a fault of the server, not of the machine


@dataclass
class Travels:
    """What all pages of a test went through together.

    Attributes:
        arrivals: when each reconnect was made.
        planned: streams that ended before their end, with a whole body.
        killed: streams that broke off.
        refused: connections that nobody listened for.
        put_off: reconnects that were answered with "later".
    """

    arrivals: list[float] = field(default_factory=list)
    planned: int = 0
    killed: int = 0
    refused: int = 0
    put_off: int = 0

    def largest_crowd(self, span_s: float = 0.1) -> int:
        """The most reconnects that arrived within any such span."""
        arrivals = sorted(self.arrivals)
        most = 0
        first = 0
        for last, at in enumerate(arrivals):
            while at - arrivals[first] > span_s:
                first += 1
            most = max(most, last - first + 1)
        return most


class Gate:
    """A balancer in one function: each connection goes to the next server that listens."""

    def __init__(self, ports: Sequence[int]) -> None:
        self.travels = Travels()
        self._ports = list(ports)

    def find(self) -> int:
        """A port where somebody listens now."""
        self._ports.append(self._ports.pop(0))
        for port in tuple(self._ports):
            try:
                Connection(port).close()
            except ConnectionRefusedError:
                self.travels.refused += 1
            else:
                return port
        raise AssertionError("nobody listens")


class Page:
    """One stream of one visitor, read to its end however often it is cut."""

    def __init__(self, gate: Gate, open_first: Callable[[Visitor], Reply], session: str | None = None) -> None:
        self.visitor = Visitor(gate.find(), session)
        self.events: list[Received] = []
        self.is_open = False
        self._gate, self._open = gate, open_first
        self.stream_id = ""
        self.reading = gevent.spawn(self._read)

    @property
    def text(self) -> str:
        """What a reader has before them."""
        return joined_text(self.events)

    @property
    def is_over(self) -> bool:
        """Whether the last event has come."""
        return bool(self.events) and self.events[-1].type in TERMINAL

    def _read(self) -> None:
        reply = self._open(self.visitor)
        while True:
            retry_ms = self._take(reply)
            if self.is_over:
                return
            gevent.sleep(random.random() * retry_ms / 1000)
            reply = self._come_again()

    def _take(self, reply: Reply) -> int:
        """Read until the body ends; by when to come again."""
        assert reply.status == 200, reply.json()
        travels = self._gate.travels
        try:
            while True:
                self.events.append(reply.next_event())
                self.is_open = True
                self.stream_id = self.stream_id or self.events[-1].data.get("streamId", "")
        except ConnectionError:
            self.is_open = False
            if not self.is_over:
                travels.planned += reply.is_at_end
                travels.killed += not reply.is_at_end
        finally:
            reply.close()
        return reply.retry or 1000

    def _come_again(self) -> Reply:
        travels = self._gate.travels
        while True:
            self.visitor.port = self._gate.find()
            at = time.monotonic()
            try:
                reply = self._open_again()
            except ConnectionError:
                travels.refused += 1  # who listened a moment ago does no more
                continue
            travels.arrivals.append(at)
            if reply.status != 503:
                return reply
            travels.put_off += 1
            gevent.sleep(float(reply.headers["retry-after"]) + random.random())

    def _open_again(self) -> Reply:
        if not self.stream_id:
            return self._open(self.visitor)
        last_event_id = self.events[-1].id if self.events else ""
        return self.visitor.resume(self.stream_id, last_event_id, timeout_s=_PATIENCE_S)


def asking(question: str) -> Callable[[Visitor], Reply]:
    """A page that asks."""
    return lambda visitor: visitor.ask(question, "request-1", timeout_s=_PATIENCE_S)


def reading(stream_id: str) -> Callable[[Visitor], Reply]:
    """A second tab, which reads along."""
    return lambda visitor: visitor.resume(stream_id, timeout_s=_PATIENCE_S)


def listening() -> Callable[[Visitor], Reply]:
    """A page with a channel of its own."""
    return lambda visitor: visitor.get("/stream", timeout_s=_PATIENCE_S)
