"""The encoder and decoder against the standard's vectors, every cut, and each other."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.sse import Decoder, EventTooLarge, ServerSentEvent, encode_comment, encode_event

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "fixtures" / "sse_vectors.json").read_text("utf-8")
)
MEGABYTE = 1024 * 1024

texts = st.text(st.characters(codec="utf-8"))
names = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"))
ids = names.map(lambda text: text.strip(" \t"))


def decode(chunks: Iterable[bytes]) -> tuple[list[ServerSentEvent], int | None, str]:
    decoder = Decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return events, decoder.retry_ms, decoder.last_event_id


def cuttings(chunks: list[bytes]) -> Iterator[list[bytes]]:
    whole = b"".join(chunks)
    yield chunks
    yield [bytes([byte]) for byte in whole]
    for place in range(len(whole) + 1):
        yield [whole[:place], whole[place:]]


def test_there_are_149_vectors() -> None:
    assert len(VECTORS) == 149


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vector_holds_for_every_cut(vector: dict[str, Any]) -> None:
    expected = [ServerSentEvent(**event) for event in vector["expect"]]
    chunks = [base64.b64decode(chunk) for chunk in vector["chunks"]]
    for cutting in cuttings(chunks):
        assert decode(cutting) == (expected, vector["retry"], vector["last_event_id"]), cutting


@given(texts, st.none() | names, st.none() | ids, st.none() | st.integers(0, 10**12), st.data())
def test_encode_then_decode_gives_the_same_event(
    data: str, event: str | None, event_id: str | None, retry_ms: int | None, draw: st.DataObject
) -> None:
    wire = encode_event(data=data, event=event, event_id=event_id, retry_ms=retry_ms)
    places = sorted(draw.draw(st.lists(st.integers(0, len(wire)), max_size=5)))
    chunks = [wire[a:b] for a, b in zip([0, *places], [*places, len(wire)], strict=True)]
    lines = data.replace("\r\n", "\n").replace("\r", "\n")
    expected = ServerSentEvent(event or "message", lines, event_id or "")
    assert decode(chunks) == ([expected], retry_ms, event_id or "")


@given(st.lists(st.tuples(texts, ids)), st.integers(1, 7))
def test_a_stream_of_events_survives_any_chunk_size(sent: list[tuple[str, str]], size: int) -> None:
    wire = b"".join(encode_event(data=data, event_id=event_id) + encode_comment("hb") for data, event_id in sent)
    events, _, _ = decode(wire[place : place + size] for place in range(0, len(wire), size))
    assert [event.id for event in events] == [event_id for _, event_id in sent]
    assert [event.data for event in events] == [data.replace("\r\n", "\n").replace("\r", "\n") for data, _ in sent]


def test_an_event_is_written_as_documented() -> None:
    wire = encode_event(data='{"a":1}', event="token", event_id="e.1", retry_ms=1000)
    assert wire == b'retry: 1000\nid: e.1\nevent: token\ndata: {"a":1}\n\n'


def test_a_lone_retry_is_one_line_without_a_blank_one() -> None:
    assert encode_event(retry_ms=1000) == b"retry: 1000\n"


def test_a_lone_id_is_committed_by_a_blank_line() -> None:
    assert encode_event(event_id="7") == b"id: 7\n\n"


def test_a_comment_ends_with_one_lf() -> None:
    assert encode_comment("hb") == b": hb\n"


def test_empty_data_still_writes_a_data_line() -> None:
    assert encode_event(data="") == b"data: \n\n"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_data_is_split_at_each_line_end(end: str) -> None:
    assert encode_event(data=f"a{end}{end}b") == b"data: a\ndata: \ndata: b\n\n"


@pytest.mark.parametrize("char", "\u2028\u2029\u0085\v\f\x1c\x1d\x1e")
def test_data_is_split_at_nothing_else(char: str) -> None:
    assert encode_event(data=f"a{char}b") == f"data: a{char}b\n\n".encode()


@pytest.mark.parametrize("char", "\r\n\0\ud83d")
@pytest.mark.parametrize("field", ["event", "event_id"])
def test_ids_and_types_are_refused_not_cleaned(field: str, char: str) -> None:
    with pytest.raises(ValueError, match=r"CR, LF or NUL|surrogates"):
        encode_event(data="x", **{field: f"a{char}b"})  # type: ignore[arg-type]


@pytest.mark.parametrize("event_id", [" 1", "1 ", "\t1", "1\t"])
def test_an_id_with_blanks_at_its_ends_is_refused(event_id: str) -> None:
    with pytest.raises(ValueError, match="blank"):
        encode_event(data="x", event_id=event_id)


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b"])
def test_a_comment_cannot_smuggle_a_line(text: str) -> None:
    with pytest.raises(ValueError, match="comment"):
        encode_comment(text)


def test_a_negative_retry_is_refused() -> None:
    with pytest.raises(ValueError, match="retry_ms"):
        encode_event(retry_ms=-1)


@pytest.mark.parametrize("fields", [{}, {"event": "x"}, {"event": "x", "event_id": "1"}])
def test_an_event_that_nobody_would_see_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="never dispatched"):
        encode_event(**fields)  # type: ignore[arg-type]


def test_a_lone_surrogate_in_raw_data_becomes_the_replacement_character() -> None:
    assert encode_event(data="a\ud83db") == "data: a\ufffdb\n\n".encode()


def test_two_halves_that_met_become_their_character() -> None:
    assert encode_event(data="\ud83d\ude00") == "data: \U0001f600\n\n".encode()


def test_a_retry_of_ten_thousand_digits_is_read_at_once() -> None:
    assert decode([b"retry: " + b"9" * 10_000 + b"\n"])[1] == 10**18 - 1


def test_a_retry_of_zeros_is_zero() -> None:
    assert decode([b"retry: 000\n"])[1] == 0


def test_a_line_beyond_the_bound_is_refused_before_it_ends() -> None:
    decoder = Decoder(max_bytes=100)
    decoder.feed(b"x" * 100)
    with pytest.raises(EventTooLarge, match="100 bytes"):
        decoder.feed(b"x")


def test_data_beyond_the_bound_is_refused_before_the_blank_line() -> None:
    decoder = Decoder(max_bytes=100)
    decoder.feed(b"data:\n" * 96)
    with pytest.raises(EventTooLarge, match="100 bytes"):
        decoder.feed(b"data:\n")


def test_the_bound_does_not_add_up_over_events() -> None:
    decoder = Decoder(max_bytes=100)
    assert sum(len(decoder.feed(b"data: " + b"x" * 80 + b"\n\n")) for _ in range(1000)) == 1000


def read_time_s(line_bytes: int) -> float:
    decoder = Decoder(max_bytes=32 * MEGABYTE)
    began = time.process_time()
    decoder.feed(b"data: ")
    for _ in range(line_bytes // 16):
        decoder.feed(b"0123456789abcdef")
    events = decoder.feed(b"\n\n")
    assert len(events[0].data) == line_bytes
    return time.process_time() - began


def test_a_10_mb_line_in_small_chunks_takes_linear_time() -> None:
    one = min(read_time_s(MEGABYTE) for _ in range(3))
    assert read_time_s(10 * MEGABYTE) < 30 * one


def test_a_10_mb_event_of_small_lines_takes_linear_time() -> None:
    decoder = Decoder(max_bytes=32 * MEGABYTE)
    began = time.process_time()
    events = decoder.feed(b"data:\n" * (10 * MEGABYTE // 6) + b"\n")
    assert len(events[0].data) == 10 * MEGABYTE // 6 - 1
    assert time.process_time() - began < 10
