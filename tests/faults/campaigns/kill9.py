"""`kill -9` of processes that are in the middle of answers, at random times: another one gives each answer whole.

Whoever takes over waits out a lease, for five seconds; so many answers are under way at once, and each kill hits all
those that its process had in hand. A few processes are left alone: one takes nothing over before it has lived as long
as a lease, and of the others few get so old.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import gevent
from answering import tell
from campaign import Campaign, Outcome
from checker import Allowed
from ground import Ground, World
from history import TERMINAL, Story
from servers import Server
from wire_client import Manners

SPARED, EXPOSED = 3, 5
UNDER_WAY = 48
WORDS, PAUSE_MS = 40, 100
EVERY_S = (0.2, 1.2)
GIVES_UP_S = 120.0


@dataclass(frozen=True)
class Kill:
    """One death: when, and which answers it broke off."""

    at: float
    stories: tuple[Story, ...]


class Killing:
    """The campaign at work: visitors ask, and a killer goes round, until enough have died while they were answering."""

    def __init__(self, world: World, seed: int, count: int, outcome: Outcome) -> None:
        self._world, self._count, self._outcome = world, count, outcome
        self._chance = random.Random(seed)
        self._kills: list[Kill] = []
        world.spare(SPARED)
        self._is_over = False

    def run(self) -> None:
        """Until all who were asking have their answers."""
        gevent.joinall([gevent.spawn(self._world.start_server) for _ in range(EXPOSED)], raise_error=True)
        asking = [gevent.spawn(self._ask) for _ in range(UNDER_WAY)]
        killing = gevent.spawn(self._kill)
        gevent.joinall([*asking, killing], raise_error=True)

    def _kill(self) -> None:
        while len(self._kills) < self._count:
            gevent.sleep(self._chance.uniform(*EVERY_S))
            at_work = [server for server in self._world.exposed_servers if self._is_answering(server)]
            if at_work:
                self._kill_one(self._chance.choice(at_work))
        self._is_over = True

    def _is_answering(self, server: Server) -> bool:
        return any(call.is_open for _, call in self._world.teller.in_hand(server.name))

    def _kill_one(self, server: Server) -> None:
        broken = self._world.teller.break_off(server.name)
        self._kills.append(Kill(time.monotonic(), tuple(broken)))
        self._world.bury(server)
        self._outcome.counts["kills"] += 1
        self._outcome.counts["answers broken off"] += len(broken)
        gevent.spawn(self._world.restart_server)

    def _ask(self) -> None:
        """One visitor after the other. Those who ask first do not all ask at once."""
        gevent.sleep(self._chance.random() * WORDS * PAUSE_MS / 1000)
        while not self._is_over:
            story = self._world.teller.new_story(self._chance.randint(WORDS // 2, WORDS))
            tell(self._world, story, PAUSE_MS, followers=1, manners=Manners(deadline_s=GIVES_UP_S))
            self._outcome.recoveries_s += self._recoveries(story)
            self._count_ending(story)
            self._world.end([story], self._allowed(story))

    def _count_ending(self, story: Story) -> None:
        for event in story.readings[0].accepted:
            self._outcome.counts["resets"] += event.type == "reset"
            self._outcome.counts["ended as interrupted"] += event.type == "error"

    def _allowed(self, story: Story) -> Allowed:
        """One call more for each that was cut off; an answer that two processes died of may end as interrupted. Either
        may have died before it came to ask the model."""
        cut = sum(call.was_cut for call in story.calls)
        deaths = sum(kill.at > story.began_at for kill in self._kills)
        is_broken = deaths > 1 and (cut or not story.calls)
        endings = frozenset({"INTERRUPTED"}) if is_broken else frozenset[str]()
        return Allowed(calls=1 + cut, endings=endings, resets=deaths > 0)

    def _recoveries(self, story: Story) -> Iterator[float]:
        """How long each death kept the one who asked waiting: until the answer was told anew, or its end."""
        asker = story.readings[0]
        for kill in self._kills:
            if story in kill.stories:
                after = (
                    at - kill.at
                    for at, event in zip(asker.at, asker.accepted, strict=True)
                    if at > kill.at and event.type in ("reset", *TERMINAL)
                )
                yield from [first for first in (next(after, None),) if first is not None]


def run(ground: Ground, seed: int, count: int) -> Outcome:
    """`count` kills of processes that were answering."""
    outcome, world = Outcome(), World(ground, seed)
    try:
        Killing(world, seed, count, outcome).run()
        outcome.take(world)
    finally:
        world.close()
    return outcome


KILL9 = Campaign("kill9", "`kill -9` of the process that answers", "kills", whole=1000, short=3, run=run)
