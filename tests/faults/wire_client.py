"""A client written from the wire table and nothing else, which never gives up and writes down all that it accepts.

It asks a question, or reads the answer of another client's along. Through drops it attaches again: with the same
request id while it has no stream id, and after its last event once it has. It judges nothing: that is the checker's.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gevent
from gevent.event import Event
from history import Accepted, Reading
from stream_client import Connection, Received, Reply

PREFIX = "/api/ai"


@dataclass(frozen=True)
class Asked:
    """One question of one visitor."""

    message: str
    session: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    request_id: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def body(self) -> dict[str, Any]:
        """What `POST /chat` takes."""
        return {"message": self.message, "sessionId": self.session, "requestId": self.request_id}


@dataclass(frozen=True)
class Manners:
    """How patient a client is, in seconds: for the whole answer, with a silent line, before it comes again, and
    before it comes again to who has refused it."""

    deadline_s: float = 60.0
    silence_s: float = 5.0
    pause_s: float = 0.002
    refused_s: float = 0.1


class WireClient:
    """One client of one answer.

    Args:
        way: gives the port for each new connection.
        stream_id: of an answer that somebody else has asked for; it is read from its beginning.
    """

    def __init__(
        self,
        way: Callable[[], int],
        asked: Asked,
        reading: Reading,
        manners: Manners | None = None,
        *,
        stream_id: str = "",
    ) -> None:
        self._way, self._asked, self.reading, self._manners = way, asked, reading, manners or Manners()
        self.stream_id = stream_id
        # Set once it has a stream id, or has given up.
        self.is_named = Event()
        self._last_event_id = ""
        self._lost_at: float | None = None

    def run(self) -> Reading:
        """Read until the terminal event, or until the deadline."""
        gives_up_at = time.monotonic() + self._manners.deadline_s
        while not self.reading.is_ended and time.monotonic() < gives_up_at:
            try:
                pause_s = self._connect()
            except OSError:
                pause_s = self._manners.pause_s
                self.reading.drops += 1
            if not self.reading.is_ended:
                self._lost_at = self._lost_at or time.monotonic()
                gevent.sleep(pause_s)
        self.is_named.set()
        return self.reading

    def hold(self, events: int, is_over: Event, on_held: Callable[[], object], **options: Any) -> None:
        """Read so many events on one connection, then leave it open and take nothing more of it until `is_over`. To be
        called before `run`. Raises OSError when it is lost or refused before."""
        with Connection(self._way(), timeout_s=self._manners.silence_s, **options) as connection:
            reply = self._request(connection)
            if reply.status != 200:
                raise ConnectionError(_cause(reply))
            while len(self.reading.accepted) < events:
                self._take(reply.next_event())
            on_held()
            is_over.wait()

    def come_back(self) -> float:
        """`run`, after `hold`; how many seconds it took to the next event."""
        began, had = time.monotonic(), len(self.reading.accepted)
        self.run()
        return self.reading.at[had] - began if len(self.reading.at) > had else 0.0

    def _connect(self) -> float:
        """Read what one connection brings; how long to wait before the next one."""
        with Connection(self._way(), timeout_s=self._manners.silence_s) as connection:
            reply = self._request(connection)
            if reply.status != 200:
                self.reading.refused[_cause(reply)] += 1
                return self._manners.refused_s
            for event in reply.events():
                self._take(event)
        self.reading.drops += not self.reading.is_ended
        return self._manners.pause_s

    def _request(self, connection: Connection) -> Reply:
        if not self.stream_id:
            return connection.request("POST", f"{PREFIX}/chat", body=self._asked.body)
        headers = {"Last-Event-ID": self._last_event_id} if self._last_event_id else {}
        path = f"{PREFIX}/chat/{self.stream_id}"
        return connection.request("GET", path, session=self._asked.session, headers=headers)

    def _take(self, event: Received) -> None:
        if self._lost_at is not None:
            self.reading.recoveries_s.append(time.monotonic() - self._lost_at)
            self._lost_at = None
        self._last_event_id = event.id
        if event.type == "connected":
            self.stream_id = event.data["streamId"]
            self.is_named.set()
        self.reading.take(accepted(event))


def accepted(event: Received) -> Accepted:
    """What is written down of an event."""
    data = event.data
    if event.type == "token":
        return Accepted("token", event.id, data["text"], data["index"])
    if event.type == "done":
        return Accepted("done", event.id, data["fullText"], finish=data["finishReason"])
    if event.type == "error":
        return Accepted("error", event.id, data["code"], finish="error")
    return Accepted(event.type, event.id)


def read_block(wire: bytes) -> Accepted:
    """What is written down of an event, from its bytes on the wire."""
    block = dict(line.split(": ", 1) for line in wire.decode("ascii").rstrip("\n").split("\n"))
    return accepted(Received(block["event"], json.loads(block["data"]), block["id"]))


def _cause(reply: Reply) -> str:
    return f"{reply.status}" if reply.status == 204 else f"{reply.status} {reply.json()['error']['code']}"
