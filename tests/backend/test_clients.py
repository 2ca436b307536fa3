"""The stream manager: who is connected, and what reaches them on `GET /stream`."""

from __future__ import annotations

import math
import time
from typing import Any

import gevent
import pytest
from serving import Serve, Served
from stream_client import Reply
from switches import no_switches

from chatbubble.clients import MAILBOX_BYTES, MAILBOX_EVENTS, Channel, Clients
from chatbubble.errors import ClientNotFound, Overloaded
from chatbubble.records import Cursor

OPERATOR = "operator-of-the-tests"


def listen(served: Served) -> tuple[Reply, str]:
    """A client on `GET /stream`: its stream and its id."""
    reply = served.visitor().get("/stream")
    return reply, reply.next_event().data["clientId"]


def broadcast(served: Served, event: str, data: Any) -> int:
    with served.app.app_context():
        return served.chatbubble.broadcast(event, data)


def test_a_client_is_told_who_it_is(served: Served) -> None:
    reply = served.visitor().get("/stream")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    connected = reply.next_event()
    assert connected.type == "connected"
    assert connected.data.keys() == {"clientId", "message", "timestamp"}
    assert reply.retry == 1000


def test_clients_are_counted_while_they_are_connected(served: Served) -> None:
    first, _ = listen(served)
    second, _ = listen(served)
    served.await_stats(activeConnections=2, activeChannels=2, peakConnections=2, totalConnections=2)
    first.close()
    served.await_stats(activeConnections=1, activeChannels=1, peakConnections=2, totalConnections=2)
    second.close()
    served.await_stats(activeConnections=0, activeChannels=0)


def test_readers_of_answers_are_connections_too(served: Served) -> None:
    call = served.provider.hold()
    reply = served.visitor().ask()
    reply.next_event()
    served.await_stats(activeConnections=1, activeChannels=0, activeTurns=1)
    call.finish("a")
    reply.until_end()
    served.await_stats(activeConnections=0, activeTurns=0, turnsDone=1)


def test_a_broadcast_reaches_every_channel_and_no_answer(served: Served) -> None:
    listeners = [listen(served)[0] for _ in range(3)]
    call = served.provider.hold()
    answer = served.visitor().ask()
    assert broadcast(served, "notice", {"text": "closing at six \u4e2d"}) == 3
    call.finish("a")
    assert [event.type for event in answer.until_end()] == ["connected", "token", "done"]
    for listener in listeners:
        event = listener.next_event()
        assert (event.type, event.data) == ("notice", {"text": "closing at six \u4e2d"})


def test_send_reaches_one_client(served: Served) -> None:
    (first, first_id), (second, _) = listen(served), listen(served)
    with served.app.app_context():
        served.chatbubble.send(first_id, "for-you", [1, None, "\u2028"])
    broadcast(served, "for-all", 2)
    assert first.next_event().data == [1, None, "\u2028"]
    assert first.next_event().type == second.next_event().type == "for-all"


def test_events_come_in_order_and_have_ids_that_grow(served: Served) -> None:
    listener, client_id = listen(served)
    for number in range(100):
        if number % 2:
            broadcast(served, "count", number)
        else:
            served.mounted.clients.send(client_id, "count", number)
    events = [listener.next_event() for _ in range(100)]
    assert [event.data for event in events] == list(range(100))
    places = [int(event.id.split(".")[1]) for event in events]
    assert places == sorted(set(places))


def test_nobody_has_an_id_that_is_not_connected(served: Served) -> None:
    listener, client_id = listen(served)
    listener.close()
    served.await_stats(activeChannels=0)
    for unknown in (client_id, "client_unknown", ""):
        with pytest.raises(ClientNotFound):
            served.mounted.clients.send(unknown, "notice", 1)
    assert broadcast(served, "notice", 1) == 0


def test_the_reader_of_an_answer_has_no_channel(served: Served) -> None:
    served.provider.hold()
    connected = served.visitor().ask().next_event()
    with pytest.raises(ClientNotFound):
        served.mounted.clients.send(connected.data["clientId"], "notice", 1)


@pytest.mark.parametrize("event", ["connected", "token", "done", "error", "reset", "message", "open", ""])
def test_our_own_types_cannot_be_forged(served: Served, event: str) -> None:
    listener, client_id = listen(served)
    with pytest.raises(ValueError, match="type of its own"):
        broadcast(served, event, 1)
    with pytest.raises(ValueError, match="type of its own"):
        served.mounted.clients.send(client_id, event, 1)
    broadcast(served, "notice", 1)
    assert listener.next_event().type == "notice"


@pytest.mark.parametrize("event", ["a\nb", "a\rb", "a\0b"])
def test_a_type_cannot_smuggle_lines_in(served: Served, event: str) -> None:
    listen(served)
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        broadcast(served, event, 1)


@pytest.mark.parametrize("data", [object(), {1, 2}, b"bytes", math.nan, math.inf])
def test_what_is_not_json_is_refused_before_anybody_gets_it(served: Served, data: Any) -> None:
    listener, client_id = listen(served)
    for send in (lambda: broadcast(served, "x", data), lambda: served.mounted.clients.send(client_id, "x", data)):
        with pytest.raises((TypeError, ValueError)):
            send()
    broadcast(served, "notice", 1)
    assert listener.next_event().type == "notice"


def test_a_client_that_does_not_read_is_dropped_and_the_others_are_not(serve: Serve) -> None:
    served = serve(send_timeout_s=0.5)
    stalled = served.visitor().get("/stream", receive_buffer=4096)
    listener, _ = listen(served)
    served.await_stats(activeChannels=2)
    for number in range(400):
        broadcast(served, "count", [number, "x" * 8000])
        assert listener.next_event().data[0] == number
    served.await_stats(activeChannels=1, activeConnections=1)
    stalled.close()


def test_the_operator_sees_the_numbers(serve: Serve) -> None:
    served = serve(operator_token=OPERATOR)
    listener, _ = listen(served)
    served.provider.script("a")
    served.visitor().ask().until_end()
    served.await_stats(activeConnections=1)
    stats = served.visitor(OPERATOR).get("/stats").json()
    assert (stats["activeConnections"], stats["activeTurns"], stats["turnsDone"]) == (1, 0, 1)
    assert isinstance(stats["uptime"], int)
    assert stats["provider"] == "scripted"
    listener.close()


def test_no_more_streams_than_allowed(serve: Serve) -> None:
    served = serve(max_streams=2)
    visitor = served.visitor()
    listener, _ = listen(served)
    call = served.provider.hold()
    answer = visitor.ask()
    stream_id = answer.next_event().data["streamId"]
    for refused in (visitor.get("/stream"), visitor.resume(stream_id), served.visitor().ask()):
        assert (refused.status, refused.json()["error"]["code"]) == (503, "OVERLOADED")
        assert int(refused.headers["retry-after"]) > 0
    listener.close()
    served.await_stats(activeConnections=1)
    again = visitor.resume(stream_id)
    call.finish("a")
    assert again.until_end()[-1].type == "done"
    assert len(served.provider.calls) == 1


def test_closed_channels_do_not_come_back(served: Served) -> None:
    listener, _ = listen(served)
    served.mounted.clients.close_channels()
    assert listener.until_end() == []
    # On the same connection, as a browser does it.
    refused = listener.connection.request("GET", "/api/ai/stream", session=served.visitor().session)
    assert (refused.status, refused.json()["error"]["code"]) == (503, "SHUTTING_DOWN")
    served.await_stats(activeConnections=0, activeChannels=0)


def test_no_more_answers_run_than_there_may_be_connections(serve: Serve) -> None:
    served = serve(max_streams=2)
    calls = [served.provider.hold() for _ in range(2)]
    for call in calls:
        served.visitor().ask().close()
        assert call.began.wait(5)
    served.await_stats(activeConnections=0, activeTurns=2)
    refused = served.visitor().ask()
    assert (refused.status, refused.json()["error"]["code"]) == (503, "OVERLOADED")
    calls[0].finish("a")
    served.await_stats(activeTurns=1)
    served.provider.script("b")
    assert served.visitor().ask().until_end()[-1].data["fullText"] == "b"


def test_removing_twice_is_removing_once() -> None:
    clients = Clients(max_streams=1)
    client_id = clients.register()
    channel = clients.open_channel(client_id)
    clients.remove(client_id)
    clients.remove(client_id)
    assert channel.is_closed
    assert clients.get_stats()["activeConnections"] == clients.get_stats()["activeChannels"] == 0
    clients.register()
    with pytest.raises(Overloaded):
        clients.register()


def test_waiting_until_nobody_is_connected() -> None:
    clients = Clients(max_streams=5)
    assert clients.wait_until_gone(0)
    client_id = clients.register()
    began = time.monotonic()
    assert not clients.wait_until_gone(0.05)
    assert time.monotonic() - began < 1
    gevent.spawn(clients.remove, client_id)
    assert clients.wait_until_gone(5)


def put(channel: Channel, number: int, wire: bytes = b"data: 1\n\n") -> bool:
    return channel.put(Cursor("e", number), wire)


def test_a_mailbox_has_bounds() -> None:
    full = Channel("c")
    assert all(put(full, number) for number in range(MAILBOX_EVENTS))
    assert not put(full, MAILBOX_EVENTS)
    assert full.is_closed
    assert full.next(0) is None
    assert not put(Channel("c"), 1, b"x" * (MAILBOX_BYTES + 1))


def test_reading_empties_a_mailbox() -> None:
    channel = Channel("c")
    for number in range(10 * MAILBOX_EVENTS):
        assert put(channel, number, b"x" * 10_000)
        batch = channel.next(0)
        assert batch is not None
        assert (batch.cursor.seq, len(batch.wire), batch.is_terminal) == (number, 10_000, False)


def test_closing_wakes_a_waiting_channel() -> None:
    channel = Channel("c")
    waiting = gevent.spawn(channel.next, 60)
    gevent.sleep(0)
    with no_switches():
        channel.close()
    assert waiting.get(timeout=1) is None


def test_putting_never_switches() -> None:
    channel = Channel("c")
    waiting = gevent.spawn(channel.next, 60)
    gevent.sleep(0)
    with no_switches():
        put(channel, 1)
    batch = waiting.get(timeout=1)
    assert batch is not None
    assert batch.wire == b"data: 1\n\n"
