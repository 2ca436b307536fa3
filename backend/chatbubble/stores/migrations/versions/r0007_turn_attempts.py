"""How often a turn was begun anew, after the process that ran it had died."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Walk this step."""
    op.create_table(
        "turn_attempts",
        sa.Column("stream_id", sa.String(64), sa.ForeignKey("turns.stream_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("attempt", sa.Integer, nullable=False),
        if_not_exists=True,
    )
