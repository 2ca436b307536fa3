"""Letting go: a stopped turn closes the provider's connection at once and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Iterator

import gevent
import pytest
from asking import MODEL, ask, await_true, open_files, prompt, provider_at
from gevent import socket
from model_server import ModelServer
from model_steps import DONE, Step, chunk, delta, end, failure, finish, head, stall, stream, wait

from chatbubble.errors import UpstreamTimeout
from chatbubble.providers.openai import OpenAIProvider

ANSWER = stream(delta("Hello"), finish(), DONE)
ENDLESS = [head(), *(step for _ in range(10_000) for step in (chunk(delta("word ")), wait(0.005)))]
LATEST_S = 0.1


@pytest.fixture
def deaf_address() -> Iterator[str]:
    """A port where connections are never accepted: its queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(3):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        waiting.append(client)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    for each in (*waiting, listener):
        each.close()


def test_closing_the_iterator_closes_the_connection(model_server: ModelServer, openai_provider: OpenAIProvider) -> None:
    model_server.script(MODEL, ENDLESS)
    pieces = openai_provider.stream(prompt())
    next(pieces)
    stopped_at = time.monotonic()
    pieces.close()  # type: ignore[attr-defined]
    assert model_server.requests[0].wait_closed() - stopped_at < LATEST_S


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([stall()], id="waiting for the headers"),
        pytest.param([head(), stall()], id="waiting for the first byte"),
        pytest.param([head(), chunk(delta("Hel")), stall()], id="between two tokens"),
        pytest.param(ENDLESS, id="while reading"),
    ],
)
def test_killing_the_greenlet_closes_the_connection(
    model_server: ModelServer, openai_provider: OpenAIProvider, steps: list[Step]
) -> None:
    model_server.script(MODEL, steps)
    turn = gevent.spawn(ask, openai_provider)
    await_true(lambda: bool(model_server.requests))
    gevent.sleep(0.03)
    stopped_at = time.monotonic()
    turn.kill(block=False)
    assert model_server.requests[0].wait_closed() - stopped_at < LATEST_S


def test_killing_the_greenlet_ends_a_wait_for_a_retry(
    model_server: ModelServer, openai_provider: OpenAIProvider
) -> None:
    model_server.script(MODEL, failure(503, Retry_After="5"))
    turn = gevent.spawn(ask, openai_provider)
    await_true(lambda: bool(model_server.requests))
    gevent.sleep(0.03)
    turn.kill(timeout=LATEST_S)
    assert turn.dead
    assert len(model_server.requests) == 1


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([stall()], id="waiting for the headers"),
        pytest.param(ENDLESS, id="while reading"),
        pytest.param(ANSWER, id="anywhere in a short answer"),
    ],
)
def test_fifty_kills_leave_nothing_behind(
    model_server: ModelServer, openai_provider: OpenAIProvider, steps: list[Step]
) -> None:
    assert ask(openai_provider, "answer: 1 tokens at 0 ms").text == "word1 "
    model_server.script(MODEL, steps)
    files = open_files()
    for number in range(50):
        turn = gevent.spawn(ask, openai_provider)
        gevent.sleep(number * 0.0002)
        turn.kill()
    await_true(lambda: model_server.open_connections <= 1)
    await_true(lambda: abs(open_files() - files) <= 2)
    model_server.forget()
    assert ask(openai_provider, "answer: 2 tokens at 0 ms").text == "word1 word2 "


def test_fifty_kills_while_connecting_leave_nothing_behind(deaf_address: str) -> None:
    provider = provider_at(deaf_address)
    files = open_files()
    turns = [gevent.spawn(ask, provider) for _ in range(50)]
    await_true(lambda: open_files() >= files + 50)
    gevent.killall(turns, timeout=1)
    assert open_files() == files
    provider.close()


def test_a_connection_that_is_never_made_times_out(deaf_address: str) -> None:
    provider = provider_at(deaf_address, connect_timeout_s=0.1)
    assert isinstance(ask(provider).failure, UpstreamTimeout)
    provider.close()


def test_a_name_that_is_never_resolved_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: gevent.sleep(60))
    provider = provider_at("http://model.example/v1", connect_timeout_s=0.1)
    began = time.monotonic()
    assert isinstance(ask(provider).failure, UpstreamTimeout)
    assert time.monotonic() - began < 3
    provider.close()


def test_a_connection_is_used_again(model_server: ModelServer, openai_provider: OpenAIProvider) -> None:
    model_server.script(MODEL, ANSWER)
    assert [ask(openai_provider).text for _ in range(5)] == ["Hello"] * 5
    assert model_server.connections == 1


def test_a_connection_whose_body_ends_a_moment_later_is_used_again(
    model_server: ModelServer, openai_provider: OpenAIProvider
) -> None:
    model_server.script(MODEL, [head(), chunk(delta("Hello")), chunk(finish()), chunk(DONE), wait(0.002), end()])
    assert [ask(openai_provider).text for _ in range(3)] == ["Hello"] * 3
    assert model_server.connections == 1


def test_an_idle_connection_that_the_server_closed_is_not_used(
    model_server: ModelServer, openai_provider: OpenAIProvider
) -> None:
    model_server.script(MODEL, [*ANSWER, ["close"]])
    for _ in range(3):
        assert ask(openai_provider).text == "Hello"
        await_true(lambda: not model_server.requests[-1].is_open)
    assert (len(model_server.requests), model_server.connections) == (3, 3)


def test_an_idle_connection_that_grew_old_is_not_used(
    model_server: ModelServer, openai_provider: OpenAIProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbubble.providers.transport.IDLE_S", 0.0)
    model_server.script(MODEL, ANSWER)
    assert [ask(openai_provider).text for _ in range(3)] == ["Hello"] * 3
    assert model_server.connections == 3


def test_a_thousand_answers_run_at_once(model_server: ModelServer, openai_provider: OpenAIProvider) -> None:
    model_server.script(MODEL, [head(), chunk(delta("Hello")), stall()])
    said: list[object] = []
    turns = [gevent.spawn(lambda: said.extend(openai_provider.stream(prompt()))) for _ in range(1000)]
    await_true(lambda: said.count("Hello") == 1000 == model_server.open_connections, timeout_s=30)
    gevent.killall(turns)
    await_true(lambda: model_server.open_connections == 0)


def test_only_so_many_connections_are_kept_idle(
    model_server: ModelServer, openai_provider: OpenAIProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbubble.providers.transport.MAX_IDLE", 3)
    gevent.joinall([gevent.spawn(ask, openai_provider) for _ in range(10)], timeout=10)
    await_true(lambda: model_server.open_connections == 3)
    openai_provider.close()
    await_true(lambda: model_server.open_connections == 0)
