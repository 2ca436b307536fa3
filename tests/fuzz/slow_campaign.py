"""Thousands who send their request byte by byte, half of them in the head, half in the body: what others notice."""

from __future__ import annotations

import gc
import json
import resource
import socket
import time
from collections import Counter
from dataclasses import dataclass, field

import gevent
from fuzzed_server import FuzzedServer
from gevent.event import Event
from raw_http import call, request

_BYTE_EVERY_S = 4.0
_ARRIVAL_S = 0.0015  # ten thousand of them take the time that a head may take: no rush, but no end either
_LASTS_S = 60.0  # the server's patience with a body is 30 s
_PROBES = 500
_PROBE_EVERY_S = 0.02
_JSON = ("Content-Type", "application/json")
_HEAD = request("POST", "/api/ai/chat", [_JSON, ("Content-Length", "500")])


@dataclass
class Slowness:
    """What came of it: how long others waited before and meanwhile, in seconds, and what the slow ones were told."""

    before_s: list[float]
    meanwhile_s: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    connected: int = 0

    @property
    def faults(self) -> list[str]:
        """What should not be."""
        before, meanwhile = p99(self.before_s), p99(self.meanwhile_s)
        found = []
        if meanwhile > max(2 * before, 0.02):
            found.append(f"p99 of others {meanwhile * 1000:.1f} ms, {before * 1000:.1f} ms before")
        odd = self.statuses.keys() - {"408", "closed", "open"}
        if odd or "408" not in self.statuses:
            found.append(f"who is slow was told {sorted(self.statuses)}")
        return found


def p99(times: list[float]) -> float:
    """What 99 of 100 stay below."""
    return sorted(times)[int(len(times) * 0.99)]


def run_slow(server: FuzzedServer, count: int) -> Slowness:
    """Have so many connections drip, and ask beside them."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # A collection through all these greenlets holds up the questions, here and not at the server.
    gc.collect()
    gc.disable()
    result = Slowness(probe(server.port))
    stop = Event()
    ends_at = time.monotonic() + _LASTS_S
    slow = [gevent.spawn(_stay_slow, server.port, number, stop, result) for number in range(count)]
    while result.connected < count:
        gevent.sleep(0.05)
    result.meanwhile_s = probe(server.port)
    gevent.sleep(max(0.0, ends_at - time.monotonic()))
    stop.set()
    gevent.joinall(slow)
    return result


def probe(port: int) -> list[float]:
    """How long questions take, asked one after the other."""
    times = []
    for number in range(_PROBES):
        body = json.dumps({"message": "hello", "sessionId": f"session-of-the-probe-{number}"}).encode()
        began = time.monotonic()
        answer = call(port, "POST", "/api/ai/chat", [_JSON], body)
        times.append(time.monotonic() - began)
        assert b"You said: hello" in answer.body, answer
        gevent.sleep(_PROBE_EVERY_S)
    return times


def _stay_slow(port: int, number: int, stop: Event, result: Slowness) -> None:
    """One who drips, and comes again when told off, until all is over."""
    gevent.sleep(number * _ARRIVAL_S)
    while not stop.is_set():
        result.statuses[_drip(port, number, stop, result)] += 1


def _drip(port: int, number: int, stop: Event, result: Slowness) -> str:
    """One connection; what it was told in the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
        if number % 2:
            slow.sendall(_HEAD)
        rest = b"{" * 500 if number % 2 else _HEAD
        result.connected += 1
        for byte in rest:
            # Not `stop.wait`: it looks through all who wait, each time that one gives up.
            gevent.sleep(_BYTE_EVERY_S)
            if stop.is_set():
                return "open"
            try:
                slow.sendall(bytes([byte]))
            except OSError:
                return _last_words(slow)
    return "sent whole"


def _last_words(slow: socket.socket) -> str:
    """The status that a connection was given up with."""
    try:
        answer = slow.recv(200)
    except OSError:
        return "closed"
    return answer.split(b" ")[1].decode() if answer else "closed"


def tell(result: Slowness) -> str:
    """The result, for people."""
    before, meanwhile = (p99(times) * 1000 for times in (result.before_s, result.meanwhile_s))
    return "\n".join(
        [
            f"p99 of others {meanwhile:.1f} ms, {before:.1f} ms without the slow ones",
            f"the slow ones: {json.dumps(dict(sorted(result.statuses.items())))}",
            *result.faults,
        ]
    )
