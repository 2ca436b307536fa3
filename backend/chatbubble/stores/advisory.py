"""One process owns a PostgreSQL database, unless processes share their streams: a lock of the
server's own says which one it is.

It is an advisory lock of one session, so it ends with the connection that took it, however the
process dies. Why one process at all: see `ownership.py`.
"""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore
from gevent.socket import wait_read
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from .faults import unavailable
from .patience import Patience

logger = logging.getLogger("chatbubble.store")

_RECONNECT_EVERY_S = 1.0
# The schema belongs to the key: several deployments may share a database, each in its own.
_TRY = text("SELECT pg_try_advisory_lock(hashtextextended('chatbubble owner ' || current_schema(), 0))")
_NAME_ITSELF = text("SELECT set_config('application_name', :name, false)")
_OWNER = text(
    """
    SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32 | objid::bigint) = hashtextextended('chatbubble owner ' || current_schema(), 0)
    """
)


@dataclass
class _Hold:
    """This process's lock on one database, the greenlet that looks after it, and how many of its
    stores rely on it."""

    connection: Connection
    watcher: gevent.Greenlet[..., None] | None = None
    stores: int = 0


_holds: dict[str, _Hold] = {}
_taking = BoundedSemaphore(1)


class AdvisoryOwnership:
    """One store's share in its process's lock on a database.

    Args:
        engine: makes connections that stay outside the pool, and commit by themselves.
        wait_s: how long another process is given to let go, from the first `take` on.
    """

    def __init__(self, engine: Engine, wait_s: float) -> None:
        self._engine, self._patience = engine, Patience(wait_s, "database")
        self._key = engine.url.render_as_string(hide_password=False)
        self._is_held = False
        self._is_first = True

    @property
    def is_first(self) -> bool:
        """Whether no other store of this process had the database when this one took it."""
        return self._is_first

    def take(self) -> None:
        """Own the database, waiting while another process does; other greenlets run meanwhile.

        Raises StoreUnavailable when the other one does not let go in time, and when the database
        cannot be reached.
        """
        with _taking:
            hold = _holds.get(self._key)
            self._is_first = hold is None
            if hold is None:
                hold = _Hold(self._lock())
                hold.watcher = gevent.spawn(self._watch, hold)
                _holds[self._key] = hold
            hold.stores += 1
        self._patience.end()
        self._is_held = True

    def release(self) -> None:
        """Let go; harmless when nothing is held."""
        hold = _holds.get(self._key)
        if hold is None or not self._is_held:
            return
        self._is_held = False
        hold.stores -= 1
        if hold.stores == 0:
            del _holds[self._key]
            if hold.watcher is not None:
                hold.watcher.kill()
            _close(hold.connection)

    def _lock(self) -> Connection:
        connection: Connection | None = None
        try:
            connection = self._connect()
            while not connection.scalar(_TRY):
                name = self._engine.url.database or "the database"
                self._patience.wait(name, connection.scalar(_OWNER) or "another process")
        except BaseException as failure:
            _close(connection)
            if isinstance(failure, SQLAlchemyError):
                raise unavailable(failure) from None
            raise
        return connection

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        connection.execute(_NAME_ITSELF, {"name": f"process {os.getpid()} on {socket.gethostname()}"[:63]})
        return connection

    def _watch(self, hold: _Hold) -> None:
        """Take the lock anew whenever the connection that has it breaks."""
        while True:
            try:
                wait_read(_descriptor(hold.connection))
                hold.connection.scalar(text("SELECT 1"))  # it may have been a notice only
            except (OSError, SQLAlchemyError) as failure:
                logger.warning("the database has ended our session: %s", str(failure).partition("\n")[0])
                _close(hold.connection)
                hold.connection = self._lock_again()

    def _lock_again(self) -> Connection:
        has_complained = False
        while True:
            try:
                connection = self._connect()
                if connection.scalar(_TRY):
                    return connection
                if not has_complained:
                    owner = connection.scalar(_OWNER) or "another process"
                    logger.error("%s uses our database as well: stop it, or answers get lost", owner)
                    has_complained = True
                _close(connection)
            except SQLAlchemyError as failure:
                logger.debug("the database is not back: %s", failure)
            gevent.sleep(_RECONNECT_EVERY_S)


def _descriptor(connection: Connection) -> int:
    driver: Any = connection.connection.driver_connection
    return int(driver.fileno())


def _close(connection: Connection | None) -> None:
    if connection is not None and not connection.closed:
        connection.invalidate()  # it is not asked to say goodbye: it may be dead
        connection.close()


if hasattr(os, "register_at_fork"):
    # A forked child has no part in its parent's session; the driver leaves that one alone.
    os.register_at_fork(after_in_child=_holds.clear)
