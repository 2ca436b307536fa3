"""The stream log of one process: lists in memory, readers woken directly."""

from __future__ import annotations

import json
import secrets
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable

import gevent

from ..errors import NotFound, Overloaded, StreamEnded
from ..events import Connected, Done, Event, is_terminal
from ..records import Cursor
from ..stream_log import StreamReader
from ..wire import encode
from .compaction import Entry, compact
from .streams import MAX_EVENTS, MemoryReader, Stream

MAX_STREAM_BYTES = 16_777_216
_ENTRY_OVERHEAD = 100  # more than an event costs beside its bytes, which is 61 by tracemalloc


class MemoryStreamLog:
    """Streams of one process.

    Args:
        ttl_s: how long a stream is kept after its terminal event.
        max_bytes: bound for all streams together; the oldest finished ones go first.
        now: monotonic clock in seconds.
        on_evicted: hears of each finished stream that has to make room before its time, and of its epoch.
    """

    is_shared = False

    def __init__(
        self,
        *,
        ttl_s: float = 600,
        max_bytes: int = 67_108_864,
        now: Callable[[], float] = time.monotonic,
        on_evicted: Callable[[str, str], None] = lambda _stream_id, _epoch: None,
    ) -> None:
        self._ttl_s, self._max_bytes, self._now, self._on_evicted = ttl_s, max_bytes, now, on_evicted
        self._streams: dict[str, Stream] = {}
        self._ended: OrderedDict[str, float] = OrderedDict()
        self._bytes = 0
        self._sweeper: gevent.Greenlet[[], None] | None = None

    def open(
        self,
        stream_id: str,
        owner: str,
        *,
        private: bool = False,  # noqa: ARG002 -- all is
        epoch: str = "",
    ) -> Cursor:
        """See StreamLog.open. An `epoch` is given to the copy of a stream that is told elsewhere."""
        self.discard(stream_id)
        stream = Stream(stream_id, owner, epoch or secrets.token_hex(5))
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
        wire = encode(event, cursor)
        self._make_room(stream, len(wire), is_needed=ends or not stream.seqs)
        self._tell(stream_id, stream, Entry(cursor.seq, wire, event.type, ends))
        return cursor

    def copy(self, stream_id: str, entry: Entry) -> None:
        """Append an event that was told elsewhere, with its number. Raises as `append` does."""
        stream = self._find(stream_id)
        if entry.type == Connected.type:
            stream.message_id = json.loads(entry.wire.partition(b"data: ")[2]).get("messageId") or ""
        self._make_room(stream, len(entry.wire), is_needed=entry.is_terminal or not stream.seqs)
        self._tell(stream_id, stream, entry)

    def restart(self, stream_id: str, epoch: str) -> None:
        """Forget what was told: it is told anew, in another epoch. Each reader gets `reset` first."""
        stream = self._find(stream_id)
        self._grow(stream, _ENTRY_OVERHEAD - stream.size)
        stream.replace([])
        stream.epoch, stream.last_seq, stream.is_ended, stream.compact_at = epoch, 0, False, MAX_EVENTS
        self._ended.pop(stream_id, None)
        for reader in stream.readers:
            reader.restart()

    def entries_after(self, stream_id: str, epoch: str, seq: int, *, max_bytes: int) -> list[Entry] | None:
        """The events after number `seq`, the first of them in any case, or None where that number is not
        to be had any more: of another epoch, merged away, forgotten."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.epoch != epoch:
            return None
        position = bisect_right(stream.seqs, seq)
        if seq and (position == 0 or stream.seqs[position - 1] != seq):
            return None
        taken: list[Entry] = []
        size = 0
        for entry in stream.entries(position, position + MAX_EVENTS):
            size += len(entry.wire)
            if taken and size > max_bytes:
                break
            taken.append(entry)
        return taken

    def reader(self, stream_id: str, after: Cursor | None = None, *, lost: bool = False) -> StreamReader:
        """See StreamLog.reader."""
        return MemoryReader(self._find(stream_id), after, lost=lost)

    def start(self, stream_id: str) -> Cursor | None:
        """See StreamLog.start."""
        self._sweep()
        stream = self._streams.get(stream_id)
        return Cursor(stream.epoch, 0) if stream else None

    def end(self, stream_id: str) -> Cursor | None:
        """The place after the newest event; None for an unknown stream."""
        stream = self._streams.get(stream_id)
        return Cursor(stream.epoch, stream.last_seq) if stream else None

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

    def is_foreign(self, stream_id: str) -> bool:  # noqa: ARG002 -- none is
        """See StreamLog.is_foreign."""
        return False

    def has_readers(self, stream_id: str) -> bool:
        """Whether anybody reads this stream now."""
        stream = self._streams.get(stream_id)
        return stream is not None and bool(stream.readers)

    def erase(self, stream_id: str) -> None:
        """See StreamLog.erase. Readers keep what is left of the stream: its last event, which comes after
        `reset`, since their place in it is gone."""
        stream = self._forget(stream_id)
        if stream is None:
            return
        event = Done.of_erased(stream.message_id, int(time.time() * 1000))
        cursor = Cursor(stream.epoch, stream.last_seq + 1)
        stream.replace([Entry(cursor.seq, encode(event, cursor), event.type, True)])
        stream.is_ended = True
        for reader in stream.readers:
            reader.wake()

    def take_over(self, stream_id: str, owner: str, *, epoch: str = "") -> Cursor:
        """See StreamLog.take_over."""
        if stream_id not in self._streams:
            return self.open(stream_id, owner, epoch=epoch)
        self.restart(stream_id, epoch or secrets.token_hex(5))
        return Cursor(self._streams[stream_id].epoch, 0)

    def abandon(self, stream_id: str) -> None:
        """See StreamLog.abandon."""
        self.discard(stream_id)

    def forget(self, stream_id: str) -> None:
        """See StreamLog.forget."""
        self.erase(stream_id)

    def get_stats(self) -> dict[str, int]:
        """See StreamLog.get_stats."""
        self._sweep()
        streams = self._streams.values()
        return {
            "streams": len(self._streams),
            "readers": sum(len(stream.readers) for stream in streams),
            "events": sum(len(stream.seqs) for stream in streams),
            "bytes": self._bytes,
        }

    def _forget(self, stream_id: str) -> Stream | None:
        stream = self._streams.pop(stream_id, None)
        self._ended.pop(stream_id, None)
        if stream:
            self._bytes -= stream.size
        return stream

    def _find(self, stream_id: str) -> Stream:
        try:
            return self._streams[stream_id]
        except KeyError:
            raise NotFound(detail=f"no stream {stream_id}") from None

    def _tell(self, stream_id: str, stream: Stream, entry: Entry) -> None:
        self._add(stream, entry)
        if entry.is_terminal:
            stream.is_ended = True
            self._ended[stream_id] = self._now() + self._ttl_s
            self._arm_sweeper()
        for reader in stream.readers:
            reader.wake()

    def _add(self, stream: Stream, entry: Entry) -> None:
        stream.put(entry)
        self._grow(stream, len(entry.wire) + _ENTRY_OVERHEAD)
        if len(stream.seqs) > stream.compact_at:
            stream.replace(compact(stream.entries()))
            # Not sooner, whatever came of it: events that cannot be merged must not be
            # looked at again for each one that joins them.
            stream.compact_at = len(stream.seqs) + MAX_EVENTS // 2
            size = sum(len(wire) + _ENTRY_OVERHEAD for wire in stream.wires) + _ENTRY_OVERHEAD
            self._grow(stream, size - stream.size)

    def _grow(self, stream: Stream, size: int) -> None:
        stream.size += size
        self._bytes += size

    def _make_room(self, stream: Stream, size: int, *, is_needed: bool = False) -> None:
        """Throw out ended streams until `size` more bytes fit; where they still do not, refuse
        what is not needed. Needed are a stream's first event and its last."""
        while self._bytes + size > self._max_bytes and self._ended:
            oldest = next(iter(self._ended))
            self._on_evicted(oldest, self._streams[oldest].epoch)
            self.discard(oldest)
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
