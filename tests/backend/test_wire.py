"""The short way to write a token is the long way's equal, byte for byte."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from chatbubble.events import Custom, Token, to_json
from chatbubble.records import Cursor
from chatbubble.sse import encode_event
from chatbubble.wire import encode

ANY_TEXT = st.text(st.characters(exclude_categories=()))
NUMBERS = st.integers(min_value=0, max_value=2**53)


@given(ANY_TEXT, NUMBERS, NUMBERS, NUMBERS)
@example('"\\/\b\f\n\r\t\x00\x7f\u2028\ud83d\U0001f600', 0, 0, 0)
def test_a_token_is_written_as_any_event(text: str, index: int, timestamp: int, seq: int) -> None:
    token = Token(text, index, timestamp)
    cursor = Cursor("0a1b2c3d4e", seq)
    assert encode(token, cursor) == encode_event(event="token", data=to_json(token), event_id=str(cursor))


def test_any_other_event_has_its_place_and_its_data() -> None:
    assert encode(Custom("price", {"eur": 5}), Cursor("e", 7)) == b'id: e.7\nevent: price\ndata: {"eur":5}\n\n'
