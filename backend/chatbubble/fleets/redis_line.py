"""What many greenlets have to ask of Redis within their requests: sent together, in the order in which they came.

Nobody waits long. Whoever has no answer after PATIENCE_S, or comes while Redis is away, decides without it; whether it
is back, one greenlet finds out, and not the visitors.
"""

from __future__ import annotations

import logging
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import gevent
from gevent.event import AsyncResult
from gevent.event import Event as Signal

from ..errors import RedisUnavailable
from ..stream_logs.redis_hub import RedisHub
from ..stream_logs.redis_link import Command, Link, failed

logger = logging.getLogger("chatbubble.limits")

PATIENCE_S = 0.5
BEAT_S = 2.0
LIVES_S = 10.0
_BATCH = 200
_MOST_WAITING = 10_000

# KEYS: who lives. ARGV: member, ms that it lives, the member that it was before. Whether it was there, how many live.
# By Redis's own clock: those of machines differ.
_BEAT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if ARGV[3] ~= ARGV[1] then redis.call('ZREM', KEYS[1], ARGV[3]) end
local added = redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {1 - added, redis.call('ZCARD', KEYS[1])}
"""


class _Asked(NamedTuple):
    """Commands, and who waits for their answers."""

    commands: tuple[Command, ...]
    waiter: AsyncResult[Any] | None


class RedisLine:
    """One connection to Redis, for questions that are answered at once or not at all.

    Attributes:
        member: this process's name here; another one after Redis was away, so that nothing counts that it missed.
        living: the key of a sorted set: the members that live, and until when, in ms.
        processes: how many lived when Redis was last heard of, this one included.
        on_forgotten: called when Redis may know nothing of what this process has told. Never switches.
    """

    def __init__(self, hub: RedisHub) -> None:
        self.member = self._counted = ""
        self.living = hub.keys.named("living")
        self.processes = 1
        self.on_forgotten: Callable[[], None] = lambda: None
        self._link = Link(hub.url, timeout_s=PATIENCE_S)
        self._waiting: deque[_Asked] = deque()
        self._has_work = Signal()
        self._is_away = True
        self._greenlets: list[gevent.Greenlet[[], None]] = []

    def open(self) -> None:
        """Begin, and be counted among `processes` from now on. Harmless when repeated."""
        if self._greenlets:
            return
        self._beat()
        self._greenlets = [gevent.spawn(self._send), gevent.spawn(self._beat_often)]

    def ask(self, *commands: Command) -> list[Any]:
        """The answers to some commands. Raises RedisUnavailable, within PATIENCE_S, when there are none."""
        if self._is_away or len(self._waiting) >= _MOST_WAITING:
            raise RedisUnavailable(detail="it is away, or behind")
        answers: AsyncResult[Any] = AsyncResult()
        self._enqueue(_Asked(commands, answers))
        with gevent.Timeout(PATIENCE_S, RedisUnavailable(detail=f"no answer within {PATIENCE_S} s")):
            return list(answers.get() or ())

    def tell(self, *commands: Command) -> None:
        """Commands whose answers nobody waits for; lost while Redis is away, or full. Never switches."""
        if commands and not self._is_away:
            self._enqueue(_Asked(commands, None))

    def close(self) -> None:
        """Be counted no more."""
        for greenlet in self._greenlets:
            greenlet.kill()
        if self._greenlets and not self._is_away:
            left = [command for commands, _ in self._waiting for command in commands]
            try:
                self._link.ask(*left, ("ZREM", self.living, self.member))
            except RedisUnavailable as failure:
                logger.info("this process is counted for some seconds more: %s", failure.detail)
        self._greenlets, self._is_away = [], True
        self._link.close()

    def _enqueue(self, asked: _Asked) -> None:
        self._waiting.append(asked)
        self._has_work.set()

    def _send(self) -> None:
        while True:
            self._has_work.wait()
            self._has_work.clear()
            while self._waiting:
                self._exchange([self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))])

    def _exchange(self, batch: list[_Asked]) -> None:
        try:
            answers = iter(self._link.run([command for commands, _ in batch for command in commands]))
        except RedisUnavailable as failure:
            batch += self._waiting
            self._go_without(failure)
            for _, waiter in batch:
                if waiter is not None:
                    waiter.set_exception(failure)
            return
        for commands, waiter in batch:
            own = [next(answers) for _ in commands]
            refused = next(filter(None, map(failed, own)), None)
            if waiter is not None and refused is not None:
                waiter.set_exception(refused)
            elif waiter is not None:
                waiter.set(own)

    def _go_without(self, failure: RedisUnavailable) -> None:
        if not self._is_away:
            logger.warning("limits are counted in this process alone for now: %s", failure.detail)
        self._is_away = True
        self._waiting.clear()

    def _beat_often(self) -> None:
        while True:
            gevent.sleep(BEAT_S)
            self._beat()

    def _beat(self) -> None:
        was_away = self._is_away
        if was_away:
            self.member = secrets.token_hex(6)
        command = ("EVAL", _BEAT, 1, self.living, self.member, int(LIVES_S * 1000), self._counted)
        try:
            (was_there, self.processes) = self._link.ask(command)[0]
        except RedisUnavailable as failure:
            self._go_without(failure)
            return
        if was_away and self._greenlets:
            logger.warning("limits are counted by all processes together again")
        self._is_away, self._counted = False, self.member
        if not was_there:
            self.on_forgotten()
