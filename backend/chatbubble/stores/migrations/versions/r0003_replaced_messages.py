"""The messages of turns in whose place the visitor has put another question."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Walk this step."""
    op.create_table(
        "replaced_messages",
        sa.Column(
            "id", _counter, sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("replaced_at", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
