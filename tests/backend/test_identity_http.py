"""A person on several devices, over real HTTP: one conversation, until it is over."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hosting import JSON, SHOP, HostSite, Site, assert_refused, bearer, hosting, new_session, stream_id_of
from identities import SECRET, token
from raw_http import Answer

from chatbubble.signed_sessions import SESSION_S, SessionSigner


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that knows its visitors by name."""
    database = tmp_path_factory.mktemp("shop") / "chat.db"
    with hosting(database, allowed_origins=SHOP, identity_secret=SECRET) as opened:
        yield opened


def identify(site: Site, given: Any, *headers: tuple[str, str]) -> Answer:
    """`POST /identify`."""
    return site.call("POST", "/identify", (JSON, *headers), json.dumps({"token": given}).encode())


def session_of(site: Site, subject: str) -> str:
    """A new session of a person."""
    return str(identify(site, token(subject=subject)).json()["sessionId"])


def contents(site: Site, session: str) -> list[str]:
    """What a visitor's conversation says."""
    messages = site.call("GET", "/conversation", [bearer(session)]).json()["messages"]
    return [message["content"] for message in messages]


def test_a_token_is_answered_with_a_session_of_a_day(shop: Site) -> None:
    answer = identify(shop, token(), ("Origin", SHOP))
    assert answer.status == 200
    assert answer.get("Cache-Control") == "no-store"
    assert set(answer.json()) == {"sessionId", "expiresAt"}
    assert abs(answer.json()["expiresAt"] - (time.time() + SESSION_S) * 1000) < 5000


def test_two_devices_show_one_conversation(shop: Site) -> None:
    phone, desk = session_of(shop, "nell"), session_of(shop, "nell")
    stream = stream_id_of(shop.ask(phone, "Where is my order?"))
    assert contents(shop, desk) == contents(shop, phone) == ["Where is my order?", "You said: Where is my order?"]
    assert shop.call("GET", f"/chat/{stream}", [bearer(desk)]).status == 200
    shop.ask(desk, "And now?")
    assert contents(shop, phone)[2] == "And now?"


def test_others_see_nothing_of_it(shop: Site) -> None:
    mine = session_of(shop, "olga")
    stream = stream_id_of(shop.ask(mine, "A secret."))
    for other in (session_of(shop, "pia"), new_session(), "person-olga-0123456789"):
        assert contents(shop, other) == []
        assert_refused(shop.call("GET", f"/chat/{stream}", [bearer(other)]), 404, "NOT_FOUND")


def test_what_was_asked_without_a_name_is_merged_with_nothing(shop: Site) -> None:
    nameless = new_session()
    shop.ask(nameless, "Before I signed in.")
    assert contents(shop, session_of(shop, "quin")) == []
    assert contents(shop, nameless)[0] == "Before I signed in."


def test_erasing_on_one_device_erases_on_all(shop: Site) -> None:
    phone, desk = session_of(shop, "ruth"), session_of(shop, "ruth")
    shop.ask(phone)
    assert shop.call("DELETE", "/conversation", [bearer(desk)]).status == 204
    assert contents(shop, phone) == []


def every_use_of(site: Site, session: str) -> list[Answer]:
    """A session id in all the places where one goes."""
    header = [bearer(session)]
    feedback = json.dumps({"messageId": "msg_1", "rating": "up"}).encode()
    return [
        site.ask(session),
        site.call("GET", "/conversation", header),
        site.call("DELETE", "/conversation", header),
        site.call("GET", "/chat/stream_1", header),
        site.call("POST", "/chat/stream_1/abort", header),
        site.call("POST", "/feedback", [JSON, *header], feedback),
        site.call("GET", "/stream", header),
    ]


def test_a_session_that_is_over_is_told_so_everywhere(shop: Site) -> None:
    past = SessionSigner(SECRET, lambda: time.time() - SESSION_S - 1).sign("0" * 48).session_id
    forged = SessionSigner(SECRET[::-1]).sign("0" * 48).session_id
    for session in (past, forged, f"signed_{'0' * 32}"):
        for answer in every_use_of(shop, session):
            assert assert_refused(answer, 401, "SESSION_EXPIRED")["retryable"] is False


def test_without_a_secret_no_session_seems_signed(site: Site) -> None:
    for answer in every_use_of(site, SessionSigner(SECRET).sign("0" * 48).session_id):
        assert_refused(answer, 401, "SESSION_EXPIRED")
    assert_refused(identify(site, token()), 404, "IDENTITY_OFF")


def test_a_refused_token_is_one_line_in_the_log_that_does_not_hold_it(
    shop: Site, caplog: pytest.LogCaptureFixture
) -> None:
    given = token(subject="sam", aud="shop")
    with caplog.at_level(logging.INFO, "chatbubble"):
        assert_refused(identify(shop, given), 401, "IDENTITY_REFUSED")
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("IDENTITY_REFUSED: InvalidAudienceError")
    assert given not in line


def test_who_tries_keys_is_stopped_and_nobody_else(host_site: HostSite) -> None:
    site = host_site(identity_secret=SECRET, rate_limit="10/minute", trusted_proxies=1)
    here, there = ("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-For", "203.0.113.8")
    for _ in range(40):
        assert identify(site, token(), here).status == 200  # as often as pages are opened
    for _ in range(30):
        assert_refused(identify(site, token(aud="shop"), here), 401, "IDENTITY_REFUSED")
    for given in (token(aud="shop"), token()):
        refusal = identify(site, given, here)
        assert_refused(refusal, 429, "RATE_LIMITED")
        assert 1 <= int(refusal.get("Retry-After") or "") <= 60
    assert identify(site, token(), there).status == 200


def test_without_limits_keys_may_be_tried(shop: Site) -> None:
    for _ in range(35):
        assert_refused(identify(shop, token(aud="shop")), 401, "IDENTITY_REFUSED")


@pytest.mark.parametrize("given", [7, None, [], {}])
def test_what_is_no_text_is_a_bad_request(shop: Site, given: Any) -> None:
    assert assert_refused(identify(shop, given), 400, "BAD_REQUEST")["field"] == "token"


def test_a_page_of_another_origin_and_a_form_are_refused(shop: Site) -> None:
    assert_refused(identify(shop, token(), ("Origin", "https://evil.example")), 403, "ORIGIN_REFUSED")
    form = ("Content-Type", "application/x-www-form-urlencoded")
    assert_refused(shop.call("POST", "/identify", [form], b"token=x"), 415, "UNSUPPORTED_MEDIA_TYPE")
    assert_refused(shop.call("GET", "/identify", []), 405, "METHOD_NOT_ALLOWED")
