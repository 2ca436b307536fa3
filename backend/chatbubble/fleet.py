"""The Fleet contract: what the processes of one deployment say to each other, and count together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class StopTurn:
    """Whoever runs this turn: a visitor has pressed Stop."""

    stream_id: str


@dataclass(frozen=True, slots=True)
class ForgetStream:
    """Whoever holds this stream: its visitor wants it gone."""

    stream_id: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Send this to every client on `GET /stream`."""

    event: str
    data: Any


@dataclass(frozen=True, slots=True)
class SendTo:
    """Send this to one client, if it is connected to you."""

    client_id: str
    event: str
    data: Any


Message = StopTurn | ForgetStream | Broadcast | SendTo
Stats = Mapping[str, Any]


class Fleet(Protocol):
    """The other processes, as this one sees them."""

    def open(self, hear: Callable[[Message], bool], count: Callable[[], Stats]) -> None:
        """Take part from now on: `hear` gets what the others post and says whether it was meant for this
        process, `count` gives this process's numbers. Raises StoreUnavailable."""
        ...

    def post(self, message: Message) -> None:
        """Tell all others, later where it cannot be done now. Never switches."""
        ...

    def reach(self, message: Message, timeout_s: float) -> bool:
        """Tell all others; whether one of them says within `timeout_s` seconds that it was meant for it."""
        ...

    @property
    def is_alone(self) -> bool:
        """Whether there can be no others."""
        ...

    def get_others(self) -> list[Stats]:
        """The numbers of the other processes that live, a few seconds old at most."""
        ...

    def exchange(self) -> list[Stats]:
        """The same; and these hear the numbers of this process at once, not a few seconds later."""
        ...

    def close(self) -> None:
        """Take part no more."""
        ...


class Alone:
    """The fleet of a process that is the only one."""

    def open(self, hear: Callable[[Message], bool], count: Callable[[], Stats]) -> None:
        """See Fleet.open: nobody will say anything."""

    def post(self, message: Message) -> None:
        """See Fleet.post: nobody hears it."""

    def reach(self, message: Message, timeout_s: float) -> bool:  # noqa: ARG002 -- nobody is there
        """See Fleet.reach: nobody hears it."""
        return False

    is_alone = True

    def get_others(self) -> list[Stats]:
        """See Fleet.get_others: there are none."""
        return []

    def exchange(self) -> list[Stats]:
        """See Fleet.exchange: there are none."""
        return []

    def close(self) -> None:
        """See Fleet.close."""
