"""Answers whose readers' lines break up to five times each: cut, reset, half closed, swallowed, slow, in crumbs."""

from __future__ import annotations

import random

from answering import side_by_side, tell
from campaign import Campaign, Outcome
from checker import Allowed
from ground import Ground, World
from wire_client import Manners
from wire_faults import random_scripts
from wire_proxy import WireProxy

MOST_CUTS = 5
PROCESSES = 2
AT_ONCE = 40
# Rather less than what the head and a token cost on the wire.
HEAD_BYTES, TOKEN_BYTES = 700, 80


def run(ground: Ground, seed: int, count: int) -> Outcome:
    """`count` answers."""
    outcome, world = Outcome(), World(ground, seed)
    try:
        world.start(PROCESSES)
        side_by_side(AT_ONCE, lambda number: _one(world, seed, number, outcome), range(count))
        outcome.take(world)
        made = outcome.counts["cuts"]
        outcome.expect(made > count, f"only {made} cuts were made in {count} answers")
    finally:
        world.close()
    return outcome


def _one(world: World, seed: int, number: int, outcome: Outcome) -> None:
    chance = random.Random(f"{seed}.{number}")
    story = world.teller.new_story(chance.randint(1, 60))
    longest = HEAD_BYTES + story.words * TOKEN_BYTES
    proxy = WireProxy(world.way, random_scripts(chance, MOST_CUTS, longest))
    proxy.start()
    try:
        tell(world, story, chance.choice((1, 3, 10)), way=lambda: proxy.port, manners=Manners(silence_s=4))
    finally:
        proxy.stop()
    outcome.counts["cuts"] += proxy.cuts_made
    outcome.counts["other faults"] += sum(proxy.made.values()) - proxy.cuts_made
    outcome.recoveries_s += story.readings[0].recoveries_s
    world.end([story], Allowed())


RANDOM_CUTS = Campaign("cuts", "answers with up to 5 random cuts each", "answers", whole=10_000, short=60, run=run)
