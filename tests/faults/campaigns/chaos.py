"""Anything at any time: faults of wires, of three processes, of Redis and of PostgreSQL, one over the other."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import gevent
import incidents
from answering import tell
from campaign import Campaign, Outcome
from checker import Allowed
from gevent.pool import Group
from ground import Ground, World
from history import Story
from incidents import Incident
from wire_client import Manners
from wire_faults import random_scripts
from wire_proxy import WireProxy

PROCESSES = 3
VISITORS = 40
PAUSES_MS = (5, 20, 60, 100)
CALM_S = (0.5, 8.0)
ON_A_BAD_LINE = 0.3
MOST_CUTS, HEAD_BYTES, TOKEN_BYTES = 5, 700, 80
GIVES_UP_S = 150.0


@dataclass
class Happening:
    """One incident of processes, from its beginning; to its end, once that is there."""

    began_at: float
    ended_at: float = float("inf")


class Chaos:
    """Visitors who ask one question after the other, and three lines of incidents, each drawn from the seed."""

    def __init__(self, world: World, seed: int, seconds: float, outcome: Outcome) -> None:
        self._world, self._seed, self._outcome = world, seed, outcome
        self._ends_at = time.monotonic() + seconds
        self._deaths: list[Happening] = []

    def run(self) -> None:
        """Until the time is over, all is mended, and all have their answers."""
        group = Group()
        for name, kinds in incidents.OF_ALL.items():
            group.spawn(self._befall, name, kinds)
        for number in range(VISITORS):
            group.spawn(self._ask, number)
        group.join(raise_error=True)

    @property
    def _is_over(self) -> bool:
        return time.monotonic() >= self._ends_at

    def _befall(self, name: str, kinds: Sequence[Incident]) -> None:
        chance = random.Random(f"{self._seed}.{name}")
        while True:
            gevent.sleep(chance.uniform(*CALM_S))
            if self._is_over:
                return
            incident = chance.choice(kinds)
            self._outcome.counts[incident.__name__.replace("_", " ")] += 1
            happening = Happening(time.monotonic())
            if name == incidents.PROCESSES:
                self._deaths.append(happening)
            incident(self._world, chance)
            happening.ended_at = time.monotonic()

    def _ask(self, number: int) -> None:
        chance = random.Random(f"{self._seed}.visitor.{number}")
        while not self._is_over:
            story = self._world.teller.new_story(chance.randint(1, 80))
            self._have_told(story, chance)
            for reading in story.readings:
                self._outcome.recoveries_s += reading.recoveries_s
                self._outcome.counts["refusals"] += sum(reading.refused.values())
            last = story.readings[0].accepted[-1:]
            self._outcome.counts["ended as interrupted"] += bool(last) and last[0].type == "error"
            self._world.end([story], self._allowed(story))

    def _have_told(self, story: Story, chance: random.Random) -> None:
        pause_ms, followers = chance.choice(PAUSES_MS), chance.randint(0, 3)
        manners = Manners(deadline_s=GIVES_UP_S)
        if chance.random() > ON_A_BAD_LINE:
            tell(self._world, story, pause_ms, followers=followers, manners=manners)
            return
        scripts = random_scripts(chance, MOST_CUTS, HEAD_BYTES + story.words * TOKEN_BYTES)
        proxy = WireProxy(self._world.way, scripts)
        proxy.start()
        try:
            tell(self._world, story, pause_ms, followers=followers, way=lambda: proxy.port, manners=manners)
        finally:
            proxy.stop()
        self._outcome.counts["cuts of wires"] += proxy.cuts_made

    def _allowed(self, story: Story) -> Allowed:
        """A call more for each that was cut off. Whoever ran while processes died or stood still may be told anew, and
        may end as interrupted: where two died of it, or where Redis forgot, at the same time, who had it in hand."""
        cut = sum(call.was_cut for call in story.calls)
        is_hit = any(death.ended_at > story.began_at for death in self._deaths)
        return Allowed(1 + cut, frozenset({"INTERRUPTED"}) if is_hit else frozenset[str](), resets=True)


def run(ground: Ground, seed: int, seconds: int) -> Outcome:
    """For so many seconds, and until all that was asked then is answered."""
    outcome, world = Outcome(), World(ground, seed, breaks_redis=True, drain_s="3")
    try:
        world.start(PROCESSES)
        Chaos(world, seed, seconds, outcome).run()
        outcome.take(world)
    finally:
        world.close()
    return outcome


CHAOS = Campaign("chaos", "random faults of everything at once", "seconds", whole=1800, short=5, run=run)
