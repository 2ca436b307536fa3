"""How answers came about; and which streams were erased by a program that is no server, for servers to forget."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Walk this step."""
    op.create_table(
        "answer_provenance",
        sa.Column(
            "id", _counter, sa.ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("provider", sa.String(64), nullable=False),
        sa.Column("upstream_id", sa.String(128), nullable=False),
        sa.Column("upstream_model", sa.String(128), nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "erased_streams",
        sa.Column("stream_id", sa.String(64), primary_key=True),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
