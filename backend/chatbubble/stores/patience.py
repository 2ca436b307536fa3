"""How a store waits for the process that owns its database."""

from __future__ import annotations

import logging
import time

import gevent

from ..errors import StoreUnavailable

logger = logging.getLogger("chatbubble.store")

_LOOK_EVERY_S = 0.05


class Patience:
    """Waits `wait_s` seconds in all, from the first look on; `kind` is what a process can have of its own: a file."""

    def __init__(self, wait_s: float, kind: str) -> None:
        self._wait_s, self._kind = wait_s, kind
        self._gives_up_at: float | None = None

    def wait(self, name: str, owner: str) -> None:
        """Let a moment pass before the next look at `name`, which `owner` has. Raises StoreUnavailable at the end."""
        now = time.monotonic()
        if self._gives_up_at is None:
            self._gives_up_at = now + self._wait_s
            logger.warning("%s belongs to %s: waiting up to %.0f s for its end", name, owner, self._wait_s)
        if now >= self._gives_up_at:
            raise StoreUnavailable(
                retry_after_s=5,
                detail=f"one process at a time may use {name}, and {owner} does: "
                f"stop that one first, or give this one a {self._kind} of its own",
            )
        gevent.sleep(_LOOK_EVERY_S)

    def end(self) -> None:
        """It was had: who waits again waits anew."""
        self._gives_up_at = None
