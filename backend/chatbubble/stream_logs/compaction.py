"""Keeping a long answer's log short: old neighbouring tokens become one.

Text and order stay as they are. Only places between merged tokens are lost as cursors:
a reader that comes back with one gets `reset` and the whole answer.

The JSON of the tokens is cut and joined as bytes. Reading and writing it again would take
a tenth of a second for the longest answers, and nobody else would be served meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..events import Token

PIECE_BYTES = 16_384

# What stands before and after the text in a token's bytes; within it, quotes are escaped.
_BEFORE = b'\ndata: {"text":"'
_AFTER = b'","index":'


@dataclass(frozen=True, slots=True)
class Entry:
    """One logged event: its number, its bytes on the wire, its type."""

    seq: int
    wire: bytes
    type: str
    is_terminal: bool


def compact(entries: list[Entry]) -> list[Entry]:
    """`entries` with the tokens of the older half merged into pieces of about 16 KB."""
    half = len(entries) // 2
    return [*_merge(entries[:half]), *entries[half:]]


def _merge(entries: list[Entry]) -> Iterator[Entry]:
    run: list[Entry] = []
    size = 0
    for entry in entries:
        is_token = entry.type == Token.type
        if run and (not is_token or size + len(entry.wire) > PIECE_BYTES):
            yield _join(run)
            run, size = [], 0
        if is_token:
            run.append(entry)
            size += len(entry.wire)
        else:
            yield entry
    if run:
        yield _join(run)


def _join(run: list[Entry]) -> Entry:
    """One token with the number and time of the last and the index of the first."""
    first, last = run[0], run[-1]
    if first is last:
        return first
    head = last.wire[: last.wire.index(_BEFORE) + len(_BEFORE)]
    index = _after_text(first).partition(b",")[0]
    timestamp = _after_text(last).partition(b",")[2]
    text = b"".join(map(_text, run))
    return Entry(last.seq, head + text + _AFTER + index + b"," + timestamp, Token.type, False)


def _text(entry: Entry) -> bytes:
    start = entry.wire.index(_BEFORE) + len(_BEFORE)
    return entry.wire[start : entry.wire.rindex(_AFTER)]


def _after_text(entry: Entry) -> bytes:
    return entry.wire[entry.wire.rindex(_AFTER) + len(_AFTER) :]
