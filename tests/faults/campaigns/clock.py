"""The wall clock of all our processes jumps by an hour, forward and back, in the middle of answers."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

import gevent
from answering import tell
from campaign import Campaign, Outcome
from checker import Allowed
from fake_clock import FakeClock
from gevent.pool import Group
from ground import Ground, World

PROCESSES = 2
VISITORS = 16
WORDS, PAUSE_MS = 30, 50
EVERY_S = (1.2, 3.0)
JUMP_S = 3600
_SPREAD = "SELECT (max(created_at) - min(created_at)) / 1000 FROM messages"


def run(_ground: Ground, seed: int, count: int) -> Outcome:
    """`count` jumps, on a ground of their own. Raises ClockMissing."""
    with tempfile.TemporaryDirectory(prefix="chatbubble-clock-") as folder:
        clock = FakeClock(Path(folder) / "time")
        ground = Ground(Path(folder), clock.environ)
        try:
            return _run(ground, clock, seed, count)
        finally:
            ground.close()


def _run(ground: Ground, clock: FakeClock, seed: int, count: int) -> Outcome:
    outcome, world = Outcome(), World(ground, seed)
    began_at = time.monotonic()
    try:
        world.start(PROCESSES)
        jumping = gevent.spawn(_jump, clock, random.Random(seed), count, outcome)
        asking = Group()
        for _ in range(VISITORS):
            asking.spawn(_ask, world, jumping)
        asking.join(raise_error=True)
        jumping.get()
        outcome.take(world)
        ((spread_s,),) = ground.postgres.execute(_SPREAD, world.database_url)
        # What was stored under two times lies an hour apart, less what has passed between the one and the other.
        apart_s = JUMP_S - (time.monotonic() - began_at)
        outcome.expect(spread_s >= apart_s, f"what was stored lies {spread_s} s apart at most: no clock has jumped")
    finally:
        world.close()
    return outcome


def _jump(clock: FakeClock, chance: random.Random, count: int, outcome: Outcome) -> None:
    for _ in range(count):
        gevent.sleep(chance.uniform(*EVERY_S))
        clock.set(chance.choice([each for each in (-JUMP_S, 0, JUMP_S) if each != clock.ahead_s]))
        outcome.counts["jumps"] += 1
    gevent.sleep(EVERY_S[1])


def _ask(world: World, jumping: gevent.Greenlet[..., None]) -> None:
    """One answer after the other, as if nothing happened."""
    while not jumping.ready():
        story = world.teller.new_story(WORDS)
        tell(world, story, PAUSE_MS, followers=1)
        world.end([story], Allowed())


CLOCK = Campaign("clock", "wall clocks jump by an hour", "jumps", whole=100, short=1, run=run)
