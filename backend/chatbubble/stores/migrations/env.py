"""What Alembic runs to walk the revisions, on the connection and in the transaction of our own that it is given."""

from __future__ import annotations

from alembic import context

from chatbubble.stores.upgrade import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
