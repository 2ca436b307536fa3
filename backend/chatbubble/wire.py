"""Events as the bytes that go out: the form of `events`, the framing of `sse`."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii

from .events import Event, Token, to_json
from .records import Cursor
from .sse import encode_event


def encode(event: Event, cursor: Cursor) -> bytes:
    """One event with its place in a stream.

    Raises what `to_json` and `encode_event` raise, for events of integrators only.
    """
    if type(event) is Token:
        return _encode_token(event, cursor)
    return encode_event(event=event.type, data=to_json(event), event_id=str(cursor))


def _encode_token(token: Token, cursor: Cursor) -> bytes:
    # Almost all events are tokens, and nothing of one but its text needs a look: the general way takes 8 us, this 0.8.
    text = encode_basestring_ascii(token.text)
    data = f'{{"text":{text},"index":{token.index},"timestamp":{token.timestamp}}}'
    return f"id: {cursor.epoch}.{cursor.seq}\nevent: token\ndata: {data}\n\n".encode("ascii")
