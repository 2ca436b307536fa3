"""Who is calling: the secret session id that a visitor's browser made or, for a person whom the site has named, the
signed one that it was given. Either is kept only as a hash."""

from __future__ import annotations

import hashlib
import re
import secrets

from .errors import BadRequest, IdentityRefused, NotFound, OperatorRequired, SessionExpired, SessionMissing
from .signed_sessions import PREFIX, SessionSigner

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)
_BEARER = re.compile(r"Bearer +(\S+)", re.ASCII | re.IGNORECASE)
SESSION_SHAPE = "16 to 128 characters of A-Z, a-z, 0-9, _ and -"


class Visitors:
    """Tells visitors apart. Without a `signer` nobody is known by name."""

    def __init__(self, signer: SessionSigner | None = None) -> None:
        self._signer = signer

    def of_session(self, session_id: str) -> str:
        """The name under which the server knows a visitor: SHA-256 in hex, of the session id or, where that is
        signed, of the person's name, which is the same on every device.

        Session ids are long and random, so a plain hash cannot be searched backwards. Raises BadRequest when the
        session id has another shape, and SessionExpired.
        """
        if not _SESSION_ID.fullmatch(session_id):
            raise BadRequest(f"sessionId should be {SESSION_SHAPE}.", field="sessionId")
        if not session_id.startswith(PREFIX):
            return hashlib.sha256(session_id.encode("ascii")).hexdigest()
        if self._signer is None:
            raise SessionExpired(detail="CHATBUBBLE_IDENTITY_SECRET is not set any more")
        return visitor_of_person(self._signer.person_of(session_id))

    def of_nameless(self, session_id: str) -> str:
        """The same of a session id that a browser made. Raises BadRequest for any other, be it a person's."""
        if session_id.startswith(PREFIX):
            raise BadRequest("sessionId should be one that a browser made up, not a person's.", field="sessionId")
        return self.of_session(session_id)

    def of_authorization(self, header: str | None) -> str:
        """The visitor of an `Authorization: Bearer <sessionId>` header. Raises SessionMissing and SessionExpired."""
        return self.of_session(_session_of(header))

    def of_person(self, header: str | None) -> str:
        """The same, and IdentityRefused for whoever the site has not named."""
        session_id = _session_of(header)
        visitor_id = self.of_session(session_id)
        if not session_id.startswith(PREFIX):
            raise IdentityRefused("This is for visitors whom the site has named.")
        return visitor_id


def _session_of(header: str | None) -> str:
    match = _BEARER.fullmatch(header.strip()) if header else None
    if not match or not _SESSION_ID.fullmatch(match[1]):
        raise SessionMissing()
    return match[1]


def visitor_of_person(person: str) -> str:
    """The visitor that a person is, by the name that `identity` gives them."""
    # No session id has a blank in it: a person is never the visitor of somebody's random id.
    return hashlib.sha256(f"person {person}".encode("ascii")).hexdigest()


def check_operator(header: str | None, token: str) -> None:
    """Let in whose `Authorization` header carries exactly this operator token, compared in constant time.

    Raises OperatorRequired, and NotFound when there is no token that anybody could have.
    """
    if not token:
        raise NotFound()
    match = _BEARER.fullmatch(header.strip()) if header else None
    if match is None or not secrets.compare_digest(match[1].encode(), token.encode()):
        raise OperatorRequired()


def new_id(kind: str) -> str:
    """A fresh unguessable id: `kind`, an underscore and 128 random bits."""
    return f"{kind}_{secrets.token_hex(16)}"
