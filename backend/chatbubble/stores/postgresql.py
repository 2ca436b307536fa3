"""How we speak to PostgreSQL: cooperative waiting, a bounded pool, time limits, one owner.

The driver is psycopg 3. Where gevent has patched `select` it waits by `poll` in Python, and so in
the event loop, for connections as for answers; host names it looks up by the patched `socket`.
Hence no native thread: a transaction is a greenlet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import gevent
from gevent import monkey
from gevent.pool import Group
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.pool import NullPool, QueuePool

from ..errors import ConfigError, StoreUnavailable
from .advisory import AdvisoryOwnership
from .database import LONGEST_S, Transact
from .faults import is_of_wrong_server
from .ownership import HAND_OVER_S

T = TypeVar("T")

OLDEST = (13,)
POOL_WAIT_S = 5.0
_STATEMENT_MS = 10_000
_IDLE_IN_TRANSACTION_MS = 30_000
# In seconds, but for the last: a server that has vanished without a word is noticed after 15 s.
_CONNECT: dict[str, int] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
_LOCK_SCHEMA = text("SELECT pg_advisory_xact_lock(hashtextextended('chatbubble schema ' || current_schema(), 0))")
_LOCK_PURGE = text("SELECT pg_try_advisory_xact_lock(hashtextextended('chatbubble purge ' || current_schema(), 0))")


class _TooLong:
    """What becomes of work that the database lets wait for ever."""


class PostgresDatabase:
    """See Database.

    Args:
        url: of any driver; ours is psycopg.
        connections: how many this process opens at most, beside the one that holds the lock.
        is_shared: other processes are at work in it too, and know of each other: nobody owns it.
        hand_over_s: how long `claim` waits for another owner.

    Raises:
        ConfigError: the driver is not installed.
    """

    def __init__(
        self, url: URL, *, connections: int, is_shared: bool = False, hand_over_s: float = HAND_OVER_S
    ) -> None:
        url = url.set(drivername="postgresql+psycopg")
        settings = {name: value for name, value in _CONNECT.items() if name not in url.query}
        try:
            self._engine = create_engine(
                url,
                poolclass=QueuePool,
                pool_size=connections,
                max_overflow=0,
                pool_timeout=POOL_WAIT_S,
                isolation_level="READ COMMITTED",
                use_native_hstore=False,
                connect_args=settings,
            )
        except ImportError:
            raise ConfigError(
                "CHATBUBBLE_DATABASE_URL names PostgreSQL, whose driver is not installed: "
                "pip install 'chatbubble[postgresql]'"
            ) from None
        event.listen(self._engine, "connect", _set_up_connection)
        event.listen(self._engine, "handle_error", _leave_wrong_server)
        self._outside = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=settings)
        self._ownership = None if is_shared else AdvisoryOwnership(self._outside, hand_over_s)
        self._at_work = Group()

    @property
    def engine(self) -> Engine:
        """See Database."""
        return self._engine

    @property
    def is_first(self) -> bool:
        """See Database."""
        return self._ownership is not None and self._ownership.is_first

    @property
    def queue_length(self) -> int:
        """See Database."""
        return len(self._at_work)

    def claim(self, transact: Transact) -> None:
        """See Database."""
        _refuse_blocking_driver(self._engine.dialect.dbapi)
        version = transact(lambda connection: connection.dialect.server_version_info)
        if version is not None and version < OLDEST:
            raise StoreUnavailable(detail=f"PostgreSQL {OLDEST[0]} or newer is needed, and this is {version[0]}")
        if self._ownership is not None:
            self._ownership.take()

    def run(self, work: Callable[[], T], limit_s: float | None = LONGEST_S) -> T:
        """See Database. Whoever is killed meanwhile leaves no connection half used."""
        outcome: T | _TooLong = self._at_work.spawn(_within_limit, work, limit_s).get()
        if isinstance(outcome, _TooLong):
            raise StoreUnavailable(retry_after_s=5, detail=f"the database gave no answer within {limit_s:.0f} s")
        return outcome

    def lock_schema(self, connection: Connection) -> None:
        """See Database."""
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.execute(_LOCK_SCHEMA)

    def lock_purge(self, connection: Connection) -> bool:
        """See Database."""
        return bool(connection.scalar(_LOCK_PURGE))

    def forget_erased(self) -> bool:
        """See Database: PostgreSQL overwrites deleted rows by itself, in time."""
        return True

    def release(self) -> None:
        """See Database."""
        self._engine.dispose()
        if self._ownership is not None:
            self._ownership.release()

    def close(self) -> None:
        """See Database."""
        self._at_work.join()
        self.release()


def _within_limit(work: Callable[[], T], limit_s: float | None) -> T | _TooLong:
    # The connection it was waiting for is closed: what was asked may still be on its way.
    limit = gevent.Timeout.start_new(limit_s)
    try:
        return work()
    except gevent.Timeout as timeout:
        if timeout is not limit:
            raise
        return _TooLong()
    finally:
        limit.close()


def _set_up_connection(connection: Any, _record: Any) -> None:
    # What hangs here is ended there: not as startup options, which some poolers refuse.
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {_STATEMENT_MS}")
        cursor.execute(f"SET idle_in_transaction_session_timeout = {_IDLE_IN_TRANSACTION_MS}")
    connection.commit()


def _leave_wrong_server(context: ExceptionContext) -> None:
    if is_of_wrong_server(context.original_exception):
        context.is_disconnect = True


def _refuse_blocking_driver(psycopg: Any) -> None:
    """Raises StoreUnavailable when the driver's own C code waits: it chooses as it is imported."""
    if not psycopg.waiting.wait.__module__.startswith("psycopg.") and monkey.is_module_patched("select"):
        raise StoreUnavailable(
            detail="psycopg was imported before gevent had patched the standard library: "
            "put `from gevent import monkey; monkey.patch_all()` first in your program"
        )
