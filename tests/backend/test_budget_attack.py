"""The day's budget under attack, seen from the model's bill: whatever is asked, and however, the site pays no more."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from asking import provider_at
from gevent.pool import Pool
from hosting import OPERATOR_TOKEN
from model_connection import ModelRequest
from model_server import ModelServer
from model_steps import DONE, Step, chunk, delta, end, failure, finish, head, usage, wait
from redis_server import RedisServer, own_redis
from serving import Serve, Served
from stream_client import Connection, Visitor

from chatbubble.budget import MICRO
from chatbubble.config import DEFAULT_BUDGET_MESSAGE
from chatbubble.providers import retries

PREFIX = "/api/ai"
ATTACKERS = 50
LONGEST = 20  # tokens of an answer
# A token of the prompt costs a millionth, one of the answer two. The least that is taken with a context of 500.
CAP, SMALL_CAP = 10_500, 2_500
SETTINGS: dict[str, Any] = {
    "daily_budget": CAP / MICRO, "prices": "stand-in=1/2", "max_tokens": LONGEST, "context_tokens": 500,
    "system_prompt": "", "rate_limit": "off", "contact_url": "https://shop.example/contact",
}  # fmt: skip
SMALL: dict[str, Any] = {**SETTINGS, "daily_budget": SMALL_CAP / MICRO}


class Bill:
    """A model that says as much as it is let, and bills what went over the line, heard or not: a token for every two
    bytes of the prompt, which is dearer than any estimate, and one for each word."""

    def __init__(self) -> None:
        self.amount = 0

    def steps(self, request: ModelRequest) -> Iterator[Step]:
        """See model_server.Phrases."""
        if request.question.startswith("fail"):
            yield from failure(503)
            return
        told = "".join(message["content"] for message in request.body["messages"])
        prompt = len(told.encode()) // 2 + 4
        self.amount += prompt
        yield head()
        length = int(request.body["max_tokens"])
        for number in range(length):
            self.amount += 2
            yield chunk(delta(f"{number} "))
            yield wait(0.001)
        yield chunk(finish())
        yield chunk(usage(prompt, length))
        yield chunk(DONE)
        yield end()


@pytest.fixture
def bill() -> Bill:
    return Bill()


@pytest.fixture
def dear_model(bill: Bill) -> Iterator[ModelServer]:
    """A model's server that counts what it is owed."""
    server = ModelServer(phrases=bill)
    server.start()
    yield server
    server.stop()


def ask(port: int, address: int, message: str) -> Any:
    """A question of a new session, from an address that a proxy names."""
    visitor = Visitor(port)
    headers = {"X-Forwarded-For": f"203.0.113.{address}"}
    body = {"message": message, "sessionId": visitor.session}
    return visitor, Connection(port).request("POST", f"{PREFIX}/chat", body=body, headers=headers)


def answer_of(port: int, message: str) -> str:
    """What a polite visitor reads: an answer, whatever others do."""
    _, reply = ask(port, 200, message)
    last = reply.until_end()[-1]
    reply.close()
    assert (reply.status, last.type) == (200, "done")
    return str(last.data["fullText"])


def attack(port: int, number: int) -> None:
    """Ask as one who wants to be expensive: long questions, answers that are left, stopped, or read to their end."""
    visitor, reply = ask(port, number % ATTACKERS, "!?#" * (1 + number * 37 % 200))
    assert reply.status == 200
    begun = reply.until("token")
    if number % 4 == 0:
        visitor.abort(begun[0].data["streamId"]).close()
    if number % 4 != 1:
        reply.until_end()
    reply.close()


def attack_at(ports: list[int], questions: int) -> None:
    """So many of them, ten at a time."""
    attackers = Pool(10)
    asked = [attackers.spawn(attack, ports[number % len(ports)], number) for number in range(questions)]
    gevent.joinall(asked, raise_error=True)


def spent_at(served: Served) -> int:
    """What is spent, once all turns are over and settled, in millionths."""
    served.await_stats(activeTurns=0)
    served.mounted.spending.flush(5)
    spent: float = served.mounted.get_stats()["spentToday"]
    return round(spent * MICRO)


def test_fifty_addresses_with_ever_new_sessions_spend_no_more_than_the_cap(
    serve: Serve, dear_model: ModelServer, bill: Bill, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "chatbubble.spending")
    provider = provider_at(dear_model.base_url, max_tokens=LONGEST)
    served = serve(provider=provider, **SETTINGS)
    attack_at([served.port], 3 * ATTACKERS)
    assert bill.amount <= spent_at(served) <= CAP
    assert served.mounted.get_stats()["fallbacks"] > 0
    # What was put aside for answers that cost less is there for who asks now.
    while not answer_of(served.port, "hello " * 50).startswith(DEFAULT_BUDGET_MESSAGE):
        assert bill.amount <= CAP
    assert CAP - 300 - 8 - 64 - 2 * LONGEST < spent_at(served) <= CAP
    assert bill.amount <= spent_at(served)
    told = [record.getMessage() for record in caplog.records if record.name == "chatbubble.spending"]
    assert [line.split()[0] for line in told] == ["50", "80", "100"]
    provider.close()


def rotate(port: int, address: int, answered: list[int]) -> None:
    """Ask three times from one address, each time as somebody new."""
    for number in range(3):
        _, reply = ask(port, address, "!?#" * 150)
        assert reply.status in (200, 429)
        if reply.status == 200:
            answered.append(number)
            reply.until_end()
        reply.close()


def test_with_the_limits_on_who_is_polite_is_answered_by_the_model_all_the_while(
    serve: Serve, dear_model: ModelServer, bill: Bill
) -> None:
    # Ten minutes of which only the first moments are new visitors: an address may bring so many and no more.
    limits = {"rate_limit": "10/minute", "new_visitors_limit": "2/hour", "trusted_proxies": 1, "running_turns": 60}
    provider = provider_at(dear_model.base_url, max_tokens=LONGEST)
    served = serve(provider=provider, **{**SETTINGS, "daily_budget": 10 * CAP / MICRO, **limits})
    answered: list[int] = []
    attackers = [gevent.spawn(rotate, served.port, address, answered) for address in range(ATTACKERS)]
    visitors = [Visitor(served.port) for _ in range(2)]
    told = [polite_answer(visitors[n % 2], 200 + n % 2) for n in range(20)]
    gevent.joinall(attackers, raise_error=True)
    assert sum(answer.startswith("0 1 2") for answer in told) >= 19
    assert len(answered) == 2 * ATTACKERS
    assert bill.amount <= spent_at(served) <= 10 * CAP
    provider.close()


def polite_answer(visitor: Visitor, address: int) -> str:
    """What one reads who asks again and again with the same session; nothing where it is refused."""
    headers = {"X-Forwarded-For": f"203.0.113.{address}"}
    body = {"message": "When do you open?", "sessionId": visitor.session}
    with Connection(visitor.port) as connection:
        reply = connection.request("POST", f"{PREFIX}/chat", body=body, headers=headers)
        return str(reply.until_end()[-1].data.get("fullText", "")) if reply.status == 200 else ""


def test_what_is_said_without_money_is_an_answer_like_any_other(
    serve: Serve, dear_model: ModelServer, bill: Bill
) -> None:
    provider = provider_at(dear_model.base_url, max_tokens=LONGEST)
    served = serve(provider=provider, operator_token=OPERATOR_TOKEN, **SMALL)
    told = ""
    while not told.startswith(DEFAULT_BUDGET_MESSAGE):
        visitor, reply = ask(served.port, 1, "hello " * 100)
        events = reply.until_end()
        told = events[-1].data["fullText"]
        assert events[-1].type == "done"
    before = bill.amount
    assert told.endswith("[shop.example/contact](https://shop.example/contact)")
    assert [event.type for event in events] == ["connected", "token", "done"]
    again = visitor.resume(events[0].data["streamId"]).until_end()
    assert again[-1].data["fullText"] == told
    answer = visitor.conversation()["messages"][-1]
    assert (answer["content"], answer["finishReason"], answer["errorCode"]) == (told, "stop", None)
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    metrics = Connection(served.port).request("GET", f"{PREFIX}/metrics", headers=headers).read().decode()
    assert "chatbubble_fallbacks_total 1.0" in metrics
    assert f"chatbubble_budget_limit {SMALL_CAP / MICRO}" in metrics
    assert f"chatbubble_budget_spent {spent_at(served) / MICRO}" in metrics
    assert bill.amount == before
    provider.close()


def test_a_model_that_is_away_costs_nothing(
    serve: Serve, dear_model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "FIRST_DELAY_S", 0.001)
    for address in (dear_model.base_url, "http://127.0.0.1:1/v1"):
        provider = provider_at(address, max_tokens=LONGEST)
        served = serve(provider=provider, **SETTINGS)
        _, reply = ask(served.port, 1, "fail")
        assert reply.until_end()[-1].data["code"] == "UPSTREAM_UNAVAILABLE"
        assert spent_at(served) == 0
        assert served.mounted.get_stats()["reservedNow"] == 0
        provider.close()


def test_a_restart_forgets_nothing_and_neither_does_erasing(serve: Serve, dear_model: ModelServer, bill: Bill) -> None:
    first_provider = provider_at(dear_model.base_url, max_tokens=LONGEST)
    first = serve(provider=first_provider, **SMALL)
    visitor, reply = ask(first.port, 1, "hello " * 100)
    reply.until_end()
    spent = spent_at(first)
    assert spent == bill.amount > 300
    first.stop()
    provider = provider_at(dear_model.base_url, max_tokens=LONGEST)
    second = serve(provider=provider, **SMALL)
    second.mounted.start()
    assert spent_at(second) == spent
    assert Visitor(second.port, visitor.session).erase() == 204
    second.stop()
    third = serve(provider=provider, **SMALL)
    attack_at([third.port], 12)
    assert spent < bill.amount <= spent_at(third) <= SMALL_CAP
    for each in (first_provider, provider):
        each.close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with own_redis(tmp_path) as server:
        yield server


@pytest.fixture
def pair(redis: RedisServer, serve: Serve, postgres_url: str, dear_model: ModelServer) -> Iterator[list[Served]]:
    """Two apps on one database and one Redis."""
    provider = provider_at(dear_model.base_url, max_tokens=LONGEST)
    served = [serve(provider=provider, **SMALL, database_url=postgres_url, redis_url=redis.url) for _ in range(2)]
    for each in served:
        each.mounted.start()
    yield served
    provider.close()


def test_two_apps_share_the_money_also_while_redis_is_away(pair: list[Served], redis: RedisServer, bill: Bill) -> None:
    ports = [each.port for each in pair]
    attack_at(ports, 4)
    redis.stop()
    attack_at(ports, 20)
    for each in pair:
        each.mounted.spending.flush(5)
    redis.start()
    assert bill.amount <= max(spent_at(each) for each in pair) <= SMALL_CAP
    while not answer_of(ports[0], "hello " * 50).startswith(DEFAULT_BUDGET_MESSAGE):
        assert bill.amount <= SMALL_CAP
    assert answer_of(ports[1], "hello " * 50).startswith(DEFAULT_BUDGET_MESSAGE)
    assert bill.amount <= max(spent_at(each) for each in pair) <= SMALL_CAP
