"""`POST /feedback`: what is taken, what is refused, and where it is read again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hosting import JSON, SHOP, HostSite, Site, assert_refused, bearer, new_session
from hypothesis import given
from hypothesis import strategies as st
from raw_http import Answer

from chatbubble.errors import BadRequest
from chatbubble.feedback import COMMENT_CHARS, parse_feedback
from chatbubble.records import Feedback, Rating

FINE = {"messageId": "msg_1", "rating": "up"}
LEFT_OUT = ...


def body_with(**fields: Any) -> bytes:
    """A body in order but for these fields; one that is `...` is left out."""
    return json.dumps({name: value for name, value in {**FINE, **fields}.items() if value is not LEFT_OUT}).encode()


def rate(site: Site, session: str, **fields: Any) -> Answer:
    """`POST /feedback`."""
    return site.call("POST", "/feedback", [JSON, bearer(session)], body_with(**fields))


def answers_of(site: Site, session: str) -> list[dict[str, Any]]:
    """The assistant's messages in a visitor's conversation."""
    messages = site.call("GET", "/conversation", [bearer(session)]).json()["messages"]
    return [message for message in messages if message["author"] == "assistant"]


def answered(site: Site) -> tuple[str, str]:
    """A session with one answer, and that answer's id."""
    session = new_session()
    site.ask(session)
    return session, answers_of(site, session)[0]["messageId"]


def test_feedback_is_read_with_its_answer(site: Site) -> None:
    session, message_id = answered(site)
    assert answers_of(site, session)[0]["feedback"] is None
    answer = rate(site, session, messageId=message_id, rating="down", comment=" Not what I asked.\n")
    assert (answer.status, answer.body) == (204, b"")
    assert answers_of(site, session)[0]["feedback"] == {"rating": "down", "comment": "Not what I asked."}


def test_the_latest_word_counts_and_null_takes_it_back(site: Site) -> None:
    session, message_id = answered(site)
    said = [("down", "No."), ("up", None), (None, "No matter.")]
    for (rating, comment), told in zip(said, ["down", "up", None], strict=True):
        assert rate(site, session, messageId=message_id, rating=rating, comment=comment).status == 204
        feedback = answers_of(site, session)[0]["feedback"]
        assert feedback == (told and {"rating": told, "comment": comment or ""})


def test_whoever_has_not_got_the_answer_cannot_rate_it(site: Site) -> None:
    session, message_id = answered(site)
    messages = site.call("GET", "/conversation", [bearer(session)]).json()["messages"]
    for who, what in ((new_session(), message_id), (session, messages[0]["messageId"]), (session, "msg_unknown")):
        assert_refused(rate(site, who, messageId=what), 404, "NOT_FOUND")
    assert answers_of(site, session)[0]["feedback"] is None


def test_after_erasing_there_is_nothing_to_rate(site: Site) -> None:
    session, message_id = answered(site)
    assert rate(site, session, messageId=message_id).status == 204
    site.call("DELETE", "/conversation", [bearer(session)])
    assert_refused(rate(site, session, messageId=message_id), 404, "NOT_FOUND")


BAD_VALUES: dict[str, list[Any]] = {
    "messageId": [LEFT_OUT, None, 1, "", "a b", "msg_1\n", "x" * 65, "../x", "\u00e4", ["msg_1"]],
    "rating": [LEFT_OUT, "", "UP", "sideways", 1, True, ["up"], {}],
    "comment": [1, True, ["no"], "x" * 1001, "half \ud83d"],
}


@pytest.mark.parametrize(("field", "value"), [(name, value) for name in BAD_VALUES for value in BAD_VALUES[name]])
def test_a_bad_field_is_named(site: Site, field: str, value: Any) -> None:
    error = assert_refused(rate(site, new_session(), **{field: value}), 400, "BAD_REQUEST")
    assert error["field"] == field


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b'{"rating":"up","rating":"down"}', b"\xff"])
def test_a_body_is_one_json_object(site: Site, body: bytes) -> None:
    answer = site.call("POST", "/feedback", [JSON, bearer(new_session())], body)
    assert_refused(answer, 400, "BAD_REQUEST")


def test_types_and_sizes_are_those_of_every_body(site: Site) -> None:
    session = bearer(new_session())
    assert_refused(site.call("POST", "/feedback", [session], body_with()), 415, "UNSUPPORTED_MEDIA_TYPE")
    form = [("Content-Type", "application/x-www-form-urlencoded"), session]
    assert_refused(site.call("POST", "/feedback", form, b"rating=up"), 415, "UNSUPPORTED_MEDIA_TYPE")
    too_large = body_with().ljust(16_385)
    assert_refused(site.call("POST", "/feedback", [JSON, session], too_large), 413, "PAYLOAD_TOO_LARGE")
    assert_refused(site.call("POST", "/feedback", [JSON, session], too_large[:-1]), 404, "NOT_FOUND")


def test_a_page_asks_before_it_rates(site: Site) -> None:
    asked = [
        ("Origin", SHOP),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization,content-type"),
    ]
    answer = site.call("OPTIONS", "/feedback", asked)
    assert (answer.status, answer.get("Access-Control-Allow-Origin")) == (204, SHOP)
    assert {"authorization", "content-type"} <= set(answer.tokens("Access-Control-Allow-Headers"))
    refused = site.call("POST", "/feedback", [JSON, ("Origin", "https://evil.example")], body_with())
    assert_refused(refused, 403, "ORIGIN_REFUSED")


def test_feedback_has_a_limit_of_its_own(host_site: HostSite) -> None:
    site = host_site(rate_limit="2/day")
    session, message_id = answered(site)
    # What is refused costs nothing.
    for _ in range(40):
        assert rate(site, session, messageId="msg_unknown").status == 404
    assert [rate(site, session, messageId=message_id).status for _ in range(30)] == [204] * 30
    answer = rate(site, session, messageId=message_id)
    assert assert_refused(answer, 429, "RATE_LIMITED")["retryable"] is True
    assert 1 <= int(answer.get("Retry-After") or 0) <= 60
    other, message_id = answered(site)
    assert rate(site, other, messageId=message_id).status == 204
    # Nor do questions and feedback take from each other.
    assert site.ask(session, "another").status == 200


def test_without_limits_feedback_has_none(site: Site) -> None:
    session, message_id = answered(site)
    assert {rate(site, session, messageId=message_id).status for _ in range(40)} == {204}


def test_feedback_holds_what_was_said_and_when() -> None:
    body = body_with(comment=" a\0 " + "x" * 997 + "\n")
    assert parse_feedback(body, now=lambda: 1.5) == ("msg_1", Feedback(Rating.UP, "a\ufffd " + "x" * 997, 1500))
    assert parse_feedback(body_with(comment=None), now=lambda: 1.5) == ("msg_1", Feedback(Rating.UP, "", 1500))
    assert parse_feedback(body_with(rating=None, comment="x" * COMMENT_CHARS)) == ("msg_1", None)


FIELDS = st.dictionaries(st.sampled_from([*FINE, "comment"]), st.none() | st.text() | st.just("up"))


@given(st.binary(max_size=200) | FIELDS.map(lambda fields: json.dumps(fields).encode()))
def test_noise_is_refused_or_taken(data: bytes) -> None:
    try:
        message_id, _ = parse_feedback(data)
    except BadRequest:
        return
    assert message_id
