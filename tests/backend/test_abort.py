"""Stop: at any moment, from anywhere, as often as one likes, a turn ends once."""

from __future__ import annotations

import time

import gevent
import pytest
from model_server import ModelServer
from scripted import Call
from serving import Serve, Served
from stream_client import Received, Reply, Visitor, joined_text

from chatbubble.providers.openai import OpenAIProvider

ENDED = {"running": None, "done": "stop", "aborted": "aborted"}


def ask_and_hold(served: Served, visitor: Visitor, *pieces: str) -> tuple[Call, Reply, str]:
    """Ask; returns once the provider is called and has said these pieces, and goes no further."""
    call = served.provider.hold()
    reply = visitor.ask()
    stream_id: str = reply.next_event().data["streamId"]
    assert call.began.wait(5)
    call.say(*pieces)
    for _ in pieces:
        assert reply.next_event().type == "token"
    return call, reply, stream_id


def terminal(events: list[Received]) -> Received:
    """The one terminal event, which is the last."""
    assert [event for event in events if event.type in ("done", "error")] == events[-1:]
    return events[-1]


def stored_answer(visitor: Visitor) -> tuple[str, str]:
    message = visitor.conversation()["messages"][-1]
    assert message["author"] == "assistant"
    return message["content"], message["finishReason"]


@pytest.mark.parametrize(
    "pieces", [(), ("Hello ",), ("Hello ", "\U0001f44b\U0001f3fd")], ids=["no token", "one", "two"]
)
def test_stopping_ends_the_answer_with_the_text_so_far(served: Served, pieces: tuple[str, ...]) -> None:
    visitor = served.visitor()
    call, reply, stream_id = ask_and_hold(served, visitor, *pieces)
    assert visitor.abort(stream_id).json() == {"streamId": stream_id, "state": "aborted"}
    done = terminal(reply.until_end())
    assert (done.data["finishReason"], done.data["fullText"]) == ("aborted", "".join(pieces))
    assert stored_answer(visitor) == ("".join(pieces), "aborted")
    assert call.ended.is_set()


def test_every_reader_gets_the_same_end(served: Served) -> None:
    visitor = served.visitor()
    _, reply, stream_id = ask_and_hold(served, visitor, "a", "b")
    readers = [visitor.resume(stream_id) for _ in range(10)]
    visitor.abort(stream_id)
    ends = [terminal(reader.until_end()) for reader in (reply, *readers, visitor.resume(stream_id))]
    assert {(end.data["finishReason"], end.data["fullText"], end.id) for end in ends} == {("aborted", "ab", ends[0].id)}


def test_stopping_twice_is_stopping_once(served: Served) -> None:
    visitor = served.visitor()
    _, reply, stream_id = ask_and_hold(served, visitor, "a")
    states = [gevent.spawn(lambda: visitor.abort(stream_id).json()["state"]) for _ in range(5)]
    assert [state.get(timeout=5) for state in states] == ["aborted"] * 5
    assert visitor.abort(stream_id).json()["state"] == "aborted"
    terminal(reply.until_end())


@pytest.mark.parametrize(("ending", "state"), [((), "done"), ((RuntimeError("no"),), "failed")])
def test_stopping_after_the_end_tells_the_end(served: Served, ending: tuple[Exception, ...], state: str) -> None:
    visitor = served.visitor()
    served.provider.script("a", *ending)
    events = visitor.ask().until_end()
    before = visitor.conversation()
    for _ in range(2):
        assert visitor.abort(events[0].data["streamId"]).json()["state"] == state
    assert visitor.conversation() == before


def test_stopping_long_after_the_end_tells_the_end(serve: Serve) -> None:
    first = serve()
    visitor = first.visitor()
    _, reply, stream_id = ask_and_hold(first, visitor, "a")
    visitor.abort(stream_id)
    reply.until_end()
    first.stop()
    assert serve().visitor(visitor.session).abort(stream_id).json()["state"] == "aborted"


def test_somebody_else_cannot_stop_an_answer(served: Served) -> None:
    visitor = served.visitor()
    call, reply, stream_id = ask_and_hold(served, visitor, "a")
    assert served.visitor().abort(stream_id).status == 404
    call.finish("b")
    assert terminal(reply.until_end()).data["fullText"] == "ab"


def test_the_next_question_may_be_asked_at_once(served: Served) -> None:
    visitor = served.visitor()
    _, reply, stream_id = ask_and_hold(served, visitor, "a")
    visitor.abort(stream_id)
    served.provider.script("b")
    assert terminal(visitor.ask("again").until_end()).data["fullText"] == "b"
    reply.close()


def test_the_model_sees_what_was_stopped(served: Served) -> None:
    visitor = served.visitor()
    _, reply, stream_id = ask_and_hold(served, visitor, "part")
    visitor.abort(stream_id)
    reply.until_end()
    served.provider.script("b")
    visitor.ask("again").until_end()
    prompt = served.provider.calls[-1].prompt
    assert prompt is not None
    assert [message.content for message in prompt.messages][-3:] == ["hello", "part", "again"]


def race(served: Served, visitor: Visitor, delay_s: float) -> tuple[list[Received], str]:
    """An answer that ends by itself about when it is stopped: what came after its "a", and the state told."""
    call, reply, stream_id = ask_and_hold(served, visitor, "a")
    stopping = gevent.spawn(lambda: visitor.abort(stream_id).json()["state"])
    gevent.sleep(delay_s)
    call.finish("b", "c")
    state: str = stopping.get(timeout=5)
    return reply.until_end(), state


def test_stop_and_the_natural_end_agree_on_one(served: Served) -> None:
    seen = set()
    for attempt in range(150):
        visitor = served.visitor()
        events, state = race(served, visitor, attempt % 50 * 0.0001)
        done = terminal(events)
        assert done.data["finishReason"] == ENDED[state]
        assert joined_text(events, "a") == done.data["fullText"]
        assert stored_answer(visitor) == (done.data["fullText"], done.data["finishReason"])
        seen.add(state)
    assert seen == {"aborted", "done"}
    served.await_stats(activeTurns=0)


@pytest.mark.parametrize("question", ["stall", "answer: 1 tokens at 1 ms then stall", "answer: 1000 tokens at 5 ms"])
def test_the_models_server_loses_its_connection_at_once(
    serve: Serve, model_server: ModelServer, openai_provider: OpenAIProvider, question: str
) -> None:
    served = serve(provider=openai_provider)
    visitor = served.visitor()
    reply = visitor.ask(question)
    stream_id = reply.next_event().data["streamId"]
    while not model_server.requests:
        gevent.sleep(0.001)
    if question != "stall":
        assert reply.next_event().type == "token"
    began = time.monotonic()
    assert visitor.abort(stream_id).json()["state"] == "aborted"
    took_s = model_server.requests[0].wait_closed() - began
    print(f"the model's server lost its connection after {took_s * 1000:.1f} ms")  # noqa: T201 -- for the report
    assert took_s < 0.1
    assert terminal(reply.until_end()).data["finishReason"] == "aborted"
    assert model_server.open_requests == 0


def test_an_answer_that_was_not_stopped_keeps_its_connection(
    serve: Serve, model_server: ModelServer, openai_provider: OpenAIProvider
) -> None:
    served = serve(provider=openai_provider)
    for _ in range(3):
        assert terminal(served.visitor().ask("say: hello").until_end()).data["fullText"] == "hello"
    assert model_server.connections == 1
