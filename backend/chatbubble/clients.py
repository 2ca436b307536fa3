"""The stream manager: who is connected, and what the server sends them of its own accord."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any, Protocol

import gevent
from gevent.event import Event as Signal

from .errors import ClientNotFound, Overloaded, ShuttingDown
from .events import RESERVED_TYPES, Connected, Custom, Event
from .limits import Bound
from .places import MemoryPlaces
from .records import Cursor
from .slots import Slots
from .stream_log import Batch
from .visitors import new_id
from .wire import encode

MAILBOX_EVENTS = 256
MAILBOX_BYTES = 1_048_576
# Within so long a client who is sent away comes again, by its own dice: a thousand of them never at once.
SOME_TIME_MS = 3000


class Channel:
    """The mailbox of one client on `GET /stream`; reads like a StreamReader."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self._mail: list[tuple[Cursor, bytes]] = []  # an empty deque weighs 700 bytes
        self._size = 0
        self._signal = Signal()
        self._is_closed = False

    is_exhausted = False
    stream_id = ""

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called or the mailbox ran over."""
        return self._is_closed

    @property
    def waiting(self) -> int:
        """How many events have not been read yet."""
        return len(self._mail)

    def put(self, cursor: Cursor, wire: bytes) -> bool:
        """Add one event. False, and closed, when the client has not read for too long."""
        self._size += len(wire)
        if len(self._mail) >= MAILBOX_EVENTS or self._size > MAILBOX_BYTES:
            self.close()
        if self._is_closed:
            return False
        self._mail.append((cursor, wire))
        self._signal.set()
        return True

    def next(self, timeout_s: float) -> Batch | None:
        """See StreamReader.next."""
        if not self._mail and not self._is_closed:
            self._signal.clear()
            self._signal.wait(timeout_s)
        if self._is_closed or not self._mail:
            return None
        cursor = self._mail[-1][0]
        wire = b"".join(wire for _, wire in self._mail)
        self._mail.clear()
        self._size = 0
        return Batch(wire, cursor, is_terminal=False)

    def wake(self) -> None:
        """See StreamReader.wake."""
        self._signal.set()

    def close(self) -> None:
        """See StreamReader.close."""
        self._is_closed = True
        self._signal.set()


class Delivering(Protocol):
    """A response that is under way to one client."""

    @property
    def stream_id(self) -> str:
        """The stream that it is made of; empty for a channel."""
        ...

    def dismiss(self, retry_ms: int) -> None:
        """End it after what is ready, and have the client come again within `retry_ms`. Never switches."""
        ...


class Clients:
    """Counts every open event stream and reaches those on the visitors' own channel.

    Args:
        max_streams: as many may be open.
        bound: and so many of one address.

    Attributes:
        slots: the connections of this process, where its server counts them.
    """

    def __init__(self, max_streams: int, bound: Bound | None = None) -> None:
        self.slots = Slots(max_streams)
        self._bound = bound or Bound(MemoryPlaces(), "streams", 0)
        self._max_streams = max_streams
        self._channels: dict[str, Channel] = {}
        self._connections: dict[str, Delivering | None] = {}
        self._addresses: dict[str, str] = {}
        self._cursor = Cursor(secrets.token_hex(5), 0)
        self._started_at = time.monotonic()
        self._peak = self._total = self._sent = 0
        self._is_closing = False
        self._nobody = Signal()
        self._nobody.set()

    def register(self, address: str = "") -> str:
        """Count one more open stream, for this address, and name its client.

        Raises Overloaded when this process holds `max_streams` of them, or serves as many connections; RateLimited when
        the address has as many as it may.
        """
        if self.is_full:
            taken = f"{len(self._connections)} open streams, {len(self.slots)} connections"
            raise Overloaded(retry_after_s=5, detail=f"{taken}: CHATBUBBLE_MAX_STREAMS is {self._max_streams}")
        client_id = new_id("client")
        self._connections[client_id] = None
        self._nobody.clear()
        try:
            self._bound.enter(address)
        except BaseException:
            self.remove(client_id)
            raise
        self._addresses[client_id] = address
        self._total += 1
        self._peak = max(self._peak, len(self._connections))
        return client_id

    def attach(self, client_id: str, response: Delivering) -> None:
        """The response that a registered client gets."""
        if client_id in self._connections:
            self._connections[client_id] = response

    def get_responses(self) -> list[Delivering]:
        """All that are under way, the oldest first."""
        return [response for response in self._connections.values() if response is not None]

    def remove(self, client_id: str) -> None:
        """The client's stream has ended; harmless when repeated."""
        self._connections.pop(client_id, None)
        address = self._addresses.pop(client_id, None)
        if address is not None:
            self._bound.leave(address)
        if not self._connections:
            self._nobody.set()
        channel = self._channels.pop(client_id, None)
        if channel:
            channel.close()

    def open_channel(self, client_id: str) -> Channel:
        """Give a registered client a mailbox, with its `connected` event in it.

        Raises ShuttingDown once `close_channels` was called.
        """
        if self._is_closing:
            raise ShuttingDown(retry_after_s=5)
        channel = self._channels[client_id] = Channel(client_id)
        self._put(channel, Connected(client_id, "Connected.", int(time.time() * 1000)))
        return channel

    def has_channel(self, client_id: str) -> bool:
        """Whether this client listens on `GET /stream`."""
        return client_id in self._channels

    def send(self, client_id: str, event: str, data: Any) -> None:
        """Send one event of your own to one client.

        Raises ClientNotFound when it is not connected, ValueError or TypeError when
        `event` is one of ours or `data` is not JSON.
        """
        own = _own_event(event, data)
        channel = self._channels.get(client_id)
        if channel is None:
            raise ClientNotFound(detail=f"no client {client_id!r:.80}")
        self._put(channel, own)

    def broadcast(self, event: str, data: Any) -> int:
        """Send one event of your own to every client on `GET /stream`; returns to how many.

        Raises ValueError or TypeError when `event` is one of ours or `data` is not JSON.
        """
        cursor, wire = self._encode(_own_event(event, data))
        reached = sum(channel.put(cursor, wire) for channel in tuple(self._channels.values()))
        self._sent += reached
        gevent.sleep(0)
        return reached

    def close_channels(self) -> None:
        """End every `GET /stream` and take no more of them, at shutdown. The clients come again, each when it likes."""
        self._is_closing = True
        for client_id, channel in tuple(self._channels.items()):
            response = self._connections.get(client_id)
            if response is None:
                channel.close()
            else:
                response.dismiss(SOME_TIME_MS)

    def wait_until_gone(self, timeout_s: float) -> bool:
        """Wait until no stream is open; False when some still are after `timeout_s` seconds."""
        return bool(self._nobody.wait(timeout_s))

    @property
    def is_full(self) -> bool:
        """Whether there may not be one stream more."""
        return len(self._connections) >= self._max_streams or self.slots.is_scarce

    def count_mail(self) -> int:
        """How many events wait for clients that have not read them yet."""
        return sum(channel.waiting for channel in self._channels.values())

    def get_stats(self) -> dict[str, int]:
        """`activeConnections`, how many of them are channels, the peak, totals, `uptime` in seconds."""
        return {
            "activeConnections": len(self._connections),
            "activeChannels": len(self._channels),
            "peakConnections": self._peak,
            "totalConnections": self._total,
            "eventsSent": self._sent,
            "uptime": int(time.monotonic() - self._started_at),
        }

    def _put(self, channel: Channel, event: Event) -> None:
        self._sent += channel.put(*self._encode(event))

    def _encode(self, event: Event) -> tuple[Cursor, bytes]:
        self._cursor = Cursor(self._cursor.epoch, self._cursor.seq + 1)
        return self._cursor, encode(event, self._cursor)


def _own_event(event: str, data: Any) -> Custom:
    if not event or event in RESERVED_TYPES:
        raise ValueError(f"an event of your own needs a type of its own, not {event!r}")
    json.dumps(data, allow_nan=False)
    return Custom(event, data)
