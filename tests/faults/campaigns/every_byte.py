"""An answer of 200 events, cut at every byte of what goes over the wire, from the first of the head to the last."""

from __future__ import annotations

import random
from collections.abc import Sequence

import gevent
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
PAUSE_MS = 10  # so far apart that each word is an event of its own
READERS = 100  # of one answer at a time; each is cut elsewhere
PROCESSES = 2
ROUNDS = 4  # a busy server tells a few words at once, and then an answer has fewer bytes: what is missed comes again


def run(ground: Ground, seed: int, count: int) -> Outcome:
    """`count` is how many places are tried, spread evenly; more than there are bytes means every one."""
    outcome, world = Outcome(), World(ground, seed)
    try:
        world.start(PROCESSES)
        length = _measure(world)
        step = max(1.0, length / count)
        left = [int(number * step) for number in range(int(length / step))]
        outcome.counts["bytes of the answer"], outcome.counts["places"] = length, len(left)
        chance = random.Random(seed)
        for _ in range(ROUNDS):
            groups = [left[start : start + READERS] for start in range(0, len(left), READERS)]
            left = [at for group in groups for at in _cut_at(world, group, chance, outcome)]
        outcome.take(world)
        outcome.expect(len(left) < 0.01 * outcome.counts["places"], f"{len(left)} places lay beyond all answers")
    finally:
        world.close()
    return outcome


def _measure(world: World) -> int:
    """How many bytes such an answer has, with its head and its chunks."""
    story = world.teller.new_story(WORDS)
    with Connection(world.way()) as connection:
        connection.send("POST", f"{PREFIX}/chat", body=Asked(question(story, PAUSE_MS)).body)
        received = b""
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.socket.recv(65_536)
    world.teller.forget(story)
    return len(received)


def _cut_at(world: World, places: Sequence[int], chance: random.Random, outcome: Outcome) -> list[int]:
    """One answer, read by one client for each place. All send the same question, and the model is asked once.
    Returns the places that were not reached."""
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
    return [at for at, proxy in zip(places, proxies, strict=True) if not proxy.cuts_made]


def _end(world: World, story: Story, clients: Sequence[WireClient], outcome: Outcome) -> None:
    story.stream_id = clients[0].stream_id
    outcome.counts["readings"] += len(story.readings)
    for reading in story.readings:
        outcome.recoveries_s += reading.recoveries_s
    world.end([story], Allowed())


EVERY_BYTE = Campaign("bytes", "a 200-event answer cut at every byte", "places", whole=1_000_000, short=60, run=run)
