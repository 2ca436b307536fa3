"""Merging old tokens: what a reader puts together stays the same, character for character."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chatbubble.events import Custom, Event, Token, to_json, utf16_length
from chatbubble.sse import encode_event
from chatbubble.stream_logs.compaction import PIECE_BYTES, Entry, compact

HOSTILE = ['"', "\\", '","index":', "\\u0022", "\n\n", "\u2028", "\U0001f600", "\ud83d", "\0", "data: ", ""]


def entries(events: list[Event]) -> list[Entry]:
    return [
        Entry(seq, encode_event(event=event.type, data=to_json(event), event_id=f"epoch.{seq}"), event.type, False)
        for seq, event in enumerate(events, start=1)
    ]


def tokens(texts: list[str]) -> list[Event]:
    said: list[Event] = []
    index = 0
    for text in texts:
        said.append(Token(text, index, 1000 + len(said)))
        index += utf16_length(text)
    return said


def fields(entry: Entry) -> dict[str, Any]:
    """The entry as a client reads it."""
    assert entry.wire.endswith(b"\n\n")
    lines = dict(line.split(": ", 1) for line in entry.wire.decode("ascii")[:-2].split("\n"))
    assert lines["id"] == f"epoch.{entry.seq}"
    assert lines["event"] == entry.type
    data: dict[str, Any] = json.loads(lines["data"])
    return data


def joined(merged: list[Entry]) -> str:
    text = ""
    for entry in merged:
        if entry.type == "token":
            data = fields(entry)
            assert data["index"] == utf16_length(text)
            text += data["text"]
    return text


@given(st.lists(st.text() | st.sampled_from(HOSTILE)))
def test_any_text_stays_as_it_is(texts: list[str]) -> None:
    assert joined(compact(entries(tokens(texts)))) == "".join(texts)


@given(st.lists(st.text() | st.sampled_from(HOSTILE)), st.integers(1, 6))
def test_merging_again_changes_nothing_that_can_be_read(texts: list[str], times: int) -> None:
    merged = entries(tokens(texts))
    for _ in range(times):
        merged = compact(merged)
    assert joined(merged) == "".join(texts)


def test_the_older_half_becomes_one_piece() -> None:
    merged = compact(entries(tokens(["ab", "cd", "ef", "gh"])))
    assert [(entry.seq, fields(entry)["text"]) for entry in merged] == [(2, "abcd"), (3, "ef"), (4, "gh")]


def test_a_piece_has_the_index_of_its_first_and_the_time_of_its_last_token() -> None:
    merged = compact(entries(tokens(["ab", "cd", "ef", "gh"])))
    assert fields(merged[0]) == {"text": "abcd", "index": 0, "timestamp": 1001}


def test_pieces_are_bounded() -> None:
    merged = compact(entries(tokens(["x" * 100] * 2000)))
    assert max(len(entry.wire) for entry in merged) <= PIECE_BYTES


def test_other_events_stay_where_they_are() -> None:
    said: list[Event] = [Token("a", 0, 1), Custom("card", {"text": "b"}), Token("c", 1, 1), Token("d", 2, 1)]
    merged = compact(entries([*said, *said]))
    assert [entry.type for entry in merged][:3] == ["token", "card", "token"]
    assert [entry.seq for entry in merged] == [1, 2, 4, 5, 6, 7, 8]


def test_nothing_to_merge_is_nothing_changed() -> None:
    only = entries(tokens(["a"]))
    assert compact(only) == only
    assert compact([]) == []
