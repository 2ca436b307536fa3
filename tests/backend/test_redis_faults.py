"""Redis breaks in the middle of an answer: its readers here notice nothing, and the others get the same text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import gevent
import pytest
from following import Reader
from gevent import socket
from gevent.server import StreamServer
from redis_server import RedisServer, own_redis
from stream_log_forms import done, tokens

from chatbubble.errors import ChatbubbleError, NotFound, RedisUnavailable
from chatbubble.stream_logs.redis import RedisStreamLog
from chatbubble.stream_logs.redis_hub import RedisHub
from chatbubble.stream_logs.redis_link import Link

RESUMES_S = 2.0
WORDS = [f"word{number} " for number in range(60)]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with own_redis(tmp_path) as server:
        yield server


@pytest.fixture
def make_log() -> Iterator[Callable[[str], RedisStreamLog]]:
    with ExitStack() as made:

        def make(url: str) -> RedisStreamLog:
            hub = RedisHub(url)
            made.callback(hub.close)
            log = RedisStreamLog(hub)
            made.callback(log.close)
            return log

        yield make


@contextmanager
def delayed(redis: RedisServer, delay_s: float) -> Iterator[str]:
    """The URL of a way to Redis that takes so long, there and back."""

    def relay(source: socket.socket, target: socket.socket) -> None:
        while data := source.recv(65_536):
            gevent.sleep(delay_s / 2)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    def connect(client: socket.socket, _address: object) -> None:
        with socket.create_connection(("127.0.0.1", redis.port)) as server:
            ways = [gevent.spawn(relay, client, server), gevent.spawn(relay, server, client)]
            gevent.joinall(ways)

    proxy = StreamServer(("127.0.0.1", 0), connect)
    proxy.start()
    try:
        yield f"redis://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.stop(timeout=1)


def restart(redis: RedisServer) -> Callable[[], None]:
    redis.stop()
    return redis.start


def pause(redis: RedisServer) -> Callable[[], None]:
    redis.pause()
    return redis.go_on


def make_read_only(redis: RedisServer) -> Callable[[], None]:
    redis.ask("REPLICAOF", "127.0.0.1", "1")

    def mend() -> None:
        redis.ask("REPLICAOF", "NO", "ONE")

    return mend


def fill(redis: RedisServer) -> Callable[[], None]:
    redis.ask("CONFIG", "SET", "maxmemory", "1")

    def mend() -> None:
        redis.ask("CONFIG", "SET", "maxmemory", "0")

    return mend


def flush(redis: RedisServer) -> Callable[[], None]:
    redis.ask("FLUSHALL")
    return lambda: None


FAULTS = {"restarted": restart, "paused": pause, "read-only": make_read_only, "full": fill, "flushed": flush}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_redis_costs_no_reader_a_character(
    fault: str, redis: RedisServer, make_log: Callable[[str], RedisStreamLog]
) -> None:
    here, there = make_log(redis.url), make_log(redis.url)
    here.open("s", "anna")
    told = list(tokens(*WORDS))
    for token in told[:20]:
        here.append("s", token)
    assert here.flush(5)
    own, other = Reader(here), Reader(there)
    gevent.sleep(0.05)
    mend = FAULTS[fault](redis)
    for token in told[20:40]:
        here.append("s", token)
        gevent.sleep(0.02)
    assert len(own.events) == 40, "the readers of the process itself wait for Redis"
    mend()
    mended_at = time.monotonic()
    assert here.flush(RESUMES_S), f"not written {RESUMES_S} s after the end of the fault"
    print(f"{fault}: written {time.monotonic() - mended_at:.2f} s after its end")  # noqa: T201 -- for the report
    for token in told[40:]:
        here.append("s", token)
    here.append("s", done("".join(WORDS)))
    assert own.end() == other.end() == "".join(WORDS)
    assert "reset" not in [event.type for event in own.events]


def test_a_slow_redis_slows_nobody_here(redis: RedisServer, make_log: Callable[[str], RedisStreamLog]) -> None:
    with delayed(redis, 0.2) as url:
        here, there = make_log(url), make_log(url)
        here.open("s", "anna")
        own, other = Reader(here), Reader(there)
        began = time.monotonic()
        for token in tokens(*WORDS):
            here.append("s", token)
            gevent.sleep(0.001)
        here.append("s", done("".join(WORDS)))
        assert own.end() == "".join(WORDS)
        assert time.monotonic() - began < 1
        assert other.end() == "".join(WORDS)
        here.close()
        there.close()


def test_a_question_is_answered_while_redis_is_away(
    redis: RedisServer, make_log: Callable[[str], RedisStreamLog]
) -> None:
    here, there = make_log(redis.url), make_log(redis.url)
    here.open("first", "anna")
    redis.stop()
    began = time.monotonic()
    for name in ("s", "t"):
        here.open(name, "anna")
        here.append(name, done())
    assert time.monotonic() - began < 3
    with pytest.raises(ChatbubbleError):
        there.owner("s")
    redis.start()
    assert here.flush(RESUMES_S)
    assert there.owner("s") == "anna"


def test_what_redis_has_lost_in_part_is_not_told(redis: RedisServer, make_log: Callable[[str], RedisStreamLog]) -> None:
    here, there = make_log(redis.url), make_log(redis.url)
    here.open("s", "anna")
    told = list(tokens(*WORDS))
    for token in told[:40]:
        here.append("s", token)
    assert here.flush(5)
    redis.ask("XTRIM", "chatbubble:{s}:events", "MAXLEN", "20")
    with pytest.raises(RedisUnavailable):
        there.reader("s")
    for token in told[40:]:
        here.append("s", token)
    here.append("s", done())
    assert here.flush(5)
    assert Reader(there).end() == "".join(WORDS)
    redis.ask("XTRIM", "chatbubble:{s}:events", "MAXLEN", "20")
    third = make_log(redis.url)
    with pytest.raises(NotFound):
        third.reader("s")


def test_readers_who_come_by_the_thousand_hold_up_no_lease(redis: RedisServer) -> None:
    with delayed(redis, 0.05) as url:
        link = Link(url)
        for speak in (link.ask, link.look):
            speak(("PING",))  # connected from here on
        looking = [gevent.spawn(link.look, ("PING",)) for _ in range(20)]
        gevent.sleep(0)
        link.ask(("PING",))
        assert sum(each.ready() for each in looking) < 10
        gevent.joinall(looking, raise_error=True)
        link.close()
