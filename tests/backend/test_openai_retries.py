"""When a question is asked again, and when not."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from asking import MODEL, ask, ask_once
from model_server import ModelServer
from model_steps import DONE, Step, chunk, close, delta, failure, finish, head, reset, stall, stream, wait

from chatbubble.errors import UpstreamBusy, UpstreamTimeout, UpstreamUnavailable
from chatbubble.providers.openai import OpenAIProvider
from chatbubble.providers.retries import BUDGET_S, Retries, read_retry_after

ANSWER = stream(delta("Hello"), finish(), DONE)
SOON = {"Retry_After": "0.01"}


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_transient_status_is_tried_three_times(
    model_server: ModelServer, openai_provider: OpenAIProvider, status: int
) -> None:
    model_server.script(MODEL, failure(status, **SOON))
    assert ask(openai_provider).failure is not None
    assert len(model_server.requests) == 3


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(failure(400), id="400"),
        pytest.param(failure(401), id="401"),
        pytest.param(failure(403), id="403"),
        pytest.param(failure(404), id="404"),
        pytest.param(failure(422), id="422"),
        pytest.param(failure(501), id="501"),
        pytest.param(failure(429, "insufficient_quota"), id="no credit"),
        pytest.param(failure(503, x_should_retry="false"), id="asked not to"),
        pytest.param([head(), chunk(delta("Hel")), wait(0.02), reset()], id="after the first byte"),
        pytest.param([head(), chunk(b":"), wait(0.02), reset()], id="after the first byte, without text"),
    ],
)
def test_what_is_not_tried_again(model_server: ModelServer, openai_provider: OpenAIProvider, steps: list[Step]) -> None:
    model_server.script(MODEL, steps)
    assert ask(openai_provider).failure is not None
    assert len(model_server.requests) == 1


@pytest.mark.parametrize("steps", [[stall()], [head(), stall()]], ids=["before the headers", "before the first byte"])
def test_a_server_that_is_only_slow_is_not_asked_twice(model_server: ModelServer, steps: list[Step]) -> None:
    assert isinstance(ask_once(model_server, steps, read_timeout_s=0.2).failure, UpstreamTimeout)
    assert len(model_server.requests) == 1


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(failure(503), id="503"),
        pytest.param([close()], id="closed"),
        pytest.param([reset()], id="reset"),
        pytest.param([head(), reset()], id="reset before the first byte"),
    ],
)
def test_a_retry_that_succeeds_is_not_noticed(
    model_server: ModelServer, openai_provider: OpenAIProvider, steps: list[Step]
) -> None:
    model_server.script(MODEL, steps)
    model_server.script(MODEL, ANSWER)
    outcome = ask(openai_provider)
    assert (outcome.text, outcome.failure) == ("Hello", None)
    waited_s = model_server.requests[1].received_at - model_server.requests[0].received_at
    assert 0.25 <= waited_s < 1


def test_retry_after_is_honoured(model_server: ModelServer, openai_provider: OpenAIProvider) -> None:
    model_server.script(MODEL, failure(429, Retry_After="1"))
    model_server.script(MODEL, ANSWER)
    assert ask(openai_provider).text == "Hello"
    waited_s = model_server.requests[1].received_at - model_server.requests[0].received_at
    assert 1 <= waited_s < 1.5


def test_a_wait_beyond_the_budget_is_handed_on_at_once(
    model_server: ModelServer, openai_provider: OpenAIProvider
) -> None:
    model_server.script(MODEL, failure(429, Retry_After="29.5"))
    began = time.monotonic()
    outcome = ask(openai_provider)
    assert time.monotonic() - began < 1
    assert isinstance(outcome.failure, UpstreamBusy)
    assert outcome.failure.retry_after_s == 30


def test_a_retry_is_told_to_the_log(
    model_server: ModelServer, openai_provider: OpenAIProvider, caplog: pytest.LogCaptureFixture
) -> None:
    model_server.script(MODEL, failure(503, **SOON))
    assert isinstance(ask(openai_provider).failure, UpstreamUnavailable)
    assert [record.message.startswith("asking again in 0.0 s: HTTP 503") for record in caplog.records] == [True, True]


@pytest.mark.parametrize("wished_s", [None, 0.5, 2, 3.9, 4, 7.9, 8, 60])
@pytest.mark.parametrize("attempt_s", [0.0, 0.1, 3.0, 5.0])
def test_every_retry_begins_within_the_budget(wished_s: float | None, attempt_s: float) -> None:
    clock = Clock()
    retries = Retries(clock)
    waits = []
    clock.now += attempt_s
    while (delay_s := retries.next_delay_s(wished_s)) is not None:
        waits.append(delay_s)
        clock.now += delay_s
        assert clock.now < 100 + BUDGET_S
        assert clock.now + retries.shorten_s(5.0) <= 100 + BUDGET_S + 0.1
        clock.now += attempt_s
    assert len(waits) <= 2
    assert all(delay_s == wished_s for delay_s in waits if wished_s)


def test_the_first_attempt_has_the_whole_time_to_connect() -> None:
    assert Retries().shorten_s(60.0) == 60.0


def test_the_wait_grows_and_is_spread() -> None:
    firsts = {Retries(Clock()).next_delay_s() for _ in range(50)}
    assert len(firsts) > 10
    assert all(delay_s is not None and 0.25 <= delay_s <= 0.5 for delay_s in firsts)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 -0000"}, 0.0),
    ],
)
def test_retry_after_is_read_in_each_of_its_forms(headers: dict[str, str], expected: float | None) -> None:
    assert read_retry_after(headers) == expected


def test_retry_after_as_a_date_is_the_time_until_then() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 58 < (read_retry_after({"retry-after": date}) or 0) <= 60
