"""A stream on its way to one reader: first line, batches, heartbeats, end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from .sse import encode_comment
from .stream_log import Batch, StreamReader

RETRY_MS = 1000
HEARTBEAT = encode_comment("hb")
PREAMBLE = b"retry: %d\n" % RETRY_MS
SLICE_BYTES = 65_536
MAX_EXCERPT_BYTES = 262_144


class Delivery:
    """The body of one event-stream response.

    A class and not a generator, because a server closes a body it has never begun to
    read, and closing an unstarted generator runs none of its code.

    Args:
        reader: where the events come from.
        heartbeat_s: seconds of silence after which a comment goes out.
        on_close: called exactly once when the response is over, however it ended.

    Attributes:
        stream_id: see StreamReader.
        resets: how often this reader was told to forget what it had read.
    """

    def __init__(self, reader: StreamReader, *, heartbeat_s: float, on_close: Callable[[], None]) -> None:
        self._reader = reader
        self._heartbeat_s = heartbeat_s
        self._on_close: Callable[[], None] | None = on_close
        self._preamble, self._farewell = PREAMBLE, b""
        self._slices: Iterator[bytes] = iter(())
        self._is_over = False
        self.stream_id = reader.stream_id
        self.resets = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next bytes to send. Without events, a heartbeat: one comment line, one LF."""
        if not self._reader.is_closed and (part := next(self._slices, None)) is not None:
            return part
        if self._is_over or self._reader.is_closed:
            raise StopIteration
        # The preamble never waits: what is ready goes with it, else it goes alone.
        batch = self._reader.next(0 if self._preamble or self._farewell else self._heartbeat_s)
        if self._farewell and (batch is None or not batch.is_terminal):
            return self._take_leave(batch)
        if batch is None:
            if self._reader.is_closed:
                raise StopIteration
            return self._take_preamble() or HEARTBEAT
        self._is_over = batch.is_terminal
        # Only `reset` stands at the place before the first event.
        self.resets += batch.cursor.seq == 0
        # A send has its time-out as a whole: in one go, a long last event would never
        # reach a reader on a slow line.
        self._slices = _slices(self._take_preamble() + batch.wire)
        return next(self._slices)

    def dismiss(self, retry_ms: int) -> None:
        """See Delivering: this process stops, and another one reads on. What is said first counts."""
        self._farewell = self._farewell or b"retry: %d\n" % retry_ms
        self._reader.wake()

    def close(self) -> None:
        """The response is over; the WSGI server calls this (PEP 3333)."""
        on_close, self._on_close = self._on_close, None
        self._reader.close()
        if on_close is not None:
            on_close()

    @property
    def is_whole(self) -> bool:
        """Whether everything was handed to the server, up to the terminal event or to where the reader was sent
        away; for one that is over."""
        return self._is_over and next(self._slices, None) is None

    def _take_leave(self, batch: Batch | None) -> bytes:
        """The last bytes of a reader who is sent away: what was ready, and when to come again."""
        self._is_over = True
        return self._take_preamble() + (batch.wire if batch else b"") + self._farewell

    def _take_preamble(self) -> bytes:
        preamble, self._preamble = self._preamble, b""
        return preamble


def _slices(wire: bytes) -> Iterator[bytes]:
    for start in range(0, len(wire), SLICE_BYTES):
        yield wire[start : start + SLICE_BYTES]


class Excerpt(NamedTuple):
    """What a stream had to tell at one moment: whole events, to be sent as a body that ends after them.

    Attributes:
        resets: how often it tells the reader to forget what was read.
    """

    wire: bytes
    resets: int


class Poll:
    """Waits for an excerpt, and can be told not to; see Delivering."""

    def __init__(self, reader: StreamReader) -> None:
        self.stream_id = reader.stream_id
        self._reader = reader

    def dismiss(self, _retry_ms: int) -> None:
        """See Delivering: what there is goes out, and who polls comes again by itself."""
        self._reader.wake()


def excerpt(reader: StreamReader, wait_s: float) -> Excerpt:
    """All that is ready after the reader's place; where that is nothing, what comes first within `wait_s` seconds.

    The bytes are those of a `Delivery`. What is more than MAX_EXCERPT_BYTES is left for the next time.
    """
    wire, resets = bytearray(PREAMBLE), 0
    batch = reader.next(wait_s)
    while batch is not None:
        wire += batch.wire
        resets += batch.cursor.seq == 0
        batch = None if batch.is_terminal or len(wire) > MAX_EXCERPT_BYTES else reader.next(0)
    return Excerpt(bytes(wire), resets)
