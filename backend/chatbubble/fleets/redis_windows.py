"""Moving windows that all processes share, in Redis; while it is away, a fixed share of them in each.

The counting is the limits package's own script. Its client asks for one rule after the other and waits for each as long
as Redis likes, so it is we who bring the script there: all rules of a question at once, and nobody waits long.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from limits import RateLimitItem
from limits.storage import RedisStorage

from ..errors import RedisUnavailable
from ..stream_logs.redis_hub import RedisHub
from ..stream_logs.redis_link import Command
from ..windows import Claim, MemoryWindows, NoPlaceError, Taken
from .redis_line import RedisLine

_FULL_S = 1.0  # so long a window that was full is taken to be: a thousand refusals ask once
_MOST_FULL = 10_000


class RedisWindows:
    """See Windows."""

    def __init__(self, hub: RedisHub, line: RedisLine) -> None:
        self._line, self._prefix = line, hub.keys.named("limits:")
        self._memory = MemoryWindows()
        self._full_until: dict[str, tuple[float, float]] = {}

    def take(self, claims: Sequence[Claim]) -> Taken:
        """See Windows.take."""
        if not claims:
            return self
        now = time.time()
        known = [self._known_wait(claim, now) for claim in claims]
        if any(known):
            raise NoPlaceError(known)
        try:
            return self._take(claims, now)
        except RedisUnavailable:
            return self._take_share(claims)

    def give_back(self, claims: Sequence[Claim]) -> None:
        """See Taken.give_back: the newest entry of each window goes, which is as good as the very one."""
        for key in map(self._key, claims):
            self._full_until.pop(key, None)
            self._line.tell(("LPOP", key))

    def _take(self, claims: Sequence[Claim], now: float) -> RedisWindows:
        are_taken = self._line.ask(*(self._acquire(claim, now) for claim in claims))
        if all(are_taken):
            return self
        self.give_back([claim for claim, is_taken in zip(claims, are_taken, strict=True) if is_taken])
        full = [claim for claim, is_taken in zip(claims, are_taken, strict=True) if not is_taken]
        windows = iter(self._line.ask(*(self._look(claim, now) for claim in full)))
        raise NoPlaceError(
            [
                0 if is_taken else self._note_wait(claim, next(windows), now)
                for claim, is_taken in zip(claims, are_taken, strict=True)
            ]
        )

    def _take_share(self, claims: Sequence[Claim]) -> Taken:
        processes = self._line.processes
        shares = [Claim(_share(rule, processes), subject) for rule, subject in claims]
        return _Share(self._memory.take(shares), processes)

    def _note_wait(self, claim: Claim, window: Any, now: float) -> float:
        """How long a full window stays so: until its oldest entry is over."""
        began_at = float(window[0]) if window else now
        wait_s = max(0.001, began_at + claim.rule.get_expiry() - now)
        if len(self._full_until) >= _MOST_FULL:
            self._full_until.clear()
        self._full_until[self._key(claim)] = (now + min(wait_s, _FULL_S), now + wait_s)
        return wait_s

    def _known_wait(self, claim: Claim, now: float) -> float:
        believed_until, full_until = self._full_until.get(self._key(claim), (0.0, 0.0))
        return full_until - now if believed_until > now else 0

    def _acquire(self, claim: Claim, now: float) -> Command:
        rule = claim.rule
        script = RedisStorage.SCRIPT_ACQUIRE_MOVING_WINDOW
        return ("EVAL", script, 1, self._key(claim), now, rule.amount, rule.get_expiry(), 1)

    def _look(self, claim: Claim, now: float) -> Command:
        rule = claim.rule
        return ("EVAL", RedisStorage.SCRIPT_MOVING_WINDOW, 1, self._key(claim), now - rule.get_expiry(), rule.amount)

    def _key(self, claim: Claim) -> str:
        return self._prefix + claim.rule.key_for(claim.subject)


class _Share:
    """Places that were taken in the memory of one of so many processes."""

    def __init__(self, taken: Taken, processes: int) -> None:
        self._taken, self._processes = taken, processes

    def give_back(self, claims: Sequence[Claim]) -> None:
        """See Taken.give_back."""
        self._taken.give_back([Claim(_share(rule, self._processes), subject) for rule, subject in claims])


def _share(rule: RateLimitItem, processes: int) -> RateLimitItem:
    return type(rule)(max(1, rule.amount // processes), rule.multiples, rule.namespace)
