"""Brings a database's tables to today's revision, within one transaction of the caller's.

A new database gets the tables as `schema.py` describes them, an older one the revisions that it
lacks; tests see to it that both end in the same. Databases that were made before there were
revisions are told by their tables, and adopted.
"""

from __future__ import annotations

import logging
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select

from ..errors import StoreUnavailable
from .schema import REVISION, metadata

logger = logging.getLogger("chatbubble.store")

# Alembic's own, under a name of ours: the database may hold somebody else's revisions too.
VERSION_TABLE = "chatbubble_version"
_version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))
_MIGRATIONS = Path(__file__).parent / "migrations"


def current_revision(connection: Connection) -> str | None:
    """The revision of the database's tables; None for a new one, and for one that is older than revisions."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalar(select(_version.c.version_num))


def upgrade(connection: Connection) -> None:
    """Bring the tables to REVISION; the schema should be locked.

    Those of a newer Chatbubble are left as they are: what it has added, this one does not need.
    Raises StoreUnavailable when a table of one of our names is somebody else's.
    """
    before = current_revision(connection)
    if before == REVISION:
        return
    if before is None:
        _refuse_foreign_tables(connection)
        if not _own_tables(connection):
            _create(connection)
            return
    elif before > REVISION:
        logger.warning("the database has revision %s, of a newer Chatbubble than this one with %s", before, REVISION)
        return
    logger.info("upgrading the database from revision %s to %s", before or "none", REVISION)
    _walk(connection)


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    _version.create(connection)
    connection.execute(insert(_version).values(version_num=REVISION))


def _walk(connection: Connection) -> None:
    # Imported late: most starts find nothing to do.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


def _own_tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) & metadata.tables.keys()


def _refuse_foreign_tables(connection: Connection) -> None:
    for name in sorted(_own_tables(connection)):
        there = {column["name"] for column in inspect(connection).get_columns(name)}
        if not there.issuperset(metadata.tables[name].columns.keys()):
            raise StoreUnavailable(
                detail=f"the database has a table {name} that is not Chatbubble's: "
                "give the chat a database or a schema of its own"
            )
