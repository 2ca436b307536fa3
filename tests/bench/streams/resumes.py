"""A herd that comes back: readers who read their whole answers again, all at once, while a few others are being
answered; told as load.py does. `served_ms` is from the first one's coming to the last one's end, and `delay` that of
those few, from the herd's coming on."""

from __future__ import annotations

import gc
import json
import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from crowd import Client, Crowd, Start
from load import tell
from results import Figures, Tally, described
from transcript import Transcript
from wires import WIRES, got
from wording import question

_AT_ONCE = 100  # slow enough for any server to write one event for each token
_ATTEMPTS = 3
_HERD_AFTER_S = 1.0
_STREAM = re.compile(rb"^id: (\S+)\nevent: connected\n.*\"streamId\": ?\"([^\"]+)\"", re.MULTILINE)
_EVENT = re.compile(rb"^event: token$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Order:
    """Whom to ask: `streams` answers of so many tokens, read again by as many; `others` are asked meanwhile."""

    wire: str
    port: int
    streams: int
    others: int
    tokens: int
    per_second: int
    limit_s: float


def prepare(order: Order) -> list[Client]:
    """Let all the answers be written, some at a time; who is refused asks again, as the widget does."""
    wire, words = WIRES[order.wire], question(order.tokens, order.per_second)
    answered: list[Client] = []
    for _ in range(_ATTEMPTS):
        clients = [Client(wire.ask(words)) for _ in range(order.streams - len(answered))]
        left = iter(clients[_AT_ONCE:])
        crowd = Crowd(order.port)
        step_s = order.tokens / order.per_second / _AT_ONCE
        first = [Start(number * step_s, client) for number, client in enumerate(clients[:_AT_ONCE])]
        crowd.run(first, order.limit_s, then=partial(_next, left))
        crowd.close()
        answered += [client for client in clients if again(client)]
    return answered


def _next(left: Iterator[Client], _: Client) -> Client | None:
    return next(left, None)


def again(client: Client) -> bytes:
    """The request that reads an answer again, from its first event on; nothing where there was none."""
    session = json.loads(client.request.partition(b"\r\n\r\n")[2])["sessionId"]
    found = _STREAM.search(Transcript(client.parts, client.times_ns).body)
    if not found:
        return b""
    cursor, stream = found[1].decode("ascii"), found[2].decode("ascii")
    return got(f"/api/ai/chat/{stream}", Authorization=f"Bearer {session}", Last_Event_ID=cursor)


def run(order: Order) -> Figures:
    """Prepare, come back, and say what came of it."""
    wire = WIRES[order.wire]
    gc.disable()
    readers = [Client(again(client)) for client in prepare(order)]
    tell("began")
    began, used = time.monotonic(), time.process_time()
    words = question(round(3 * order.per_second), order.per_second)
    others = [Client(wire.ask(words)) for _ in range(order.others)]
    starts = [Start(number / 100, client) for number, client in enumerate(others)]
    crowd = Crowd(order.port)
    crowd.run([*starts, *(Start(_HERD_AFTER_S, client) for client in readers)], order.limit_s)
    crowd.close()
    took_s, load_s = time.monotonic() - began, time.process_time() - used
    tell("over")
    return told_of(order, readers, others) | {"took_s": round(took_s, 3), "load_s": round(load_s, 3)}


def told_of(order: Order, readers: Sequence[Client], others: Sequence[Client]) -> Figures:
    """The figures: counts and first words of the herd, delays of the others."""
    wire = WIRES[order.wire]
    herd, beside = Tally(wire, order.tokens), Tally(wire, round(3 * order.per_second))
    for client in readers:
        herd.take(client)
    for client in others:
        beside.take(client)
    figures = {name: value for name, value in herd.figures().items() if not name.startswith(("delay", "first_added"))}
    figures["others_exact"] = beside.figures()["exact"]
    figures["streams"], figures["expected"] = order.streams, order.streams * order.tokens
    if len(readers) < order.streams:
        figures["faults"]["never answered"] = order.streams - len(readers)
    if not readers:
        return figures
    came_ns = min(client.begun_ns for client in readers)
    ended_ns = max((client.times_ns[-1] for client in readers if client.times_ns), default=came_ns)
    figures["served_ms"] = round((ended_ns - came_ns) / 1e6, 1)
    events = [len(_EVENT.findall(Transcript(client.parts, client.times_ns).body)) for client in readers]
    figures["events"] = statistics.median(events)
    tokens = [
        token for client in others for token in Transcript(client.parts, client.times_ns, wire.last_words).tokens()
    ]
    waits = [token.read_us - token.written_us for token in tokens if token.read_us >= came_ns // 1000]
    return figures | described("delay", waits)


if __name__ == "__main__":
    tell(json.dumps(run(Order(**json.load(sys.stdin)))))
