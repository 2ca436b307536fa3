"""All readers are cut at the same moment, and come back within a second: a proxy was restarted, a network was away."""

from __future__ import annotations

import random

import gevent
from campaign import Campaign, Outcome
from checker import Allowed
from gevent.event import Event
from gevent.lock import Semaphore
from ground import Ground, World
from history import Story
from telling import question
from wire_client import Asked, Manners, WireClient

PROCESSES = 3
READERS = 100  # of one answer
WORDS = 25
WITHIN_S = 1.0
COME_AT_ONCE = 50  # before they are all cut
MANNERS = Manners(deadline_s=180, silence_s=60)


def run(ground: Ground, seed: int, count: int) -> Outcome:
    """`count` reconnects within one second."""
    outcome, world = Outcome(), World(ground, seed, turn_timeout_s="600")
    try:
        world.start(PROCESSES)
        Herd(world, seed, count, outcome).run()
        outcome.take(world)
    finally:
        world.close()
    return outcome


class Herd:
    """All who are reading when the line goes."""

    def __init__(self, world: World, seed: int, count: int, outcome: Outcome) -> None:
        self._world, self._outcome = world, outcome
        self._chance = random.Random(seed)
        self._stories = [world.teller.new_story(WORDS) for _ in range(0, count, READERS)]
        self._readers = min(count, READERS)
        # So slowly that nobody has everything before the last one has come.
        self._pause_ms = 100 + count * 0.4
        self._door, self._held, self._is_cut = Semaphore(COME_AT_ONCE), Semaphore(0), Event()

    def run(self) -> None:
        """Have them come, cut them all, and wait until each has its answer."""
        reading = [
            gevent.spawn(self._read, client, story) for story in self._stories for client in self._clients(story)
        ]
        for _ in reading:
            assert self._held.acquire(timeout=MANNERS.silence_s), "somebody could not come at all"
        gevent.sleep(self._pause_ms / 500)  # so that everybody has missed something
        self._is_cut.set()
        gevent.joinall(reading, raise_error=True)
        self._world.end(self._stories, Allowed())

    def _clients(self, story: Story) -> list[WireClient]:
        asked = Asked(question(story, self._pause_ms))
        return [
            WireClient(self._world.way, asked, story.new_reading(f"reader {number}"), MANNERS)
            for number in range(self._readers)
        ]

    def _come(self) -> None:
        """One more is reading."""
        self._door.release()
        self._held.release()

    def _read(self, client: WireClient, story: Story) -> None:
        self._door.acquire()
        client.hold(1, self._is_cut, self._come)
        story.stream_id = client.stream_id
        gevent.sleep(self._chance.random() * WITHIN_S)
        self._outcome.recoveries_s.append(client.come_back())
        self._outcome.counts["reconnects"] += 1


RECONNECTS = Campaign("herd", "everybody reconnects within a second", "reconnects", whole=5000, short=60, run=run)
