"""The fleet on Redis: one capped stream that every process follows, and one hash of everybody's numbers.

The stream is followed from a place, not from "now on": a process that cannot reach Redis for a moment misses nothing.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import gevent
from gevent.event import AsyncResult

from ..errors import RedisUnavailable
from ..fleet import Broadcast, ForgetStream, Message, SendTo, Stats, StopTurn
from ..stream_logs.redis_hub import RedisHub
from ..stream_logs.redis_link import Command, Script
from ..stream_logs.redis_news import RETRY_S, Entries

logger = logging.getLogger("chatbubble.fleet")

COUNT_EVERY_S = 2.0
_LIVES_MS = 6000  # a process whose numbers are older is taken for dead
_KEPT = 10_000  # messages
_WAITING = 1000
_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (StopTurn, ForgetStream, Broadcast, SendTo)}
_HEARD = "heard"

# ARGV: process id, its numbers as JSON, ms that a process lives. By Redis's own clock: those of machines differ.
_COUNT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now) .. ' ' .. ARGV[2]) end
local living = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
    if now - tonumber(string.match(all[i + 1], '^%d+')) > tonumber(ARGV[3]) then
        redis.call('HDEL', KEYS[1], all[i])
    elseif all[i] ~= ARGV[1] then
        table.insert(living, string.match(all[i + 1], '^%d+ (.*)$'))
    end
end
redis.call('PEXPIRE', KEYS[1], 60000)
return living
"""


class RedisFleet:
    """See Fleet."""

    is_alone = False

    def __init__(self, hub: RedisHub) -> None:
        self._hub, self._messages = hub, hub.keys.named("messages")
        self._script = Script(hub.link, _COUNT)
        self._hear: Callable[[Message], bool] = lambda _: False
        self._count: Callable[[], Stats] = dict
        self._outbox: list[Command] = []
        self._asked: dict[str, AsyncResult[bool]] = {}
        self._posting: gevent.Greenlet[[], None] | None = None
        self._counting: gevent.Greenlet[[], None] | None = None

    def open(self, hear: Callable[[Message], bool], count: Callable[[], Stats]) -> None:
        """See Fleet.open."""
        self._hear, self._count = hear, count
        (last,) = self._hub.link.ask(("XREVRANGE", self._messages, "+", "-", "COUNT", 1))
        self._hub.news.follow(self._messages, last[0][0] if last else b"0-0", self._take)
        self._counting = gevent.spawn(self._count_often)

    def post(self, message: Message) -> None:
        """See Fleet.post; the oldest of a thousand that wait are given up."""
        self._enqueue({"kind": type(message).__name__, **asdict(message)})

    def reach(self, message: Message, timeout_s: float) -> bool:
        """See Fleet.reach."""
        number = secrets.token_hex(8)
        heard = self._asked[number] = AsyncResult()
        try:
            self._enqueue({"kind": type(message).__name__, **asdict(message), "number": number})
            return heard.wait(timeout_s) is not None
        finally:
            del self._asked[number]

    def get_others(self) -> list[Stats]:
        """See Fleet.get_others; none while Redis is away."""
        return self._try_exchange("")

    def exchange(self) -> list[Stats]:
        """See Fleet.exchange; none while Redis is away."""
        return self._try_exchange(json.dumps(self._count()))

    def _try_exchange(self, own: str) -> list[Stats]:
        try:
            return self._exchange(own)
        except RedisUnavailable as failure:
            logger.warning("the numbers of other processes cannot be had: %s", failure.detail)
            return []

    def close(self) -> None:
        """See Fleet.close."""
        self._hub.news.leave(self._messages)
        for greenlet in (self._posting, self._counting):
            if greenlet is not None:
                greenlet.kill()
        if self._counting is not None:
            try:
                self._hub.link.run([*self._outbox, ("HDEL", self._hub.keys.named("processes"), self._hub.process_id)])
            except RedisUnavailable as failure:
                logger.info("this process is counted for some seconds more: %s", failure.detail)

    def _enqueue(self, message: dict[str, Any]) -> None:
        text = json.dumps({"from": self._hub.process_id, **message})
        self._outbox.append(("XADD", self._messages, "MAXLEN", "~", _KEPT, "*", "m", text))
        del self._outbox[:-_WAITING]
        if self._posting is None or self._posting.ready():
            self._posting = gevent.spawn(self._post)

    def _post(self) -> None:
        while self._outbox:
            batch = self._outbox[:100]
            try:
                self._hub.link.ask(*batch)
            except RedisUnavailable as failure:
                logger.warning("other processes cannot be told for now: %s", failure.detail)
                gevent.sleep(RETRY_S)
            else:
                posted = set(map(id, batch))
                self._outbox = [command for command in self._outbox if id(command) not in posted]

    def _take(self, entries: Entries) -> None:
        for _, fields in entries:
            message = json.loads(fields[b"m"])
            if message.pop("from") == self._hub.process_id:
                continue
            kind, number = message.pop("kind"), message.pop("number", "")
            if kind == _HEARD:
                if number in self._asked:
                    self._asked[number].set(True)
            elif kind in _KINDS and self._is_meant(_KINDS[kind](**message)) and number:
                self._enqueue({"kind": _HEARD, "number": number})

    def _is_meant(self, message: Message) -> bool:
        try:
            return self._hear(message)
        except Exception:
            logger.exception("a message of another process could not be taken")
            return False

    def _count_often(self) -> None:
        while True:
            try:
                self._exchange(json.dumps(self._count()))
            except RedisUnavailable as failure:
                logger.info("the numbers of this process stay here for now: %s", failure.detail)
            gevent.sleep(COUNT_EVERY_S)

    def _exchange(self, own: str) -> list[Stats]:
        living = self._script.run([self._hub.keys.named("processes")], [self._hub.process_id, own, _LIVES_MS])
        return [json.loads(numbers) for numbers in living]
