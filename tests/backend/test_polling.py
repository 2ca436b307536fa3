"""What there is of an answer, as a body that ends: the same events, the same ids, for clients and lines that cannot
read a stream as it comes."""

from __future__ import annotations

import time
from typing import Any

import gevent
import pytest
from hosting import OPERATOR_TOKEN
from prometheus_client.parser import text_string_to_metric_families as parse
from scripted import Call
from serving import Serve, Served
from stream_client import Connection, Received, Reply, Visitor, joined_text

from chatbubble.delivery import MAX_EXCERPT_BYTES
from chatbubble.incoming import MAX_WAIT_S

NOTHING = b"retry: 1000\n"


def ask(visitor: Visitor, wait: Any = 0, request_id: str | None = None) -> Reply:
    """`POST /chat?wait=`."""
    body = {"message": "hello", "sessionId": visitor.session, "requestId": request_id}
    return Connection(visitor.port).request("POST", f"{visitor.prefix}/chat?wait={wait}", body=body)


def poll(visitor: Visitor, stream_id: str, last_event_id: str = "", wait: Any = 0) -> Reply:
    """`GET /chat/<streamId>?wait=`."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    return visitor.get(f"/chat/{stream_id}?wait={wait}", headers=headers)


def begin(served: Served, visitor: Visitor) -> tuple[Call, str, Received]:
    """A running answer: its call, its stream, and the event that it began with."""
    call = served.provider.hold()
    (connected,) = ask(visitor).until_end()
    assert call.began.wait(5)
    return call, connected.data["streamId"], connected


def say(served: Served, call: Call, *words: str) -> None:
    """Say words, and wait until the log has them."""
    count = served.mounted.get_stats()["logEvents"]
    for word in words:
        call.say(word)
    served.await_stats(logEvents=count + len(words))


def read(reply: Reply) -> tuple[bytes, list[Received]]:
    """A whole body that says how long it is: its bytes and its events."""
    assert reply.status == 200
    assert "transfer-encoding" not in reply.headers
    events = reply.until_end()
    assert int(reply.headers["content-length"]) == len(reply.wire)
    return bytes(reply.wire), events


def test_an_answer_is_read_poll_by_poll(served: Served) -> None:
    visitor = served.visitor()
    call, stream_id, connected = begin(served, visitor)
    events = [connected]
    for words in (["Hello "], [], ["you ", "\u4f60\u597d", "\n"], ["there"]):
        say(served, call, *words)
        events += read(poll(visitor, stream_id, events[-1].id))[1]
    call.finish("!")
    events += read(poll(visitor, stream_id, events[-1].id, wait=5))[1]
    if events[-1].type == "token":  # the end came a moment after it
        events += read(poll(visitor, stream_id, events[-1].id, wait=5))[1]
    assert joined_text(events) == events[-1].data["fullText"] == "Hello you \u4f60\u597d\nthere!"
    assert poll(visitor, stream_id, events[-1].id).status == 204


def test_the_bytes_are_those_of_the_stream(served: Served) -> None:
    visitor = served.visitor()
    served.provider.script("Hello ", "you")
    streamed = visitor.ask()
    events = streamed.until_end()
    stream_id = events[0].data["streamId"]
    body, _ = read(poll(visitor, stream_id))
    assert body == bytes(streamed.wire)
    headers = poll(visitor, stream_id).headers
    for name in ("content-type", "cache-control", "x-accel-buffering"):
        assert headers[name] == streamed.headers[name]


def test_without_anything_new_it_ends_at_once(served: Served) -> None:
    visitor = served.visitor()
    _, stream_id, connected = begin(served, visitor)
    assert read(poll(visitor, stream_id, connected.id)) == (NOTHING, [])


def test_it_waits_for_what_comes_first_and_no_longer(served: Served) -> None:
    visitor = served.visitor()
    call, stream_id, connected = begin(served, visitor)
    connection = Connection(served.port)
    path = f"/api/ai/chat/{stream_id}?wait={MAX_WAIT_S}"
    connection.send("GET", path, session=visitor.session, headers={"Last-Event-ID": connected.id})
    served.await_stats(activeConnections=1)
    said_at = time.monotonic()
    call.say("word")
    (event,) = read(connection.read_reply())[1]
    assert event.data["text"] == "word"
    assert time.monotonic() - said_at < MAX_WAIT_S / 2


def test_it_waits_no_longer_than_it_was_told(served: Served) -> None:
    visitor = served.visitor()
    _, stream_id, connected = begin(served, visitor)
    began_at = time.monotonic()
    assert read(poll(visitor, stream_id, connected.id, wait=1)) == (NOTHING, [])
    assert time.monotonic() - began_at >= 1


def test_the_same_question_again_is_the_same_answer(served: Served) -> None:
    visitor = served.visitor()
    call = served.provider.hold()
    first, second = (read(ask(visitor, request_id="once"))[1] for _ in range(2))
    assert first == second
    call.finish("Only once.")
    assert visitor.ask(request_id="once").until_end()[-1].data["fullText"] == "Only once."
    assert len(served.provider.calls) == 1


@pytest.mark.parametrize("wait", ["", "-1", "x", "1.5", str(MAX_WAIT_S + 1), "001", "%d9%a3", "%ff"])
def test_a_wait_that_is_none_is_refused_and_asks_nothing(served: Served, wait: str) -> None:
    visitor = served.visitor()
    for reply in (ask(visitor, wait), poll(visitor, "stream", wait=wait)):
        assert reply.status == 400
        error = reply.json()["error"]
        assert (error["code"], error["field"]) == ("BAD_REQUEST", "wait")
    assert visitor.conversation()["messages"] == []


def test_who_leaves_while_it_waits_is_noticed(served: Served) -> None:
    visitor = served.visitor()
    _, stream_id, connected = begin(served, visitor)
    connection = Connection(served.port)
    path = f"/api/ai/chat/{stream_id}?wait={MAX_WAIT_S}"
    connection.send("GET", path, session=visitor.session, headers={"Last-Event-ID": connected.id})
    served.await_stats(activeConnections=1)
    connection.close()
    served.await_stats(activeConnections=0)


def test_what_is_too_much_for_one_body_comes_with_the_next(served: Served) -> None:
    visitor = served.visitor()
    call, stream_id, connected = begin(served, visitor)
    word = "x" * 40_000
    call.finish(*[word] * 12)
    served.await_stats(activeTurns=0)
    sizes, events = [], [connected]
    while events[-1].type != "done":
        wire, more = read(poll(visitor, stream_id, events[-1].id))
        sizes.append(len(wire))
        events += more
    # The last event alone has the whole text once more.
    assert all(MAX_EXCERPT_BYTES < size < 2 * MAX_EXCERPT_BYTES for size in sizes[:-1])
    assert len(sizes) > 1
    assert joined_text(events) == events[-1].data["fullText"] == word * 12


def test_a_place_that_does_not_fit_gives_reset_and_the_whole_answer(served: Served) -> None:
    visitor = served.visitor()
    call, stream_id, _ = begin(served, visitor)
    say(served, call, "Hello")
    _, events = read(poll(visitor, stream_id, "abcdef0123.7"))
    assert [event.type for event in events] == ["reset", "connected", "token"]


def test_stop_is_told_to_who_polls(served: Served) -> None:
    visitor = served.visitor()
    call, stream_id, connected = begin(served, visitor)
    say(served, call, "Hello")
    waiting = gevent.spawn(lambda: read(poll(visitor, stream_id, f"{connected.id.split('.')[0]}.2", wait=MAX_WAIT_S)))
    served.await_stats(activeConnections=1)
    assert visitor.abort(stream_id).status == 200
    (done,) = waiting.get(timeout=5)[1]
    assert (done.type, done.data["finishReason"], done.data["fullText"]) == ("done", "aborted", "Hello")


def test_polls_are_counted_apart_from_resumes_and_are_no_drops(serve: Serve) -> None:
    served = serve(operator_token=OPERATOR_TOKEN)
    visitor = served.visitor()
    _, stream_id, _ = begin(served, visitor)
    poll(visitor, stream_id, "abcdef0123.7").read()
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    page = Connection(served.port).request("GET", "/api/ai/metrics", headers=headers).read().decode()
    told = {family.name: family.samples[0].value for family in parse(page) if family.samples}
    counted = [told[f"chatbubble_{name}"] for name in ("polls", "resets", "resumes", "drops")]
    assert counted == [2, 1, 0, 0]
    assert served.mounted.get_stats()["activeConnections"] == 0
