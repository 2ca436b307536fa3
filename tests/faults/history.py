"""What is written down of each answer while faults happen: what the model said, what each client accepted, what the
log and the store have in the end. It is all that the checker looks at."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

TERMINAL = ("done", "error")


@dataclass(eq=False)
class Call:
    """One call of the model, and how far it came. `words` is all that it has to say; `server` is which process asked;
    `was_cut` that this one was killed, or stood still, meanwhile."""

    number: int
    words: tuple[str, ...]
    server: str = ""
    words_said: int = 0
    is_open: bool = False
    was_cut: bool = False
    ended_at: float = float("inf")

    @property
    def is_whole(self) -> bool:
        """Whether it said everything."""
        return self.words_said == len(self.words)

    @cached_property
    def text(self) -> str:
        """All that it has to say, as one text."""
        return "".join(self.words)


class Accepted(NamedTuple):
    """One event, as a client took it. `text` is a token's, the full text of `done`, or the code of `error`; `begins`
    is where a token's text does."""

    type: str
    id: str
    text: str = ""
    begins: int = 0
    finish: str = ""


@dataclass(eq=False)
class Reading:
    """All that one client accepted of one answer, in order, and when; `recoveries_s` are the times from each lost
    connection to the next event, `refused` what it was told instead of a stream. One that `may_lack_end` is what Redis
    has of an answer, after it was broken."""

    reader: str
    accepted: list[Accepted] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)
    drops: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    is_ended: bool = False
    may_lack_end: bool = False

    def take(self, event: Accepted) -> None:
        """The client has accepted this, now."""
        self.accepted.append(event)
        self.at.append(time.monotonic())
        self.is_ended = self.is_ended or event.type in TERMINAL


@dataclass(frozen=True)
class StoredRow:
    """What the database has of one turn."""

    state: str
    content: str | None
    finish_reason: str | None
    error_code: str | None


@dataclass(eq=False)
class Story:
    """Everything that is known of one answer; `words` is how many it has."""

    tag: str
    words: int
    began_at: float = field(default_factory=time.monotonic)
    calls: list[Call] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    stored: list[StoredRow] = field(default_factory=list)
    stream_id: str = ""

    def new_reading(self, reader: str) -> Reading:
        """The record of one more client."""
        self.readings.append(Reading(reader))
        return self.readings[-1]

    @property
    def events_accepted(self) -> int:
        """By all clients together."""
        return sum(len(reading.accepted) for reading in self.readings)
