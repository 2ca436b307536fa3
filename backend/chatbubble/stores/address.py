"""Which kind of database an address names."""

from __future__ import annotations

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ..errors import ConfigError
from .database import Database
from .postgresql import PostgresDatabase
from .sqlite import SqliteDatabase


def create_database(url: str, connections: int, is_shared: bool, hand_over_s: float) -> Database:
    """See SqlStore for all of these. Raises ConfigError when the address cannot be used."""
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        if kind in ("postgresql", "postgres"):
            return PostgresDatabase(parsed, connections=connections, is_shared=is_shared, hand_over_s=hand_over_s)
        if kind == "sqlite":
            return SqliteDatabase(parsed, hand_over_s=hand_over_s)
    except (ArgumentError, SQLAlchemyError, ValueError):
        pass  # said below, in our words
    raise ConfigError(
        f"CHATBUBBLE_DATABASE_URL should be like sqlite:///chatbubble.db or postgresql://user:password@host/name, "
        f"and begins with {url.split(':')[0]!r:.40}"
    )
