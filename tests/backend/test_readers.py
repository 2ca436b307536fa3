"""Readers that leave, stop reading, or read a long answer: nobody else notices."""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from flask import Flask, Request
from gevent.pywsgi import WSGIHandler
from scripted import Call
from serving import Serve, Served
from stream_client import Connection, Reply, Visitor, joined_text

from chatbubble.connections import StreamingHandler
from chatbubble.request_headers import RequestHeaders
from chatbubble.sockets import attend, find_socket

LEAVE: dict[str, Callable[[Connection], None]] = {
    "FIN": Connection.close,
    "RST": Connection.reset,
    "half-close": Connection.half_close,
}


def ask_and_hold(served: Served, visitor: Visitor, **options: Any) -> tuple[Call, Reply, str]:
    call = served.provider.hold()
    reply = visitor.ask(**options)
    stream_id: str = reply.next_event().data["streamId"]
    assert call.began.wait(5)
    return call, reply, stream_id


@pytest.mark.parametrize("way", LEAVE)
@pytest.mark.parametrize("handler", [StreamingHandler, WSGIHandler], ids=["our handler", "plain pywsgi"])
def test_leaving_is_noticed_without_a_write_and_the_turn_goes_on(
    serve: Serve, way: str, handler: type[WSGIHandler]
) -> None:
    # With 300 s between heartbeats, no failing write can tell.
    served = serve(handler_class=handler, heartbeat_s=300)
    visitor = served.visitor()
    call, reply, stream_id = ask_and_hold(served, visitor)
    call.say("a")
    reply.next_event()
    served.await_stats(activeConnections=1, logReaders=1)
    began = time.monotonic()
    LEAVE[way](reply.connection)
    served.await_stats(activeConnections=0, logReaders=0, activeTurns=1)
    print(f"{way} noticed after {(time.monotonic() - began) * 1000:.1f} ms")  # noqa: T201 -- for the report
    call.finish("b")
    served.await_stats(activeTurns=0)
    assert visitor.conversation()["messages"][-1]["content"] == "ab"
    assert visitor.resume(stream_id).until_end()[-1].data["fullText"] == "ab"


@pytest.mark.parametrize("way", LEAVE)
def test_leaving_before_the_answer_begins_is_noticed(serve: Serve, way: str) -> None:
    served = serve()
    visitor = served.visitor()
    connection = Connection(served.port)
    connection.send("POST", "/api/ai/chat", body={"message": "hello", "sessionId": visitor.session})
    LEAVE[way](connection)
    call = served.provider.next_call()
    served.await_stats(activeConnections=0, logReaders=0, activeTurns=1)
    call.finish("a")
    served.await_stats(activeTurns=0)
    assert visitor.conversation()["messages"][-1]["content"] == "a"


def test_one_that_leaves_takes_nobody_along(served: Served) -> None:
    visitor = served.visitor()
    call, reply, stream_id = ask_and_hold(served, visitor)
    others = [visitor.resume(stream_id) for _ in range(3)]
    reply.connection.reset()
    served.await_stats(activeConnections=3)
    call.finish("a")
    assert [joined_text(other.until_end()) for other in others] == ["a"] * 3


def test_a_half_closed_reader_gets_a_body_that_ends_without_a_terminal_event(served: Served) -> None:
    _, reply, _ = ask_and_hold(served, served.visitor())
    reply.connection.half_close()
    assert reply.until_end() == []
    assert reply.is_at_end


def test_a_pipelined_request_is_answered_after_the_stream(served: Served) -> None:
    call, reply, _ = ask_and_hold(served, served.visitor())
    reply.connection.send("GET", "/api/ai/healthz")
    gevent.sleep(0.01)
    call.finish("a")
    assert joined_text(reply.until_end()) == "a"
    assert reply.connection.read_reply().json()["status"] == "ok"


def test_a_stream_on_a_connection_used_before_is_watched_too(served: Served) -> None:
    visitor = served.visitor()
    connection = Connection(served.port)
    for answer in ("a", "b"):
        served.provider.script(answer)
        body = {"message": "hello", "sessionId": visitor.session}
        assert connection.request("POST", "/api/ai/chat", body=body).until_end()[-1].data["fullText"] == answer
    call = served.provider.hold()
    connection.request("POST", "/api/ai/chat", body={"message": "hello", "sessionId": visitor.session}).next_event()
    connection.close()
    served.await_stats(activeConnections=0, logReaders=0, activeTurns=1)
    call.finish()


def test_the_connection_is_as_before_once_a_stream_has_ended(serve: Serve) -> None:
    seen: list[float | None] = []

    class Watching(StreamingHandler):
        def run_application(self) -> None:
            seen.append(self.socket.gettimeout())
            super().run_application()
            seen.append(self.socket.gettimeout())

    served = serve(handler_class=Watching, send_timeout_s=7)
    served.provider.script("a")
    served.visitor().ask().until_end()
    served.await_stats(activeConnections=0)
    assert seen == [60.0, 60.0]


def test_a_connection_that_is_closed_already_counts_as_gone() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    theirs.close()
    gone: list[bool] = []
    attend(ours, send_timeout_s=1, on_gone=lambda: gone.append(True))()
    assert gone == [True]


def test_without_a_socket_in_the_environ_a_stream_still_works(serve: Serve) -> None:
    def hide(app: Flask) -> Any:
        def hidden(environ: dict[str, Any], start_response: Any) -> Any:
            environ.pop("chatbubble.socket")
            environ["wsgi.input"] = environ["wsgi.input"].read
            assert find_socket(environ) is None
            return app(environ, start_response)

        return hidden

    served = serve()
    served.provider.script("a")
    visitor = served.visitor()
    stream_id = visitor.ask().until_end()[0].data["streamId"]
    served.app.wsgi_app = hide(served.app.wsgi_app)  # type: ignore[method-assign, arg-type]
    assert joined_text(visitor.resume(stream_id).until_end()) == "a"


def test_a_reader_that_stops_reading_is_dropped_and_can_come_back(serve: Serve) -> None:
    served = serve(send_timeout_s=0.3)
    visitor = served.visitor()
    call, reply, stream_id = ask_and_hold(served, visitor, receive_buffer=4096)
    text = "word " * 3276
    for _ in range(60):
        call.say(text)
    gevent.sleep(0.1)
    held = served.mounted.log.get_stats()["bytes"]
    began = time.monotonic()
    served.await_stats(activeConnections=0, logReaders=0, activeTurns=1)
    assert time.monotonic() - began < 2
    # What the reader did not take is in the log once, and nowhere else.
    assert held < 2_000_000
    call.finish("end")
    assert visitor.resume(stream_id).until_end()[-1].data["fullText"] == text * 60 + "end"
    with pytest.raises(ConnectionError):
        reply.until_end()


def test_stalled_readers_cost_little_memory(serve: Serve) -> None:
    served = serve(send_timeout_s=30)
    visitor = served.visitor()
    served.provider.script(*["x" * 16_000] * 80)
    stream_id = visitor.ask().until_end()[0].data["streamId"]
    before = memory_in_use()
    readers = [visitor.resume(stream_id, receive_buffer=4096) for _ in range(20)]
    gevent.sleep(0.3)
    held = (memory_in_use() - before) / len(readers)
    print(f"{held / 1024:.0f} KB for each stalled reader of a 1.3 MB answer")  # noqa: T201 -- for the report
    assert held < 400_000
    assert all(joined_text(reader.until_end()) == "x" * 1_280_000 for reader in readers[:2])


def memory_in_use() -> int:
    """Bytes of this process's own memory."""
    gc.collect()
    with open("/proc/self/statm") as statm:  # noqa: PTH123 -- a file of the kernel's
        return int(statm.read().split()[1]) * 4096


def test_a_slow_reader_does_not_slow_the_others_down(serve: Serve) -> None:
    served = serve()
    visitor = served.visitor()
    call, _stalled, stream_id = ask_and_hold(served, visitor, receive_buffer=4096)
    other = visitor.resume(stream_id)
    reading = gevent.spawn(other.until_end)
    began = time.monotonic()
    call.finish(*["x" * 16_000] * 60)
    assert joined_text(reading.get(timeout=5)) == "x" * 960_000
    assert time.monotonic() - began < 2


@pytest.mark.usefixtures("no_collections")
@pytest.mark.no_cover
def test_a_stream_that_waits_lets_go_of_its_request(served: Served) -> None:
    gc.collect()
    gc.disable()  # what it would find lives for long in a process with much to look through
    try:
        visitor = served.visitor()
        channel = visitor.get("/stream")
        channel.next_event()
        assert not [found for found in gc.get_objects() if isinstance(found, Request | RequestHeaders)]
    finally:
        gc.enable()
    served.mounted.broadcast("sale", {})
    assert channel.next_event().type == "sale"


def test_long_replays_leave_room_for_everybody_else(serve: Serve) -> None:
    """The promise is 50 ms. Here the clients share the server's event loop, which takes most
    of the time; the bench of the same name measures the server alone."""
    served = serve()
    visitor = served.visitor()
    served.provider.script(*["\u4e2d\U0001f600 " * 400] * 1200)
    stream_id = visitor.ask().until_end()[0].data["streamId"]
    replaying = [gevent.spawn(drain, visitor.resume(stream_id)) for _ in range(20)]
    waits = []
    while not all(greenlet.ready() for greenlet in replaying):
        began, began_cpu = time.perf_counter(), time.process_time()
        assert served.get("/api/ai/healthz").status == 200
        # Without a processor nobody is served: only what we had one for is ours.
        waits.append(min(time.perf_counter() - began, time.process_time() - began_cpu))
        gevent.sleep(0.005)
    sizes = {greenlet.get() for greenlet in replaying}
    print(  # noqa: T201 -- for the report
        f"{len(waits)} looks while 20 readers took {max(sizes) / 1e6:.1f} MB each: "
        f"longest wait {max(waits) * 1000:.0f} ms"
    )
    assert len(sizes) == 1
    assert len(waits) > 5
    assert max(waits) < 0.5


def drain(reply: Reply) -> int:
    """Read to the end without looking; how many bytes came."""
    return sum(len(chunk) for chunk in reply.chunks())
