"""Who runs which turn: a process is taken for dead when it is, and never because Redis was away."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest
from leasing import ASKED, LEASE_S, Process, await_that, redis_of_leases, stand_still, start_hasty
from redis_server import RedisServer

from chatbubble.errors import StoreUnavailable
from chatbubble.fleets.redis_leases import RedisLeases
from chatbubble.leases import Claim, Followers
from chatbubble.records import Question, Turn, TurnState
from chatbubble.stream_logs.redis_hub import RedisHub

__all__ = ["redis_of_leases", "start_hasty"]


def test_a_turn_whose_process_lives_is_left_alone(start: Callable[[str], Process]) -> None:
    one, other = start("one"), start("other")
    one.run("s")
    gevent.sleep(3 * LEASE_S)
    assert (one.claims, other.claims, one.lost) == ([], [], [])
    assert other.swept[-1] == {"s"}


def test_a_store_that_takes_its_time_costs_no_lease(start: Callable[[str], Process]) -> None:
    one, other = start("one"), start("other")
    one.run("s")
    one.store_answers.clear()
    asked = len(one.swept)
    await_that(lambda: len(one.swept) > asked)
    gevent.sleep(3 * LEASE_S)
    assert (other.claims, one.lost) == ([], [])
    one.store_answers.set()
    await_that(lambda: len(one.swept) > asked + 1)


def test_a_turn_whose_process_is_dead_is_claimed_by_one(start: Callable[[str], Process]) -> None:
    dead, one, other = start("dead"), start("one"), start("other")
    dead.run("s")
    dead.close()
    await_that(lambda: one.claims or other.claims)
    gevent.sleep(2 * LEASE_S)
    assert one.claims + other.claims == [Claim("s", Question("", "anna", "r1", ASKED.page, "de"), 2)]


def test_each_death_counts(start: Callable[[str], Process]) -> None:
    processes = [start(name) for name in ("first", "second", "third")]
    processes[0].run("s")
    for attempt in (2, 3):
        processes.pop(0).close()
        await_that(lambda: any(process.claims for process in processes))
        processes.sort(key=lambda process: not process.claims)
        assert processes[0].claims[0].attempt == attempt


def test_a_turn_that_has_ended_leaves_nothing(start: Callable[[str], Process], redis: RedisServer) -> None:
    one = start("one")
    one.run("s")
    one.leases.release("s")
    await_that(lambda: redis.ask("XLEN", "chatbubble:turns") == b":0\r\n")
    assert redis.ask("XPENDING", "chatbubble:turns", "chat", "-", "+", "10") == b"*0\r\n"


def test_a_process_that_was_taken_for_dead_is_told(start: Callable[[str], Process]) -> None:
    one, other = start("one"), start("other")
    one.run("s")
    stand_still(one)
    await_that(lambda: other.claims)
    one.leases.open(one.followers)
    await_that(lambda: one.lost == ["s"])
    gevent.sleep(2 * LEASE_S)
    assert one.claims == []


def test_what_cannot_be_taken_over_now_is_claimed_again(
    start: Callable[[str], Process], redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, hub, tried = start("dead"), RedisHub(redis.url), []

    def take_over(claim: Claim) -> None:
        tried.append(claim.attempt)
        raise StoreUnavailable(detail="not now")

    leases = RedisLeases(hub)
    leases.open(Followers(take_over, lambda _: None, lambda _: []))
    dead.run("s")
    dead.close()
    await_that(lambda: len(tried) == 3)
    # A store that is away is no death of a process.
    assert tried == [2, 2, 2]
    leases.close()
    hub.close()


def test_a_turn_that_nobody_has_is_taken_over_by_one(start: Callable[[str], Process]) -> None:
    processes = [start(name) for name in ("one", "other", "third")]
    left = Claim("s", Question("", "anna", "r1"), 2)
    for process in processes:
        process.left.append(left)
    await_that(lambda: any(process.claims for process in processes))
    gevent.sleep(2 * LEASE_S)
    assert [claim for process in processes for claim in process.claims] == [left]
    # It is a lease like any other: when that process dies, too, the next death counts.
    finder = next(process for process in processes if process.claims)
    others = [process for process in processes if process is not finder]
    finder.close()
    await_that(lambda: any(process.claims for process in others))
    assert [claim.attempt for process in others for claim in process.claims] == [3]


def pause(redis: RedisServer) -> Callable[[], None]:
    redis.pause()
    return redis.go_on


def fill(redis: RedisServer) -> Callable[[], None]:
    redis.ask("CONFIG", "SET", "maxmemory", "1")

    def mend() -> None:
        redis.ask("CONFIG", "SET", "maxmemory", "0")

    return mend


def make_read_only(redis: RedisServer) -> Callable[[], None]:
    redis.ask("REPLICAOF", "127.0.0.1", "1")

    def mend() -> None:
        redis.ask("REPLICAOF", "NO", "ONE")

    return mend


def flush(redis: RedisServer) -> Callable[[], None]:
    redis.ask("FLUSHALL")
    return lambda: None


def restart(redis: RedisServer) -> Callable[[], None]:
    redis.stop()
    return redis.start


FAULTS = {"paused": pause, "full": fill, "read-only": make_read_only, "flushed": flush, "restarted": restart}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_redis_takes_no_turn_away(fault: str, start: Callable[[str], Process], redis: RedisServer) -> None:
    one, other = start("one"), start("other")
    one.run("s")
    mend = FAULTS[fault](redis)
    one.leases.take(Turn("new", "conv", "msg", "anna", "r2", TurnState.RUNNING, 1), ASKED)
    gevent.sleep(2 * LEASE_S)
    mend()
    await_that(lambda: other.swept and other.swept[-1] == {"s", "new"})
    gevent.sleep(LEASE_S)
    assert (one.claims, other.claims, one.lost) == ([], [], [])


def test_a_turn_that_began_while_redis_was_full_is_not_taken_for_one_that_is_left(
    start: Callable[[str], Process], redis: RedisServer
) -> None:
    one, other = start("one"), start("other")
    await_that(lambda: other.swept)
    mend = fill(redis)
    one.leases.take(Turn("new", "conv", "msg", "anna", "r2", TurnState.RUNNING, 1), ASKED)
    other.left.append(Claim("new", Question("", "anna", "r2"), 2))
    gevent.sleep(LEASE_S / 2)
    swept_before = len(other.swept)
    gevent.sleep(LEASE_S)
    assert len(other.swept) == swept_before  # without room nobody can say what they run
    mend()
    await_that(lambda: len(other.swept) > swept_before)
    assert other.swept[swept_before] == {"new"}
    assert (other.claims, one.lost) == ([], [])
