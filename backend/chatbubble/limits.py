"""How much one visitor may ask."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from .errors import ConfigError, RateLimited

# Feedback calls no model: this is more than anybody who reads would give.
FEEDBACK_RATE = "30/minute;300/day"


class Limiter(Protocol):
    """Counts a visitor's questions, or what else they send."""

    def hold(self, visitor_id: str, /) -> AbstractContextManager[Callable[[], None]]:
        """Hold a place for one question within the block; what the block gets counts the question.

        Not counted, the place is free again afterwards, and nobody else could take it meanwhile. Raises
        RateLimited, with the seconds to wait, when there is no place.
        """
        ...


class NoLimiter:
    """`CHATBUBBLE_RATE_LIMIT=off`."""

    def hold(self, _visitor_id: str, /) -> AbstractContextManager[Callable[[], None]]:
        """Anything goes."""
        return nullcontext(lambda: None)


class VisitorLimiter:
    """Moving windows in this process's memory, by the limits package."""

    def __init__(self, rules: tuple[RateLimitItem, ...]) -> None:
        self._rules = rules
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._held: Counter[str] = Counter()

    @contextmanager
    def hold(self, visitor_id: str, /) -> Iterator[Callable[[], None]]:
        """See Limiter.hold: a place under every rule, or under none."""
        cost = self._held[visitor_id] + 1
        broken = [rule for rule in self._rules if not self._windows.test(rule, visitor_id, cost=cost)]
        if broken:
            # Once the last of them lets go: coming back earlier would only be refused again.
            reset_at = max(self._windows.get_window_stats(rule, visitor_id).reset_time for rule in broken)
            raise RateLimited(retry_after_s=max(1, math.ceil(reset_at - time.time())))
        self._held[visitor_id] = cost
        try:
            yield lambda: self._count(visitor_id)
        finally:
            self._held[visitor_id] -= 1
            if not self._held[visitor_id]:
                del self._held[visitor_id]

    def _count(self, visitor_id: str) -> None:
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


def create_feedback_limiter(rate_limit: str) -> Limiter:
    """The limiter of feedback: FEEDBACK_RATE, unless CHATBUBBLE_RATE_LIMIT switches limits off."""
    return create_limiter("off" if rate_limit.lower() == "off" else FEEDBACK_RATE)
