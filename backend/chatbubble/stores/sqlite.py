"""How we speak to SQLite: settings of a connection, transactions, words that must not linger."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, event

_BUSY_MS = 5000
# The wait comes first: switching to the write-ahead log may itself find the file busy.
_PRAGMAS = (
    f"PRAGMA busy_timeout={_BUSY_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
)


def set_up(engine: Engine) -> None:
    """Have every connection of `engine` begin with our pragmas, and its transactions with a lock."""
    event.listen(engine, "connect", _set_up_connection)
    event.listen(engine, "begin", _begin_immediate)


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
