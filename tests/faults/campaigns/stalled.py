"""Half of all readers stop reading, without leaving: the others have their answers as if nobody else were there."""

from __future__ import annotations

import gevent
from campaign import Campaign, Outcome
from checker import Allowed
from gevent.event import Event
from ground import Ground, World
from telling import question
from wire_client import Asked, WireClient

PROCESSES = 2
READERS = 50  # of one answer
WORDS, LETTERS, PAUSE_MS = 300, 2000, 10  # far more than the system's buffers hold
READ_BEFORE = 5  # events, before half of them stop
SMALL_BUFFER = 4096
SEND_TIMEOUT_S, DROPPED_WITHIN_S = 2, 60


def run(ground: Ground, seed: int, count: int) -> Outcome:
    """`count` readers, of whom every second one stops reading."""
    outcome, world = Outcome(), World(ground, seed, send_timeout_s=str(SEND_TIMEOUT_S), log_bytes=str(2**28))
    try:
        servers = world.start(PROCESSES)
        before = [server.memory_mb for server in servers]
        telling = [gevent.spawn(_one, world, min(count, READERS), outcome) for _ in range(0, count, READERS)]
        gevent.joinall(telling, raise_error=True)
        grown = max(server.memory_mb - was for server, was in zip(servers, before, strict=True))
        outcome.figures["a process grew by"] = f"{grown:.0f} MB"
        outcome.take(world)
    finally:
        world.close()
    return outcome


def _one(world: World, readers: int, outcome: Outcome) -> None:
    """One answer. Who stalls is dropped by the server, and comes back once nobody else is there any more."""
    story = world.teller.new_story(WORDS)
    asked = Asked(question(story, PAUSE_MS, letters=LETTERS))
    clients = [WireClient(world.way, asked, story.new_reading(f"reader {number}")) for number in range(readers)]
    stalled, others = clients[::2], clients[1::2]
    are_done = Event()
    holding = [gevent.spawn(_stall, client, are_done) for client in stalled]
    gevent.joinall([gevent.spawn(client.run) for client in others], raise_error=True)
    held = world.await_stats(DROPPED_WITHIN_S, activeConnections=0)["activeConnections"]
    outcome.expect(held == 0, f"{held} readers who stalled still have a connection")
    are_done.set()
    outcome.recoveries_s += [each.get() for each in holding]
    story.stream_id = clients[0].stream_id
    outcome.counts["stalled"] += len(stalled)
    outcome.counts["others"] += len(others)
    outcome.counts["dropped while they read"] += sum(client.reading.drops for client in others)
    outcome.expect(not any(client.reading.drops for client in others), "somebody who read was dropped")
    world.end([story], Allowed())


def _stall(client: WireClient, are_done: Event) -> float:
    client.hold(READ_BEFORE, are_done, lambda: None, receive_buffer=SMALL_BUFFER)
    return client.come_back()


STALLED = Campaign("stalled", "half of the readers stop reading", "readers", whole=400, short=20, run=run)
