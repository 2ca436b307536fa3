"""The stream log of several processes: each has its own in memory, and Redis brings events from one to the others.

Readers read from the memory of their own process, always. So the readers of an answer that runs in this process never
wait for Redis, and go on while it is away; and a thousand streams need three connections.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..errors import StreamEnded
from ..events import Event
from ..records import Cursor
from ..stream_log import StreamReader
from .memory import MemoryStreamLog
from .redis_follower import RedisFollower
from .redis_hub import RedisHub
from .redis_writer import RedisWriter

_TELL_S = 1.0  # how long a question waits for Redis to know its stream
_CATCH_UP_S = 1.0  # how long a reader who was faster than Redis waits for it


class RedisStreamLog:
    """See StreamLog.

    Args:
        hub: this process's access to Redis.
        ttl_s: how long a stream is kept after its terminal event.
        max_bytes: bound for all streams that this process holds, those that it has written to Redis among them.
        now: monotonic clock in seconds, for what is kept in memory.
    """

    is_shared = True

    def __init__(
        self,
        hub: RedisHub,
        *,
        ttl_s: float = 600,
        max_bytes: int = 67_108_864,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hub = hub
        self._local = MemoryStreamLog(ttl_s=ttl_s, max_bytes=max_bytes, now=now, on_evicted=self._forget_evicted)
        self._writer = RedisWriter(self._local, hub, ttl_s=ttl_s, on_lost=self._lose)
        self._follower = RedisFollower(self._local, hub)

    @property
    def is_ready(self) -> bool:
        """Whether Redis took what it was given last."""
        return not self._writer.is_failing

    def open(self, stream_id: str, owner: str, *, private: bool = False) -> Cursor:
        """See StreamLog.open. Other processes know the stream once it returns, if Redis is there."""
        told = self._local.start(stream_id)
        self._follower.leave(stream_id)
        start = self._local.open(stream_id, owner)
        if not private:
            self._writer.begin(stream_id, owner, start.epoch, replaces=told.epoch if told else "")
            self._writer.wait(stream_id, _TELL_S)
        return start

    def append(self, stream_id: str, event: Event) -> Cursor:
        """See StreamLog.append; never switches greenlets."""
        if self._follower.follows(stream_id):
            raise StreamEnded(detail=f"stream {stream_id} is written by another process")
        cursor = self._local.append(stream_id, event)
        if self._writer.owns(stream_id):
            self._writer.wake(stream_id)
        return cursor

    def reader(self, stream_id: str, after: Cursor | None = None, *, lost: bool = False) -> StreamReader:
        """See StreamLog.reader."""
        self._find(stream_id)
        if after is not None and self._follower.follows(stream_id):
            self._catch_up(stream_id, after)
            self._find(stream_id)  # it may have been given up meanwhile
        return self._local.reader(stream_id, after, lost=lost)

    def start(self, stream_id: str) -> Cursor | None:
        """See StreamLog.start."""
        self._find(stream_id)
        return self._local.start(stream_id)

    def owner(self, stream_id: str) -> str | None:
        """See StreamLog.owner. What it finds, `reader` finds too, until the next switch."""
        self._find(stream_id)
        return self._local.owner(stream_id)

    def is_foreign(self, stream_id: str) -> bool:
        """See StreamLog.is_foreign."""
        return self._follower.is_running(stream_id)

    def discard(self, stream_id: str) -> None:
        """See StreamLog.discard. What another process writes is forgotten here alone."""
        told = self._local.start(stream_id)
        if told is not None and not self._follower.follows(stream_id):
            self._writer.discard(stream_id, told.epoch)
        self._follower.leave(stream_id)
        self._local.discard(stream_id)

    def erase(self, stream_id: str) -> None:
        """See StreamLog.erase: in every process, as soon as Redis knows."""
        self._follower.leave(stream_id)
        self._local.erase(stream_id)
        self._writer.erase(stream_id)

    def take_over(self, stream_id: str, owner: str) -> Cursor:
        """See StreamLog.take_over. Raises StoreUnavailable."""
        (told,) = self._hub.link.ask(("HGET", self._hub.keys.meta(stream_id), "epoch"))
        self._follower.leave(stream_id)
        start = self._local.take_over(stream_id, owner)
        self._writer.begin(stream_id, owner, start.epoch, replaces=told.decode() if told else "")
        self._writer.wait(stream_id, _TELL_S)
        return start

    def abandon(self, stream_id: str) -> None:
        """See StreamLog.abandon."""
        if not self._follower.follows(stream_id):
            self._writer.drop(stream_id)
            self._local.discard(stream_id)

    def forget(self, stream_id: str) -> None:
        """See StreamLog.forget."""
        self._follower.leave(stream_id)
        self._local.erase(stream_id)

    def get_stats(self) -> dict[str, int]:
        """See StreamLog.get_stats: what this process holds, copies of other processes' streams included."""
        return self._local.get_stats()

    @property
    def queue_length(self) -> int:
        """See QueueingLog."""
        return self._writer.queue_length

    def flush(self, timeout_s: float) -> bool:
        """Wait until Redis has all that was told here; False when it does not within `timeout_s` seconds."""
        return self._writer.flush(timeout_s)

    def close(self) -> None:
        """Write nothing more; what Redis does not have by now stays in this process."""
        self._writer.close()

    def _find(self, stream_id: str) -> None:
        """Have the stream in memory, if there is one anywhere."""
        if self._local.owner(stream_id) is None and not self._writer.forgets(stream_id):
            self._follower.join(stream_id)

    def _catch_up(self, stream_id: str, after: Cursor) -> None:
        """Wait for what a reader has read already, at the process that writes it: it came here faster than Redis."""
        deadline = time.monotonic() + _CATCH_UP_S
        while (end := self._local.end(stream_id)) is not None and end.epoch == after.epoch and end.seq < after.seq:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            waiting = self._local.reader(stream_id, end)
            waiting.next(left_s)
            waiting.close()

    def _forget_evicted(self, stream_id: str, epoch: str) -> None:
        if not self._follower.follows(stream_id):
            self._writer.discard(stream_id, epoch)
        self._follower.leave(stream_id)

    def _lose(self, stream_id: str, is_erased: bool) -> None:
        """Another process tells this stream now, or its visitor wanted it gone."""
        if is_erased:
            self._local.erase(stream_id)
        else:
            self._local.discard(stream_id)
