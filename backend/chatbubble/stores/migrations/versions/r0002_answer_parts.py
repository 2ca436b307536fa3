"""What is known of answers that still run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Walk this step."""
    op.create_table(
        "answer_parts",
        sa.Column("stream_id", sa.String(64), sa.ForeignKey("turns.stream_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
        if_not_exists=True,
        sqlite_with_rowid=False,
    )
