"""From the bytes of a body to a checked question, or to an error that names the field."""

from __future__ import annotations

import time

import pytest
from bodies import BAD, FINE, GOOD, SESSION, Body, body_with
from hosting import JSON, Site, assert_refused, bearer
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.body import parse_object
from chatbubble.errors import BadRequest
from chatbubble.json_flaws import find_deepest
from chatbubble.question import parse_question
from chatbubble.records import Page
from chatbubble.visitors import Visitors

VISITORS = Visitors()


@pytest.mark.parametrize("body", BAD, ids=str)
def test_a_bad_body_is_refused_and_its_field_named(body: Body) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_question(body.data, VISITORS)
    assert refusal.value.extra.get("field") == body.field
    assert len(refusal.value.message) < 150


def test_the_table_of_bad_bodies_is_long_and_each_name_its_own() -> None:
    assert len(BAD) >= 80
    assert len({body.name for body in BAD + GOOD}) == len(BAD + GOOD)


@pytest.mark.parametrize("body", BAD, ids=str)
def test_a_bad_body_over_http_is_a_400_that_changes_nothing(site: Site, body: Body) -> None:
    asked = len(site.provider.questions)
    error = assert_refused(site.call("POST", "/chat", [JSON], body.data), 400, "BAD_REQUEST")
    assert error.get("field") == body.field
    assert error["retryable"] is False
    assert len(site.provider.questions) == asked


def test_after_all_bad_bodies_nothing_is_stored(site: Site) -> None:
    for body in BAD:
        site.call("POST", "/chat", [JSON], body.data)
    assert site.call("GET", "/conversation", [bearer(SESSION)]).json()["conversationId"] is None


@pytest.mark.no_cover
@pytest.mark.parametrize("body", BAD, ids=str)
def test_a_bad_body_takes_less_than_5_ms(body: Body) -> None:
    took_s = []
    for _ in range(5):
        began = time.perf_counter()
        with pytest.raises(BadRequest):
            parse_question(body.data, VISITORS)
        took_s.append(time.perf_counter() - began)
    assert min(took_s) < 0.005


def test_a_body_of_100000_levels_is_refused_in_no_time() -> None:
    for levels in (b"[" * 100_000, b'{"x":' * 100_000, b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"):
        began = time.process_time()
        with pytest.raises(BadRequest, match="nested too deeply"):
            parse_object(levels)
        assert time.process_time() - began < 0.5


def test_a_text_in_which_nothing_is_deep_has_no_path() -> None:
    # A reader gives up on it only where our own stack is nearly full.
    assert find_deepest('{"a": [1, {"b": "}"}], "c": 2}') == ("", "is nested too deeply")


@pytest.mark.parametrize("body", GOOD, ids=str)
def test_a_good_body_is_taken(body: Body) -> None:
    assert parse_question(body.data, VISITORS).text


def test_a_question_holds_what_was_asked() -> None:
    page = {"url": "https://shop.example/cart", "title": "Cart"}
    body = body_with(message=" hi\n", requestId="r:1", page=page, locale="zh-CN", replaces="r:0")
    question = parse_question(body, VISITORS)
    assert question.text == "hi"
    assert question.visitor_id == VISITORS.of_session(SESSION)
    assert question.request_id == "r:1"
    assert question.page == Page("https://shop.example/cart", "Cart")
    assert question.locale == "zh-CN"
    assert question.replaces == "r:0"


def test_what_is_left_out_is_empty() -> None:
    question = parse_question(FINE, VISITORS)
    assert (question.page, question.locale, question.replaces) == (None, "", "")


def test_a_question_without_request_id_gets_one_of_its_own() -> None:
    assert parse_question(FINE, VISITORS).request_id != parse_question(FINE, VISITORS).request_id


def test_a_nul_is_replaced_and_everything_else_is_kept() -> None:
    assert parse_question(body_with(message="a\0b"), VISITORS).text == "a\ufffdb"
    odd = "a\x01\u202eb\u200dc\U000e0041=1+1'; DROP TABLE <b>&amp;"
    assert parse_question(body_with(message=odd), VISITORS).text == odd


def test_what_the_page_says_of_itself_is_mended_and_cut() -> None:
    page = parse_question(
        body_with(page={"url": "https://a.example/" + "\ud800" + "x" * 5000, "title": "\0" * 999}), VISITORS
    ).page
    assert page is not None
    assert (len(page.url), len(page.title)) == (2048, 256)
    assert page.url.startswith("https://a.example/\ufffdx")
    assert set(page.title) == {"\ufffd"}


def refused_field(data: bytes) -> str | None:
    """What parsing names as wrong: `""` for the body as a whole, None when all is well."""
    try:
        parse_question(data, VISITORS)
    except BadRequest as refusal:
        return str(refusal.extra.get("field", ""))
    return None


@given(st.binary(max_size=200))
def test_noise_is_refused_as_a_whole(data: bytes) -> None:
    assert refused_field(data) == ""


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
FIELDS = ("message", "sessionId", "requestId", "page", "locale", "replaces")


@given(st.dictionaries(st.sampled_from([*FIELDS, "x"]), JSON_VALUES))
def test_a_value_of_any_kind_is_taken_or_its_field_named(fields: dict[str, object]) -> None:
    field = refused_field(body_with(**fields))
    assert field is None or field.split(".")[0] in FIELDS
