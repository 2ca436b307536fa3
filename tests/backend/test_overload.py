"""More visitors than a process has room for: who is in stays in, who is not is told when to come again."""

from __future__ import annotations

from collections import Counter

import gevent
import pytest
from hosting import JSON, question
from raw_http import request
from serving import Serve, Served
from stream_client import Connection, Reply, Visitor, joined_text

from chatbubble import saving, slots
from chatbubble.errors import StoreUnavailable
from chatbubble.records import Answer, Turn
from chatbubble.slots import Slots

STREAMS = 20
SIZE = Slots(STREAMS).size
HALF = b"GET /api/ai/config HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def crowded(serve: Serve) -> Served:
    """A server with few slots, all of them free."""
    return serve(max_streams=STREAMS)


def fill(served: Served, count: int = STREAMS) -> list[Reply]:
    """So many answers that go on until the test says otherwise."""
    replies = []
    for _ in range(count):
        served.provider.hold()
        replies.append(served.visitor().ask())
        replies[-1].next_event()
    return replies


def connect(served: Served, count: int, data: bytes = b"") -> list[Connection]:
    """So many connections that have sent this."""
    connections = [Connection(served.port) for _ in range(count)]
    for connection in connections:
        connection.socket.sendall(data)
    return connections


def is_closed(connection: Connection) -> bool:
    """Whether the server has closed it, soon or before."""
    connection.socket.settimeout(2)
    try:
        return connection.socket.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def await_count(served: Served, count: int) -> None:
    """Until the server has seen so many connections."""
    with gevent.Timeout(5):
        while len(served.mounted.clients.slots) != count:
            gevent.sleep(0.005)


def await_served(served: Served, count: int) -> None:
    """Until so many of them have the head of a request behind them."""
    with gevent.Timeout(5):
        while served.mounted.clients.slots.served != count:
            gevent.sleep(0.005)


def assert_put_off(reply: Reply) -> None:
    """Told to come again, and when."""
    assert (reply.status, reply.json()["error"]["code"]) == (503, "OVERLOADED")
    assert int(reply.headers["retry-after"]) > 0


def assert_healthy(served: Served, streams: str) -> None:
    """Health is told, with this word about the streams."""
    health = served.get("/api/ai/healthz")
    assert (health.status, health.json()["parts"]["streams"]) == (200, streams)


def test_nine_tenths_of_the_slots_are_for_streams() -> None:
    for streams in (200, 10_000, 1_000_000):
        assert streams / Slots(streams).size == pytest.approx(0.9, abs=0.004)


def test_at_three_times_its_capacity_a_server_answers_all_it_can_and_tells_the_rest(crowded: Served) -> None:
    visitors = [crowded.visitor() for _ in range(3 * STREAMS)]
    calls = [crowded.provider.hold() for _ in visitors]
    replies = [greenlet.get() for greenlet in [gevent.spawn(visitor.ask) for visitor in visitors]]
    admitted = [reply for reply in replies if reply.status == 200]
    assert len(admitted) == STREAMS
    for reply in replies:
        if reply not in admitted:
            assert_put_off(reply)
    assert_healthy(crowded, "full")
    assert crowded.visitor().conversation()["messages"] == []
    for call in calls[:STREAMS]:
        call.say("a")
        call.finish("b")
    assert Counter(joined_text(reply.until_end()) for reply in admitted) == {"ab": STREAMS}
    # There is room again.
    crowded.await_stats(activeConnections=0)
    assert_healthy(crowded, "ok")
    assert visitors[-1].ask().status == 200


def test_connections_that_wait_keep_nobody_out(crowded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "GRACE_S", 0)
    idle = [Visitor(crowded.port).get("/config") for _ in range(SIZE // 2)]
    assert {reply.status for reply in idle} == {200}
    for reply in idle:
        reply.read()
    half = connect(crowded, SIZE - len(idle), HALF)
    await_count(crowded, SIZE)
    replies = fill(crowded)
    assert {reply.status for reply in replies} == {200}
    # The longest waiting went, one for each that came.
    assert all(is_closed(reply.connection) for reply in idle)
    assert all(is_closed(connection) for connection in half[: STREAMS - len(idle)])
    await_count(crowded, SIZE)


def test_a_rush_leaves_those_alone_whose_request_is_on_its_way(crowded: Served) -> None:
    rush = connect(crowded, SIZE + 20, HALF)
    await_count(crowded, SIZE + 20)
    for connection in rush:
        connection.socket.sendall(b"\r\n")
    assert {connection.read_reply().status for connection in rush} == {200}


def test_connections_without_end_are_closed_before_the_files_run_out(crowded: Served) -> None:
    rush = connect(crowded, 2 * SIZE + 5, HALF)
    assert all(is_closed(connection) for connection in rush[:5])
    await_count(crowded, 2 * SIZE)
    assert_healthy(crowded, "ok")


def test_slow_requests_take_the_place_of_streams_but_not_of_health(crowded: Served) -> None:
    body = question(crowded.visitor().session)
    slow = request("POST", "/api/ai/chat", [JSON, ("Content-Length", str(len(body)))])
    held = connect(crowded, STREAMS, slow)
    await_served(crowded, STREAMS)
    assert_healthy(crowded, "full")
    assert_put_off(crowded.visitor().ask())
    assert crowded.visitor().conversation()["messages"] == []
    held += connect(crowded, SIZE - STREAMS, slow)
    await_served(crowded, SIZE)
    refused = crowded.visitor().get("/conversation")
    assert_put_off(refused)
    assert is_closed(refused.connection)
    assert_healthy(crowded, "full")
    held[0].socket.sendall(body)
    assert held[0].read_reply().status == 503


def test_who_is_in_stays_in(crowded: Served) -> None:
    replies = fill(crowded)
    connect(crowded, 2 * SIZE, HALF)
    assert_put_off(crowded.visitor().ask())
    crowded.await_stats(activeConnections=STREAMS, activeTurns=STREAMS)
    assert not any(reply.is_at_end for reply in replies)


def test_no_question_is_admitted_while_too_many_answers_wait(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    served = serve()

    def refuse(_turn: Turn, _answer: Answer) -> bool:
        raise StoreUnavailable(detail="slow")

    monkeypatch.setattr(saving, "BEHIND", 1)
    monkeypatch.setattr(served.mounted.store, "finish_turn", refuse)
    served.provider.script("Hello")
    assert served.visitor().ask("Where is my parcel?").until_end()[-1].type == "done"
    refusal = served.visitor().ask("And mine?")
    assert (refusal.status, refusal.json()["error"]["code"]) == (503, "OVERLOADED")
    assert int(refusal.headers["retry-after"]) > 0
    monkeypatch.undo()
    served.await_stats(unsaved=0)
    assert served.visitor().ask("And now?").status == 200
