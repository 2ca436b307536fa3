"""The forms of the stream log that the contract suite runs on, and how its tests tell and read."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from redis_server import shared_redis
from stream_client import Received

from chatbubble.events import Done, Event, Token, utf16_length
from chatbubble.records import Cursor, FinishReason
from chatbubble.stream_log import Batch, StreamLog, StreamReader
from chatbubble.stream_logs.memory import MemoryStreamLog
from chatbubble.stream_logs.redis import RedisStreamLog
from chatbubble.stream_logs.redis_hub import RedisHub

TTL_S = 600.0
MEGABYTE = 1_048_576


@dataclass
class Form:
    """A log and how its time passes."""

    log: StreamLog
    let_pass: Callable[[float], None]
    close: Callable[[], None] = lambda: None


def memory_form(max_bytes: int) -> Form:
    now = 0.0

    def let_pass(seconds: float) -> None:
        nonlocal now
        now += seconds

    return Form(MemoryStreamLog(ttl_s=TTL_S, max_bytes=max_bytes, now=lambda: now), let_pass)


def redis_form(max_bytes: int) -> Form:
    server, prefix = shared_redis(), f"test-{secrets.token_hex(4)}:"
    now = 0.0

    def let_pass(seconds: float) -> None:
        nonlocal now
        assert log.flush(5)
        server.let_pass(prefix, seconds)
        now += seconds

    def close() -> None:
        log.close()
        hub.close()

    hub = RedisHub(server.url, prefix)
    log = RedisStreamLog(hub, ttl_s=TTL_S, max_bytes=max_bytes, now=lambda: now)
    return Form(log, let_pass, close)


FORMS: dict[str, Callable[[int], Form]] = {"memory": memory_form, "redis": redis_form}


def tokens(*texts: str) -> Iterator[Token]:
    index = 0
    for text in texts:
        yield Token(text, index, 1)
        index += utf16_length(text)


def done(text: str = "") -> Done:
    return Done("msg", text, 1, 1, FinishReason.STOP, None, "", 1)


def tell(log: StreamLog, stream_id: str, *events: Event, owner: str = "anna") -> list[Cursor]:
    """Open a stream and append `events`; the places after each."""
    log.open(stream_id, owner)
    return [log.append(stream_id, event) for event in events]


def read_batches(reader: StreamReader) -> list[Batch]:
    """All that is ready, without waiting."""
    return list(iter(lambda: reader.next(0), None))


def decode(batches: list[Batch]) -> list[Received]:
    events = []
    for block in b"".join(batch.wire for batch in batches).decode("ascii").split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        events.append(Received(lines["event"], json.loads(lines["data"]), lines["id"]))
    return events


def read(log: StreamLog, stream_id: str, after: Cursor | None = None, *, lost: bool = False) -> list[Received]:
    reader = log.reader(stream_id, after, lost=lost)
    events = decode(read_batches(reader))
    reader.close()
    return events


def texts(events: list[Received]) -> list[str]:
    return [event.data["text"] for event in events if event.type == "token"]
