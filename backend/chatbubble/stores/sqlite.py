"""How we speak to SQLite: one native thread, settings of a connection, words that must not linger.

Every transaction runs whole in one native thread, so no greenlet ever holds one open across a
switch, and the event loop never waits for the disk.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from gevent.threadpool import ThreadPool
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from .database import LONGEST_S, Transact
from .ownership import HAND_OVER_S, Ownership

T = TypeVar("T")

_BUSY_MS = 5000
# The wait comes first: switching to the write-ahead log may itself find the file busy.
_PRAGMAS = (
    f"PRAGMA busy_timeout={_BUSY_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
)


class SqliteDatabase:
    """See Database; `hand_over_s` is how long `claim` waits for another process."""

    def __init__(self, url: URL, *, hand_over_s: float = HAND_OVER_S) -> None:
        self._engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        event.listen(self._engine, "connect", _set_up_connection)
        event.listen(self._engine, "begin", _begin_immediate)
        self._thread = ThreadPool(1)
        self._ownership = Ownership(hand_over_s)

    @property
    def engine(self) -> Engine:
        """See Database."""
        return self._engine

    @property
    def is_first(self) -> bool:
        """See Database."""
        return self._ownership.is_first

    @property
    def queue_length(self) -> int:
        """See Database."""
        return len(self._thread)

    def claim(self, transact: Transact) -> None:
        """See Database."""
        self._ownership.take(transact(path_of))

    def run(self, work: Callable[[], T], limit_s: float | None = LONGEST_S) -> T:  # noqa: ARG002
        """See Database: what is in the thread stays there, and SQLite waits for nobody for long."""
        outcome: T = self._thread.apply(work)
        return outcome

    def lock_schema(self, connection: Connection) -> None:
        """See Database: every transaction has the whole file."""

    def lock_purge(self, connection: Connection) -> bool:  # noqa: ARG002
        """See Database: every transaction has the whole file."""
        return True

    def forget_erased(self) -> bool:
        """See Database."""
        return self.run(lambda: empty_log(self._engine))

    def release(self) -> None:
        """See Database."""
        self._ownership.release()

    def close(self) -> None:
        """See Database."""
        self._thread.join()
        self._thread.apply(self._engine.dispose)
        self._thread.kill()
        self._ownership.release()


def path_of(connection: Connection) -> str:
    """The absolute path of the database's file; empty for one in memory."""
    for _, name, path in connection.exec_driver_sql("PRAGMA database_list"):
        if name == "main":
            return str(path)
    return ""


def empty_log(engine: Engine) -> bool:
    """Move the write-ahead log into the database and cut it to nothing: erased words stay
    readable in it otherwise. False when a reader of the file is in the way; it is not waited
    for. Not within a transaction."""
    pooled = engine.raw_connection()
    try:
        connection: Any = pooled.driver_connection
        connection.execute("PRAGMA busy_timeout=0")
        try:
            is_busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    except sqlite3.Error:
        return False
    finally:
        pooled.close()
    return not is_busy


def _set_up_connection(connection: Any, _record: Any) -> None:
    # The driver's own implicit transactions are off: `_begin_immediate` opens them.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_immediate(connection: Connection) -> None:
    # Taking the write lock first avoids the upgrade that fails at once under contention.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
