"""How a process leaves: who is sent on, when, with which words, and who is left in peace."""

from __future__ import annotations

import secrets
import time

import gevent
import pytest
from redis_server import shared_redis
from serving import Serve, Served
from stream_client import Connection, Reply, Visitor, joined_text

from chatbubble import departure, slots
from chatbubble.delivery import Delivery
from chatbubble.events import Custom, Done
from chatbubble.stream_logs.memory import MemoryStreamLog

SPREAD_S = 0.5


@pytest.fixture
def settings(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Those of one process on PostgreSQL and Redis; it leaves five times as fast as a real one."""
    for name, value in (("SPREAD_S", SPREAD_S), ("_HEAR_S", 0.1), ("_LOOK_EVERY_S", 0.05), ("_BEGIN_S", 0.6)):
        monkeypatch.setattr(departure, name, value)
    prefix = f"test-{secrets.token_hex(4)}:"
    return {"database_url": postgres_url, "redis_url": shared_redis().url, "redis_prefix": prefix}


def start(serve: Serve, settings: dict[str, str], count: int) -> list[Served]:
    """Processes that know of each other."""
    started = [serve(**settings) for _ in range(count)]
    for served in started:
        served.mounted.start()
    deadline = time.monotonic() + 5
    while any(len(served.mounted.fleet.get_others()) < count - 1 for served in started):
        assert time.monotonic() < deadline
        gevent.sleep(0.02)
    return started


def listen(served: Served) -> Reply:
    """A channel that is open."""
    reply = served.visitor().get("/stream")
    reply.next_event()
    return reply


def end_of(reply: Reply) -> tuple[float, int | None]:
    """When a body ended, which it has to do whole, and by when it asked to come again."""
    assert reply.until_end() == []
    assert reply.is_at_end
    return time.monotonic(), reply.retry


def test_channels_are_sent_on_one_by_one(serve: Serve, settings: dict[str, str]) -> None:
    here, _ = start(serve, settings, 2)
    channels = [listen(here) for _ in range(10)]
    reading = [gevent.spawn(end_of, channel) for channel in channels]
    draining = gevent.spawn(here.mounted.drain)
    ends = [greenlet.get(timeout=10) for greenlet in reading]
    assert {retry for _, retry in ends} == {100}
    times = sorted(at for at, _ in ends)
    assert times[-1] - times[0] > SPREAD_S / 2
    draining.get(timeout=5)


def test_an_answer_ends_in_peace_and_who_reads_along_elsewhere_does_too(serve: Serve, settings: dict[str, str]) -> None:
    here, there = start(serve, settings, 2)
    visitor, call = here.visitor(), here.provider.hold()
    reply = visitor.ask()
    stream_id = reply.next_event().data["streamId"]
    along = Visitor(there.port, visitor.session).resume(stream_id)
    along.next_event()
    made_way: list[int] = []
    draining = gevent.spawn(here.mounted.drain, 10, lambda: made_way.append(len(made_way)))
    call.say("a")
    here.await_stats(activeTurns=1)
    while not made_way:
        gevent.sleep(0.02)
    here.await_stats(activeTurns=1)
    call.finish("b")
    assert [joined_text(each.until_end()) for each in (reply, along)] == ["ab", "ab"]
    draining.get(timeout=5)


def test_newcomers_go_to_the_others_and_who_is_connected_already_is_let_go(
    serve: Serve, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "GRACE_S", 0)
    here, _ = start(serve, settings, 2)
    idle = here.visitor().get("/config")
    idle.read()
    own = here.provider.hold()
    reply = here.visitor().ask()
    reply.next_event()
    body = b'{"message": "hello", "sessionId": "%s"}' % here.visitor().session.encode()
    coming = Connection(here.port)
    coming.socket.sendall(b"POST /api/ai/chat HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n")
    coming.socket.sendall(b"Content-Length: %d\r\n\r\n" % len(body))
    while here.mounted.clients.slots.served < 2:
        gevent.sleep(0.005)
    leaving = gevent.spawn(here.leave)
    assert idle.connection.socket.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        Connection(here.port)
    coming.socket.sendall(body)
    refused = coming.read_reply()
    assert (refused.status, refused.headers["connection"]) == (503, "close")
    assert refused.json()["error"]["code"] == "SHUTTING_DOWN"
    own.finish("a")
    assert joined_text(reply.until_end()) == "a"
    leaving.get(timeout=5)


def test_readers_of_what_others_run_are_sent_on_at_once(serve: Serve, settings: dict[str, str]) -> None:
    here, there = start(serve, settings, 2)
    visitor, call = there.visitor(), there.provider.hold()
    stream_id = visitor.ask().next_event().data["streamId"]
    along = Visitor(here.port, visitor.session).resume(stream_id)
    along.next_event()
    own = here.provider.hold()
    reply = here.visitor().ask()
    reply.next_event()
    drops = here.mounted.measures.drops
    draining = gevent.spawn(here.mounted.drain, 10)
    assert end_of(along)[1] == 100
    # Long before the answers of this process are over.
    here.await_stats(activeConnections=1, activeTurns=1)
    assert here.mounted.measures.drops == drops
    for each in (own, call):
        each.finish("a")
    assert joined_text(reply.until_end()) == "a"
    draining.get(timeout=5)


def test_who_polls_is_answered_with_what_there_is(serve: Serve, settings: dict[str, str]) -> None:
    here, there = start(serve, settings, 2)
    visitor, call = there.visitor(), there.provider.hold()
    stream_id = visitor.ask().next_event().data["streamId"]
    place = Visitor(here.port, visitor.session).get(f"/chat/{stream_id}?wait=0").until_end()[-1].id
    polling = Visitor(here.port, visitor.session)
    asked = gevent.spawn(lambda: polling.get(f"/chat/{stream_id}?wait=20&lastEventId={place}").until_end())
    here.await_stats(activeConnections=1)
    here.mounted.drain(10)
    assert asked.get(timeout=5) == []
    call.finish()


def test_processes_that_stop_together_take_none_of_them_for_an_heir(serve: Serve, settings: dict[str, str]) -> None:
    both = start(serve, settings, 2)
    replies = []
    for served in both:
        served.provider.hold()
        replies.append(served.visitor().ask())
        replies[-1].next_event()
    made_way: list[int] = []
    gevent.joinall([gevent.spawn(served.mounted.drain, 0.2, lambda: made_way.append(1)) for served in both], timeout=10)
    assert [reply.until_end()[-1].data["code"] for reply in replies] == ["INTERRUPTED"] * 2
    assert made_way == []


def test_an_heir_that_comes_late_is_waited_for(
    serve: Serve, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departure, "_BEGIN_S", 10.0)
    (here,) = start(serve, settings, 1)
    channel = listen(here)
    draining = gevent.spawn(here.mounted.drain, 0.2)
    gevent.sleep(0.2)
    serve(**settings).mounted.start()
    assert end_of(channel)[1] == 100
    draining.get(timeout=5)


@pytest.mark.parametrize("is_shared", [False, True])
def test_without_an_heir_channels_come_again_when_they_like(
    serve: Serve, settings: dict[str, str], is_shared: bool
) -> None:
    here = serve(**(settings if is_shared else {}))
    channel = listen(here)
    here.mounted.drain()
    assert end_of(channel)[1] == 3000


def test_who_is_sent_on_takes_along_what_is_ready() -> None:
    log = MemoryStreamLog()
    log.open("s", "anna")
    body = Delivery(log.reader("s"), heartbeat_s=60, on_close=lambda: None)
    assert next(body) == b"retry: 1000\n"
    waiting = gevent.spawn(next, body)
    gevent.sleep(0)
    body.dismiss(100)
    log.append("s", Custom("note", {"n": 1}))
    last = waiting.get(timeout=5)
    assert last.endswith(b'data: {"n":1}\n\nretry: 100\n')
    assert list(body) == []
    assert body.is_whole


def test_who_has_the_end_of_an_answer_is_not_asked_to_come_again() -> None:
    log = MemoryStreamLog()
    log.open("s", "anna")
    log.append("s", Done.of_erased("m", 1))
    body = Delivery(log.reader("s"), heartbeat_s=60, on_close=lambda: None)
    body.dismiss(100)
    assert b"retry: 100\n" not in b"".join(body)
