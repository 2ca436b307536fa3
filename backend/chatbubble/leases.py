"""The Leases contract: which process runs a turn, and what happens when it stops saying so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .records import Question, Turn


@dataclass(frozen=True, slots=True)
class Claim:
    """A turn that this process has taken over; `attempt` counts the processes that have tried, this one included."""

    stream_id: str
    question: Question
    attempt: int


@dataclass(frozen=True, slots=True)
class Followers:
    """Who is told of what becomes of leases. Each may wait, and may raise StoreUnavailable.

    Attributes:
        take_over: this process now has to end a turn that another one has left.
        lose: another process has taken over a turn of this one.
        sweep: gets the streams of all turns that anybody runs, every few seconds; gives the turns that are left all
            the same, for one process to take over.
    """

    take_over: Callable[[Claim], None]
    lose: Callable[[str], None]
    sweep: Callable[[frozenset[str]], Sequence[Claim]]


class Leases(Protocol):
    """Says of each running turn which process runs it."""

    def open(self, followers: Followers) -> None:
        """Take part from now on."""
        ...

    def take(self, turn: Turn, question: Question) -> None:
        """This process runs a turn now. Never switches."""
        ...

    def release(self, stream_id: str) -> None:
        """The turn has ended. Never switches."""
        ...

    def is_held(self, stream_id: str) -> bool:
        """Whether this process still runs a turn, as far as can be told: no longer where it stood still for so long
        that another one has taken it over. May wait."""
        ...

    def stop_claiming(self) -> None:
        """Take over nothing any more: the server stops."""
        ...

    def hand_over(self, stream_ids: Sequence[str]) -> bool:
        """Have another process run these turns, at once. False where that cannot be told."""
        ...

    def close(self) -> None:
        """Take part no more; what is still held, others will take over."""
        ...


class NoLeases:
    """The leases of a process that is the only one."""

    def open(self, followers: Followers) -> None:
        """See Leases.open: nothing will ever happen."""

    def take(self, turn: Turn, question: Question) -> None:
        """See Leases.take: nobody else could."""

    def release(self, stream_id: str) -> None:
        """See Leases.release."""

    def is_held(self, stream_id: str) -> bool:  # noqa: ARG002 -- all are
        """See Leases.is_held."""
        return True

    def stop_claiming(self) -> None:
        """See Leases.stop_claiming."""

    def hand_over(self, stream_ids: Sequence[str]) -> bool:  # noqa: ARG002 -- nobody is there
        """See Leases.hand_over: nobody would."""
        return False

    def close(self) -> None:
        """See Leases.close."""
