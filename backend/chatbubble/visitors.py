"""Who is calling: the secret session id that a visitor's browser made, kept only as a hash."""

from __future__ import annotations

import hashlib
import re
import secrets

from .errors import BadRequest, NotFound, OperatorRequired, SessionMissing

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{16,128}", re.ASCII)
_BEARER = re.compile(r"Bearer +(\S+)", re.ASCII | re.IGNORECASE)
SESSION_SHAPE = "16 to 128 characters of A-Z, a-z, 0-9, _ and -"


def visitor_id(session_id: str) -> str:
    """The name under which the server knows a visitor: SHA-256 of the session id, in hex.

    Session ids are long and random, so a plain hash cannot be searched backwards.
    Raises BadRequest when the session id has another shape.
    """
    if not _SESSION_ID.fullmatch(session_id):
        raise BadRequest(f"sessionId should be {SESSION_SHAPE}.", field="sessionId")
    return hashlib.sha256(session_id.encode("ascii")).hexdigest()


def visitor_from_authorization(header: str | None) -> str:
    """The visitor of an `Authorization: Bearer <sessionId>` header. Raises SessionMissing."""
    match = _BEARER.fullmatch(header.strip()) if header else None
    if not match or not _SESSION_ID.fullmatch(match[1]):
        raise SessionMissing()
    return visitor_id(match[1])


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
