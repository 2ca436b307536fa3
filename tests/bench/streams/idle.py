"""Visitors who listen and ask nothing: as many streams on `GET /stream` as the order says, told as load.py does."""

from __future__ import annotations

import gc
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass

from crowd import Client, Crowd, Start
from load import tell
from results import Figures, quantile
from wires import got, new_session

_CONNECTED = b"event: connected\n"


@dataclass(frozen=True, kw_only=True)
class Order:
    """Whom to listen to: `streams` that come within `spread_s`, and then stay for `stay_s`."""

    wire: str
    port: int
    streams: int
    spread_s: float
    stay_s: float
    limit_s: float


def run(order: Order) -> Figures:
    """Listen, and say what came of it."""
    gc.disable()
    began, used = time.monotonic(), time.process_time()
    clients = [Client(got("/api/ai/stream", Authorization=f"Bearer {new_session()}")) for _ in range(order.streams)]
    step_s = order.spread_s / order.streams
    crowd = Crowd(order.port, ready=_CONNECTED)
    crowd.run([Start(number * step_s, client) for number, client in enumerate(clients)], order.limit_s)
    crowd.stay(order.stay_s)
    stayed = crowd.count_open
    tell("peak")
    tell("over")
    took_s, load_s = time.monotonic() - began, time.process_time() - used
    waits_ms = sorted((client.times_ns[0] - client.begun_ns) / 1e6 for client in clients if client.times_ns)
    crowd.close()
    faults = Counter(client.fault for client in clients if client.fault)
    told = {"first_p50_ms": quantile(waits_ms, 0.5), "first_p99_ms": quantile(waits_ms, 0.99)} if waits_ms else {}
    return {
        "streams": order.streams,
        "exact": stayed,
        **told,
        "faults": faults,
        "took_s": round(took_s, 3),
        "load_s": round(load_s, 3),
    }


if __name__ == "__main__":
    tell(json.dumps(run(Order(**json.load(sys.stdin)))))
