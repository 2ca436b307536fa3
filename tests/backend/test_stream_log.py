"""What every form of the stream log promises. Another form joins by a line in FORMS."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import gevent
import pytest
from stream_client import Received, joined_text

from chatbubble.errors import NotFound, Overloaded, StreamEnded
from chatbubble.events import Connected, Custom, Done, Event, Token, utf16_length
from chatbubble.records import Cursor, FinishReason
from chatbubble.stream_log import Batch, StreamLog, StreamReader
from chatbubble.stream_logs.memory import MemoryStreamLog

TTL_S = 600.0
MEGABYTE = 1_048_576


@dataclass
class Form:
    """A log and how its time passes."""

    log: StreamLog
    let_pass: Callable[[float], None]


def memory_form(max_bytes: int) -> Form:
    now = 0.0

    def let_pass(seconds: float) -> None:
        nonlocal now
        now += seconds

    return Form(MemoryStreamLog(ttl_s=TTL_S, max_bytes=max_bytes, now=lambda: now), let_pass)


FORMS: dict[str, Callable[[int], Form]] = {"memory": memory_form}


@pytest.fixture(params=FORMS)
def make_form(request: pytest.FixtureRequest) -> Callable[[int], Form]:
    return FORMS[request.param]


@pytest.fixture
def form(make_form: Callable[[int], Form]) -> Form:
    return make_form(64 * MEGABYTE)


@pytest.fixture
def log(form: Form) -> StreamLog:
    return form.log


def tokens(*texts: str) -> Iterator[Token]:
    index = 0
    for text in texts:
        yield Token(text, index, 1)
        index += utf16_length(text)


def done(text: str = "") -> Done:
    return Done("msg", text, 1, 1, FinishReason.STOP, None, "", 1)


def tell(log: StreamLog, stream_id: str, *events: Event, owner: str = "anna") -> list[Cursor]:
    """Open a stream and append `events`; the places after each."""
    log.open(stream_id, owner)
    return [log.append(stream_id, event) for event in events]


def read_batches(reader: StreamReader) -> list[Batch]:
    """All that is ready, without waiting."""
    return list(iter(lambda: reader.next(0), None))


def decode(batches: list[Batch]) -> list[Received]:
    events = []
    for block in b"".join(batch.wire for batch in batches).decode("ascii").split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        events.append(Received(lines["event"], json.loads(lines["data"]), lines["id"]))
    return events


def read(log: StreamLog, stream_id: str, after: Cursor | None = None, *, lost: bool = False) -> list[Received]:
    reader = log.reader(stream_id, after, lost=lost)
    events = decode(read_batches(reader))
    reader.close()
    return events


def texts(events: list[Received]) -> list[str]:
    return [event.data["text"] for event in events if event.type == "token"]


def test_a_stream_begins_at_the_place_before_its_first_event(log: StreamLog) -> None:
    start = log.open("s", "anna")
    assert start.seq == 0
    assert log.start("s") == start
    assert log.append("s", done()) == Cursor(start.epoch, 1)


def test_events_are_numbered_without_gaps(log: StreamLog) -> None:
    assert [cursor.seq for cursor in tell(log, "s", *tokens("a", "b", "c"), done())] == [1, 2, 3, 4]


def test_a_reader_gets_everything_in_order(log: StreamLog) -> None:
    cursors = tell(log, "s", *tokens("a", "b"), done("ab"))
    events = read(log, "s")
    assert [event.type for event in events] == ["token", "token", "done"]
    assert [event.id for event in events] == [str(cursor) for cursor in cursors]
    assert joined_text(events) == events[-1].data["fullText"] == "ab"


def test_a_reader_reads_on_after_every_cursor(log: StreamLog) -> None:
    start = log.open("s", "anna")
    cursors = [start, *(log.append("s", event) for event in tokens(*"abcdef"))]
    for position, cursor in enumerate(cursors):
        assert texts(read(log, "s", cursor)) == list("abcdef")[position:]


def test_the_last_batch_says_that_it_is_the_last(log: StreamLog) -> None:
    tell(log, "s", *tokens("a"), done())
    batches = read_batches(log.reader("s"))
    assert [batch.is_terminal for batch in batches] == [False] * (len(batches) - 1) + [True]


def test_a_batch_carries_the_cursor_after_it(log: StreamLog) -> None:
    cursors = tell(log, "s", *tokens("a", "b"))
    assert read_batches(log.reader("s"))[-1].cursor == cursors[-1]


def test_a_waiting_reader_wakes_for_each_event(log: StreamLog) -> None:
    log.open("s", "anna")
    reader = log.reader("s")
    got: list[str] = []

    def follow() -> None:
        while (batch := reader.next(5)) is not None and not batch.is_terminal:
            got.extend(texts(decode([batch])))

    following = gevent.spawn(follow)
    for token in tokens("a", "b", "c"):
        log.append("s", token)
        gevent.sleep(0.001)
    log.append("s", done())
    following.get(timeout=5)
    assert got == ["a", "b", "c"]


def test_a_reader_without_news_gives_up_after_its_time(log: StreamLog) -> None:
    log.open("s", "anna")
    assert log.reader("s").next(0.01) is None


def test_readers_do_not_disturb_each_other(log: StreamLog) -> None:
    cursors = tell(log, "s", *tokens("a", "b", "c"))
    readers = [log.reader("s", cursor) for cursor in (None, *cursors)]
    for token in itertools.islice(tokens("a", "b", "c", "d"), 3, 4):
        log.append("s", token)
    assert [texts(decode(read_batches(reader))) for reader in readers] == [
        ["a", "b", "c", "d"],
        ["b", "c", "d"],
        ["c", "d"],
        ["d"],
    ]


@pytest.mark.parametrize("late", [next(tokens("late")), done(), Custom("card", {})], ids=["token", "done", "custom"])
def test_nothing_follows_the_terminal_event(log: StreamLog, late: Event) -> None:
    tell(log, "s", *tokens("a"), done("a"))
    with pytest.raises(StreamEnded):
        log.append("s", late)
    assert [event.type for event in read(log, "s")] == ["token", "done"]


def test_a_reader_that_has_read_the_terminal_event_is_exhausted(log: StreamLog) -> None:
    *_, last, end = tell(log, "s", *tokens("a"), done("a"))
    assert log.reader("s", end).is_exhausted
    assert not log.reader("s", last).is_exhausted
    assert not log.reader("s", end, lost=True).is_exhausted


def test_a_reader_of_a_running_stream_is_never_exhausted(log: StreamLog) -> None:
    (cursor,) = tell(log, "s", *tokens("a"))
    assert not log.reader("s", cursor).is_exhausted


MISFITS: dict[str, Callable[[Cursor], Cursor]] = {
    "foreign epoch": lambda _: Cursor("f" * 10, 1),
    "foreign start": lambda _: Cursor("f" * 10, 0),
    "future": lambda last: Cursor(last.epoch, last.seq + 1),
    "far future": lambda last: Cursor(last.epoch, 10**14),
}


@pytest.mark.parametrize("misfit", MISFITS)
@pytest.mark.parametrize("is_ended", [False, True], ids=["running", "ended"])
def test_a_cursor_that_does_not_fit_gives_reset_and_the_whole_answer(
    log: StreamLog, misfit: str, is_ended: bool
) -> None:
    *_, last = tell(log, "s", *tokens("a", "b"), *([done("ab")] if is_ended else []))
    events = read(log, "s", MISFITS[misfit](last))
    assert events[0].type == "reset"
    assert joined_text(events) == "ab"


def test_a_lost_cursor_gives_reset_and_the_whole_answer(log: StreamLog) -> None:
    tell(log, "s", *tokens("a", "b"))
    events = read(log, "s", None, lost=True)
    assert [event.type for event in events] == ["reset", "token", "token"]


def test_a_reset_does_not_wait_for_the_first_event(log: StreamLog) -> None:
    log.open("s", "anna")
    reader = log.reader("s", Cursor("f" * 10, 3))
    batch = reader.next(0)
    assert batch is not None
    assert decode([batch])[0].type == "reset"


def test_the_id_of_a_reset_is_the_start_of_the_stream(log: StreamLog) -> None:
    tell(log, "s", *tokens("a"))
    start = log.start("s")
    reset = read(log, "s", None, lost=True)[0]
    assert reset.id == str(start)
    assert texts(read(log, "s", start)) == ["a"]


def test_a_stream_opened_again_is_another_telling(log: StreamLog) -> None:
    (old,) = tell(log, "s", *tokens("old"))
    reader = log.reader("s")
    start = log.open("s", "anna")
    assert start.epoch != old.epoch
    assert reader.is_closed
    log.append("s", next(tokens("new")))
    events = read(log, "s", old)
    assert [event.type for event in events] == ["reset", "token"]
    assert joined_text(events) == "new"


def test_an_unknown_stream_is_not_found(log: StreamLog) -> None:
    assert log.owner("unknown") is None
    assert log.start("unknown") is None
    with pytest.raises(NotFound):
        log.reader("unknown")
    with pytest.raises(NotFound):
        log.append("unknown", done())


def test_a_stream_knows_its_owner(log: StreamLog) -> None:
    log.open("s", "anna")
    assert log.owner("s") == "anna"


def test_a_discarded_stream_is_gone_and_its_readers_end(log: StreamLog) -> None:
    tell(log, "s", *tokens("a"))
    reader = log.reader("s")
    log.discard("s")
    log.discard("s")
    assert reader.is_closed
    assert reader.next(5) is None
    assert log.owner("s") is None
    with pytest.raises(NotFound):
        log.reader("s")


def test_closing_wakes_a_waiting_reader(log: StreamLog) -> None:
    log.open("s", "anna")
    reader = log.reader("s")
    waiting = gevent.spawn(reader.next, 60)
    gevent.sleep(0)
    reader.close()
    reader.close()
    assert waiting.get(timeout=1) is None
    assert reader.is_closed


def test_a_closed_reader_reads_nothing_more(log: StreamLog) -> None:
    tell(log, "s", *tokens("a"))
    reader = log.reader("s")
    reader.close()
    assert reader.next(0) is None


def test_the_numbers_count_what_is_held(log: StreamLog) -> None:
    tell(log, "s", *tokens("a", "b"))
    tell(log, "t", done())
    reader = log.reader("s")
    stats = log.get_stats()
    assert (stats["streams"], stats["events"], stats["readers"]) == (2, 3, 1)
    assert stats["bytes"] > 0
    reader.close()
    log.discard("s")
    log.discard("t")
    assert log.get_stats() == {"streams": 0, "events": 0, "readers": 0, "bytes": 0}


def test_an_ended_stream_is_forgotten_after_its_time(form: Form) -> None:
    tell(form.log, "s", done())
    form.let_pass(TTL_S - 1)
    assert form.log.owner("s") == "anna"
    form.let_pass(2)
    assert form.log.owner("s") is None
    assert form.log.start("s") is None
    with pytest.raises(NotFound):
        form.log.reader("s")
    assert form.log.get_stats()["bytes"] == 0


def test_a_running_stream_is_not_forgotten(form: Form) -> None:
    tell(form.log, "s", *tokens("a"))
    form.let_pass(TTL_S * 10)
    assert texts(read(form.log, "s")) == ["a"]


def test_the_time_of_a_stream_counts_from_its_end(form: Form) -> None:
    form.log.open("s", "anna")
    form.let_pass(TTL_S)
    form.log.append("s", done())
    form.let_pass(TTL_S - 1)
    assert form.log.owner("s") == "anna"


@pytest.mark.parametrize("text", ["x" * 30, "\U0001f600" * 9 + "a", "\u4e2d" * 20])
def test_a_long_answer_keeps_its_text_and_takes_bounded_room(log: StreamLog, text: str) -> None:
    start = log.open("s", "anna")
    places = [log.append("s", token) for token in tokens(*[text] * 6000)]
    log.append("s", done(text * 6000))
    assert log.get_stats()["events"] < 2100
    assert joined_text(read(log, "s")) == text * 6000
    for place in (start, places[-1], places[-100]):
        events = read(log, "s", place)
        assert "reset" not in [event.type for event in events]
    # A place inside a merged piece is gone: nothing may be lost or doubled because of it.
    events = read(log, "s", places[100])
    assert events[0].type == "reset"
    assert joined_text(events) == text * 6000


def test_a_reader_that_lags_behind_a_merge_starts_again(log: StreamLog) -> None:
    log.open("s", "anna")
    reader = log.reader("s")
    events: list[Received] = []
    for number, token in enumerate(tokens(*["word "] * 5000)):
        log.append("s", token)
        if number in (3, 700):
            events += decode(read_batches(reader))
    events += decode(read_batches(reader))
    assert "reset" in [event.type for event in events]
    assert joined_text(events) == "word " * 5000


def test_other_events_are_never_merged(log: StreamLog) -> None:
    log.open("s", "anna")
    for number, token in enumerate(tokens(*["word "] * 5000)):
        log.append("s", token)
        if number % 100 == 0:
            log.append("s", Custom("card", number))
    events = read(log, "s")
    assert [event.data for event in events if event.type == "card"] == list(range(0, 5000, 100))
    assert joined_text(events) == "word " * 5000


def test_what_comes_in_one_go_is_bounded(log: StreamLog) -> None:
    tell(log, "s", *tokens(*["x" * 1000] * 500))
    batches = read_batches(log.reader("s"))
    assert max(len(batch.wire) for batch in batches) < 70_000
    assert joined_text(decode(batches)) == "x" * 500_000


def test_the_oldest_ended_stream_makes_room(make_form: Callable[[int], Form]) -> None:
    log = make_form(MEGABYTE).log
    for name in ("first", "second", "third"):
        tell(log, name, *tokens("x" * 300_000), done())
    tell(log, "running", *tokens("x" * 300_000))
    log.append("running", Token("x" * 300_000, 300_000, 1))
    assert [log.owner(name) for name in ("first", "second", "third", "running")] == [None, None, "anna", "anna"]
    assert log.get_stats()["bytes"] <= MEGABYTE


def test_running_streams_are_never_thrown_out(make_form: Callable[[int], Form]) -> None:
    log = make_form(MEGABYTE).log
    tell(log, "s", *tokens("x" * 900_000))
    with pytest.raises(Overloaded) as refused:
        log.append("s", Token("x" * 200_000, 900_000, 1))
    assert refused.value.retry_after_s is not None
    with pytest.raises(Overloaded):
        tell(log, "t", *tokens("x", "x" * 200_000))
    assert joined_text(read(log, "s")) == "x" * 900_000


def test_the_terminal_event_always_has_room(make_form: Callable[[int], Form]) -> None:
    log = make_form(MEGABYTE).log
    tell(log, "s", *tokens("x" * 900_000))
    log.append("s", done("x" * 900_000))
    assert read(log, "s")[-1].type == "done"


def test_the_terminal_event_makes_room_among_ended_streams(make_form: Callable[[int], Form]) -> None:
    log = make_form(MEGABYTE).log
    tell(log, "old", *tokens("x" * 500_000), done())
    tell(log, "s", *tokens("x" * 300_000))
    log.append("s", done("x" * 300_000))
    assert log.owner("old") is None
    assert log.get_stats()["bytes"] <= MEGABYTE


def test_one_stream_cannot_take_all_the_room(log: StreamLog) -> None:
    log.open("s", "anna")
    with suppress(Overloaded):
        for _ in range(64):
            log.append("s", Custom("card", "x" * 500_000))
    assert 16 < log.append("s", done()).seq < 40
    assert read(log, "s")[-1].type == "done"


def test_a_stream_that_was_opened_can_begin(make_form: Callable[[int], Form]) -> None:
    log = make_form(MEGABYTE).log
    log.open("s", "anna")
    tell(log, "greedy", *tokens("x", "x" * (MEGABYTE - 2000)))
    log.append("s", Connected("client", "", 1, "s", "conv", "msg"))
    assert read(log, "s")[0].type == "connected"
