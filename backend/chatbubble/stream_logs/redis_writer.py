"""Brings what this process tells to Redis: one greenlet for all its streams.

What is still to be written is not queued a second time: it is what the local stream holds after the last event that
Redis has confirmed. So it does not matter how long Redis is away, nor whether it has forgotten everything meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import gevent
from gevent.event import Event as Signal

from ..errors import RedisUnavailable
from .compaction import Entry
from .memory import MemoryStreamLog
from .redis_hub import RedisHub
from .redis_link import Command, Script, failed
from .redis_news import RETRY_S
from .redis_scripts import DISCARD, ENDED, ERASE, ERASED, FENCED, GONE, OK, WRITE

logger = logging.getLogger("chatbubble.stream_log")

_RUNNING_S = 7200.0  # twice the longest answer; a stream that nobody ends is forgotten some time
_MAX_LENGTH = 4096  # events of one stream in Redis; then it is written anew, merged as it is here
_MAX_CALL_BYTES = 262_144
_MAX_STREAMS = 128  # in one go


class _Fate(Enum):
    """What is to become of a stream in Redis."""

    WRITTEN = "written"
    DISCARDED = "discarded"
    ERASED = "erased"


@dataclass(slots=True, eq=False)
class _Outgoing:
    """One stream, what is to become of it, and how much of it Redis has. Another decision is another record."""

    stream_id: str
    owner: str = ""
    epoch: str = ""
    replaces: str = ""
    generation: int = 1
    is_begun: bool = False
    written_seq: int = 0
    length: int = 0
    fate: _Fate = _Fate.WRITTEN
    written: Signal = field(default_factory=Signal)
    sent: list[Entry] = field(default_factory=list)


class RedisWriter:
    """Writes streams of the local log to Redis, in the background.

    Args:
        on_lost: hears of each stream that another process has taken over, or that was erased elsewhere.
    """

    def __init__(
        self, local: MemoryStreamLog, hub: RedisHub, *, ttl_s: float, on_lost: Callable[[str, bool], None]
    ) -> None:
        self._local, self._link, self._keys, self._on_lost = local, hub.link, hub.keys, on_lost
        self._ttl_ms = max(1, int(ttl_s * 1000))
        self._write, self._erase, self._discard = (Script(hub.link, source) for source in (WRITE, ERASE, DISCARD))
        self._streams: dict[str, _Outgoing] = {}
        self._dirty: dict[str, None] = {}
        self._is_idle = Signal()
        self._is_idle.set()
        self._is_failing = False
        self._greenlet: gevent.Greenlet[[], None] | None = None

    @property
    def is_failing(self) -> bool:
        """Whether Redis took nothing at the last attempt."""
        return self._is_failing

    @property
    def queue_length(self) -> int:
        """Streams of which something is still to be written."""
        return len(self._dirty)

    def owns(self, stream_id: str) -> bool:
        """Whether this process writes the stream, or has written it."""
        return stream_id in self._streams

    def forgets(self, stream_id: str) -> bool:
        """Whether the stream is about to be taken out of Redis."""
        outgoing = self._streams.get(stream_id)
        return outgoing is not None and outgoing.fate is not _Fate.WRITTEN

    def begin(self, stream_id: str, owner: str, epoch: str, *, replaces: str = "") -> None:
        """Write this stream from now on; `replaces` is the epoch of an earlier telling that it takes the place of."""
        self._decide(_Outgoing(stream_id, owner, epoch, replaces))

    def wake(self, stream_id: str) -> None:
        """There is more of this stream. Never switches."""
        self._dirty[stream_id] = None
        self._is_idle.clear()
        if self._greenlet is None or self._greenlet.ready():
            self._greenlet = gevent.spawn(self._work)

    def discard(self, stream_id: str, epoch: str) -> None:
        """Take this telling of a stream out of Redis. Never switches."""
        self._decide(_Outgoing(stream_id, epoch=epoch, fate=_Fate.DISCARDED))

    def erase(self, stream_id: str) -> None:
        """Take a stream out of Redis, whoever tells it, and tell all who follow it. Never switches."""
        self._decide(_Outgoing(stream_id, fate=_Fate.ERASED))

    def drop(self, stream_id: str) -> None:
        """Write nothing more of a stream. Never switches."""
        self._streams.pop(stream_id, None)
        self._dirty.pop(stream_id, None)

    def wait(self, stream_id: str, timeout_s: float) -> bool:
        """Wait until Redis knows what was decided about a stream, unless it knows nothing at present."""
        outgoing = self._streams.get(stream_id)
        if outgoing is None or self._is_failing:
            return outgoing is None
        return bool(outgoing.written.wait(timeout_s))

    def flush(self, timeout_s: float) -> bool:
        """Wait until Redis has all there is; False when it does not within `timeout_s` seconds."""
        return bool(self._is_idle.wait(timeout_s))

    def close(self) -> None:
        """Write nothing more."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _decide(self, outgoing: _Outgoing) -> None:
        self._streams[outgoing.stream_id] = outgoing
        self.wake(outgoing.stream_id)

    def _work(self) -> None:
        while self._dirty:
            try:
                self._write_round([self._streams[name] for name in list(self._dirty)[:_MAX_STREAMS]])
            except RedisUnavailable as failure:
                self._report(failure)
                gevent.sleep(RETRY_S)
            except Exception:
                logger.exception("running answers could not be brought to Redis")
                gevent.sleep(RETRY_S)
        self._is_idle.set()

    def _write_round(self, batch: list[_Outgoing]) -> None:
        commands = [self._command(outgoing) for outgoing in batch]
        for outgoing in batch:
            self._dirty.pop(outgoing.stream_id, None)
        try:
            answers = self._link.run(commands)
        except RedisUnavailable:
            self._dirty.update(dict.fromkeys(outgoing.stream_id for outgoing in batch))
            raise
        failure: RedisUnavailable | None = None
        for outgoing, answer in zip(batch, answers, strict=True):
            if self._streams.get(outgoing.stream_id) is not outgoing:
                continue  # decided otherwise meanwhile, and dirty again
            if (failed_here := failed(answer)) is not None:
                self._dirty[outgoing.stream_id] = None
                failure = failed_here
            else:
                self._take_answer(outgoing, answer)
        self._load_missing(answers)
        if failure is not None:
            raise failure
        if self._is_failing:
            self._is_failing = False
            logger.warning("Redis takes running answers again")

    def _load_missing(self, answers: list[Any]) -> None:
        if any(self._write.is_missing(answer) for answer in answers):
            for script in (self._write, self._erase, self._discard):
                script.load()

    def _command(self, outgoing: _Outgoing) -> Command:
        keys = [self._keys.meta(outgoing.stream_id), self._keys.events(outgoing.stream_id)]
        if outgoing.fate is _Fate.ERASED:
            return self._erase.command(keys, [self._ttl_ms])
        entries = self._unwritten(outgoing) if outgoing.fate is _Fate.WRITTEN else None
        if entries is None:
            outgoing.fate = _Fate.DISCARDED  # it may be forgotten here before Redis was there to take it
            return self._discard.command(keys, [outgoing.epoch])
        before = outgoing.written_seq
        arguments: list[Any] = [outgoing.epoch, "" if outgoing.is_begun else "1", outgoing.replaces, outgoing.owner]
        arguments += [outgoing.generation, int(_RUNNING_S * 1000), self._ttl_ms]
        for entry in entries:
            arguments += [entry.seq, before, entry.type, "1" if entry.is_terminal else "", entry.wire]
            before = entry.seq
        outgoing.sent = entries
        return self._write.command(keys, arguments)

    def _unwritten(self, outgoing: _Outgoing) -> list[Entry] | None:
        """What Redis lacks, or the beginning of all there is where it has to be written anew."""
        if outgoing.is_begun and outgoing.length <= _MAX_LENGTH:
            entries = self._entries_after(outgoing, outgoing.written_seq)
            if entries is not None:
                return entries
        outgoing.is_begun, outgoing.written_seq, outgoing.length = False, 0, 0
        return self._entries_after(outgoing, 0)

    def _entries_after(self, outgoing: _Outgoing, seq: int) -> list[Entry] | None:
        return self._local.entries_after(outgoing.stream_id, outgoing.epoch, seq, max_bytes=_MAX_CALL_BYTES)

    def _take_answer(self, outgoing: _Outgoing, answer: Any) -> None:
        status, generation = answer
        stream_id = outgoing.stream_id
        if outgoing.fate is not _Fate.WRITTEN:
            self._leave(outgoing)
        elif status == OK:
            self._confirm(outgoing, generation)
        elif status == GONE:
            outgoing.is_begun = False
            self._dirty[stream_id] = None
        elif status in (FENCED, ERASED):
            self._leave(outgoing)
            self._on_lost(stream_id, status == ERASED)
        elif status == ENDED:
            logger.error("stream %s had ended in Redis before it did here", stream_id)
            self._leave(outgoing)

    def _confirm(self, outgoing: _Outgoing, generation: int) -> None:
        outgoing.is_begun, outgoing.generation = True, generation
        outgoing.length += len(outgoing.sent)
        last = outgoing.sent[-1] if outgoing.sent else None
        outgoing.sent = []
        if last is not None:
            outgoing.written_seq = last.seq
        if self._entries_after(outgoing, outgoing.written_seq):
            self._dirty[outgoing.stream_id] = None
            return
        outgoing.written.set()
        if last is not None and last.is_terminal:
            self._leave(outgoing)

    def _leave(self, outgoing: _Outgoing) -> None:
        outgoing.written.set()
        if self._streams.get(outgoing.stream_id) is outgoing:
            del self._streams[outgoing.stream_id]
            self._dirty.pop(outgoing.stream_id, None)

    def _report(self, failure: RedisUnavailable) -> None:
        if not self._is_failing:
            logger.warning("running answers go on in this process alone for now: %s", failure.detail)
        self._is_failing = True
