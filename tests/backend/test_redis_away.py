"""Redis is away and comes back, seen by visitors of two processes: nobody is told anything wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from redis_server import RedisServer, own_redis
from serving import Serve, Served
from stream_client import Visitor, joined_text


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with own_redis(tmp_path) as server:
        yield server


@pytest.fixture
def pair(redis: RedisServer, serve: Serve, postgres_url: str) -> tuple[Served, Served]:
    """Two apps on one database and one Redis that a test may break."""
    served = tuple(serve(database_url=postgres_url, redis_url=redis.url) for _ in range(2))
    for each in served:
        each.mounted.start()
    return served[0], served[1]


def test_an_answer_goes_on_and_others_are_asked_to_wait(pair: tuple[Served, Served], redis: RedisServer) -> None:
    here, there = pair
    visitor, call = here.visitor(), here.provider.hold()
    other = Visitor(there.port, visitor.session)
    reply = visitor.ask(request_id="r1")
    stream_id = reply.until("connected")[0].data["streamId"]
    call.say("one ")
    reply.until("token")
    redis.stop()
    call.say("two ")
    assert reply.until("token")[-1].data["text"] == "two "
    refusals = [other.resume(stream_id), other.abort(stream_id), other.ask(request_id="r1")]
    assert [(refused.status, refused.json()["error"]["code"]) for refused in refusals] == [
        (503, "STORE_UNAVAILABLE")
    ] * 3
    assert all("retry-after" in refused.headers for refused in refusals)
    redis.start()
    deadline = time.monotonic() + 2
    while (resumed := other.resume(stream_id)).status != 200:
        assert time.monotonic() < deadline, "the answer is not told again two seconds after Redis is back"
        gevent.sleep(0.05)
    call.finish("three")
    text = reply.until_end()[-1].data["fullText"]
    assert text == joined_text(resumed.until_end()) == "one two three"


def test_a_question_is_answered_meanwhile(pair: tuple[Served, Served], redis: RedisServer) -> None:
    here, there = pair
    redis.stop()
    here.provider.script("an answer")
    visitor = here.visitor()
    events = visitor.ask().until_end()
    assert joined_text(events) == events[-1].data["fullText"] == "an answer"
    other = Visitor(there.port, visitor.session)
    assert other.conversation()["messages"][-1]["content"] == "an answer"
    health = here.get("/api/ai/healthz").json()
    assert health["parts"]["redis"] != "ok"
    redis.start()


def test_what_is_erased_meanwhile_is_forgotten_everywhere(pair: tuple[Served, Served], redis: RedisServer) -> None:
    here, there = pair
    here.provider.script("a secret")
    visitor = here.visitor()
    reply = visitor.ask()
    stream_id = reply.until_end()[0].data["streamId"]
    other = Visitor(there.port, visitor.session)
    redis.stop()
    assert other.erase() == 204
    redis.start()
    deadline = time.monotonic() + 3
    while visitor.resume(stream_id).status != 404:
        assert time.monotonic() < deadline, "erased in one process, and told in the other"
        gevent.sleep(0.05)
    assert other.resume(stream_id).status == 404


def test_three_connections_to_redis_are_enough_for_a_process(pair: tuple[Served, Served], redis: RedisServer) -> None:
    here, there = pair
    calls = [here.provider.hold() for _ in range(30)]
    visitors = [here.visitor() for _ in calls]
    replies = [visitor.ask() for visitor in visitors]
    for reply in replies:
        reply.until("connected")
    others = [Visitor(there.port, visitor.session).get("/conversation") for visitor in visitors]
    assert {other.status for other in others} == {200}
    assert 2 < redis.count_connections() <= 2 * 3
    for call in calls:
        call.finish("done")
    assert [reply.until_end()[-1].type for reply in replies] == ["done"] * 30
