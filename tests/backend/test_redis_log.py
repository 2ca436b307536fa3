"""What the stream log on Redis promises beyond the contract: two processes' logs, side by side on one Redis."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import gevent
import pytest
from following import Reader
from redis_server import RedisServer, shared_redis
from stream_client import joined_text
from stream_log_forms import decode, done, read, read_batches, tell, texts, tokens
from switches import no_switches

from chatbubble.errors import ConfigError, NotFound, RedisUnavailable, StreamEnded
from chatbubble.events import Connected, Custom, Token
from chatbubble.records import Cursor
from chatbubble.stream_log import Batch, StreamReader
from chatbubble.stream_logs.redis import RedisStreamLog
from chatbubble.stream_logs.redis_hub import RedisHub

MakeLog = Callable[[], RedisStreamLog]


@pytest.fixture
def redis() -> RedisServer:
    return shared_redis()


@pytest.fixture
def prefix() -> str:
    return f"test-{secrets.token_hex(4)}:"


@pytest.fixture
def make_log(redis: RedisServer, prefix: str) -> Iterator[MakeLog]:
    """Makes logs as several processes would have them."""
    with ExitStack() as made:

        def make() -> RedisStreamLog:
            hub = RedisHub(redis.url, prefix)
            made.callback(hub.close)
            log = RedisStreamLog(hub)
            made.callback(log.close)
            return log

        yield make


@pytest.fixture
def here(make_log: MakeLog) -> RedisStreamLog:
    return make_log()


@pytest.fixture
def there(make_log: MakeLog) -> RedisStreamLog:
    return make_log()


def read_to_end(reader: StreamReader) -> str:
    """The answer's text, once the terminal event has come."""
    batches: list[Batch] = []
    while not batches or not batches[-1].is_terminal:
        batch = reader.next(5)
        assert batch is not None, "nothing came for 5 s"
        batches.append(batch)
    reader.close()
    return joined_text(decode(batches))


def test_another_process_knows_a_stream_from_its_start_on(here: RedisStreamLog, there: RedisStreamLog) -> None:
    start = here.open("s", "anna")
    assert there.owner("s") == "anna"
    assert there.start("s") == start
    assert there.is_foreign("s")
    assert not here.is_foreign("s")


def test_another_process_reads_the_same_bytes(here: RedisStreamLog, there: RedisStreamLog) -> None:
    tell(here, "s", Connected("client", "", 1, "s", "conv", "msg"), *tokens("a", "\u4e2d\U0001f600"), done())
    assert here.flush(5)
    own = b"".join(batch.wire for batch in read_batches(here.reader("s")))
    assert b"".join(batch.wire for batch in read_batches(there.reader("s"))) == own


def test_another_process_reads_on_after_every_cursor(here: RedisStreamLog, there: RedisStreamLog) -> None:
    start = here.open("s", "anna")
    cursors = [start, *(here.append("s", event) for event in tokens(*"abcdef")), here.append("s", done("abcdef"))]
    assert here.flush(5)
    for position, cursor in enumerate(cursors):
        assert texts(read(there, "s", cursor)) == list("abcdef")[position:]
    assert there.reader("s", cursors[-1]).is_exhausted


def test_a_reader_who_is_faster_than_redis_waits_for_it(
    here: RedisStreamLog, there: RedisStreamLog, redis: RedisServer
) -> None:
    here.open("s", "anna")
    assert there.owner("s") == "anna"
    redis.pause()
    try:
        cursors = [here.append("s", event) for event in tokens(*"abc")]
        coming = gevent.spawn(lambda: read(there, "s", cursors[1]))
        gevent.sleep(0.05)
        assert not coming.ready()
    finally:
        redis.go_on()
    assert [(event.type, event.data["text"]) for event in coming.get(timeout=5)] in ([], [("token", "c")])


def test_a_place_that_never_comes_is_told_after_a_while(here: RedisStreamLog, there: RedisStreamLog) -> None:
    start = here.open("s", "anna")
    here.append("s", next(tokens("a")))
    assert here.flush(5)
    beyond = Cursor(start.epoch, 7)
    assert [event.type for event in read(there, "s", beyond)][:1] == ["reset"]


def test_readers_who_come_at_any_moment_miss_nothing(here: RedisStreamLog, there: RedisStreamLog) -> None:
    words = [f"word{number} " for number in range(400)]
    here.open("s", "anna")
    readers = []
    for number, token in enumerate(tokens(*words)):
        here.append("s", token)
        if number % 20 == 0:
            readers.append(gevent.spawn(lambda: read_to_end(there.reader("s"))))
            gevent.sleep(0.001)
    here.append("s", done())
    assert [reader.get(timeout=10) for reader in readers] == ["".join(words)] * 20


def test_64_streams_begun_at_once_lose_no_first_event(here: RedisStreamLog, there: RedisStreamLog) -> None:
    def answer(number: int) -> str:
        here.open(f"s{number}", "anna")
        reading = gevent.spawn(lambda: read_to_end(there.reader(f"s{number}")))
        for token in tokens("a", "b"):
            here.append(f"s{number}", token)
        here.append(f"s{number}", done("ab"))
        return str(reading.get(timeout=10))

    assert [answering.get(timeout=10) for answering in [gevent.spawn(answer, n) for n in range(64)]] == ["ab"] * 64


def test_a_long_answer_is_bounded_in_redis_and_whole_elsewhere(
    here: RedisStreamLog, there: RedisStreamLog, redis: RedisServer, prefix: str
) -> None:
    here.open("s", "anna")
    early = Reader(there)
    for number, token in enumerate(tokens(*["word "] * 12_000)):
        here.append("s", token)
        if number % 500 == 0:
            gevent.sleep(0.001)
    here.append("s", done())
    assert here.flush(10)
    assert int(redis.ask("XLEN", f"{prefix}{{s}}:events")[1:]) < 6000
    assert early.end() == read_to_end(there.reader("s")) == "word " * 12_000


def test_other_events_come_too(here: RedisStreamLog, there: RedisStreamLog) -> None:
    tell(here, "s", Custom("card", {"size": "M"}), done())
    assert here.flush(5)
    assert read(there, "s")[0].data == {"size": "M"}


def test_appending_never_waits_for_redis(here: RedisStreamLog) -> None:
    here.open("s", "anna")
    with no_switches():
        for token in tokens(*["word "] * 3000):
            here.append("s", token)


def test_a_thousand_streams_need_three_connections(
    here: RedisStreamLog, there: RedisStreamLog, redis: RedisServer
) -> None:
    before = redis.count_connections()
    opening = [gevent.spawn(here.open, f"s{number}", "anna") for number in range(1000)]
    gevent.joinall(opening, timeout=20, raise_error=True)

    def read_stream(name: str) -> str:
        return read_to_end(there.reader(name))

    reading = [gevent.spawn(read_stream, f"s{number}") for number in range(1000)]
    gevent.sleep(0)
    for number in range(1000):
        here.append(f"s{number}", Token("all", 0, 1))
        here.append(f"s{number}", done("all"))
    assert {greenlet.get(timeout=20) for greenlet in reading} == {"all"}
    assert 2 < redis.count_connections() - before <= 2 * 3


def test_erasing_reaches_the_readers_of_other_processes(here: RedisStreamLog, there: RedisStreamLog) -> None:
    tell(here, "s", *tokens("secret"))
    assert here.flush(5)
    reader = there.reader("s")
    assert texts(decode(read_batches(reader))) == ["secret"]
    here.erase("s")
    last = reader.next(5)
    assert last is not None
    assert [event.type for event in decode([last, *read_batches(reader)])] == ["reset", "done"]
    assert there.owner("s") is None


def test_erasing_in_another_process_ends_the_telling(
    here: RedisStreamLog, there: RedisStreamLog, redis: RedisServer, prefix: str
) -> None:
    tell(here, "s", *tokens("secret"))
    reader = here.reader("s")
    assert there.owner("s") == "anna"
    there.erase("s")
    assert there.flush(5)
    here.append("s", Token("more", 6, 1))
    assert here.flush(5)
    assert decode(read_batches(reader))[-1].data["fullText"] == ""
    with pytest.raises(NotFound):
        here.append("s", done())
    assert b"secret" not in redis.ask("XRANGE", f"{prefix}{{s}}:events", "-", "+")


def test_a_discarded_stream_leaves_redis(
    here: RedisStreamLog, there: RedisStreamLog, redis: RedisServer, prefix: str
) -> None:
    tell(here, "s", *tokens("a"))
    here.discard("s")
    assert here.flush(5)
    assert there.owner("s") is None
    assert not redis.keys(prefix)


def test_what_another_process_writes_cannot_be_written_here(here: RedisStreamLog, there: RedisStreamLog) -> None:
    tell(here, "s", *tokens("a"))
    assert there.owner("s") == "anna"
    with pytest.raises(StreamEnded):
        there.append("s", done())


def test_who_was_taken_over_can_write_nothing_more(
    here: RedisStreamLog, there: RedisStreamLog, make_log: MakeLog
) -> None:
    tell(here, "s", *tokens("old "))
    assert here.flush(5)
    third = make_log()
    own, other = here.reader("s"), Reader(third)
    other.await_text("old ")
    there.take_over("s", "anna")
    here.append("s", Token("late", 4, 1))
    assert here.flush(5)
    assert own.is_closed
    there.append("s", Token("new", 0, 1))
    there.append("s", done("new"))
    assert other.end() == read_to_end(here.reader("s")) == read_to_end(there.reader("s")) == "new"
    assert "reset" in [event.type for event in other.events]


def test_two_who_take_over_at_once_do_not_mix(here: RedisStreamLog, there: RedisStreamLog, make_log: MakeLog) -> None:
    log = make_log()
    tell(log, "s", *tokens("old"))
    assert log.flush(5)
    gevent.joinall([gevent.spawn(each.take_over, "s", "anna") for each in (here, there)], timeout=5, raise_error=True)
    for each, text in ((here, "here"), (there, "there")):
        with suppress(NotFound, StreamEnded):
            each.append("s", Token(text, 0, 1))
            each.append("s", done(text))
        assert each.flush(5)
    assert len({read_to_end(each.reader("s")) for each in (here, there, make_log())}) == 1


def test_a_private_stream_stays_in_its_process(here: RedisStreamLog, there: RedisStreamLog) -> None:
    here.open("s", "anna", private=True)
    here.append("s", done())
    assert here.flush(5)
    assert there.owner("s") is None


def test_every_key_has_an_end(here: RedisStreamLog, redis: RedisServer, prefix: str) -> None:
    tell(here, "running", *tokens("a"))
    tell(here, "ended", *tokens("a"), done())
    assert here.flush(5)
    keys = redis.keys(prefix)
    assert len(keys) == 4
    assert all(int(redis.ask("PTTL", key)[1:]) > 0 for key in keys)


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis://127.0.0.1:port"])
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="CHATBUBBLE_REDIS_URL"):
        RedisHub(url)


def test_a_redis_that_is_not_there_is_told() -> None:
    hub = RedisHub("redis://127.0.0.1:1")
    with pytest.raises(RedisUnavailable) as refused:
        hub.connect()
    assert refused.value.retry_after_s is not None
    hub.close()
