"""The load: asks a server as many questions as its order says, in a process of its own.

    python tests/bench/streams/load.py < order.json

The order is one JSON object, see Order. One line goes out when all streams are open ("peak"), one when the last has
ended ("over"), and then the figures as one line of JSON: what was read is understood only after the clock has stopped.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from dataclasses import dataclass

from crowd import Client, Crowd, Start
from results import Figures, Tally
from wires import WIRES, Wire
from wording import question


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to ask.

    Attributes:
        wire: how, a name in WIRES.
        port: whom.
        streams: how many questions, evenly spread over `spread_s`; one after the other where `one_by_one`.
        tokens, per_second, think_ms: what the model is to do, see `question`.
        limit_s: when to leave, whatever is still to come.
    """

    wire: str
    port: int
    streams: int
    tokens: int
    per_second: int
    limit_s: float
    think_ms: int = 0
    spread_s: float = 0.0
    one_by_one: bool = False

    @property
    def peak_s(self) -> float:
        """When all streams are open, and none has ended that keeps its pace."""
        return (self.spread_s + self.think_ms / 1000 + self.tokens / self.per_second) / 2 + self.spread_s / 2


def ask_at_once(order: Order, wire: Wire, words: str) -> list[Client]:
    """All questions of the order, whether or not the earlier ones are answered."""
    clients = [Client(wire.ask(words)) for _ in range(order.streams)]
    step_s = order.spread_s / order.streams
    crowd = Crowd(order.port)
    starts = [Start(number * step_s, client) for number, client in enumerate(clients)]
    crowd.run(starts, order.limit_s, [(order.peak_s, lambda: tell("peak"))])
    crowd.close()
    return clients


def ask_one_by_one(order: Order, wire: Wire, words: str) -> list[Client]:
    """The next question once the one before it is answered."""
    clients = [Client(wire.ask(words)) for _ in range(order.streams)]
    left = iter(clients[1:])
    crowd = Crowd(order.port)
    crowd.run([Start(0.0, clients[0])], order.limit_s, then=lambda _: next(left, None))
    crowd.close()
    return clients


def tell(word: str) -> None:
    """One line, at once."""
    print(word, flush=True)


def run(order: Order) -> Figures:
    """Ask, and say what came of it."""
    wire = WIRES[order.wire]
    words = question(order.tokens, order.per_second, order.think_ms)
    gc.disable()  # it would walk through all that was read, again and again
    began, used = time.monotonic(), time.process_time()
    clients = (ask_one_by_one if order.one_by_one else ask_at_once)(order, wire, words)
    took_s, load_s = time.monotonic() - began, time.process_time() - used
    tell("over")
    tally = Tally(wire, order.tokens)
    for client in clients:
        tally.take(client)
    return tally.figures() | {"took_s": round(took_s, 3), "load_s": round(load_s, 3)}


if __name__ == "__main__":
    tell(json.dumps(run(Order(**json.load(sys.stdin)))))
