"""After a day's work nothing is left: no reader, channel, greenlet, file or running turn."""

from __future__ import annotations

import gc
import os
import random
import time

import gevent
import pytest
from gevent import Greenlet
from hosting import JSON, Site
from serving import Serve, Served
from stream_client import Visitor, close_all

from chatbubble.errors import ChatbubbleError

ROUNDS = 500


def live_greenlets() -> int:
    """Greenlets of gevent's that have not ended."""
    gc.collect()
    return sum(issubclass(type(found), Greenlet) and not found.ready() for found in gc.get_objects())


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def work(served: Served, seed: int) -> None:
    """One visitor who asks and then stays, leaves, stops, erases or comes back."""
    chance = random.Random(seed)
    visitor = Visitor(served.port)
    call = served.provider.hold()
    reply = visitor.ask()
    stream_id = reply.next_event().data["streamId"]
    call.say("a", "b")
    ending = chance.choice(["stay", "FIN", "RST", "half", "abort", "erase", "resume", "fail", "listen"])
    if ending == "FIN":
        reply.close()
    elif ending == "RST":
        reply.connection.reset()
    elif ending == "half":
        reply.connection.half_close()
    elif ending == "abort":
        visitor.abort(stream_id)
    elif ending == "erase":
        visitor.erase()
    elif ending == "resume":
        visitor.resume(stream_id).next_event()
    elif ending == "fail":
        call.say(ValueError("no"))
    elif ending == "listen":
        visitor.get("/stream").next_event()
    call.finish("c")


def test_five_hundred_turns_leave_nothing_behind(serve: Serve) -> None:
    served = serve(stream_ttl_s=0.1)
    work(served, 0)
    close_all()
    served.await_stats(activeTurns=0, activeConnections=0, logStreams=0)
    greenlets, files = live_greenlets(), open_files()
    for first in range(0, ROUNDS, 50):
        gevent.joinall([gevent.spawn(work, served, seed) for seed in range(first, first + 50)], raise_error=True)
        close_all()
    served.await_stats(activeTurns=0, activeConnections=0, activeChannels=0, logReaders=0, logStreams=0, logBytes=0)
    assert served.mounted.workers._running == {}
    deadline = time.monotonic() + 5
    while open_files() > files:
        assert time.monotonic() < deadline, f"{open_files() - files} files are still open"
        gevent.sleep(0.01)
    # The greenlets of connections end with them, a switch later.
    gevent.sleep(0.05)
    assert live_greenlets() <= greenlets


def live_errors() -> int:
    """Refusals that something still knows."""
    return sum(isinstance(found, ChatbubbleError) for found in gc.get_objects())


@pytest.mark.usefixtures("no_collections")
@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/chat", [JSON], 400),
        ("POST", "/chat", [], 415),
        ("GET", "/conversation", [], 401),
        ("GET", "/nope", [], 404),
    ],
)
def test_what_was_refused_is_forgotten_without_the_garbage_collector(
    site: Site, method: str, path: str, headers: list[tuple[str, str]], status: int
) -> None:
    # With an error, all that its request had would wait for a collection: by the thousand, those hold everybody up.
    before = live_errors()
    for _ in range(5):
        assert site.call(method, path, headers, b"{").status == status
    deadline = time.monotonic() + 5
    while live_errors() > before:
        assert time.monotonic() < deadline, f"{live_errors() - before} refusals are still there"
        gevent.sleep(0.01)
