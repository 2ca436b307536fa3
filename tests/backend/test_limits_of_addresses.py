"""What one address may do, and how much of the site runs at once: over HTTP, in one process."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import Mock

import gevent
import pytest
from crowding import FREE, await_free, come_from, held
from hosting import JSON, HostSite, Site, assert_refused, bearer, new_session, question, stream_id_of
from limits import RateLimitItemPerMinute
from raw_http import Answer, Wire, request
from turning import Turns

from chatbubble import limits
from chatbubble.errors import RateLimited
from chatbubble.leases import Claim, NoLeases
from chatbubble.limits import FEEDBACK_RATE, Bound
from chatbubble.places import MemoryPlaces
from chatbubble.records import Question
from chatbubble.takeover import Takeover
from chatbubble.workers import Workers


def statuses(site: Site, address: str, count: int) -> list[int]:
    """As many visitors ask a question each, from one address."""
    return [site.ask(new_session(), headers=come_from(address)).status for _ in range(count)]


def assert_later(answer: Answer) -> None:
    """Refused with when to come again, and the refusal may be passed on to the visitor as it is."""
    error = assert_refused(answer, 429, "RATE_LIMITED")
    assert error["retryable"] is True
    assert int(answer.get("Retry-After") or 0) >= 1


def test_an_address_may_ask_so_often_whoever_asks(host_site: HostSite) -> None:
    site = host_site(**FREE | {"address_rate_limit": "3/minute"})
    assert statuses(site, "192.0.2.1", 5) == [200] * 3 + [429] * 2
    assert statuses(site, "2001:db8:1:2::1", 2) + statuses(site, "2001:db8:1:2:ffff::1", 2) == [200] * 3 + [429]
    assert statuses(site, "::ffff:192.0.2.1", 1) == [429]
    assert statuses(site, "192.0.2.2", 1) == [200]
    assert_later(site.ask(new_session(), headers=come_from("192.0.2.1")))


def test_nobody_gets_more_by_saying_to_be_somebody_else(host_site: HostSite) -> None:
    site = host_site(**FREE | {"address_rate_limit": "3/minute", "trusted_proxies": 0})
    asked = [site.ask(new_session(), headers=come_from(f"198.51.100.{number}")).status for number in range(5)]
    assert asked == [200] * 3 + [429] * 2


def test_what_a_visitor_writes_left_of_the_proxys_word_counts_for_nothing(host_site: HostSite) -> None:
    site = host_site(**FREE | {"address_rate_limit": "3/minute"})
    asked = [
        site.ask(new_session(), headers=come_from(f"198.51.100.{number}, 192.0.2.1")).status for number in range(5)
    ]
    assert asked == [200] * 3 + [429] * 2


def test_an_address_may_bring_so_many_new_visitors_and_those_who_are_known_go_on(host_site: HostSite) -> None:
    site = host_site(**FREE | {"new_visitors_limit": "2/hour"})
    here, known = come_from("192.0.2.1"), new_session()
    assert site.ask(known, headers=here).status == 200
    assert statuses(site, "192.0.2.1", 3) == [200, 429, 429]
    assert [site.ask(known, headers=here).status for _ in range(3)] == [200] * 3
    # Also one who came from elsewhere, or before this process began.
    moved = new_session()
    assert site.ask(moved, headers=come_from("192.0.2.2")).status == 200
    site.mounted.chat._limits.questions._known.clear()
    assert site.ask(moved, headers=here).status == 200
    assert site.ask(known, headers=here).status == 200


def test_who_erases_the_conversation_is_new_again(host_site: HostSite) -> None:
    site, session = host_site(**FREE | {"new_visitors_limit": "2/hour"}), new_session()
    asked = []
    for _ in range(3):
        asked.append(site.ask(session).status)
        assert site.call("DELETE", "/conversation", [bearer(session)]).status == 204
    assert asked == [200, 200, 429]


def test_only_questions_that_open_a_conversation_count_as_new_visitors(host_site: HostSite) -> None:
    site, session = host_site(**FREE | {"new_visitors_limit": "2/hour"}), new_session()
    for number in range(6):
        assert site.ask(session, str(number)).status == 200
        site.mounted.chat._limits.questions._known.clear()  # as a process that has just begun
    assert site.ask(new_session()).status == 200
    assert_later(site.ask(new_session()))


def test_an_address_may_have_so_many_streams_open(host_site: HostSite) -> None:
    site, here = host_site(**FREE | {"address_streams": 3}), come_from("192.0.2.1")
    session = new_session()
    stream_id = stream_id_of(site.ask(session, headers=come_from("192.0.2.2")))
    await_free(site)
    routes = (("POST", "/chat", question(session)), ("GET", f"/chat/{stream_id}", None), ("GET", "/stream", None))
    with held(site, 2, here):
        with Wire(site.port) as channel:
            channel.send(request("GET", "/api/ai/stream", [bearer(new_session()), *here]))
            assert channel.read(has_body=False).status == 200
            for method, path, body in routes:
                headers = [bearer(session), *here, *([JSON] if body else [])]
                assert_later(site.call(method, path, headers, body))
                # What is no stream is served all the same, and so is another address.
                assert site.call("GET", "/conversation", [bearer(session), *here]).status == 200
            elsewhere = [bearer(session), *come_from("192.0.2.2")]
            assert site.call("GET", f"/chat/{stream_id}", elsewhere).status == 200
        with gevent.Timeout(5):  # who hangs up has left
            while site.call("GET", f"/chat/{stream_id}", [bearer(session), *here]).status != 200:
                gevent.sleep(0.01)
    await_free(site)
    assert not site.mounted.clients._bound._places._taken  # type: ignore[attr-defined]


def test_a_place_is_freed_once_however_a_request_ends(host_site: HostSite) -> None:
    site, session = host_site(**FREE | {"address_streams": 1}), new_session()
    for _ in range(3):
        stream_id = stream_id_of(site.ask(session))
        assert site.call("GET", f"/chat/{stream_id}?wait=0", [bearer(session)]).status == 200
        assert_refused(site.call("GET", "/chat/stream_of_nobody", [bearer(session)]), 404, "NOT_FOUND")
        assert site.ask(session, requestId="once").status == 200
        assert_refused(site.ask(session, "another", requestId="once"), 409, "REQUEST_MISMATCH")
    await_free(site)
    assert not site.mounted.clients._bound._places._taken  # type: ignore[attr-defined]


def test_so_many_answers_run_at_once(host_site: HostSite) -> None:
    site = host_site(**FREE | {"running_turns": 3})
    for _ in range(2):
        with held(site, 3):
            answer = site.ask(new_session())
            assert_later(answer)
            assert b"busy" in answer.body
        await_free(site)
    assert len(site.provider.questions) == 6


def test_a_running_answer_keeps_its_place_when_its_reader_leaves(host_site: HostSite) -> None:
    site = host_site(**FREE | {"running_turns": 1})
    site.provider.gate.clear()
    with Wire(site.port) as wire:
        wire.send(request("POST", "/api/ai/chat", [JSON], question(new_session())))
        wire.read(has_body=False)
    with gevent.Timeout(5):
        while site.mounted.get_stats()["activeConnections"]:
            gevent.sleep(0.005)
    assert_later(site.ask(new_session()))
    site.provider.gate.set()
    await_free(site)
    assert site.ask(new_session()).status == 200


def test_an_answer_that_is_taken_over_has_a_place_and_is_not_refused_for_it(turns: Turns) -> None:
    running = Bound(MemoryPlaces(), "turns", 1)
    workers = Workers(turns.parts, bound=running)
    takeover = Takeover(turns.store, turns.log, workers, NoLeases(), turns.parts.measures)
    call = turns.provider.hold()
    running.enter()
    turns.begin()
    takeover.take_over(Claim(turns.stream_id, Question("hello", "anna", "r1"), 2))
    assert call.began.wait(5)
    running.leave()
    with pytest.raises(RateLimited):
        running.enter()
    call.finish("an answer")
    workers.drain(5)
    running.enter()


def test_asking_the_same_again_is_free_at_every_limit(host_site: HostSite) -> None:
    tight = {"rate_limit": "1/day", "address_rate_limit": "1/day", "new_visitors_limit": "1/day", "running_turns": 1}
    site, session = host_site(**FREE | tight), new_session()
    body = question(session)[:-1] + b', "requestId": "once"}'
    site.provider.gate.clear()
    with Wire(site.port) as first, Wire(site.port) as second:
        for wire in (first, second):
            wire.send(request("POST", "/api/ai/chat", [JSON], body))
            assert wire.read(has_body=False).status == 200
        site.provider.gate.set()
        assert first.read_chunks() == second.read_chunks()
    await_free(site)
    assert site.call("POST", "/chat", [JSON], body).status == 200
    for refused in (site.ask(session), site.ask(new_session())):
        assert_later(refused)
    assert len(site.provider.questions) == 1


def test_a_flood_is_refused_without_a_look_into_the_store(host_site: HostSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_LOOKS", RateLimitItemPerMinute(3))
    site, session = host_site(**FREE | {"address_rate_limit": "1/day"}), new_session()
    assert site.ask(session, requestId="once", headers=come_from("192.0.2.1")).status == 200
    looks = Mock(side_effect=site.mounted.store.find_request)
    monkeypatch.setattr(site.mounted.store, "find_request", looks)
    assert statuses(site, "192.0.2.1", 2) == [429, 429]
    assert site.ask(session, requestId="once", headers=come_from("192.0.2.1")).status == 200
    assert statuses(site, "192.0.2.1", 5) == [429] * 5
    assert looks.call_count == 3
    # Not even what it sends is read; of others it is.
    broken = [(JSON, *come_from(address)) for address in ("192.0.2.1", "192.0.2.2")]
    assert [site.call("POST", "/chat", headers, b"{").status for headers in broken] == [429, 400]
    assert statuses(site, "192.0.2.2", 1) == [200]
    # Nobody else has to come later for it.
    assert site.ask(session, requestId="once", headers=come_from("192.0.2.2")).status == 200


@pytest.mark.parametrize(
    ("limit", "most"),
    [({"address_rate_limit": "5/day"}, 5), ({"new_visitors_limit": "5/day"}, 5), ({"running_turns": 5}, 5)],
    ids=["questions", "new visitors", "running answers"],
)
def test_no_limit_is_evaded_by_asking_all_at_once(host_site: HostSite, limit: dict[str, Any], most: int) -> None:
    site = host_site(**FREE | limit)
    site.provider.gate.clear()
    seen: Counter[int] = Counter()

    def ask() -> None:
        with Wire(site.port) as wire:
            wire.send(request("POST", "/api/ai/chat", [JSON], question(new_session())))
            seen[wire.read(has_body=False).status] += 1

    gevent.joinall([gevent.spawn(ask) for _ in range(40)], timeout=10, raise_error=True)
    assert seen == {200: most, 429: 40 - most}
    site.provider.gate.set()
    await_free(site)
    assert len(site.provider.questions) == most


def test_off_switches_all_of_them_off(host_site: HostSite) -> None:
    tight = {"address_rate_limit": "1/day", "new_visitors_limit": "1/day", "address_streams": 1, "running_turns": 1}
    site, session = host_site(**FREE | tight | {"rate_limit": "off"}), new_session()
    with held(site, 3):
        site.provider.gate.set()
        assert site.ask(session).status == 200
    rated = site.call("GET", "/conversation", [bearer(session)]).json()["messages"][-1]["messageId"]
    body = f'{{"messageId": "{rated}", "rating": "up"}}'.encode()
    most = int(FEEDBACK_RATE.split("/")[0])
    given = [site.call("POST", "/feedback", [bearer(session), JSON], body).status for _ in range(most + 5)]
    assert set(given) == {204}
