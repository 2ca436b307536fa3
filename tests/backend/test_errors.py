"""Every way to fail: one class, one code, one safe body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from chatbubble import errors
from chatbubble.errors import ChatbubbleError


def every_error(kind: type[ChatbubbleError] = ChatbubbleError) -> Iterator[type[ChatbubbleError]]:
    """The base and all classes below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from every_error(below)


OURS = [kind for kind in every_error() if kind.__module__ == errors.__name__]
# A class below one of these is a closer name for the same cause.
CAUSES = [kind for kind in OURS if ChatbubbleError in kind.__bases__]


def test_each_cause_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in CAUSES]
    assert len(codes) >= 20
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", OURS)
def test_an_error_is_complete_and_serialises(kind: type[ChatbubbleError]) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", kind.code)
    assert 400 <= kind.status < 600
    body = json.loads(json.dumps(kind(detail="for the log", retry_after_s=3).to_body()))
    assert body == {"error": {"code": kind.code, "message": kind.message, "retryable": kind.retryable}}
    assert kind.message.endswith(".")
    assert kind.__doc__


@pytest.mark.parametrize("kind", OURS)
def test_a_message_tells_a_visitor_nothing_of_the_inside(kind: type[ChatbubbleError]) -> None:
    assert not re.search(r"openai|gevent|sqlite|flask|exception|traceback|None|https?:", kind.message, re.IGNORECASE)


def test_an_error_may_carry_words_and_fields_of_its_own() -> None:
    error = errors.BadRequest("Not that.", field="message", detail="came: x")
    assert error.to_body()["error"] == {
        "code": "BAD_REQUEST", "message": "Not that.", "retryable": False, "field": "message",
    }  # fmt: skip
    assert str(error) == "came: x"
    assert str(errors.BadRequest("Not that.")) == "Not that."


def test_words_of_one_error_are_not_those_of_the_next() -> None:
    errors.BadRequest("Not that.")
    assert errors.BadRequest().message == "The request is not valid."


def test_what_a_second_try_may_mend_is_retryable() -> None:
    hopeless = {kind.code for kind in OURS if not kind.retryable}
    assert {"BAD_REQUEST", "NOT_FOUND", "ORIGIN_REFUSED", "CONTENT_FILTERED", "UPSTREAM_REFUSED"} <= hopeless
    assert not {"RATE_LIMITED", "OVERLOADED", "UPSTREAM_TIMEOUT", "INTERRUPTED", "STREAM_ERROR"} & hopeless


@pytest.mark.parametrize("kind", CAUSES)
def test_a_stored_code_stands_for_its_error(kind: type[ChatbubbleError]) -> None:
    assert type(errors.error_of(kind.code)) is kind


def test_a_code_that_is_not_ours_any_more_stands_for_a_fault() -> None:
    assert type(errors.error_of("OF_YESTERDAY")) is errors.StreamError
