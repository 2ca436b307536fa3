"""Keeping a long answer's log short: old neighbouring tokens become one.

Text and order stay as they are. Only places between merged tokens are lost as cursors:
a reader that comes back with one gets `reset` and the whole answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from ..events import Token, to_json
from ..records import Cursor
from ..sse import encode_event

PIECE_CHARS = 16_384


@dataclass(frozen=True, slots=True)
class Entry:
    """One logged event: its number, its bytes on the wire, its type."""

    seq: int
    wire: bytes
    type: str
    is_terminal: bool


def compact(entries: list[Entry], epoch: str) -> list[Entry]:
    """`entries` with the tokens of the older half merged into pieces of about 16 KB."""
    half = len(entries) // 2
    return [*_merge(entries[:half], epoch), *entries[half:]]


def _merge(entries: list[Entry], epoch: str) -> Iterator[Entry]:
    run: list[tuple[Entry, Token]] = []
    length = 0
    for entry in entries:
        token = _read_token(entry)
        if run and (token is None or length + len(token.text) > PIECE_CHARS):
            yield _join(run, epoch)
            run, length = [], 0
        if token is None:
            yield entry
        else:
            run.append((entry, token))
            length += len(token.text)
    if run:
        yield _join(run, epoch)


def _read_token(entry: Entry) -> Token | None:
    if entry.type != Token.type:
        return None
    fields = json.loads(entry.wire.split(b"data: ", 1)[1])
    return Token(fields["text"], fields["index"], fields["timestamp"])


def _join(run: list[tuple[Entry, Token]], epoch: str) -> Entry:
    if len(run) == 1:
        return run[0][0]
    seq = run[-1][0].seq
    token = Token("".join(token.text for _, token in run), run[0][1].index, run[-1][1].timestamp)
    wire = encode_event(event=token.type, data=to_json(token), event_id=str(Cursor(epoch, seq)))
    return Entry(seq, wire, token.type, False)
