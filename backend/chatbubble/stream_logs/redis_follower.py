"""Follows the streams that other processes write: a copy in this process's memory for each one that is read here."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

import gevent

from ..errors import ChatbubbleError, RedisUnavailable
from .compaction import Entry
from .memory import MemoryStreamLog
from .redis_hub import RedisHub
from .redis_news import Entries, Fields
from .redis_scripts import BEFORE, ERASED_TYPE, IS_TERMINAL, TYPE, WIRE

logger = logging.getLogger("chatbubble.stream_log")

LINGER_S = 10.0
_LOOK_AFTER_S = 5.0  # a copy that hears nothing is looked after so often
_PAGE = 512
_PAUSES_S = (0.0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32)


class _Gap(Exception):
    """Events are missing, or not in order."""


@dataclass(slots=True, eq=False)
class _Copy:
    """One stream that is written elsewhere. `position` is the Redis id of the last event that was taken."""

    stream_id: str
    owner: str
    epoch: str
    position: bytes
    seq: int = 0
    is_ended: bool = False
    is_missing: bool = False
    news_at: float = field(default_factory=time.monotonic)
    read_at: float = field(default_factory=time.monotonic)


class RedisFollower:
    """Copies streams of other processes into the local log while they are read here."""

    def __init__(self, local: MemoryStreamLog, hub: RedisHub) -> None:
        self._local, self._link, self._keys, self._news = local, hub.link, hub.keys, hub.news
        self._copies: dict[str, _Copy] = {}
        self._looked_at = 0.0
        hub.news.after_each(self._look_after)

    def follows(self, stream_id: str) -> bool:
        """Whether the local stream is a copy."""
        return stream_id in self._copies

    def is_running(self, stream_id: str) -> bool:
        """Whether it is a copy that still grows."""
        copy = self._copies.get(stream_id)
        return copy is not None and not copy.is_ended

    def join(self, stream_id: str) -> bool:
        """Begin a copy of a stream; False when no process has written it. Raises RedisUnavailable."""
        fetched = self._fetch(stream_id)
        if fetched is None:
            return False
        copy, entries = fetched
        if self._local.owner(stream_id) is not None:
            return True  # another reader was faster
        self._local.open(stream_id, copy.owner, epoch=copy.epoch)
        try:
            for entry in entries:
                self._local.copy(stream_id, entry)
        except ChatbubbleError:
            self._local.discard(stream_id)
            raise
        self._copies[stream_id] = copy
        self._news.follow(self._keys.events(stream_id), copy.position, lambda entries: self._take(copy, entries))
        return True

    def leave(self, stream_id: str) -> None:
        """The local stream is not a copy any more. Never switches."""
        if self._copies.pop(stream_id, None):
            self._news.leave(self._keys.events(stream_id))

    def _fetch(self, stream_id: str) -> tuple[_Copy, list[Entry]] | None:
        """A stream as far as it is told, from its first event on."""
        for pause_s in _PAUSES_S:
            try:
                return self._read_whole(stream_id)
            except _Gap:
                gevent.sleep(pause_s)  # it may be being written anew, a long one in several steps
        # Somebody has cut it. Once it is gone, whoever writes it writes it anew.
        _, (ended,) = self._link.look(
            ("DEL", self._keys.events(stream_id)), ("HMGET", self._keys.meta(stream_id), "ended")
        )
        if ended == b"1":
            return None
        raise RedisUnavailable(retry_after_s=2, detail=f"a part of {stream_id} is lost and will be written anew")

    def _read_whole(self, stream_id: str) -> tuple[_Copy, list[Entry]] | None:
        """All events there are; None for a stream that nobody has written. Raises _Gap."""
        key, meta = self._keys.events(stream_id), self._keys.meta(stream_id)
        ((owner, epoch, last),) = self._link.look(("HMGET", meta, "owner", "epoch", "last"))
        if owner is None or epoch is None:
            return None
        copy, entries = _Copy(stream_id, owner.decode(), epoch.decode(), b"0-0"), list[Entry]()
        while page := self._link.look(("XRANGE", key, b"(" + copy.position, "+", "COUNT", _PAGE))[0]:
            for entry_id, fields in page:
                if fields[TYPE] == ERASED_TYPE:
                    return None
                entry = _next_entry(copy, entry_id, fields)
                if fields[BEFORE] == b"0":
                    entries.clear()
                entries.append(entry)
            gevent.sleep(0)
        if not entries and int(last) > 0:
            raise _Gap(f"of {last} events none is there")
        return copy, entries

    def _take(self, copy: _Copy, entries: Entries) -> None:
        copy.news_at, copy.is_missing = time.monotonic(), False
        try:
            for entry_id, fields in entries:
                if _place(entry_id) <= _place(copy.position):
                    continue  # written anew, after Redis had forgotten it
                if fields[TYPE] == ERASED_TYPE:
                    self.leave(copy.stream_id)
                    self._local.erase(copy.stream_id)
                    return
                epoch = copy.epoch
                entry = _next_entry(copy, entry_id, fields)
                if copy.epoch != epoch:
                    self._local.restart(copy.stream_id, copy.epoch)
                self._local.copy(copy.stream_id, entry)
        except (_Gap, ChatbubbleError) as failure:
            # Whoever reads comes again with the place where they are, and finds what there is then.
            logger.warning("the copy of stream %s is given up: %r", copy.stream_id, failure)
            self._drop(copy)

    def _look_after(self) -> None:
        """Give up copies that nobody reads any more, and those whose streams are gone."""
        now = time.monotonic()
        for copy in tuple(self._copies.values()):
            if self._local.has_readers(copy.stream_id):
                copy.read_at = now
            elif now - copy.read_at > LINGER_S or self._local.start(copy.stream_id) is None:
                self._drop(copy)
        if now - self._looked_at < _LOOK_AFTER_S:
            return
        self._looked_at = now
        silent = [copy for copy in self._copies.values() if now - copy.news_at > _LOOK_AFTER_S]
        answers = self._link.ask(*[("HEXISTS", self._keys.meta(copy.stream_id), "epoch") for copy in silent])
        for copy, is_there in zip(silent, answers, strict=True):
            if copy.is_missing and not is_there:
                self._drop(copy)
            # Whoever writes it writes it anew once Redis is back: that is waited for once.
            copy.is_missing = not is_there

    def _drop(self, copy: _Copy) -> None:
        self.leave(copy.stream_id)
        self._local.discard(copy.stream_id)


def _place(entry_id: bytes) -> tuple[int, int]:
    generation, _, seq = entry_id.partition(b"-")
    return int(generation), int(seq)


def _next_entry(copy: _Copy, entry_id: bytes, fields: Fields) -> Entry:
    """The event after those that `copy` has; or the first of another telling. Raises _Gap."""
    wire, seq = fields[WIRE], int(entry_id.partition(b"-")[2])
    epoch = wire[len(b"id: ") : wire.index(b".")].decode()
    if epoch != copy.epoch:
        copy.epoch, copy.seq = epoch, 0
    if int(fields[BEFORE]) != copy.seq:
        raise _Gap(f"event {seq} does not follow {copy.seq}")
    copy.position, copy.seq = entry_id, seq
    copy.is_ended = fields[IS_TERMINAL] == b"1"
    return Entry(seq, wire, fields[TYPE].decode(), copy.is_ended)
