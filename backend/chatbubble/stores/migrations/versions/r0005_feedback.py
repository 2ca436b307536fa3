"""What visitors say of an answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Walk this step."""
    op.create_table(
        "feedback",
        sa.Column(
            "id", _counter, sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("rating", sa.String(8), nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("given_at", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
