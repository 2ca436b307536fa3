"""How much one visitor may ask, and what a refusal says. Addresses and the whole site: test_limits_of_addresses."""

from __future__ import annotations

import time
from collections import Counter

import gevent
import pytest
from hosting import JSON, HostSite, Site, assert_refused, bearer, new_session, question
from raw_http import Wire, request

from chatbubble.config import Settings
from chatbubble.errors import ConfigError, RateLimited
from chatbubble.limits import QuestionLimits, create_limits


def of_visitors(rate_limit: str) -> QuestionLimits:
    """What a visitor may ask, from any address."""
    return create_limits(Settings(rate_limit=rate_limit, address_rate_limit="off", new_visitors_limit="off")).questions


def refusal(limiter: QuestionLimits, visitor_id: str) -> RateLimited | None:
    """Ask once more; the refusal, if there is one."""
    try:
        with limiter.hold(visitor_id, "192.0.2.1", lambda: True) as count:
            count(False)
    except RateLimited as error:
        return error
    return None


def test_a_visitor_may_ask_so_often_and_no_more() -> None:
    limiter = of_visitors("3/minute")
    assert [refusal(limiter, "one") for _ in range(3)] == [None, None, None]
    error = refusal(limiter, "one")
    assert error is not None
    assert error.retry_after_s is not None
    assert 50 < error.retry_after_s <= 60


def test_visitors_do_not_share_their_limits() -> None:
    limiter = of_visitors("1/minute")
    assert refusal(limiter, "one") is None
    assert refusal(limiter, "two") is None
    assert refusal(limiter, "one") is not None


def test_every_rule_counts_and_a_refused_question_counts_for_none() -> None:
    limiter = of_visitors("1/second; 2/day")
    assert refusal(limiter, "one") is None
    for _ in range(5):
        assert refusal(limiter, "one") is not None
    deadline = time.monotonic() + 5
    while refusal(limiter, "one") is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    error = refusal(limiter, "one")
    assert error is not None
    assert error.retry_after_s is not None
    assert error.retry_after_s > 80_000


def test_the_wait_is_at_least_a_second() -> None:
    limiter = of_visitors("1/second")
    assert refusal(limiter, "one") is None
    error = refusal(limiter, "one")
    assert error is not None
    assert error.retry_after_s == 1


@pytest.mark.parametrize("rule", ["off", "OFF"])
def test_limits_can_be_switched_off(rule: str) -> None:
    limiter = of_visitors(rule)
    assert [refusal(limiter, "one") for _ in range(500)] == [None] * 500


RATES = ("RATE_LIMIT", "ADDRESS_RATE_LIMIT", "NEW_VISITORS_LIMIT")
RULES = ["10/minute", "10 per minute", "5/10seconds", "10/minute;100/day", "10/minute, 100/day", Settings().rate_limit]
NO_RULES = ["", "often", "10", "minute", "-1/minute", "0/minute", "10/minute;0/day", "10/fortnight", "10/minute;"]
NO_RULES += ["none", "1.5/minute", "on"]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", RATES)
def test_rules_are_read_in_the_notation_of_limits(name: str, rule: str) -> None:
    create_limits(Settings.read({f"CHATBUBBLE_{name}": rule}, {}))


@pytest.mark.parametrize("rule", NO_RULES)
@pytest.mark.parametrize("name", RATES)
def test_what_is_not_a_rule_stops_the_start(name: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=f"CHATBUBBLE_{name} should be .*like 10/minute;100/day"):
        create_limits(Settings.read({f"CHATBUBBLE_{name}": rule}, {}))


def test_over_http_one_question_too_many_is_told_when_to_come_back(host_site: HostSite) -> None:
    site, session = host_site(rate_limit="2/minute"), new_session()
    assert [site.ask(session, str(number)).status for number in range(2)] == [200, 200]
    answer = site.ask(session, "third")
    error = assert_refused(answer, 429, "RATE_LIMITED")
    assert error["retryable"] is True
    assert 1 <= int(answer.get("Retry-After") or 0) <= 60
    assert site.ask(new_session()).status == 200
    assert len(site.provider.questions) == 3


def test_asking_the_same_again_is_free(host_site: HostSite) -> None:
    site, session = host_site(rate_limit="1/day"), new_session()
    first = site.ask(session, requestId="once")
    for _ in range(5):
        assert site.ask(session, requestId="once").body.count(b"event: done\n") == 1
    assert first.status == 200
    assert len(site.provider.questions) == 1
    assert_refused(site.ask(session, requestId="twice"), 429, "RATE_LIMITED")


def test_only_questions_count(host_site: HostSite) -> None:
    site, session = host_site(rate_limit="1/day"), new_session()
    for _ in range(5):
        assert_refused(site.call("POST", "/chat", [JSON], b"{}"), 400, "BAD_REQUEST")
        assert site.call("GET", "/conversation", [bearer(session)]).status == 200
    assert site.ask(session).status == 200


def test_without_limits_a_visitor_may_ask_on(host_site: HostSite) -> None:
    site, session = host_site(rate_limit="off"), new_session()
    assert {site.ask(session, str(number)).status for number in range(15)} == {200}


def test_a_refusal_leaves_the_connection_open(host_site: HostSite) -> None:
    site, session = host_site(rate_limit="1/day"), new_session()
    site.ask(session)
    body = b'{"message":"more","sessionId":"%b"}' % session.encode()
    with Wire(site.port) as wire:
        for _ in range(3):
            wire.send(request("POST", "/api/ai/chat", [JSON], body))
            assert wire.read().status == 429


def test_a_place_that_was_not_used_is_free_again_and_meanwhile_nobody_elses() -> None:
    limiter = of_visitors("1/day")
    with limiter.hold("one", "192.0.2.1", lambda: True):
        assert refusal(limiter, "one") is not None
        assert refusal(limiter, "two") is None
    assert refusal(limiter, "one") is None
    assert refusal(limiter, "one") is not None


def test_a_refused_question_costs_nothing(host_site: HostSite) -> None:
    site, session = host_site(rate_limit="2/day"), new_session()
    site.provider.gate.clear()
    with Wire(site.port) as first:
        first.send(request("POST", "/api/ai/chat", [JSON], question(session)))
        first.read(has_body=False)
        for number in range(5):
            assert_refused(site.ask(session, str(number)), 409, "TURN_RUNNING")
        site.provider.gate.set()
        first.read_chunks()
    assert_refused(site.ask(session, "other", requestId=last_request_id(site, session)), 409, "REQUEST_MISMATCH")
    assert site.ask(session, "second").status == 200
    assert_refused(site.ask(session, "third"), 429, "RATE_LIMITED")


def last_request_id(site: Site, session: str) -> str:
    """The name of the visitor's last question."""
    messages = site.call("GET", "/conversation", [bearer(session)]).json()["messages"]
    return str(messages[-1]["requestId"])


def test_who_waits_for_an_answer_is_told_so_before_any_limit(host_site: HostSite) -> None:
    site, session = host_site(rate_limit="1/day"), new_session()
    site.provider.gate.clear()
    with Wire(site.port) as first:
        first.send(request("POST", "/api/ai/chat", [JSON], question(session)))
        first.read(has_body=False)
        error = assert_refused(site.ask(session, "again"), 409, "TURN_RUNNING")
        active = site.call("GET", "/conversation", [bearer(session)]).json()["activeStream"]
        assert error["streamId"] == active["streamId"]
        site.provider.gate.set()
        first.read_chunks()
    assert_refused(site.ask(session, "again"), 429, "RATE_LIMITED")


def test_no_limit_is_evaded_by_asking_all_at_once(host_site: HostSite) -> None:
    site, session = host_site(rate_limit="2/day"), new_session()
    statuses: Counter[int] = Counter()
    for _ in range(3):
        asking = [gevent.spawn(site.ask, session, str(number)) for number in range(20)]
        erasing = gevent.spawn(site.call, "DELETE", "/conversation", [bearer(session)])
        statuses.update(one.get(timeout=10).status for one in asking)
        erasing.get(timeout=10)
    assert statuses[200] == 2
    assert statuses.keys() <= {200, 404, 409, 429}
    assert len(site.provider.questions) <= 2


def test_the_same_question_from_two_connections_at_once_needs_one_place(host_site: HostSite) -> None:
    site, session = host_site(rate_limit="1/day"), new_session()
    asking = [gevent.spawn(site.ask, session, requestId="once") for _ in range(10)]
    assert {one.get(timeout=10).status for one in asking} == {200}
    assert len(site.provider.questions) == 1
