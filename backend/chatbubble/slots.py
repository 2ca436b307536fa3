"""The connections that one process has open: nine tenths of the slots are for event streams, the rest for all else.

A connection is served, or it waits: for the head of its first request, or of another one. Who waits has asked nothing
yet, and can be sent away for somebody who does. So neither idle connections nor those that never finish a head keep
anybody out; and what asks a server how it is always finds a place.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

# A request is on its way for so long at least; sent away earlier, nobody would be left after a rush.
GRACE_S = 1.0
_LEAST_RESERVE = 16


class Waiter(Protocol):
    """A connection, as the slots see it."""

    def send_away(self) -> None:
        """End it: it waits for a request. Never switches."""
        ...


class Slots:
    """Who is connected, and who has to make room.

    Args:
        max_streams: how many connections may be served before streams are refused.
        now: monotonic clock in seconds.

    Attributes:
        size: how many connections there may be, when not all of them are served.
    """

    def __init__(self, max_streams: int, now: Callable[[], float] = time.monotonic) -> None:
        self.size = max_streams + max(_LEAST_RESERVE, math.ceil(max_streams / 9))
        self._max_streams, self._now = max_streams, now
        self._waiting: dict[Waiter, float] = {}  # since when, the longest first
        self._served: set[Waiter] = set()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._served)

    @property
    def served(self) -> int:
        """How many have asked something and wait for the end of its answer."""
        return len(self._served)

    @property
    def is_scarce(self) -> bool:
        """Whether one stream more would take the place of what is kept free; asked by one who is being served."""
        return self.served > self._max_streams

    @property
    def is_over(self) -> bool:
        """Whether more are served than there are slots."""
        return self.served > self.size

    def wait(self, connection: Waiter) -> None:
        """It is new, or its request has been answered."""
        self._served.discard(connection)
        self._waiting[connection] = self._now()
        if len(self) > self.size:
            self._make_room()

    def serve(self, connection: Waiter) -> None:
        """It has asked something."""
        self._waiting.pop(connection, None)
        self._served.add(connection)

    def leave(self, connection: Waiter) -> None:
        """It is closed."""
        self._waiting.pop(connection, None)
        self._served.discard(connection)

    def send_idle_away(self) -> None:
        """End all that wait, but for those that may have a request on its way."""
        for connection, since in tuple(self._waiting.items()):
            if self._now() - since >= GRACE_S:
                self._send_away(connection)

    def _make_room(self) -> None:
        longest, since = next(iter(self._waiting.items()))
        # So many at once that files run out: then no grace is given.
        if self._now() - since >= GRACE_S or len(self) > 2 * self.size:
            self._send_away(longest)

    def _send_away(self, connection: Waiter) -> None:
        del self._waiting[connection]
        connection.send_away()
