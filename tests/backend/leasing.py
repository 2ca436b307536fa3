"""Processes that hold leases in one Redis, eight times as hasty as real ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest
from gevent.event import Event
from redis_server import RedisServer, own_redis

from chatbubble.fleets import redis_leases
from chatbubble.fleets.redis_leases import RedisLeases
from chatbubble.leases import Claim, Followers
from chatbubble.records import Page, Question, Turn, TurnState
from chatbubble.stream_logs.redis_hub import RedisHub

LEASE_S = 0.6
ASKED = Question("hello", "anna", "r1", Page("https://shop.example/", "Shop"), "de")


@pytest.fixture(name="redis")
def redis_of_leases(tmp_path: Path) -> Iterator[RedisServer]:
    with own_redis(tmp_path) as server:
        yield server


class Process:
    """The leases of one process, and what it was told."""

    def __init__(self, redis: RedisServer, name: str) -> None:
        self.claims: list[Claim] = []
        self.lost: list[str] = []
        self.swept: list[frozenset[str]] = []
        self.left: list[Claim] = []
        self.store_answers = Event()
        self.store_answers.set()
        self.hub = RedisHub(redis.url)
        self.hub.process_id = name
        self.leases = RedisLeases(self.hub)
        self.leases.open(self.followers)

    @property
    def followers(self) -> Followers:
        """They write down what they hear; `left` is what the store has that nobody runs."""
        return Followers(self.claims.append, self.lost.append, self._sweep)

    def _sweep(self, streams: frozenset[str]) -> list[Claim]:
        self.swept.append(streams)
        self.store_answers.wait()
        return [claim for claim in self.left if claim.stream_id not in streams]

    def run(self, stream_id: str) -> None:
        """Take a turn, and wait until Redis knows."""
        self.leases.take(Turn(stream_id, "conv", "msg", "anna", "r1", TurnState.RUNNING, 1), ASKED)
        gevent.sleep(0.2)

    def close(self) -> None:
        self.leases.close()
        self.hub.close()


@pytest.fixture(name="start")
def start_hasty(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Process]]:
    """Starts processes, eight times as hasty as real ones."""
    for name, value in (("LEASE_S", LEASE_S), ("RENEW_S", 0.1), ("_GAP_S", 0.3), ("_SWEEP_S", 0.1)):
        monkeypatch.setattr(redis_leases, name, value)
    started: list[Process] = []

    def start_one(name: str) -> Process:
        started.append(Process(redis, name))
        return started[-1]

    yield start_one
    for process in started:
        process.close()


def await_that(holds: Callable[[], object], timeout_s: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        gevent.sleep(0.01)


def stand_still(process: Process) -> None:
    """Renew nothing any more."""
    assert process.leases._greenlet is not None
    process.leases._greenlet.kill()
