"""Waits for news of many Redis streams at once: one greenlet, one connection.

The place from which a stream is followed is an id, never "from now on", so nothing is lost between reading what there
is and waiting for more, nor while Redis is away.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

import gevent

from ..errors import RedisUnavailable
from .redis_link import Link
from .redis_scripts import Keys

logger = logging.getLogger("chatbubble.stream_log")

RETRY_S = 0.25
_PACE_S = 0.005  # with many streams, asking for all of them again costs more than a short wait

Fields = dict[bytes, bytes]
Entries = list[tuple[bytes, Fields]]


class RedisNews:
    """Gives the entries of Redis streams to whoever follows them."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._wake_key = keys.wake(secrets.token_hex(8))
        self._positions: dict[str, bytes] = {self._wake_key: b"0-0"}
        self._takers: dict[str, Callable[[Entries], None]] = {}
        self._after_each: list[Callable[[], None]] = []
        self._is_closed = False
        self._greenlet: gevent.Greenlet[[], None] | None = None

    def follow(self, key: str, position: bytes, take: Callable[[Entries], None]) -> None:
        """Give `take` all entries of this stream after `position`, in the news' own greenlet.

        Raises RedisUnavailable where the waiting greenlet cannot be told at once; then it hears a second later.
        """
        self._positions[key], self._takers[key] = position, take
        if self._greenlet is None or self._greenlet.ready():
            self._greenlet = gevent.spawn(self._work)
        else:
            self._link.look(("XADD", self._wake_key, "MAXLEN", "1", "*", "w", ""), ("EXPIRE", self._wake_key, 60))

    def leave(self, key: str) -> None:
        """Follow it no more. Never switches."""
        self._positions.pop(key, None)
        self._takers.pop(key, None)

    def after_each(self, look: Callable[[], None]) -> None:
        """Call `look` after each round, once a second at least while anything is followed."""
        self._after_each.append(look)

    def close(self) -> None:
        """Follow nothing any more."""
        self._is_closed = True
        if self._greenlet is not None:
            self._greenlet.kill()

    def _work(self) -> None:
        is_failing = False
        while self._takers and not self._is_closed:
            try:
                self._take_news()
                for look in self._after_each:
                    look()
                is_failing = False
            except RedisUnavailable as failure:
                if not is_failing:
                    logger.warning("no news from other processes for now: %s", failure.detail)
                is_failing = True
                gevent.sleep(RETRY_S)
            except Exception:
                logger.exception("news from other processes could not be taken")
                gevent.sleep(RETRY_S)

    def _take_news(self) -> None:
        for name, entries in self._link.wait_for_news(self._positions):
            key = name.decode()
            if key not in self._positions:
                continue  # left meanwhile
            self._positions[key] = entries[-1][0]
            take = self._takers.get(key)
            if take is not None:
                take(entries)
        gevent.sleep(_PACE_S if len(self._positions) > 64 else 0)
