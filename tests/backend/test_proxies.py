"""Behind each real proxy every token arrives as it is said, a lost reader is noticed, a resume goes on exactly, and
Stop stops; one that cuts connections costs nothing, and behind one that holds answers back, polls do the same."""

from __future__ import annotations

import select
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest
from fronts import SESSION, Front
from haproxy_server import documented_haproxy
from nginx_server import GZIP, HOLDING, documented_nginx, stock_nginx
from promptness import WORDS, assert_in_time, reads_events
from serving import Serve, Served
from short_lived import ShortLivedProxy
from stream_client import Received, Reply, Visitor, joined_text

KINDS = ["nginx", "stock nginx", "compressing nginx", "HAProxy", "nginx over HTTP/2", "HAProxy over HTTP/2"]


@contextmanager
def in_front(kind: str, folder: Path, port: int) -> Iterator[Front]:
    """The documented ones, an nginx that was told nothing, or one that compresses whatever it may."""
    name, _, protocol = kind.partition(" over ")
    if name in ("nginx", "HAProxy"):
        with (documented_nginx if name == "nginx" else documented_haproxy)(folder, port) as (front, _plain):
            yield front.over_http2() if protocol else front
    else:
        with stock_nginx(folder, port, *([GZIP] if name == "compressing nginx" else [])) as front:
            yield front


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_arrive_in_time_and_a_resume_goes_on(kind: str, serve: Serve, tmp_path: Path) -> None:
    served = serve()
    call = served.provider.hold()
    with in_front(kind, tmp_path, served.port) as front:
        reply = front.ask()
        stream_id = reply.next_event().data["streamId"]
        assert call.began.wait(5)
        assert_in_time(call, reads_events(reply))
        reply.close()
        served.await_stats(activeConnections=0)
        again = front.resume(f"/chat/{stream_id}", reply.last_event_id)
        call.finish("at last")
        events = again.until_end()
    assert joined_text([*reply.seen, *events]) == events[-1].data["fullText"] == "".join([*WORDS, "at last"])


@pytest.mark.parametrize("kind", KINDS)
def test_stop_stops(kind: str, serve: Serve, tmp_path: Path) -> None:
    served = serve()
    call = served.provider.hold()
    with in_front(kind, tmp_path, served.port) as front:
        reply = front.ask()
        stream_id = reply.next_event().data["streamId"]
        call.say("Hello")
        assert reply.next_event().data["text"] == "Hello"
        assert front.abort(stream_id).json()["state"] == "aborted"
        (done,) = reply.until_end()
        call.wait_until_ended()
    assert (done.type, done.data["finishReason"], done.data["fullText"]) == ("done", "aborted", "Hello")


def test_an_nginx_that_compresses_everything_holds_nothing_back(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    call = served.provider.hold()
    with stock_nginx(tmp_path, served.port, GZIP) as front:
        reply = front.ask(Accept_Encoding="gzip")
        assert reply.headers["content-encoding"] == "gzip"
        chunks, unpack, seen = reply.chunks(), zlib.decompressobj(31), bytearray()

        def read(word: str) -> None:
            while word.encode() not in seen:
                seen.extend(unpack.decompress(next(chunks)))

        read("connected")
        assert call.began.wait(5)
        assert_in_time(call, read)
        call.finish()
        read("event: done")


def test_the_documented_nginx_never_compresses_a_stream(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    served.provider.script("a")
    with documented_nginx(tmp_path, served.port) as (front, _):
        reply = front.ask(Accept_Encoding="gzip")
        assert "content-encoding" not in reply.headers
        assert reply.until_end()[-1].type == "done"


def read_on(visitor: Visitor, events: list[Received]) -> Reply:
    """Ask, or read on after these events of the answer."""
    if not events:
        return visitor.ask(request_id="one-question")
    return visitor.resume(events[0].data["streamId"], events[-1].id)


def test_one_that_cuts_every_connection_costs_nothing(served: Served) -> None:
    call = served.provider.hold()

    def tell() -> None:
        for word in WORDS * 2:
            call.say(word)
            gevent.sleep(0.05)
        call.finish()

    with ShortLivedProxy(served.port, life_s=0.3) as proxy:
        visitor = Visitor(proxy.port)
        telling = gevent.spawn(tell)
        events: list[Received] = []
        reply: Reply | None = None
        while not events or events[-1].type != "done":
            try:
                reply = reply or read_on(visitor, events)
                events.append(reply.next_event())
            except ConnectionError:
                reply = None
        telling.get(timeout=5)
    assert proxy.cuts >= 3
    assert "reset" not in [event.type for event in events]
    assert joined_text(events) == events[-1].data["fullText"] == "".join(WORDS * 2)
    assert len(served.provider.calls) == 1


def test_behind_one_that_holds_answers_back_polls_are_in_time(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    call = served.provider.hold()
    with stock_nginx(tmp_path, served.port, HOLDING) as front:
        (connected,) = front.ask("?wait=0").until_end()
        path = f"/chat/{connected.data['streamId']}"
        streamed = front.connect()
        streamed.send("GET", f"/api/ai{path}", session=SESSION)
        served.await_stats(activeConnections=1)
        seen = [connected]

        def read(word: str) -> None:
            (event,) = front.resume(f"{path}?wait=10", seen[-1].id).until_end()
            assert (event.type, event.data["text"]) == ("token", word)
            seen.append(event)

        assert_in_time(call, read)
        # All of that, and the stream has not shown as much as its head.
        assert select.select([streamed.socket], [], [], 0)[0] == []
        assert front.abort(connected.data["streamId"]).json()["state"] == "aborted"
        (done,) = front.resume(f"{path}?wait=10", seen[-1].id).until_end()
        whole = streamed.read_reply().until_end()
    assert joined_text(seen) == joined_text(whole) == done.data["fullText"] == "".join(WORDS)
    assert whole == [*seen, done]
