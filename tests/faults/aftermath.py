"""What Redis and PostgreSQL have of answers that are over: the last two witnesses of each story."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import gevent
import psycopg
from gevent.lock import BoundedSemaphore
from history import Reading, StoredRow, Story
from redis import Redis
from redis.exceptions import RedisError
from wire_client import read_block

T = TypeVar("T")

# As long as a reader waits: a database can be away for that long, where a process stands still in a transaction.
_WITHIN_S = 150.0
_LOOK_EVERY_S = 0.05
_CONNECTIONS = BoundedSemaphore(20)  # where the database stands still, hundreds wait for it, and it takes a hundred
_TURNS = """
    SELECT turns.stream_id, turns.state, messages.content, messages.finish_reason, messages.error_code
    FROM turns LEFT JOIN messages ON messages.message_id = turns.message_id WHERE turns.stream_id = ANY(%s)
"""


def read_store(url: str, stories: Sequence[Story]) -> None:
    """Write down what is stored of them, once it is: an answer is told a moment before it is saved, or long before
    where the database was away."""
    by_stream = {story.stream_id: story for story in stories}

    newest: list[tuple[Any, ...]] = []

    def look() -> list[tuple[Any, ...]] | None:
        with _CONNECTIONS, psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            newest[:] = connection.execute(_TURNS, [list(by_stream)]).fetchall()
        return None if any(state == "running" for _, state, *_ in newest) else newest

    for stream_id, *row in _await(look, psycopg.OperationalError) or newest:
        by_stream[stream_id].stored.append(StoredRow(*row))


def read_log(port: int, prefix: str, stories: Sequence[Story], *, is_broken: bool) -> None:
    """Write down what the log holds of them, as one more reader, once it has their ends. A Redis that `is_broken` at
    times may have lost them."""
    for reading, story in zip(_await_log(port, prefix, stories, is_broken), stories, strict=True):
        reading.may_lack_end = is_broken
        if reading.accepted:
            story.readings.append(reading)


def _await_log(port: int, prefix: str, stories: Sequence[Story], is_broken: bool) -> list[Reading]:
    client = Redis(port=port, socket_timeout=5)

    def look() -> list[Reading] | None:
        pipeline = client.pipeline(transaction=False)
        for story in stories:
            pipeline.xrange(f"{prefix}{{{story.stream_id}}}:events")
        readings = [_as_reading(entries) for entries in pipeline.execute()]
        return readings if is_broken or all(reading.is_ended for reading in readings) else None

    try:
        return _await(look, RedisError) or [Reading("log") for _ in stories]
    finally:
        client.close()


def _as_reading(entries: list[tuple[bytes, dict[bytes, bytes]]]) -> Reading:
    reading = Reading("log")
    for _, fields in entries:
        reading.take(read_block(fields[b"w"]))
    return reading


def _await(look: Callable[[], T | None], passing: type[Exception]) -> T | None:
    """What `look` finds, once it finds something; None when it does not in time."""
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        try:
            found = look()
        except passing:
            found = None
        if found is not None:
            return found
        gevent.sleep(_LOOK_EVERY_S)
    return None
