"""What a database brings along: where its transactions run, who may use it, how it forgets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")

LONGEST_S = 20.0


class Transact(Protocol):
    """Runs one whole transaction and returns what it made of it. Raises StoreUnavailable."""

    def __call__(self, transaction: Callable[[Connection], T], /) -> T: ...


class Database(Protocol):
    """One kind of database, as the SQL store uses it.

    Attributes:
        engine: has the connections.
        is_first: nobody else was at work in it when it was claimed, so whatever runs there was
            left by a process that is gone.
    """

    @property
    def engine(self) -> Engine: ...

    @property
    def is_first(self) -> bool: ...

    @property
    def queue_length(self) -> int:
        """How much work waits for its turn, or is at it."""
        ...

    def claim(self, transact: Transact) -> None:
        """Make it this process's own, waiting for another process to let go of it; before anything
        is read. Raises StoreUnavailable when that one does not."""
        ...

    def run(self, work: Callable[[], T], limit_s: float | None = LONGEST_S) -> T:
        """Do something that waits for the database, while other greenlets run. The work comes to
        its end even when whoever waits for it is killed, but for one that takes longer than
        `limit_s`, where the database can be left waiting. It should raise nothing itself.

        Raises StoreUnavailable when it took too long.
        """
        ...

    def lock_schema(self, connection: Connection) -> None:
        """Let nobody else change tables until the end of this transaction, however long it takes."""
        ...

    def lock_purge(self, connection: Connection) -> bool:
        """Let nobody else purge until the end of this transaction; False where somebody does."""
        ...

    def forget_erased(self) -> bool:
        """See to it that deleted words cannot be read from files; False when that has to wait."""
        ...

    def release(self) -> None:
        """Give the claim up; harmless when there is none."""
        ...

    def close(self) -> None:
        """Finish what runs and let go of it all."""
        ...
