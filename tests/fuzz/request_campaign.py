"""Requests with faults in them, by the thousand, on connections of their own: what the server makes of them."""

from __future__ import annotations

import json
import random
import re
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass, field

import gevent
from fuzzed_server import FuzzedServer
from gevent.pool import Pool
from mutations import mutated_request
from raw_http import Answer, Wire
from request_seeds import SEEDS

TOO_LONG_S = 1.0
TOO_LARGE_MB = 20.0
_CLIENTS = 16
_KEPT_FAULTS = 20
# By then all that is made once has been made: caches, connections, greenlets.
_WARM_UP = 5000
# What goes to the chat. Other addresses are the host app's, and without a method and a path there is none.
_OURS = re.compile(rb"[A-Z]+ /api/ai[/? ]")
_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass
class Tally:
    """What came back. An answer that takes longer than `too_long_s` is a fault."""

    too_long_s: float = TOO_LONG_S
    requests: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    fault_count: int = 0
    longest_s: float = 0.0
    grown_mb: float = 0.0
    took_s: float = 0.0

    def add(self, data: bytes, answer: Answer | None, took_s: float) -> None:
        """One request and what came of it; None where the server just hung up."""
        self.requests += 1
        self.statuses[str(answer.status) if answer else "hung up"] += 1
        self.longest_s = max(self.longest_s, took_s)
        if took_s > self.too_long_s:
            self.complain(f"{took_s:.2f} s for {data[:200]!r}")
        wrong = find_fault(data, answer) if answer else ""
        if wrong:
            self.complain(f"{wrong}: {answer!r:.300} to {data[:300]!r}")

    def complain(self, fault: str) -> None:
        """Count a fault, and keep the first ones."""
        self.fault_count += 1
        if len(self.faults) < _KEPT_FAULTS:
            self.faults.append(fault)


def find_fault(data: bytes, answer: Answer) -> str:
    """What is wrong with an answer, or an empty text."""
    if answer.status >= 500:
        return f"status {answer.status}"
    if answer.status < 400 or not _OURS.match(data) or data.startswith(b"HEAD"):
        return ""
    try:
        error = answer.json()["error"]
        is_right = (
            isinstance(error["code"], str)
            and isinstance(error["message"], str)
            and isinstance(error["retryable"], bool)
            and answer.get("Content-Type") == "application/json"
            and answer.get("X-Content-Type-Options") == "nosniff"
        )
    except (ValueError, KeyError, TypeError, AssertionError):
        is_right = False
    return "" if is_right else "not the shape of an error"


def run_requests(server: FuzzedServer, seed: int, count: int, too_long_s: float = TOO_LONG_S) -> Tally:
    """Send so many mutated requests; the first of them come before the memory is weighed."""
    tally = Tally(too_long_s)
    began = time.monotonic()
    before_mb = server.resident_mb
    pool = Pool(_CLIENTS)
    for number in range(count):
        if number == min(_WARM_UP, count // 2):
            pool.join()
            before_mb = server.resident_mb
        pool.spawn(_send_one, server.port, random.Random(f"{seed}:{number}"), tally).link_exception(
            lambda failed: tally.complain(f"no answer: {failed.exception!r}")
        )
    pool.join()
    gevent.sleep(0.2)
    tally.took_s = time.monotonic() - began
    tally.grown_mb = server.resident_mb - before_mb
    if tally.grown_mb > TOO_LARGE_MB:
        tally.complain(f"the server has grown by {tally.grown_mb:.1f} MB")
    for complaint in server.complaints:
        tally.complain(f"the server says: {complaint}")
    return tally


def _send_one(port: int, luck: random.Random, tally: Tally) -> None:
    seeds = SEEDS[luck.choice(list(SEEDS))]
    data = mutated_request(luck.choice(seeds)(luck), luck)
    began = time.monotonic()
    answer = answer_to(port, data)
    tally.add(data, answer, time.monotonic() - began)


def answer_to(port: int, data: bytes) -> Answer | None:
    """The first answer to these bytes, of a stream no more than its head; None where the server just hangs up."""
    with Wire(port) as wire:
        # Reset and not closed: thousands of closed ones would use up the ports.
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        try:
            wire.send(data)
            wire.half_close()
            head = wire.read(has_body=False)
            if head.status == 100:
                head = wire.read(has_body=False)
            is_stream = (head.get("Content-Type") or "").startswith("text/event-stream")
            return head if is_stream or data.startswith(b"HEAD") else wire.read_rest(head)
        except (ConnectionError, IndexError):
            return None


def tell(tally: Tally) -> str:
    """The result, for people."""
    rate = tally.requests / tally.took_s
    lines = [
        f"{tally.requests:,} requests in {tally.took_s:.0f} s, {rate:,.0f} a second",
        f"statuses: {json.dumps(dict(sorted(tally.statuses.items())))}",
        f"longest answer {tally.longest_s:.3f} s, memory {tally.grown_mb:+.1f} MB, faults {tally.fault_count}",
        *tally.faults,
    ]
    return "\n".join(lines)
