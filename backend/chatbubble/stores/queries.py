"""The SQL of the store, each query written once.

SQLAlchemy finds what it has compiled by a key made from the whole query, and keeps that key with the query: to write a
query anew for each call costs as much as to run it. A question with its answer is some twenty of them: 4.3 ms of
processor time on SQLite when each was written where it was run, and 2.4 like this.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from ..records import Author
from .schema import (
    answer_additions,
    answer_parts,
    answer_provenance,
    conversations,
    erased_streams,
    feedback,
    messages,
    replaced_messages,
    reservations,
    spending,
    turn_attempts,
    turns,
)

_UPSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}

# Word for word as the index of running turns has it: with a parameter there, no database would use that one.
IS_RUNNING = turns.c.state == literal_column("'running'")

# Which attempt at a row of `turns` counts.
_ATTEMPT = func.coalesce(
    select(turn_attempts.c.attempt)
    .where(turn_attempts.c.stream_id == turns.c.stream_id)
    .correlate(turns)
    .scalar_subquery(),
    1,
)

_of_stream = turns.c.stream_id == bindparam("stream_id")
_of_visitor = conversations.c.visitor_id == bindparam("visitor_id")
_of_request = turns.c.request_id == bindparam("request_id")

# Conversations.
CONVERSATION = select(conversations.c.conversation_id).where(_of_visitor)
CONVERSATION_LOCKED = CONVERSATION.with_for_update()
NEW_CONVERSATION = insert(conversations)
# From one page to the next by the last id of the one before, which is empty for the first.
CONVERSATIONS_PAGE = (
    select(conversations)
    .where(conversations.c.conversation_id > bindparam("after"))
    .order_by(conversations.c.conversation_id)
    .limit(bindparam("count", type_=Integer))
)
CONVERSATION_ROW = select(conversations).where(_of_visitor)

# Turns, as `to_turn` takes them.
TURNS = select(turns, _ATTEMPT.label("attempt"), conversations.c.visitor_id).join(
    conversations, conversations.c.conversation_id == turns.c.conversation_id
)
TURN = TURNS.where(_of_stream)
TURN_OF_VISITOR = TURNS.where(_of_stream, _of_visitor)
TURNS_RUNNING = TURNS.where(IS_RUNNING)
TURN_RUNNING = TURNS.where(turns.c.conversation_id == bindparam("conversation_id"), IS_RUNNING)
TURN_OF_REQUEST = (
    TURNS.add_columns(messages.c.content)
    .join(messages, messages.c.id == turns.c.question_id)
    .where(_of_visitor, _of_request)
)
# And without.
TURN_ROW = select(turns).where(_of_stream)
TURN_LOCKED = select(turns.c.stream_id).where(_of_stream, IS_RUNNING).with_for_update()
ATTEMPT = select(_ATTEMPT).select_from(turns).where(_of_stream)
STREAMS = select(turns.c.stream_id).where(turns.c.conversation_id == bindparam("conversation_id"))
STREAMS_RUNNING = select(turns.c.stream_id).where(IS_RUNNING)
NEW_TURN = insert(turns)
END_TURN = update(turns).where(turns.c.stream_id == bindparam("ended"))
NEW_ATTEMPT = insert(turn_attempts)
NO_ATTEMPT = delete(turn_attempts).where(turn_attempts.c.stream_id == bindparam("stream_id"))

# Messages, as `to_message` takes them.
_added, _given = answer_additions.c, feedback.c
_MESSAGES = (
    select(messages, _added.sources, _added.suggestions, _given.rating, _given.comment, _given.given_at)
    .outerjoin(answer_additions, _added.id == messages.c.id)
    .outerjoin(feedback, _given.id == messages.c.id)
)
_newest = (
    select(messages.c.id, func.length(messages.c.content).label("chars"))
    .where(
        messages.c.conversation_id == bindparam("conversation_id"),
        ~exists().where(replaced_messages.c.id == messages.c.id),
    )
    .order_by(messages.c.id.desc())
    .limit(bindparam("count", type_=Integer))
    .subquery()
)
_summed = select(
    _newest.c.id,
    func.sum(_newest.c.chars).over(order_by=_newest.c.id.desc()).label("chars"),
    func.row_number().over(order_by=_newest.c.id.desc()).label("place"),
).subquery()
# Of the newest messages those that have so many characters together, and the newest two in any case.
SHOWN_MESSAGES = (
    _MESSAGES.join(_summed, _summed.c.id == messages.c.id)
    .where(or_(_summed.c.chars <= bindparam("chars", type_=Integer), _summed.c.place <= 2))
    .order_by(messages.c.id.desc())
)
MESSAGE = _MESSAGES.where(messages.c.message_id == bindparam("message_id"))
MESSAGE_ROW = select(messages).where(messages.c.message_id == bindparam("message_id"))
MESSAGES_UP_TO_QUESTION = (
    _MESSAGES.where(
        messages.c.conversation_id == bindparam("conversation_id"),
        ~exists().where(replaced_messages.c.id == messages.c.id),
        messages.c.id <= select(turns.c.question_id).where(_of_stream).scalar_subquery(),
    )
    .order_by(messages.c.id.desc())
    .limit(bindparam("count", type_=Integer))
)
NEW_MESSAGE = insert(messages).returning(messages.c.id)
NEW_ADDITIONS = insert(answer_additions)
NEW_PROVENANCE = insert(answer_provenance)
ANSWER_OF_VISITOR = (
    select(messages.c.id)
    .join(conversations, conversations.c.conversation_id == messages.c.conversation_id)
    .where(_of_visitor, messages.c.message_id == bindparam("message_id"), messages.c.author == Author.ASSISTANT)
)
NEW_FEEDBACK = insert(feedback)
NO_FEEDBACK = delete(feedback).where(feedback.c.id == bindparam("id"))

# Everything that any table has of a message, replaced ones included.
_made = answer_provenance.c
KEPT_MESSAGES = (
    _MESSAGES.add_columns(
        _made.provider, _made.upstream_id, _made.upstream_model, _made.settings, _made.asked_at,
        replaced_messages.c.replaced_at,
    )
    .outerjoin(answer_provenance, _made.id == messages.c.id)
    .outerjoin(replaced_messages, replaced_messages.c.id == messages.c.id)
    .where(
        messages.c.conversation_id == bindparam("conversation_id"),
        messages.c.created_at >= bindparam("since", type_=BigInteger),
    )
    .order_by(messages.c.id)
)  # fmt: skip

# Running answers.
PARTS = (
    select(answer_parts.c.text)
    .where(answer_parts.c.stream_id == bindparam("stream_id"))
    .order_by(answer_parts.c.position)
)
NO_PARTS = delete(answer_parts).where(answer_parts.c.stream_id == bindparam("stream_id"))

# The account of a day.
SPENT = select(spending.c.spent).where(spending.c.day == bindparam("day"))
DAY_LOCKED = SPENT.with_for_update()
SPEND = (
    update(spending)
    .where(spending.c.day == bindparam("of_day"))
    .values(spent=spending.c.spent + bindparam("cost", type_=BigInteger))
)
ANNOUNCE = (
    update(spending)
    .where(spending.c.day == bindparam("of_day"), spending.c.announced < bindparam("amount", type_=BigInteger))
    .values(announced=bindparam("amount", type_=BigInteger))
)
RESERVED = select(func.sum(reservations.c.amount)).where(reservations.c.day == bindparam("day"))
RESERVATION = select(reservations).where(reservations.c.reservation_id == bindparam("reservation_id"))
NEW_RESERVATION = insert(reservations)
NO_RESERVATION = delete(reservations).where(reservations.c.reservation_id == bindparam("reservation_id"))
NO_OLD_RESERVATIONS = delete(reservations).where(reservations.c.day < bindparam("before"))

# Everything of one conversation, in an order that the foreign keys allow.
ERASURES = tuple(
    delete(table).where(table.c.conversation_id == bindparam("conversation_id"))
    for table in (turns, messages, conversations)
)

# From one conversation, `left`, into another, `into`.
_earlier, _theirs = conversations.alias(), turns.alias()
_begun = select(_earlier.c.created_at).where(_earlier.c.conversation_id == bindparam("left")).scalar_subquery()
HAND_OVER = update(conversations).where(conversations.c.conversation_id == bindparam("left"))
BEGAN_EARLIER = (
    update(conversations)
    .where(conversations.c.conversation_id == bindparam("into"), conversations.c.created_at > _begun)
    .values(created_at=_begun)
)
MOVES = tuple(update(table).where(table.c.conversation_id == bindparam("left")) for table in (messages, turns))
EMPTIED = delete(conversations).where(conversations.c.conversation_id == bindparam("left"))
TURNS_OF_KNOWN_REQUESTS = select(turns.c.stream_id, turns.c.question_id, turns.c.message_id).where(
    turns.c.conversation_id == bindparam("left"),
    exists().where(_theirs.c.conversation_id == bindparam("into"), _theirs.c.request_id == turns.c.request_id),
)
RENAME_TURN = update(turns).where(turns.c.stream_id == bindparam("of_stream"))
RENAME_MESSAGES = update(messages).where(
    or_(messages.c.id == bindparam("of_question"), messages.c.message_id == bindparam("of_answer"))
)

# Conversations without a word since `before`: one look by the index for each.
_newest_at = (
    select(messages.c.created_at)
    .where(messages.c.conversation_id == conversations.c.conversation_id)
    .order_by(messages.c.id.desc())
    .limit(1)
    .correlate(conversations)
    .scalar_subquery()
)
_is_stale = and_(
    func.coalesce(_newest_at, conversations.c.created_at) < bindparam("before", type_=BigInteger),
    ~exists().where(turns.c.conversation_id == conversations.c.conversation_id, IS_RUNNING),
)
STALE_PAGE = CONVERSATIONS_PAGE.add_columns(_is_stale.label("is_stale"))
STALE = select(_is_stale).where(conversations.c.conversation_id == bindparam("conversation_id"))

# What servers are told of the work of other programs.
NEW_ERASED_STREAM = insert(erased_streams)
ERASED_STREAMS = select(erased_streams.c.stream_id)
NO_ERASED_STREAMS = delete(erased_streams).where(erased_streams.c.erased_at < bindparam("before"))


@cache
def new_part(dialect: str) -> Any:
    """A part of an answer, in place of an earlier one at its position."""
    # Only while the turn runs, and nobody ends it meanwhile: a part that comes late can neither
    # outlive an answer nor an erasure.
    given = (bindparam("position", type_=Integer), bindparam("text", type_=Text))
    running = select(turns.c.stream_id, *given).where(
        _of_stream, IS_RUNNING, bindparam("attempt", type_=Integer) == _ATTEMPT
    )
    part = _upsert(dialect, answer_parts).from_select(
        ["stream_id", "position", "text"], running.with_for_update(read=True)
    )
    return part.on_conflict_do_update(index_elements=["stream_id", "position"], set_={"text": part.excluded.text})


@cache
def mark_replaced(dialect: str) -> Any:
    """The messages of one turn are told no more."""
    # Nothing runs here, so both its messages are there; of an unknown turn there are none.
    told = select(messages.c.id, bindparam("replaced_at", type_=BigInteger)).join(
        turns, or_(turns.c.question_id == messages.c.id, turns.c.message_id == messages.c.message_id)
    )
    found = told.where(turns.c.conversation_id == bindparam("conversation_id"), _of_request)
    mark = _upsert(dialect, replaced_messages).from_select(["id", "replaced_at"], found)
    return mark.on_conflict_do_nothing()


@cache
def new_day(dialect: str) -> Any:
    """The row of a day, unless somebody else was faster."""
    return _upsert(dialect, spending).on_conflict_do_nothing()


@cache
def empty_reservation(dialect: str) -> Any:
    """A reservation of nothing, in place of what is reserved, or before it can be."""
    empty = _upsert(dialect, reservations)
    return empty.on_conflict_do_update(index_elements=["reservation_id"], set_={"amount": empty.excluded.amount})


def _upsert(dialect: str, table: Table) -> Any:
    """An insert that can say what to do about a row that is there already."""
    return _UPSERTS[dialect](table)
