"""Session ids that the server gives to people whom the site has named. They are signed, so that no table is needed:
each carries whose it is, until when, and the proof."""

from __future__ import annotations

import base64
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import SessionExpired

# No random id begins like that: those of the widget are hexadecimal, as those of crypto.randomUUID() are.
PREFIX = "signed_"
SESSION_S = 86_400
PERSON_CHARS = 48
_SHAPE = re.compile(rf"{PREFIX}([0-9]{{13}})_([0-9a-f]{{{PERSON_CHARS}}})_[A-Za-z0-9_-]{{43}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignedSession:
    """A session id, and when it ends, in Unix milliseconds."""

    session_id: str
    expires_at: int


class SessionSigner:
    """Signs session ids, and tells whose they are, by a key that is derived from the site's identity secret."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        # A key of its own: what is signed here can never pass for a token, nor a token for this.
        self._key = hmac.digest(secret.encode(), b"chatbubble session ids", "sha256")
        self._now = now

    def sign(self, person: str) -> SignedSession:
        """A session of SESSION_S for a person, by the name that `identity` gives them."""
        expires_at = int((self._now() + SESSION_S) * 1000)
        return SignedSession(self._signed(f"{PREFIX}{expires_at}_{person}"), expires_at)

    def person_of(self, session_id: str) -> str:
        """Whose session it is. Raises SessionExpired when it is over, or was not signed here."""
        match = _SHAPE.fullmatch(session_id)
        if not match:
            raise SessionExpired(detail="no signed session id has this shape")
        # The whole text is compared: there is one way only to write it.
        if not hmac.compare_digest(session_id, self._signed(session_id[: match.end(2)])):
            raise SessionExpired(detail="it was not signed with today's CHATBUBBLE_IDENTITY_SECRET")
        if int(match[1]) <= self._now() * 1000:
            raise SessionExpired()
        return match[2]

    def _signed(self, text: str) -> str:
        digest = hmac.digest(self._key, text.encode("ascii"), "sha256")
        return f"{text}_{base64.urlsafe_b64encode(digest).decode('ascii').rstrip('=')}"
