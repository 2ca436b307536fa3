"""What goes wrong in a database, in our words; and what is worth another try."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from ..errors import StoreUnavailable

_SERIALIZATION_FAILURE, _DEADLOCK, _READ_ONLY = "40001", "40P01", "25006"
_RETRY_AFTER_S = 5


def is_passing(failure: DBAPIError) -> bool:
    """Whether the same transaction may well succeed now.

    A unique index says that another process was faster: a second look finds what that one has
    written. Of a deadlock one side is chosen, the other goes on. And a connection that is gone
    says nothing of the next one.
    """
    if isinstance(failure, IntegrityError) or failure.connection_invalidated:
        return True
    return _state(failure.orig) in (_SERIALIZATION_FAILURE, _DEADLOCK)


def is_deadlock(failure: DBAPIError) -> bool:
    """Whether it was the side that is chosen to give way."""
    return _state(failure.orig) == _DEADLOCK


def is_of_wrong_server(failure: BaseException | None) -> bool:
    """Whether the connection leads to a server that may only be read, as an old primary becomes: the
    next connection may lead to the new one."""
    return _state(failure) == _READ_ONLY


def _state(failure: BaseException | None) -> str | None:
    return getattr(failure, "sqlstate", None)


def unavailable(failure: Exception) -> StoreUnavailable:
    """What callers are told of a transaction that did not happen."""
    if isinstance(failure, PoolExhausted):
        return StoreUnavailable(
            retry_after_s=_RETRY_AFTER_S,
            detail="every connection to the database was busy for too long: CHATBUBBLE_DATABASE_CONNECTIONS",
        )
    # Only the first line: the others hold the statement and what visitors wrote.
    reason = str(failure).partition("\n")[0]
    return StoreUnavailable(retry_after_s=_RETRY_AFTER_S, detail=f"{type(failure).__name__}: {reason}")
