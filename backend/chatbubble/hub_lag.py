"""By how much the event loop wakes up too late: what every visitor feels at once when something holds it up."""

from __future__ import annotations

import time

import gevent

from .measures import Histogram

EVERY_S = 0.25


class HubLag:
    """Asks to be woken now and then, and counts how late that was."""

    def __init__(self, lag: Histogram, *, every_s: float = EVERY_S) -> None:
        self._lag, self._every_s = lag, every_s
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """Begin, in a greenlet of its own; harmless when repeated."""
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._watch)

    def stop(self) -> None:
        """End it; harmless when it never began."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
            self._greenlet = None

    def _watch(self) -> None:
        while True:
            began = time.monotonic()
            gevent.sleep(self._every_s)
            self._lag.observe(max(0.0, time.monotonic() - began - self._every_s))
