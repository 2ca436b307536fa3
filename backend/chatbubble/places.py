"""Places: how many of something there may be at once, under each name."""

from __future__ import annotations

from collections import Counter
from typing import Protocol


class Places(Protocol):
    """Counts what is there now. What was entered or added has to be left, once."""

    def enter(self, name: str, most: int) -> bool:
        """Take one of `most` places under a name; False when none is free."""
        ...

    def add(self, name: str) -> None:
        """Take a place, whether one is free or not. Never switches."""
        ...

    def leave(self, name: str) -> None:
        """Free a place. Never switches."""
        ...


class MemoryPlaces:
    """Places in the memory of this process."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def enter(self, name: str, most: int) -> bool:
        """See Places.enter."""
        if self._taken[name] >= most:
            return False
        self._taken[name] += 1
        return True

    def add(self, name: str) -> None:
        """See Places.add."""
        self._taken[name] += 1

    def leave(self, name: str) -> None:
        """See Places.leave."""
        self._taken[name] -= 1
        if not self._taken[name]:
            del self._taken[name]
