"""Answers that begin at the same moment, 64 at a time, each read at another process as well: none lacks its first
event.

Work that begins before its reader's place is fixed loses the first events only under such a load.
"""

from __future__ import annotations

import gevent
from answering import tell
from campaign import Campaign, Outcome
from checker import Allowed
from gevent.event import Event
from ground import Ground, World
from history import Story

PROCESSES = 2
WAYS = 64
WORDS = 2


def run(ground: Ground, seed: int, count: int) -> Outcome:
    """`count` answers, rounded up to whole waves."""
    outcome, world = Outcome(), World(ground, seed)
    try:
        world.start(PROCESSES)
        for _ in range(0, count, WAYS):
            _wave(world, outcome)
        outcome.take(world)
    finally:
        world.close()
    return outcome


def _wave(world: World, outcome: Outcome) -> None:
    stories = [world.teller.new_story(WORDS) for _ in range(WAYS)]
    go = Event()

    def start(story: Story) -> None:
        go.wait()
        tell(world, story, 1, followers=1)

    starting = [gevent.spawn(start, story) for story in stories]
    gevent.sleep(0)
    go.set()
    gevent.joinall(starting, raise_error=True)
    for story in stories:
        for reading in story.readings:
            first = reading.accepted[0] if reading.accepted else None
            outcome.counts["first events lost"] += first is None or (first.type, first.id[-2:]) != ("connected", ".1")
    outcome.counts["waves"] += 1
    world.end(stories, Allowed())


STARTS = Campaign("starts", "64 answers begun at once", "answers", whole=10_000, short=128, run=run)
