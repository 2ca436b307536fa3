"""Moving windows: how often something was done within the last so many seconds, by the limits package."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from threading import Timer
from typing import NamedTuple, Protocol

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


class Claim(NamedTuple):
    """One place under a rule, for whom the rule counts."""

    rule: RateLimitItem
    subject: str


class NoPlaceError(Exception):
    """`waits`: of each claim the seconds until there will be a place for it, 0 where there is one."""

    def __init__(self, waits: Sequence[float]) -> None:
        self.waits = waits
        super().__init__(f"{max(waits):.0f} s")


class Taken(Protocol):
    """Places that were taken."""

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Uncount some of them, as if they had never been taken. Never switches, never raises."""
        ...


class Windows(Protocol):
    """Counts who has done how much."""

    def take(self, claims: Sequence[Claim]) -> Taken:
        """Take a place for every claim, or for none. Raises NoPlaceError."""
        ...


class MemoryWindows:
    """Windows in the memory of this process."""

    def __init__(self) -> None:
        self._storage = _ForgetfulStorage()
        self._windows = MovingWindowRateLimiter(self._storage)

    def take(self, claims: Sequence[Claim]) -> MemoryWindows:
        """See Windows.take. Never switches."""
        taken = [claim for claim in claims if self._windows.hit(*claim)]
        if len(taken) < len(claims):
            self.give_back(taken)
            now = time.time()
            raise NoPlaceError([0 if claim in taken else max(0.001, self._free_at(claim) - now) for claim in claims])
        return self

    def give_back(self, claims: Sequence[Claim]) -> None:
        """See Taken.give_back."""
        for rule, subject in claims:
            self._storage.forget_newest(rule.key_for(subject))

    def _free_at(self, claim: Claim) -> float:
        return self._windows.get_window_stats(*claim).reset_time


class _Never(Timer):
    """A timer that says that it runs."""

    def is_alive(self) -> bool:
        return True


class _ForgetfulStorage(MemoryStorage):
    """The package's own memory, but for how it forgets: that would look at every key after each hit, 150 ms long with
    100,000 visitors, and keep their names for ever. Here a hit forgets what is over, the longest unused first."""

    def __init__(self) -> None:
        super().__init__()
        self.timer.cancel()
        self.timer = _Never(0, self.reset)
        self._used: dict[int, OrderedDict[str, float]] = {}

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """See MovingWindowSupport.acquire_entry."""
        is_acquired = super().acquire_entry(key, limit, expiry, amount)
        used, now = self._used.setdefault(expiry, OrderedDict()), time.time()
        if is_acquired:
            used[key] = now
            used.move_to_end(key)
        while used and next(iter(used.values())) < now - expiry:
            self.clear(used.popitem(last=False)[0])
        return is_acquired

    def forget_newest(self, key: str) -> None:
        """Take back the newest entry of a key; what is over is not there any more."""
        entries = self.events.get(key)
        if entries:
            del entries[0]
