"""Those who call a route: the one whose it is, and everybody who wants what is somebody else's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from hosting import JSON, OPERATOR_TOKEN, Site, bearer, new_session, stream_id_of
from raw_http import Answer, Wire, request
from stream_client import Connection

OWN_WORDS = "the tabby cat sleeps at noon"
STRANGERS = ("none", "malformed")
OTHERS = ("other", "erased", "unheard", "operator")

# What differs from one answer to the next, whoever asks.
_IDS = re.compile(rb"\b(stream|client|msg|conv|req)_[0-9a-f]{32}\b")
_MOMENTS = re.compile(rb'("(?:timestamp|duration|createdAt|expiresAt)":)\d+')
_REQUESTS = re.compile(rb"request-of-[A-Za-z0-9_-]+")
_EPOCHS = re.compile(rb"(?m)^id: \S+")
_OWN_HEADERS = {"date", "x-request-id", "content-length", "transfer-encoding"}


@dataclass(frozen=True)
class Target:
    """What the owner has, or ids of the same shape that nobody has."""

    stream_id: str
    message_id: str
    request_id: str


NOWHERE = Target("stream_" + "0" * 32, "msg_" + "0" * 32, "request-of-nobody")


class Cast:
    """An owner with one answered question, and everybody else."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.sessions = {name: new_session() for name in ("owner", "other", "erased", "unheard")}
        self.sessions |= {"operator": OPERATOR_TOKEN, "malformed": "../../etc"}
        request_id = f"request-of-{self.sessions['owner']}"
        answer = site.ask(self.sessions["owner"], OWN_WORDS, requestId=request_id)
        for name in ("other", "erased"):
            site.ask(self.sessions[name], "Something else.")
        for name in ("erased", "operator"):
            site.call("DELETE", "/conversation", [bearer(self.sessions[name])])
        message_id = self.messages_of("owner")[1]["messageId"]
        self.target = Target(stream_id_of(answer), message_id, request_id)

    def messages_of(self, caller: str) -> list[dict[str, Any]]:
        """What stands in a caller's conversation."""
        answer = self.site.call("GET", "/conversation", [bearer(self.sessions[caller])])
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    def call(self, caller: str, method: str, rule: str, target: Target) -> Answer:
        """One request to a route, for what `target` names, as this caller sends it."""
        if (method, rule) == ("GET", "/stream"):
            return _first_event(self.site.port, self.site.prefix + rule, self.sessions.get(caller))
        with Wire(self.site.port) as wire:
            wire.send(self.request(caller, method, rule, target))
            return wire.read()

    def request(self, caller: str, method: str, rule: str, target: Target) -> bytes:
        """The bytes of that request."""
        path = self.site.prefix + rule.replace("<stream_id>", target.stream_id).replace("<path:name>", self._file)
        session = self.sessions.get(caller)
        body = _body(rule, session, target) if method == "POST" else None
        headers = [bearer(session)] if session else []
        return request(method, path, headers if body is None else [*headers, JSON], body)

    @property
    def _file(self) -> str:
        """A file of the widget, as its address names it."""
        return self.site.mounted.assets.snippet("http://x.example", pinned=True).split("/assets/")[1].split('"')[0]


def _first_event(port: int, path: str, session: str | None) -> Answer:
    """A channel has no end: its first event is enough."""
    with Connection(port) as connection:
        reply = connection.request("GET", path, session=session)
        body = (
            json.dumps(reply.next_event().data, separators=(",", ":")).encode() if reply.status == 200 else reply.read()
        )
        return Answer(reply.status, tuple(reply.headers.items()), body)


def _body(rule: str, session: str | None, target: Target) -> bytes | None:
    bodies: dict[str, dict[str, object]] = {
        "/chat": {"message": "Mine?", "requestId": target.request_id, "replaces": target.request_id},
        "/conversation/adopt": {"sessionId": f"session-of-{target.message_id}"},
        "/feedback": {"messageId": target.message_id, "rating": "up"},
        "/identify": {"token": "no.such.token"},
    }
    if rule not in bodies:
        return None
    asked = {"sessionId": session} if rule == "/chat" and session else {}
    return json.dumps({**bodies[rule], **asked}).encode()


def told(answer: Answer) -> str:
    """All that an answer tells, but for what differs each time."""
    headers = sorted((name, value) for name, value in answer.headers if name not in _OWN_HEADERS)
    # Of a stream its last event, which has all of it: how its text was cut is a matter of the moment.
    body = answer.body.strip().rpartition(b"\n\n")[2]
    for moving, still in ((_IDS, rb"\g<1>_0"), (_REQUESTS, b"request"), (_MOMENTS, rb"\g<1>0"), (_EPOCHS, b"id: 0")):
        body = moving.sub(still, body)
    return f"{answer.status} {headers} {body.decode()}"


def outcome(answer: Answer) -> tuple[int, str]:
    """Its status, and the code of its error."""
    code = answer.json()["error"]["code"] if answer.status >= 400 else ""
    return answer.status, code
