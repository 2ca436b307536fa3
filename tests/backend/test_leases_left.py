"""Turns that nobody holds, or that a process only believes to hold."""

from __future__ import annotations

from collections.abc import Callable

import gevent
from leasing import ASKED, LEASE_S, Process, await_that, redis_of_leases, stand_still, start_hasty
from redis_server import RedisServer

from chatbubble.leases import Claim, Followers
from chatbubble.records import Question, Turn, TurnState

__all__ = ["redis_of_leases", "start_hasty"]


def test_a_process_that_stood_still_asks_before_it_says_what_it_holds(start: Callable[[str], Process]) -> None:
    one, other = start("one"), start("other")
    one.run("s")
    assert one.leases.is_held("s")
    stand_still(one)
    await_that(lambda: other.claims)
    assert not one.leases.is_held("s")
    await_that(lambda: one.lost == ["s"])
    assert other.leases.is_held("s")


def test_while_nobody_can_ask_redis_everybody_holds_what_they_held(
    start: Callable[[str], Process], redis: RedisServer
) -> None:
    one = start("one")
    one.run("s")
    stand_still(one)
    redis.stop()
    gevent.sleep(LEASE_S)
    assert one.leases.is_held("s")
    redis.start()


def test_a_turn_is_taken_over_from_a_redis_that_was_emptied_just_now(
    start: Callable[[str], Process], redis: RedisServer
) -> None:
    one = start("one")
    stand_still(one)
    redis.ask("FLUSHALL")
    one.leases._adopt(one.followers, Claim("s", Question("", "anna", "r1"), 2))
    await_that(lambda: one.claims)
    assert redis.ask("XPENDING", "chatbubble:turns", "chat").startswith(b"*4\r\n:1\r\n")


def test_an_entry_that_nobody_has_is_claimed(start: Callable[[str], Process], redis: RedisServer) -> None:
    one = start("one")
    one.run("s")
    text = '{"stream": "left", "visitor": "anna", "request": "r2", "locale": "", "page": null}'
    redis.ask("XADD", "chatbubble:turns", "*", "t", text)
    await_that(lambda: one.claims)
    gevent.sleep(2 * LEASE_S)
    assert [claim.stream_id for claim in one.claims] == ["left"]


def test_turns_are_taken_over_a_few_at_a_time(start: Callable[[str], Process]) -> None:
    one, other = start("one"), start("other")
    for number in range(9):
        one.leases.take(Turn(f"s{number}", "conv", "msg", "anna", "r1", TurnState.RUNNING, 1), ASKED)
    gevent.sleep(0.2)
    at_once: list[int] = []
    begun: list[Claim] = []

    def take_over(claim: Claim) -> None:
        begun.append(claim)
        at_once.append(len(begun) - len(other.claims))
        gevent.sleep(0.02)
        other.claims.append(claim)

    other.leases._followers = None
    stand_still(other)
    other.leases.open(Followers(take_over, other.lost.append, lambda _: []))
    one.close()
    await_that(lambda: len(other.claims) == 9)
    assert max(at_once) == 4
