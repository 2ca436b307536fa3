"""What every form of the stream log promises its readers. Forms are listed in `stream_log_forms.py`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import gevent
import pytest
from stream_client import joined_text
from stream_log_forms import FORMS, MEGABYTE, decode, done, read, read_batches, tell, texts, tokens

from chatbubble.errors import NotFound, StreamEnded
from chatbubble.events import Custom, Event, Token
from chatbubble.records import Cursor
from chatbubble.stream_log import StreamLog


@pytest.fixture(params=FORMS)
def log(request: pytest.FixtureRequest) -> Iterator[StreamLog]:
    form = FORMS[request.param](64 * MEGABYTE)
    yield form.log
    form.close()


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


def test_a_long_replay_lets_others_run_between_its_batches(log: StreamLog) -> None:
    # A send that does not block does not switch, so nobody else would be served meanwhile.
    tell(log, "s", *tokens(*["x" * 1000] * 3000))
    turns = 0

    def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    others = gevent.spawn(take_turns)
    batches = read_batches(log.reader("s"))
    others.kill()
    assert len(batches) > 40
    assert turns >= len(batches) - 1


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


def test_a_stream_that_is_taken_over_starts_again_for_its_readers(log: StreamLog) -> None:
    (old,) = tell(log, "s", *tokens("old"))
    reader, waiting = log.reader("s"), log.reader("s", old)
    start = log.take_over("s", "anna")
    assert start.epoch != old.epoch
    log.append("s", Token("new", 0, 1))
    log.append("s", done("new"))
    for each in (reader, waiting):
        events = decode(read_batches(each))
        assert [event.type for event in events] == ["reset", "token", "done"]
        assert joined_text(events) == "new"


def test_a_stream_that_has_ended_can_be_taken_over(log: StreamLog) -> None:
    tell(log, "s", *tokens("old"), done("old"))
    log.take_over("s", "anna")
    log.append("s", done())
    assert [event.type for event in read(log, "s")] == ["done"]


def test_an_unknown_stream_can_be_taken_over(log: StreamLog) -> None:
    log.take_over("s", "anna")
    log.append("s", done())
    assert log.owner("s") == "anna"


def test_an_abandoned_stream_cuts_its_readers_off(log: StreamLog) -> None:
    tell(log, "s", *tokens("a"))
    reader = log.reader("s")
    log.abandon("s")
    log.abandon("s")
    assert reader.is_closed
    with pytest.raises(NotFound):
        log.append("s", done())


def test_a_forgotten_stream_ends_without_its_text(log: StreamLog) -> None:
    tell(log, "s", *tokens("secret"))
    reader = log.reader("s")
    log.forget("s")
    events = decode(read_batches(reader))
    assert [event.type for event in events if event.type != "reset"] == ["done"]
    assert not texts(events)


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
