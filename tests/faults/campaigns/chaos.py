"""Anything at any time: faults of wires, of three processes, of Redis and of PostgreSQL, one over the other."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
ON_A_BAD_LINE = 0.3
MOST_CUTS, HEAD_BYTES, TOKEN_BYTES = 5, 700, 80
GIVES_UP_S = 150.0
SOON_S = 5.0  # what was away is asked again, and has all it missed


@dataclass
class Happening:
    """One incident of a line, `ended_at` once it is mended."""

    line: str
    began_at: float = field(default_factory=time.monotonic)
    ended_at: float = float("inf")

    def was_on(self, since: float, until: float) -> bool:
        """Whether it went on at any time between these two."""
        return self.began_at <= until and self.ended_at >= since


def may_be_retold(told_at: float, happened: Sequence[Happening]) -> bool:
    """Whether an end that was first told at `told_at` may have been lost: the database could not take it then; until it
    was back, Redis did not keep it, and the process that still had it died. It is then told anew to who comes later."""
    for database in happened:
        if database.line != incidents.POSTGRES or not database.was_on(told_at - SOON_S, told_at + SOON_S):
            continue
        until = database.ended_at + SOON_S
        hit = {each.line for each in happened if each.was_on(told_at, until)}
        if incidents.PROCESSES in hit and any(
            each.line == incidents.REDIS and each.was_on(told_at - SOON_S, until) for each in happened
        ):
            return True
    return False


class Chaos:
    """Visitors who ask, and three lines of incidents, each drawn from the seed; `calm_s` is how long nothing happens
    between two of a line, at least and at most."""

    def __init__(self, world: World, seed: int, outcome: Outcome, calm_s: tuple[float, float] = (0.5, 8.0)) -> None:
        self._world, self._seed, self._outcome, self._calm_s = world, seed, outcome, calm_s
        self._happened: list[Happening] = []

    def befall(self, seconds: float) -> None:
        """Have things happen for so long, and until all is mended."""
        ends_at = time.monotonic() + seconds
        lines = Group()
        for name, kinds in incidents.OF_ALL.items():
            lines.spawn(self._befall, name, kinds, ends_at)
        lines.join(raise_error=True)

    def visit(self, seconds: float, visitors: int) -> None:
        """So many visitors ask one question after the other, for so long, and until they have their answers."""
        ends_at = time.monotonic() + seconds
        asking = Group()
        for number in range(visitors):
            asking.spawn(self._visit, random.Random(f"{self._seed}.visitor.{number}"), ends_at)
        asking.join(raise_error=True)

    def arrive(self, seconds: float, per_s: float) -> None:
        """Visitors come by themselves, so many a second, whatever becomes of those before them."""
        ends_at = time.monotonic() + seconds
        chance, asking = random.Random(f"{self._seed}.arrivals"), Group()
        while time.monotonic() < ends_at:
            gevent.sleep(chance.expovariate(per_s))
            asking.spawn(self._answer, random.Random(chance.random()))
        asking.join(raise_error=True)

    def _befall(self, name: str, kinds: Sequence[Incident], ends_at: float) -> None:
        chance = random.Random(f"{self._seed}.{name}")
        while True:
            gevent.sleep(chance.uniform(*self._calm_s))
            if time.monotonic() > ends_at:
                return
            incident = chance.choice(kinds)
            self._outcome.counts[incident.__name__.replace("_", " ")] += 1
            happening = Happening(name)
            self._happened.append(happening)
            incident(self._world, chance)
            happening.ended_at = time.monotonic()

    def _visit(self, chance: random.Random, ends_at: float) -> None:
        while time.monotonic() < ends_at:
            self._answer(chance)

    def _answer(self, chance: random.Random) -> None:
        story = self._world.teller.new_story(chance.randint(1, 80))
        self._have_told(story, chance)
        for reading in story.readings:
            self._outcome.recoveries_s += reading.recoveries_s
            self._outcome.counts["refusals"] += sum(reading.refused.values())
        last = story.readings[0].accepted[-1:]
        if last and last[0].type == "error":
            self._outcome.counts[f"ended as {last[0].text}"] += 1
        self._world.read_witnesses([story])
        # What explains its end may have happened as late as that.
        allowed = self._allowed(story)
        if self._world.judge([story], allowed, self._if_lost(story, allowed)).or_else:
            self._outcome.counts["ends lost with all that knew them"] += 1

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
        may end as interrupted: where two died of it, or where Redis forgot, at the same time, who had it in hand. Where
        the database was away for longer than an answer waits for it to begin, the visitor is told so."""
        cut = sum(call.was_cut for call in story.calls)
        happened = [happening for happening in self._happened if happening.ended_at > story.began_at]
        hit = {happening.line for happening in happened}
        endings = {
            code for line, code in ((incidents.PROCESSES, "INTERRUPTED"), (incidents.POSTGRES, "STORE_UNAVAILABLE"))
            if line in hit
        }  # fmt: skip
        return Allowed(1 + cut, frozenset(endings), resets=True)

    def _if_lost(self, story: Story, allowed: Allowed) -> Allowed | None:
        """What else may come of it where an end was lost after it was told, once or more often: another call for each,
        also where none was cut off. None where that cannot have been."""
        lost = [call for call in story.calls if may_be_retold(call.ended_at, self._happened)]
        more = sum(not call.was_cut for call in lost if call is not story.calls[-1])
        return replace(allowed, calls=allowed.calls + more, retold=True) if lost else None


def run(ground: Ground, seed: int, seconds: int) -> Outcome:
    """For so many seconds, and until all that was asked then is answered."""
    outcome, world = Outcome(), World(ground, seed, breaks_redis=True, drain_s="3")
    try:
        world.start(PROCESSES)
        chaos = Chaos(world, seed, outcome)
        befalling = gevent.spawn(chaos.befall, seconds)
        chaos.visit(seconds, VISITORS)
        befalling.get()
        outcome.take(world)
    finally:
        world.close()
    return outcome


CHAOS = Campaign("chaos", "random faults of everything at once", "seconds", whole=1800, short=5, run=run)
