"""How soon what the model says is read, through whatever stands in between."""

from __future__ import annotations

import time
from collections.abc import Callable

from scripted import Call
from stream_client import Reply

IN_TIME_S = 0.1
WORDS = [f"word{number} " for number in range(20)]
# What busy machines and their schedulers may hold up for longer.
LATE = 2


def assert_in_time(call: Call, read: Callable[[str], None]) -> None:
    """Each word is read within 100 ms of being said."""
    delays = []
    for word in WORDS:
        said_at = time.monotonic()
        call.say(word)
        read(word)
        delays.append(time.monotonic() - said_at)
    assert sorted(delays)[-LATE - 1] < IN_TIME_S, [round(delay * 1000) for delay in delays]


def reads_events(reply: Reply) -> Callable[[str], None]:
    """Reads the next event, which has to be this token."""

    def read(word: str) -> None:
        event = reply.next_event()
        assert (event.type, event.data["text"]) == ("token", word)

    return read
