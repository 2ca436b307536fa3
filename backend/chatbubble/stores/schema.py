"""The tables, as SQLAlchemy describes them. Times are milliseconds since the Unix epoch.

What is added here becomes a revision in `migrations` as well; whatever is new comes as a table
of its own, or as a column with a default, which an older Chatbubble may leave alone.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, text

# The newest of `migrations`: what the tables below are.
REVISION = "0009"

metadata = MetaData()

# Autoincrement: rows come back in the order they were said. SQLite counts in INTEGER only.
_counter = BigInteger().with_variant(Integer, "sqlite")

conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", String(64), primary_key=True),
    Column("visitor_id", String(64), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("id", _counter, primary_key=True, autoincrement=True),
    Column("message_id", String(64), nullable=False, unique=True),
    Column("conversation_id", ForeignKey(conversations.c.conversation_id), nullable=False),
    Column("author", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("finish_reason", String(16)),
    Column("error_code", String(32)),
    Column("request_id", String(128)),
    Column("model", String(128)),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Index("messages_in_order", "conversation_id", "id"),
)

turns = Table(
    "turns",
    metadata,
    Column("stream_id", String(64), primary_key=True),
    Column("conversation_id", ForeignKey(conversations.c.conversation_id), nullable=False),
    Column("request_id", String(128), nullable=False),
    Column("question_id", ForeignKey(messages.c.id), nullable=False),
    Column("message_id", String(64), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Index("turns_by_question", "question_id"),
    Index("one_turn_a_request", "conversation_id", "request_id", unique=True),
    # The database itself refuses a second running turn, whoever asks.
    Index(
        "one_running_turn",
        "conversation_id",
        unique=True,
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
)

# Of turns that were begun anew after their process had died, which attempt counts; of the others, the first.
turn_attempts = Table(
    "turn_attempts",
    metadata,
    Column("stream_id", ForeignKey(turns.c.stream_id, ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, nullable=False),
)

# What is known of answers that still run; the rows go when the turn ends. Deleting the
# turn deletes them, also where an older Chatbubble does, which does not know this table.
answer_parts = Table(
    "answer_parts",
    metadata,
    Column("stream_id", ForeignKey(turns.c.stream_id, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    sqlite_with_rowid=False,
)

# The messages of turns in whose place the visitor has put another question: kept, not told.
replaced_messages = Table(
    "replaced_messages",
    metadata,
    Column("id", ForeignKey(messages.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("replaced_at", BigInteger, nullable=False),
)

# What an answer has beside its text, as JSON; most have nothing, and no row.
answer_additions = Table(
    "answer_additions",
    metadata,
    Column("id", ForeignKey(messages.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("sources", Text, nullable=False),
    Column("suggestions", Text, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", ForeignKey(messages.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("rating", String(8), nullable=False),
    Column("comment", Text, nullable=False),
    Column("given_at", BigInteger, nullable=False),
)

# What a day has cost, in millionths of the currency, and the amount that was last warned about. Kept when a visitor
# erases what they have: it refers to nobody, and the money is spent.
spending = Table(
    "spending",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("spent", BigInteger, nullable=False),
    Column("announced", BigInteger, nullable=False),
)

# The worst case of each call of the model whose end is not known, or never will be.
reservations = Table(
    "reservations",
    metadata,
    Column("reservation_id", String(64), primary_key=True),
    Column("day", String(10), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Index("reservations_by_day", "day"),
)

# How an answer came about; `settings` as JSON, the two of `upstream` as the model's server says.
answer_provenance = Table(
    "answer_provenance",
    metadata,
    Column("id", ForeignKey(messages.c.id, ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("provider", String(64), nullable=False),
    Column("upstream_id", String(128), nullable=False),
    Column("upstream_model", String(128), nullable=False),
    Column("settings", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
)

# What a program that is no server has erased: servers look here, and forget what they have of it in memory.
erased_streams = Table(
    "erased_streams",
    metadata,
    Column("stream_id", String(64), primary_key=True),
    Column("erased_at", BigInteger, nullable=False),
)
