"""Erasing a question looks for the turns that refer to it: an index spares it the whole table."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Walk this step."""
    op.create_index("turns_by_question", "turns", ["question_id"])
