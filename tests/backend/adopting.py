"""A person who asks for what they said before they were named."""

from __future__ import annotations

import time
from typing import Any

from identities import SECRET
from stream_client import Connection, Reply, Visitor

from chatbubble.identity import name_person
from chatbubble.signed_sessions import SESSION_S, SessionSigner


def session_of(subject: str, *, ends_in_s: float = SESSION_S) -> str:
    """A session of a person, as `POST /identify` gives one."""
    signer = SessionSigner(SECRET, lambda: time.time() + ends_in_s - SESSION_S)
    return signer.sign(name_person("", subject)).session_id


def adopt(person: Visitor, session: Any, headers: dict[str, str] | None = None) -> Reply:
    """`POST /conversation/adopt`."""
    path, body = f"{person.prefix}/conversation/adopt", {"sessionId": session}
    return Connection(person.port).request("POST", path, body=body, session=person.session, headers=headers or {})
