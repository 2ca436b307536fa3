"""The StreamLog contract: the ordered events of each answer, kept apart from connections.

A turn appends; any number of readers follow, each from its own cursor. Every entry is
kept as the bytes that go out, encoded once and not once per reader.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from .events import Event
from .records import Cursor


@dataclass(frozen=True, slots=True)
class Batch:
    """What is ready for a reader: wire bytes, the cursor after them, whether they end it."""

    wire: bytes
    cursor: Cursor
    is_terminal: bool


class StreamReader(Protocol):
    """One reader's place in one stream. Not shared between greenlets."""

    @property
    def stream_id(self) -> str:
        """The stream that it reads; empty where it is none of an answer."""
        ...

    @property
    def is_exhausted(self) -> bool:
        """Whether the terminal event was already read."""
        ...

    def next(self, timeout_s: float) -> Batch | None:
        """All that has come since the last call, at most about 64 KB; waits for the
        first event up to `timeout_s` seconds. None on time-out or after `close`."""
        ...

    def wake(self) -> None:
        """End a waiting `next`. May be called from the event loop itself, so it never switches."""
        ...

    def close(self) -> None:
        """Wake a waiting `next` and stop following; harmless when repeated. May be
        called from the event loop itself, so it never switches."""
        ...

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called or the stream was erased."""
        ...


class StreamLog(Protocol):
    """Holds the streams of this deployment. A form that several processes share may have to look
    elsewhere for a stream that another process writes: `reader`, `start` and `owner` then raise
    StoreUnavailable when that place cannot be reached."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes may write streams of this log."""
        ...

    def open(self, stream_id: str, owner: str, *, private: bool = False) -> Cursor:
        """Begin a stream; `owner` is the visitor id that may read it. Returns the place
        before its first event. Opening an id again starts a new epoch. A `private` one is
        for the readers of this process alone.

        Raises Overloaded when no room can be made.
        """
        ...

    def append(self, stream_id: str, event: Event) -> Cursor:
        """Add one event and wake the readers; never switches greenlets in memory form.

        Raises StreamEnded after the terminal event, NotFound for an unknown stream.
        """
        ...

    def reader(self, stream_id: str, after: Cursor | None = None, *, lost: bool = False) -> StreamReader:
        """Follow a stream after a cursor; None means from the beginning. A cursor that
        does not fit, or `lost`, gives `reset` and then the whole stream.

        Raises NotFound for an unknown or expired stream.
        """
        ...

    def start(self, stream_id: str) -> Cursor | None:
        """The place before the first event; None for an unknown or expired stream."""
        ...

    def owner(self, stream_id: str) -> str | None:
        """The visitor id that may read the stream; None for an unknown one."""
        ...

    def is_foreign(self, stream_id: str) -> bool:
        """Whether the stream runs and another process writes it: what becomes of it is not known here."""
        ...

    def discard(self, stream_id: str) -> None:
        """Forget a stream at once and end its readers."""
        ...

    def erase(self, stream_id: str) -> None:
        """Forget a stream at once because its visitor wants it gone. Each reader gets nothing more
        of it but a last event, if it has not read that yet: `done`, aborted, without any text."""
        ...

    def take_over(self, stream_id: str, owner: str) -> Cursor:
        """Tell a stream anew from here, whoever has told it so far: that one can write nothing more of it,
        and each reader anywhere gets `reset`. Returns the place before its first event."""
        ...

    def abandon(self, stream_id: str) -> None:
        """Another process tells this stream now: write nothing more, and cut the readers off, so that they
        come again and follow that one."""
        ...

    def forget(self, stream_id: str) -> None:
        """As `erase`, in this process alone: the other ones hear of it by themselves."""
        ...

    def get_stats(self) -> dict[str, int]:
        """`streams`, `readers`, `bytes` and `events` held now."""
        ...


@runtime_checkable
class QueueingLog(Protocol):
    """A log that can say how much is waiting to be written somewhere else; it need not."""

    @property
    def queue_length(self) -> int:
        """Streams of which something is still to be written."""
        ...
