"""A client written from the wire table and nothing else: standard library, no code of Chatbubble.

It asks one question and reads its answer through drops: it attaches again with the same
request id while it has no stream id, and reads on after its last event once it has. Every
token's index tells it whether something is missing or came twice.
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Event(NamedTuple):
    """One event, as it was closed by its blank line."""

    type: str
    data: dict[str, Any]
    id: str


@dataclass
class Answer:
    """What arrived, and what went wrong on the way."""

    text: str = ""
    finish: str = ""
    full_text: str = ""
    units_lost: int = 0
    units_doubled: int = 0
    resets: int = 0
    drops: int = 0
    refusals: list[str] = field(default_factory=list)

    @property
    def is_ended(self) -> bool:
        """Whether a terminal event has come."""
        return bool(self.finish)

    @property
    def is_whole(self) -> bool:
        """Whether the text came piece by piece, each once, up to the end."""
        return self.is_ended and self.text == self.full_text and not (self.units_lost or self.units_doubled)


class WireClient:
    """One visitor with one question; `wait_s` is asked before each new connection."""

    def __init__(self, port: int, message: str, *, deadline_s: float = 30.0) -> None:
        self._port, self._message = port, message
        self._deadline = time.monotonic() + deadline_s
        self._session = secrets.token_urlsafe(24)
        self._request_id = secrets.token_hex(8)
        self._stream_id = ""
        self._last_event_id = ""
        self.answer = Answer()

    def run(self) -> Answer:
        """Read until the terminal event, or until the deadline."""
        while not self.answer.is_ended and time.monotonic() < self._deadline:
            try:
                self._follow()
            except (OSError, http.client.HTTPException):
                self.answer.drops += 1
            if not self.answer.is_ended:
                time.sleep(0.002)
        return self.answer

    def _follow(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            if self._stream_id:
                path, headers = f"/api/ai/chat/{self._stream_id}", {"Authorization": f"Bearer {self._session}"}
                if self._last_event_id:
                    headers["Last-Event-ID"] = self._last_event_id
                connection.request("GET", path, headers=headers)
            else:
                body = {"message": self._message, "sessionId": self._session, "requestId": self._request_id}
                connection.request("POST", "/api/ai/chat", json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != 200:
                self.answer.refusals.append(f"{response.status} {response.read()[:200]!r}")
                return
            for event in self._events(response):
                self._take(event)
            if not self.answer.is_ended:
                self.answer.drops += 1
        finally:
            connection.close()

    def _events(self, response: http.client.HTTPResponse) -> Iterator[Event]:
        rest, fields = b"", {"event": "message", "data": "", "id": self._last_event_id}
        while chunk := response.read1(65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                name, _, value = line.decode("utf-8").partition(": ")
                if name in ("event", "data", "id"):
                    fields[name] = value
                elif not line and fields["data"]:
                    self._last_event_id = fields["id"]
                    yield Event(fields["event"], json.loads(fields["data"]), fields["id"])
                    fields.update(event="message", data="")

    def _take(self, event: Event) -> None:
        answer = self.answer
        if answer.is_ended:
            answer.refusals.append(f"{event.type} after the end")
        elif event.type == "connected":
            self._stream_id = event.data["streamId"]
        elif event.type == "reset":
            answer.resets += 1
            answer.text = ""
        elif event.type == "token":
            gap = event.data["index"] - len(answer.text.encode("utf-16-le")) // 2
            answer.units_lost += max(0, gap)
            answer.units_doubled += max(0, -gap)
            answer.text += event.data["text"]
        elif event.type == "done":
            answer.finish, answer.full_text = event.data["finishReason"], event.data["fullText"]
        elif event.type == "error":
            answer.finish = event.data["code"]
