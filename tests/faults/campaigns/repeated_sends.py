"""The same question sent again and again, one after the other and at once, to all processes: the model is asked
once."""

from __future__ import annotations

import random

import gevent
from answering import side_by_side
from campaign import Campaign, Outcome
from checker import Allowed
from ground import Ground, World
from telling import question
from wire_client import Asked, WireClient

PROCESSES = 3
AT_ONCE = 12
RACED, LATE = (2, 5), (1, 4)  # how often it is sent at once, and later


def run(ground: Ground, seed: int, count: int) -> Outcome:
    """`count` is how often a question is sent that was sent before, or is sent at the same moment."""
    outcome, world = Outcome(), World(ground, seed)
    try:
        world.start(PROCESSES)
        chance = random.Random(seed)
        plans: list[tuple[int, int]] = []
        while sum(raced - 1 + late for raced, late in plans) < count:
            plans.append((chance.randint(*RACED), chance.randint(*LATE)))
        side_by_side(AT_ONCE, lambda plan: _one(world, plan, chance, outcome), plans)
        outcome.take(world)
        doubled = world.teller.calls - outcome.counts["answers"]
        outcome.counts["doubled calls"] = doubled
        outcome.expect(doubled == 0, f"the model was asked {doubled} times too often")
    finally:
        world.close()
    return outcome


def _one(world: World, plan: tuple[int, int], chance: random.Random, outcome: Outcome) -> None:
    """Some send it at the same moment, to any process; the others while it runs or after it has ended."""
    raced, late = plan
    story = world.teller.new_story(chance.randint(1, 20))
    asked = Asked(question(story, 5))
    clients = [WireClient(world.way, asked, story.new_reading(f"send {number}")) for number in range(raced + late)]
    sending = [gevent.spawn(client.run) for client in clients[:raced]]
    sending += [gevent.spawn_later(chance.random() * 0.2, client.run) for client in clients[raced:]]
    gevent.joinall(sending, raise_error=True)
    story.stream_id = clients[0].stream_id
    outcome.counts["sends"] += len(clients)
    outcome.counts["repeated"] += len(clients) - 1
    world.end([story], Allowed())


REPEATED_SENDS = Campaign("sends", "repeated and raced sends", "repeats", whole=10_000, short=120, run=run)
