"""Conversations, their messages and their turns.

Like the next four it makes only what is missing: databases that were made before there were
revisions have some of these tables, or all.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_counter = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_RUNNING = sa.text("state = 'running'")


def upgrade() -> None:
    """Walk this step."""
    op.create_table(
        "conversations",
        sa.Column("conversation_id", sa.String(64), primary_key=True),
        sa.Column("visitor_id", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "messages",
        sa.Column("id", _counter, primary_key=True, autoincrement=True),
        sa.Column("message_id", sa.String(64), nullable=False, unique=True),
        sa.Column("conversation_id", sa.String(64), sa.ForeignKey("conversations.conversation_id"), nullable=False),
        sa.Column("author", sa.String(16), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("finish_reason", sa.String(16)),
        sa.Column("error_code", sa.String(32)),
        sa.Column("request_id", sa.String(128)),
        sa.Column("model", sa.String(128)),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("completion_tokens", sa.Integer),
        if_not_exists=True,
    )
    op.create_table(
        "turns",
        sa.Column("stream_id", sa.String(64), primary_key=True),
        sa.Column("conversation_id", sa.String(64), sa.ForeignKey("conversations.conversation_id"), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("question_id", _counter, sa.ForeignKey("messages.id"), nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False, unique=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("finished_at", sa.BigInteger),
        if_not_exists=True,
    )
    _create_indexes()


def _create_indexes() -> None:
    op.create_index("messages_in_order", "messages", ["conversation_id", "id"], if_not_exists=True)
    op.create_index("one_turn_a_request", "turns", ["conversation_id", "request_id"], unique=True, if_not_exists=True)
    op.create_index(
        "one_running_turn",
        "turns",
        ["conversation_id"],
        unique=True,
        if_not_exists=True,
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    )
