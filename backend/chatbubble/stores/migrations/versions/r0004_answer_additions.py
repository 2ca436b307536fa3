"""What an answer has beside its text: sources and suggestions, as JSON."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Walk this step."""
    op.create_table(
        "answer_additions",
        sa.Column(
            "id", _counter, sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("sources", sa.Text, nullable=False),
        sa.Column("suggestions", sa.Text, nullable=False),
        if_not_exists=True,
    )
