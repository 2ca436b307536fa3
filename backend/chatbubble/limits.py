"""How much one visitor may ask."""

from __future__ import annotations

import math
import time
from typing import Protocol

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from .errors import ConfigError, RateLimited


class Limiter(Protocol):
    """Counts a visitor's questions."""

    def spend(self, visitor_id: str) -> None:
        """Count one question. Raises RateLimited, with the seconds to wait, when it is one too many."""
        ...


class NoLimiter:
    """`CHATBUBBLE_RATE_LIMIT=off`."""

    def spend(self, visitor_id: str) -> None:
        """Anything goes."""


class VisitorLimiter:
    """Moving windows in this process's memory, by the limits package."""

    def __init__(self, rules: tuple[RateLimitItem, ...]) -> None:
        self._rules = rules
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def spend(self, visitor_id: str) -> None:
        """Count one question against every rule; a refused one counts against none."""
        broken = [rule for rule in self._rules if not self._windows.test(rule, visitor_id)]
        if broken:
            # Once the last of them lets go: coming back earlier would only be refused again.
            reset_at = max(self._windows.get_window_stats(rule, visitor_id).reset_time for rule in broken)
            raise RateLimited(retry_after_s=max(1, math.ceil(reset_at - time.time())))
        for rule in self._rules:
            self._windows.hit(rule, visitor_id)


def create_limiter(rate_limit: str) -> Limiter:
    """The limiter that CHATBUBBLE_RATE_LIMIT asks for. Raises ConfigError when it cannot be read."""
    if rate_limit.lower() == "off":
        return NoLimiter()
    try:
        rules = tuple(parse_many(rate_limit))
    except ValueError:
        rules = ()
    if not rules or any(rule.amount < 1 or rule.multiples < 1 for rule in rules):
        raise ConfigError(
            f"CHATBUBBLE_RATE_LIMIT should be like 10/minute;100/day, or off, but it is {rate_limit!r:.80}"
        )
    return VisitorLimiter(rules)
