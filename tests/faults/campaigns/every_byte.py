"""An answer of 200 events, cut at every byte of what goes over the wire, from the first of the head to the last."""

from __future__ import annotations

import random
from collections.abc import Sequence

import gevent
from answering import side_by_side
from campaign import Campaign, Outcome
from checker import Allowed
from ground import Ground, World
from history import Story
from stream_client import Connection
from telling import question
from wire_client import PREFIX, Asked, WireClient
from wire_faults import Kind, cut
from wire_proxy import WireProxy

WORDS = 198  # with `connected` and `done`, 200 events
PAUSE_MS = 8  # so far apart that each word is an event of its own
READERS = 100  # of one answer at a time; each is cut elsewhere
PROCESSES = 2


def run(ground: Ground, seed: int, count: int) -> Outcome:
    """`count` is how many places are tried, spread evenly; more than there are bytes means every one."""
    outcome, world = Outcome(), World(ground, seed)
    try:
        world.start(PROCESSES)
        length = _measure(world)
        step = max(1.0, length / count)
        places = [int(number * step) for number in range(int(length / step))]
        groups = [places[start : start + READERS] for start in range(0, len(places), READERS)]
        chance = random.Random(seed)
        side_by_side(2, lambda group: _cut_at(world, group, chance, outcome), groups)
        outcome.counts["bytes of the answer"] = length
        outcome.take(world)
        made = outcome.counts["cuts"]
        outcome.expect(made > 0.98 * len(places), f"{made} of {len(places)} cuts were made")
    finally:
        world.close()
    return outcome


def _measure(world: World) -> int:
    """How many bytes such an answer has, with its head and its chunks. They differ by how events come together in
    chunks, so cuts that lie beyond the end of one answer are not made: a few in a thousand."""
    story = world.teller.new_story(WORDS)
    with Connection(world.way()) as connection:
        connection.send("POST", f"{PREFIX}/chat", body=Asked(question(story, PAUSE_MS)).body)
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.socket.recv(65_536)
    world.teller.forget(story)
    return len(received)


def _cut_at(world: World, places: Sequence[int], chance: random.Random, outcome: Outcome) -> None:
    """One answer, read by one client for each place. All send the same question, and the model is asked once."""
    story = world.teller.new_story(WORDS)
    asked = Asked(question(story, PAUSE_MS))
    proxies = [WireProxy(world.way, [cut(at, chance.choice((Kind.CUT, Kind.RESET)))]) for at in places]
    for proxy in proxies:
        proxy.start()

    def client_of(at: int, proxy: WireProxy) -> WireClient:
        return WireClient(lambda: proxy.port, asked, story.new_reading(f"cut at {at}"))

    clients = [client_of(at, proxy) for at, proxy in zip(places, proxies, strict=True)]
    gevent.joinall([gevent.spawn(client.run) for client in clients], raise_error=True)
    for proxy in proxies:
        proxy.stop()
        outcome.counts["cuts"] += proxy.cuts_made
    _end(world, story, clients, outcome)


def _end(world: World, story: Story, clients: Sequence[WireClient], outcome: Outcome) -> None:
    story.stream_id = clients[0].stream_id
    outcome.counts["readings"] += len(story.readings)
    for reading in story.readings:
        outcome.recoveries_s += reading.recoveries_s
    world.end([story], Allowed())


EVERY_BYTE = Campaign("bytes", "a 200-event answer cut at every byte", "places", whole=1_000_000, short=100, run=run)
