"""A third of what the processes can do, for long, while things break: afterwards everything is as it was before.

What is measured is measured in processes that are left alone; a further one is killed, frozen and replaced beside them.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import gevent
from campaign import Campaign, Outcome
from ground import Ground, World

from campaigns.chaos import Chaos

STEADY = 2
SHARE = 0.3
MOST_GROWTH_MB = 5.0
IDLE_S = 60.0
STREAM_TTL_S = 10
CALM_S = (5.0, 40.0)
BURST_S, VISITORS = 10.0, 40
QUIET = {"activeTurns": 0, "activeConnections": 0, "logStreams": 0, "unsaved": 0}


@dataclass(frozen=True)
class Holding:
    """What the steady processes hold, and how many keys Redis has; each number is that of the process with the most."""

    memory_mb: float
    files: int
    greenlets: int
    keys: int

    def is_back_to(self, before: Holding) -> bool:
        """Whether nothing was left that can be counted."""
        return self.files <= before.files and self.greenlets <= before.greenlets and self.keys <= before.keys

    def __str__(self) -> str:
        return f"{self.memory_mb:.0f} MB, {self.files} files, {self.greenlets} greenlets, {self.keys} keys"


class Soak:
    """The processes that are measured, and the one beside them."""

    def __init__(self, world: World, seed: int, outcome: Outcome) -> None:
        self._world, self._outcome = world, outcome
        self._chaos = Chaos(world, seed, outcome, CALM_S)
        self._steady = world.spare(STEADY)

    def run(self, seconds: float) -> None:
        """Work for so long, then rest, and compare."""
        burst_s = min(BURST_S, seconds / 4)
        per_s = self._find_rate(burst_s)
        self._world.restart_server()
        before = self._rest()
        befalling = gevent.spawn(self._chaos.befall, seconds)
        working = gevent.spawn(self._chaos.arrive, seconds, per_s)
        gevent.sleep(seconds / 10)
        early = self._look()
        befalling.get()
        working.get()
        after, rested_s = self._rest(before), self._rested_s
        grown = after.memory_mb - early.memory_mb
        self._outcome.figures |= {
            "load": f"{per_s:.1f} answers a second, {SHARE:.0%} of the processors",
            "before": str(before),
            "after the first tenth": str(early),
            "at the end": f"{after}, {rested_s:.0f} s after the last answer",
            "growth after the first tenth": f"{grown:.1f} MB",
        }
        self._outcome.expect(after.is_back_to(before), f"not back to {before} after {IDLE_S:.0f} s: {after}")
        self._outcome.expect(grown <= MOST_GROWTH_MB, f"a process has grown by {grown:.1f} MB")

    def _find_rate(self, seconds: float) -> float:
        """How many answers a second take SHARE of what the processors can do, by what each costs us: the model and the
        readers, who are on the same machine, included."""
        before = self._processor_s()
        self._chaos.visit(seconds, VISITORS)
        each_s = (self._processor_s() - before) / max(1, self._world.answers)
        return SHARE * (os.cpu_count() or 1) / each_s

    def _processor_s(self) -> float:
        return time.process_time() + sum(server.processor_s for server in self._steady)

    def _rest(self, before: Holding | None = None) -> Holding:
        """Ask nothing until everything is quiet, and as it was before if that is given, or for IDLE_S."""
        began = time.monotonic()
        self._world.await_stats(IDLE_S, **QUIET)
        seen = self._look()
        while before is not None and not seen.is_back_to(before) and time.monotonic() - began < IDLE_S:
            gevent.sleep(1)
            seen = self._look()
        self._rested_s = time.monotonic() - began
        return seen

    def _look(self) -> Holding:
        return Holding(
            memory_mb=max(server.memory_mb for server in self._steady),
            files=max(server.open_files for server in self._steady),
            greenlets=max(server.look_inside()["greenlets"] for server in self._steady),
            keys=len(self._world.ground.redis.keys(self._world.prefix)),
        )


def run(ground: Ground, seed: int, seconds: int) -> Outcome:
    """For so many seconds, and until all is quiet."""
    outcome = Outcome()
    world = World(ground, seed, breaks_redis=True, drain_s="3", stream_ttl_s=str(STREAM_TTL_S))
    try:
        Soak(world, seed, outcome).run(seconds)
        outcome.take(world)
    finally:
        world.close()
    return outcome


SOAK = Campaign(
    "soak", "a third of the load with faults, then rest", "seconds", whole=3600, short=8, run=run, is_routine=False
)
