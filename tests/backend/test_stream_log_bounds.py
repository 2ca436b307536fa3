"""What every form of the stream log promises about time and room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from stream_client import Received, joined_text
from stream_log_forms import FORMS, MEGABYTE, TTL_S, Form, decode, done, read, read_batches, tell, texts, tokens

from chatbubble.errors import NotFound, Overloaded
from chatbubble.events import Connected, Custom, Token
from chatbubble.stream_log import StreamLog


@pytest.fixture(params=FORMS)
def make_form(request: pytest.FixtureRequest) -> Iterator[Callable[[int], Form]]:
    with ExitStack() as made:

        def make(max_bytes: int) -> Form:
            form = FORMS[request.param](max_bytes)
            made.callback(form.close)
            return form

        yield make


@pytest.fixture
def form(make_form: Callable[[int], Form]) -> Form:
    return make_form(64 * MEGABYTE)


@pytest.fixture
def log(form: Form) -> StreamLog:
    return form.log


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


def test_a_huge_event_comes_alone_and_uncopied(log: StreamLog) -> None:
    tell(log, "s", *tokens("a", "b"), done("x" * 1_000_000))
    reader = log.reader("s")
    sizes = [len(batch.wire) for batch in read_batches(reader)]
    assert len(sizes) == 2
    assert sizes[0] < 1000 < 1_000_000 < sizes[1]


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
