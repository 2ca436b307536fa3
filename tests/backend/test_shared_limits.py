"""Limits that processes share: windows and places in Redis, here of two hubs, and of two apps, in one process."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import gevent
import pytest
from crowding import FREE, await_free, come_from, held
from hosting import HostSite, Site, bearer, new_session
from limits import parse
from raw_http import Wire, request
from redis_server import RedisServer, own_redis, shared_redis

from chatbubble.fleets.redis_line import PATIENCE_S, RedisLine
from chatbubble.fleets.redis_places import RedisPlaces
from chatbubble.fleets.redis_windows import RedisWindows
from chatbubble.stream_logs.redis_hub import RedisHub
from chatbubble.windows import Claim, NoPlaceError


class Process:
    """What one process counts with."""

    def __init__(self, url: str, prefix: str) -> None:
        self.hub = RedisHub(url, prefix)
        self.line = RedisLine(self.hub)
        self.windows, self.places = RedisWindows(self.hub, self.line), RedisPlaces(self.hub, self.line)
        self.line.open()

    def close(self) -> None:
        """Stop as a process that is told to."""
        self.line.close()
        self.hub.close()

    def die(self) -> None:
        """Stop as one that is killed, and be missed."""
        for greenlet in self.line._greenlets:
            greenlet.kill()
        self.hub.link.ask(("ZADD", self.line.living, 1, self.line.member))


@pytest.fixture
def prefix() -> str:
    """What the keys of this test begin with."""
    return f"test-{secrets.token_hex(4)}:"


@pytest.fixture
def pair(prefix: str) -> Iterator[tuple[Process, Process]]:
    with ExitStack() as opened:
        yield (
            opened.enter_context(closing(Process(shared_redis().url, prefix))),
            opened.enter_context(closing(Process(shared_redis().url, prefix))),
        )


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One that a test may break."""
    with own_redis(tmp_path) as server:
        yield server


@pytest.fixture
def breakable(redis: RedisServer) -> Iterator[tuple[Process, Process]]:
    """Two processes that know of each other, on that one."""
    with ExitStack() as opened:
        here, there = (opened.enter_context(closing(Process(redis.url, "test:"))) for _ in range(2))
        here.line._beat()
        assert (here.line.processes, there.line.processes) == (2, 2)
        yield here, there


def await_true(fact: Callable[[], Any], within_s: float = 5.0) -> None:
    """Until it is so."""
    deadline = time.monotonic() + within_s
    while not fact():
        assert time.monotonic() < deadline, "it did not become so"
        gevent.sleep(0.01)


def claim(rule: str = "3/minute", subject: str = "one") -> list[Claim]:
    """One place."""
    return [Claim(parse(rule), subject)]


def waits(process: Process, claims: list[Claim]) -> list[float]:
    """How long it takes until there is a place for each; all 0 where there was one."""
    try:
        process.windows.take(claims)
    except NoPlaceError as refused:
        return list(refused.waits)
    return [0] * len(claims)


def enter(process: Process, name: str) -> bool:
    """Whether there was one of ten places."""
    return process.places.enter(name, 10)


def test_windows_are_the_same_in_every_process(pair: tuple[Process, Process]) -> None:
    here, there = pair
    assert [waits(process, claim()) for process in (here, there, here)] == [[0]] * 3
    for process in pair:
        (wait,) = waits(process, claim())
        assert 50 < wait <= 60
        assert waits(process, claim(subject="two")) == [0]


def test_a_place_for_every_claim_or_for_none_also_there(pair: tuple[Process, Process]) -> None:
    here, there = pair
    here.windows.take(claim("1/minute"))
    both = [*claim("2/minute", "two"), *claim("1/minute")]
    for process in (here, there, here):
        free, full = waits(process, both)
        assert (free, full > 0) == (0, True)
    gevent.sleep(0)
    assert [waits(there, claim("2/minute", "two")) for _ in range(2)] == [[0], [0]]


def test_what_is_given_back_is_free_in_every_process(pair: tuple[Process, Process]) -> None:
    here, there = pair
    taken = here.windows.take(claim("1/minute"))
    assert waits(there, claim("1/minute"))[0] > 0
    taken.give_back(claim("1/minute"))
    await_true(lambda: not waits(there, claim("1/minute"))[0])


def test_nobody_gets_more_by_asking_everywhere_at_once(pair: tuple[Process, Process]) -> None:
    asking = [gevent.spawn(waits, process, claim("10/day")) for _ in range(30) for process in pair]
    answers = [asked.get(timeout=5) for asked in asking]
    assert answers.count([0]) == 10
    entering = [gevent.spawn(enter, process, "one") for _ in range(30) for process in pair]
    assert [entered.get(timeout=5) for entered in entering].count(True) == 10


def test_places_are_the_same_in_every_process(pair: tuple[Process, Process]) -> None:
    here, there = pair
    assert [here.places.enter("one", 3), there.places.enter("one", 3), here.places.enter("one", 3)] == [True] * 3
    assert [process.places.enter("one", 3) for process in pair] == [False, False]
    assert there.places.enter("two", 3)
    here.places.leave("one")
    await_true(lambda: there.places.enter("one", 3))
    here.places.add("one")
    assert not there.places.enter("one", 3)


def test_the_places_of_a_dead_process_are_free(pair: tuple[Process, Process]) -> None:
    here, there = pair
    assert [here.places.enter("one", 2) for _ in range(2)] == [True, True]
    assert not there.places.enter("one", 2)
    here.die()
    await_true(lambda: there.places.enter("one", 2))
    assert there.places.enter("one", 2)


def test_who_closes_is_missed_at_once(pair: tuple[Process, Process]) -> None:
    here, there = pair
    here.places.enter("one", 1)
    here.close()
    await_true(lambda: there.places.enter("one", 1))
    there.line._beat()
    assert there.line.processes == 1


def test_every_key_has_the_prefix_and_an_end(pair: tuple[Process, Process], prefix: str) -> None:
    here, _ = pair
    here.windows.take(claim())
    here.places.enter("one", 3)
    keys = shared_redis().keys(prefix)
    assert len(keys) == 3
    assert all(int(shared_redis().ask("PTTL", key)[1:]) > 0 for key in keys)
    here.places.leave("one")
    await_true(lambda: len(shared_redis().keys(prefix)) == 2)


def test_while_redis_is_away_each_process_has_its_share(breakable: tuple[Process, Process], redis: RedisServer) -> None:
    redis.stop()
    for process in breakable:
        assert [bool(waits(process, claim("10/minute"))[0]) for _ in range(7)] == [False] * 5 + [True] * 2
        assert [process.places.enter("one", 4) for _ in range(3)] == [True, True, False]
        # One at least, however many processes there are.
        assert [bool(waits(process, claim("1/minute", "two"))[0]) for _ in range(2)] == [False, True]
        taken = process.windows.take(claim("2/minute", "three"))
        taken.give_back(claim("2/minute", "three"))
        assert waits(process, claim("2/minute", "three")) == [0]


def test_nobody_waits_for_a_redis_that_hangs(breakable: tuple[Process, Process], redis: RedisServer) -> None:
    here, _ = breakable
    redis.pause()
    began_at = time.monotonic()
    asking = [gevent.spawn(waits, here, claim("1000/minute", str(number))) for number in range(100)]
    gevent.joinall(asking, timeout=10, raise_error=True)
    entering = [gevent.spawn(enter, here, str(number)) for number in range(100)]
    gevent.joinall(entering, timeout=10, raise_error=True)
    assert all(entered.value for entered in entering)
    assert time.monotonic() - began_at < 2 * PATIENCE_S + 3
    redis.go_on()


def test_after_redis_was_away_all_count_together_again(breakable: tuple[Process, Process], redis: RedisServer) -> None:
    here, there = breakable
    assert [here.places.enter("one", 3), *(here.places.enter("two", 2) for _ in range(2))] == [True] * 3
    assert not there.places.enter("two", 2)
    redis.pause()
    here.places.enter("one", 10)
    there.places.enter("three", 10)
    await_true(lambda: here.line._is_away)  # who asks and the line itself give up at the same moment
    here.places.leave("two")
    here.places.leave("two")
    redis.go_on()
    for process in breakable:
        process.line._beat()
    # What was there before and meanwhile counts, and what was left meanwhile does not.
    await_true(lambda: redis.keys("test:places:one"))
    assert not there.places.enter("one", 2)
    assert [there.places.enter("two", 2) for _ in range(3)] == [True, True, False]


def test_a_redis_that_has_forgotten_is_told_again(breakable: tuple[Process, Process], redis: RedisServer) -> None:
    here, there = breakable
    assert here.places.enter("one", 1)
    redis.stop()
    redis.start()
    for _ in range(2):  # the first finds the connection broken
        for process in breakable:
            process.line._beat()
    await_true(lambda: redis.keys("test:places:"))
    assert not there.places.enter("one", 1)


def test_over_http_two_apps_share_every_limit(host_site: HostSite, postgres_url: str, prefix: str) -> None:
    shared = {"database_url": postgres_url, "redis_url": shared_redis().url, "redis_prefix": prefix}
    limits = {"rate_limit": "3/day", "address_rate_limit": "8/day", "new_visitors_limit": "3/day"}
    here, there = (host_site(**FREE | shared | limits | {"address_streams": 4, "running_turns": 2}) for _ in range(2))
    session = new_session()
    asked = [site.ask(session, headers=come_from("192.0.2.1")).status for site in (here, there, there, here)]
    assert asked == [200, 200, 200, 429]
    with held(here, 1), held(there, 1):
        assert [site.ask(new_session()).status for site in (here, there)] == [429] * 2
    for site in (here, there):
        await_free(site)
    news = [(here, there)[number % 2].ask(new_session(), headers=come_from("192.0.2.1")).status for number in range(4)]
    assert news == [200, 200, 429, 429]
    session = new_session()
    assert there.ask(session, headers=come_from("192.0.2.9")).status == 200
    assert [site.ask(session, headers=come_from("192.0.2.1")).status for site in (here, there)] == [200] * 2
    with ExitStack() as wires:
        channels = [wires.enter_context(Wire(site.port)) for site in (here, there, here, there, here, there)]
        assert [listen(wire, "192.0.2.3") for wire in channels] == [200] * 4 + [429] * 2
    await_true(lambda: can_listen(there, "192.0.2.3"))


def listen(wire: Wire, address: str) -> int:
    """Open a client's own channel, by way of a proxy; the status."""
    wire.send(request("GET", "/api/ai/stream", [bearer(new_session()), *come_from(address)]))
    return wire.read(has_body=False).status


def can_listen(site: Site, address: str) -> bool:
    """Whether there is a place for one channel more."""
    with Wire(site.port) as wire:
        return listen(wire, address) == 200
