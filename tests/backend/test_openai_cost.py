"""What a model's server may charge for: no longer answers than asked for, and nothing that never came to a model."""

from __future__ import annotations

import socket

import pytest
from asking import MODEL, ask, ask_once, provider_at
from model_server import ModelServer
from model_steps import DONE, Step, chunk, close, delta, failure, finish, head, reset, stall, stream, usage

from chatbubble.providers import retries
from chatbubble.records import Finish, FinishReason, Usage

MOST = 10 * 8  # characters that ten tokens can be


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once."""
    monkeypatch.setattr(retries, "FIRST_DELAY_S", 0.001)


def test_an_answer_beyond_its_length_is_cut_and_its_connection_closed(model_server: ModelServer) -> None:
    model_server.script(MODEL, [head(), chunk(delta("x" * MOST)), chunk(delta("y")), stall()])
    provider = provider_at(model_server.base_url, max_tokens=10, read_timeout_s=2)
    outcome = ask(provider)
    assert (outcome.text, outcome.finish) == ("x" * MOST + "y", Finish(FinishReason.LENGTH))
    model_server.requests[0].wait_closed()
    provider.close()


def test_an_answer_of_just_that_length_goes_on(model_server: ModelServer) -> None:
    outcome = ask_once(model_server, stream(delta("x" * MOST), finish(), usage(3, 10), DONE), max_tokens=10)
    assert (len(outcome.text), outcome.finish) == (MOST, Finish(FinishReason.STOP, Usage(3, 10)))


def test_a_whole_answer_is_not_cut_any_more(model_server: ModelServer) -> None:
    whole = b"".join([delta("x" * 10 * MOST), finish("length"), usage(3, 99), DONE])
    outcome = ask_once(model_server, stream(whole), max_tokens=10)
    assert (len(outcome.text), outcome.finish) == (10 * MOST, Finish(FinishReason.LENGTH, Usage(3, 99)))


@pytest.mark.parametrize(
    ("steps", "is_unpaid"),
    [
        pytest.param(failure(401), True, id="refused"),
        pytest.param(failure(429), True, id="busy"),
        pytest.param(failure(503), True, id="away"),
        pytest.param(failure(504), False, id="a gateway gave up"),
        pytest.param(failure(408), False, id="too slow"),
        pytest.param([reset()], False, id="cut before the answer"),
        pytest.param([head(), chunk(delta("Hel")), close()], False, id="cut in the answer"),
    ],
)
def test_what_certainly_came_to_no_model_is_told(model_server: ModelServer, steps: list[Step], is_unpaid: bool) -> None:
    outcome = ask_once(model_server, steps)
    assert outcome.failure is not None
    assert outcome.failure.is_unpaid is is_unpaid


def test_one_attempt_that_may_have_come_to_a_model_counts(model_server: ModelServer) -> None:
    model_server.script(MODEL, failure(504))
    outcome = ask_once(model_server, failure(401))
    assert len(model_server.requests) == 2
    assert outcome.failure is not None
    assert not outcome.failure.is_unpaid


def test_a_server_that_says_nothing_may_be_at_work(model_server: ModelServer) -> None:
    outcome = ask_once(model_server, [stall()], read_timeout_s=0.05)
    assert outcome.failure is not None
    assert not outcome.failure.is_unpaid


def test_a_server_that_is_not_there_has_done_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        provider = provider_at(f"http://127.0.0.1:{free.getsockname()[1]}/v1", connect_timeout_s=0.5)
        outcome = ask(provider)
    assert outcome.failure is not None
    assert outcome.failure.is_unpaid
    provider.close()
