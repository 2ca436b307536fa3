"""The stream log of one process: lists in memory, readers woken directly."""

from __future__ import annotations

import secrets
import time
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import gevent
from gevent.event import Event as Signal

from ..errors import NotFound, Overloaded, StreamEnded
from ..events import Connected, Done, Event, Reset, is_terminal, to_json
from ..records import Cursor
from ..sse import encode_event
from ..stream_log import Batch, StreamReader
from .compaction import Entry, compact

MAX_EVENTS = 2048
MAX_STREAM_BYTES = 16_777_216
BATCH_BYTES = 65_536
_ENTRY_OVERHEAD = 200  # what a small entry costs beside its bytes, by tracemalloc


@dataclass(slots=True)
class _Stream:
    owner: str
    epoch: str
    entries: list[Entry] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    last_seq: int = 0
    size: int = 0
    compact_at: int = MAX_EVENTS
    is_ended: bool = False
    message_id: str = ""
    readers: set[MemoryReader] = field(default_factory=set)


class MemoryStreamLog:
    """Streams of one process.

    Args:
        ttl_s: how long a stream is kept after its terminal event.
        max_bytes: bound for all streams together; the oldest finished ones go first.
        now: monotonic clock in seconds.
    """

    def __init__(
        self, *, ttl_s: float = 600, max_bytes: int = 67_108_864, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._ttl_s, self._max_bytes, self._now = ttl_s, max_bytes, now
        self._streams: dict[str, _Stream] = {}
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._bytes = 0
        self._sweeper: gevent.Greenlet[[], None] | None = None

    def open(self, stream_id: str, owner: str) -> Cursor:
        """See StreamLog.open."""
        self.discard(stream_id)
        stream = _Stream(owner, secrets.token_hex(5))
        self._make_room(stream, _ENTRY_OVERHEAD)
        self._streams[stream_id] = stream
        self._grow(stream, _ENTRY_OVERHEAD)
        return Cursor(stream.epoch, 0)

    def append(self, stream_id: str, event: Event) -> Cursor:
        """See StreamLog.append. Raises Overloaded when running streams take all memory, or
        this one more than its share."""
        stream = self._find(stream_id)
        if stream.is_ended:
            raise StreamEnded(detail=f"{event.type} event after the end of stream {stream_id}")
        if isinstance(event, Connected):
            stream.message_id = event.message_id or ""
        ends = is_terminal(event)
        cursor = Cursor(stream.epoch, stream.last_seq + 1)
        wire = encode_event(event=event.type, data=to_json(event), event_id=str(cursor))
        self._make_room(stream, len(wire), is_needed=ends or not stream.entries)
        self._add(stream, Entry(cursor.seq, wire, event.type, ends))
        if ends:
            stream.is_ended = True
            self._ended[stream_id] = self._now() + self._ttl_s
            self._arm_sweeper()
        for reader in stream.readers:
            reader.wake()
        return cursor

    def reader(self, stream_id: str, after: Cursor | None = None, *, lost: bool = False) -> StreamReader:
        """See StreamLog.reader."""
        return MemoryReader(self._find(stream_id), after, lost=lost)

    def start(self, stream_id: str) -> Cursor | None:
        """See StreamLog.start."""
        self._sweep()
        stream = self._streams.get(stream_id)
        return Cursor(stream.epoch, 0) if stream else None

    def owner(self, stream_id: str) -> str | None:
        """See StreamLog.owner. What it finds, `reader` finds too, until the next switch."""
        self._sweep()
        stream = self._streams.get(stream_id)
        return stream.owner if stream else None

    def discard(self, stream_id: str) -> None:
        """See StreamLog.discard."""
        stream = self._forget(stream_id)
        for reader in tuple(stream.readers) if stream else ():
            reader.close()

    def erase(self, stream_id: str) -> None:
        """See StreamLog.erase. Readers keep what is left of the stream: its last event, which comes after
        `reset`, since their place in it is gone."""
        stream = self._forget(stream_id)
        if stream is None:
            return
        event = Done.of_erased(stream.message_id, int(time.time() * 1000))
        stream.last_seq += 1
        wire = encode_event(event=event.type, data=to_json(event), event_id=str(Cursor(stream.epoch, stream.last_seq)))
        stream.entries, stream.seqs = [Entry(stream.last_seq, wire, event.type, True)], [stream.last_seq]
        stream.is_ended = True
        for reader in stream.readers:
            reader.wake()

    def get_stats(self) -> dict[str, int]:
        """See StreamLog.get_stats."""
        self._sweep()
        streams = self._streams.values()
        return {
            "streams": len(self._streams),
            "readers": sum(len(stream.readers) for stream in streams),
            "events": sum(len(stream.entries) for stream in streams),
            "bytes": self._bytes,
        }

    def _forget(self, stream_id: str) -> _Stream | None:
        stream = self._streams.pop(stream_id, None)
        self._ended.pop(stream_id, None)
        if stream:
            self._bytes -= stream.size
        return stream

    def _find(self, stream_id: str) -> _Stream:
        try:
            return self._streams[stream_id]
        except KeyError:
            raise NotFound(detail=f"no stream {stream_id}") from None

    def _add(self, stream: _Stream, entry: Entry) -> None:
        stream.entries.append(entry)
        stream.seqs.append(entry.seq)
        stream.last_seq = entry.seq
        self._grow(stream, len(entry.wire) + _ENTRY_OVERHEAD)
        if len(stream.entries) > stream.compact_at:
            stream.entries = compact(stream.entries)
            stream.seqs = [kept.seq for kept in stream.entries]
            # Not sooner, whatever came of it: events that cannot be merged must not be
            # looked at again for each one that joins them.
            stream.compact_at = len(stream.entries) + MAX_EVENTS // 2
            size = sum(len(kept.wire) + _ENTRY_OVERHEAD for kept in stream.entries) + _ENTRY_OVERHEAD
            self._grow(stream, size - stream.size)

    def _grow(self, stream: _Stream, size: int) -> None:
        stream.size += size
        self._bytes += size

    def _make_room(self, stream: _Stream, size: int, *, is_needed: bool = False) -> None:
        """Throw out ended streams until `size` more bytes fit; where they still do not, refuse
        what is not needed. Needed are a stream's first event and its last."""
        while self._bytes + size > self._max_bytes and self._ended:
            self.discard(next(iter(self._ended)))
        if is_needed:
            return
        if self._bytes + size > self._max_bytes:
            raise Overloaded(retry_after_s=5, detail=f"running streams hold {self._bytes} bytes: CHATBUBBLE_LOG_BYTES")
        if stream.size + size > MAX_STREAM_BYTES:
            raise Overloaded(detail=f"one answer's events passed {MAX_STREAM_BYTES} bytes")

    def _sweep(self) -> None:
        now = self._now()
        while self._ended and next(iter(self._ended.values())) <= now:
            self.discard(next(iter(self._ended)))

    def _arm_sweeper(self) -> None:
        # One timer for all, so that an idle process forgets ended streams too.
        if self._sweeper is None and self._ended:
            self._sweeper = gevent.spawn_later(max(0.05, self._ttl_s / 10), self._sweep_later)

    def _sweep_later(self) -> None:
        self._sweeper = None
        self._sweep()
        self._arm_sweeper()


class MemoryReader:
    """See StreamReader."""

    def __init__(self, stream: _Stream, after: Cursor | None, *, lost: bool) -> None:
        self._stream = stream
        self._needs_reset = lost or not _fits(stream, after)
        self._seq = 0 if after is None or self._needs_reset else after.seq
        self._signal = Signal()
        self._has_waited = True
        self._is_closed = False
        stream.readers.add(self)

    @property
    def is_exhausted(self) -> bool:
        """See StreamReader.is_exhausted."""
        return self._stream.is_ended and self._seq >= self._stream.last_seq

    @property
    def is_closed(self) -> bool:
        """See StreamReader.is_closed."""
        return self._is_closed

    def wake(self) -> None:
        """Something was appended. Never switches."""
        self._signal.set()

    def close(self) -> None:
        """See StreamReader.close."""
        self._is_closed = True
        self._stream.readers.discard(self)
        self._signal.set()

    def next(self, timeout_s: float) -> Batch | None:
        """See StreamReader.next."""
        if not self._has_waited:
            # A send that does not block does not switch: without this, a long replay would
            # keep every other request waiting.
            gevent.sleep(0)
        self._has_waited = False
        if not (self._needs_reset or self._is_closed) and self._seq >= self._stream.last_seq:
            self._signal.clear()
            self._signal.wait(timeout_s)
            self._has_waited = True
        return None if self._is_closed else self._take()

    def _take(self) -> Batch | None:
        stream = self._stream
        if self._needs_reset:
            return self._take_reset()
        position = bisect_right(stream.seqs, self._seq)
        if self._seq and (position == 0 or stream.seqs[position - 1] != self._seq):
            # The place was merged away while this reader lagged behind.
            return self._take_reset()
        wires: list[bytes] = []
        size, is_terminal_read = 0, False
        for entry in stream.entries[position : position + 256]:
            if wires and len(entry.wire) > BATCH_BYTES:
                break  # it goes alone, and is not copied then
            wires.append(entry.wire)
            size += len(entry.wire)
            self._seq, is_terminal_read = entry.seq, entry.is_terminal
            if size >= BATCH_BYTES:
                break
        if not wires:
            return None
        return Batch(b"".join(wires), Cursor(stream.epoch, self._seq), is_terminal_read)

    def _take_reset(self) -> Batch:
        self._needs_reset, self._seq = False, 0
        start = Cursor(self._stream.epoch, 0)
        event = Reset("the cursor does not fit this stream", int(time.time() * 1000))
        return Batch(encode_event(event=event.type, data=to_json(event), event_id=str(start)), start, False)


def _fits(stream: _Stream, cursor: Cursor | None) -> bool:
    if cursor is None or (cursor.epoch == stream.epoch and cursor.seq == 0):
        return True
    if cursor.epoch != stream.epoch or cursor.seq > stream.last_seq:
        return False
    position = bisect_left(stream.seqs, cursor.seq)
    return stream.seqs[position] == cursor.seq
