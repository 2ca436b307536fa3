"""Who a visitor is, in the word of the site's own server: a signed token in, a signed session out."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from .body import parse_object, text_of
from .config import Settings
from .errors import BadRequest, IdentityOff, IdentityRefused
from .identity_keys import IdentityKey, read_identity_keys
from .signed_sessions import PERSON_CHARS, SessionSigner, SignedSession
from .visitors import Visitors

logger = logging.getLogger("chatbubble.identity")

MAX_TOKEN_CHARS = 4096
MAX_SUBJECT_CHARS = 255
MAX_TOKEN_LIFE_S = 3600
SKEW_S = 60
_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)", re.ASCII)


def parse_identification(body: bytes) -> str:
    """The token in the body of `POST /identify`. Raises BadRequest when there is none."""
    fields = parse_object(body)
    if "token" not in fields:
        raise BadRequest("token is missing: send {token} as JSON.", field="token")
    return text_of(fields, "token")


def parse_adoption(body: bytes, visitors: Visitors) -> str:
    """Whose conversation `POST /conversation/adopt` asks for. Raises BadRequest unless it is that of a session id that
    a browser made."""
    fields = parse_object(body)
    if "sessionId" not in fields:
        raise BadRequest("sessionId is missing: send {sessionId} as JSON.", field="sessionId")
    return visitors.of_nameless(text_of(fields, "sessionId"))


class Identity:
    """Turns tokens into sessions, whose `visitors` it knows. `signer` is None where the operator has set no secret:
    nobody is named then."""

    def __init__(self, keys: Mapping[str, IdentityKey], audience: str, signer: SessionSigner | None) -> None:
        self._keys, self._audience, self._signer = keys, audience, signer
        self.visitors = Visitors(signer)
        self._has_complained = False

    @classmethod
    def create(cls, settings: Settings) -> Identity:
        """By the settings. Raises ConfigError when one of the keys cannot be used."""
        secret = settings.identity_secret
        return cls(read_identity_keys(settings), settings.identity_audience, SessionSigner(secret) if secret else None)

    def identify(self, token: str) -> SignedSession:
        """A session of the person whom the token names. Raises IdentityRefused and IdentityOff."""
        if self._signer is None:
            self._complain_once()
            raise IdentityOff()
        return self._signer.sign(self.person_of(token))

    def person_of(self, token: str) -> str:
        """The name of the person whom the token names: the same for each token of the same issuer and subject.

        Raises IdentityRefused, whose `detail` tells the operator why.
        """
        # Here and not above: see identity_keys.
        import jwt

        key = self._key_of(token)
        try:
            claims = jwt.decode(
                token,
                key.material,
                # The key's own: what the token says of itself decides nothing.
                algorithms=[key.algorithm],
                audience=self._audience,
                issuer=key.issuer or None,
                leeway=SKEW_S,
                options={"require": ["exp", "iat", "aud", "sub"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as fault:
            raise IdentityRefused(detail=f"{type(fault).__name__}: {fault!s:.200}") from None
        _check_claims(claims)
        return name_person(key.issuer, claims["sub"])

    def _key_of(self, token: str) -> IdentityKey:
        match = _TOKEN.fullmatch(token) if len(token) <= MAX_TOKEN_CHARS else None
        # One way only to write a token, so that none can be altered at all.
        if not match or not all(_is_canonical(part) for part in match.groups()):
            raise IdentityRefused(detail="it is no signed token in the compact form")
        try:
            header = parse_object(_decoded(match[1]))
            name = text_of(header, "kid") if "kid" in header else ""
        except BadRequest as fault:
            raise IdentityRefused(detail=f"its header cannot be read: {fault}") from None
        if "crit" in header:
            raise IdentityRefused(detail="its header demands what is not known here")
        if name not in self._keys:
            raise IdentityRefused(detail=f"there is no key {name!a:.80} in CHATBUBBLE_IDENTITY_KEYS")
        return self._keys[name]

    def _complain_once(self) -> None:
        if not self._has_complained:
            self._has_complained = True
            logger.warning("a page tells who its visitor is, to no effect: set CHATBUBBLE_IDENTITY_SECRET to allow it")


def name_person(issuer: str, subject: str) -> str:
    """The name under which the server knows a person whom tokens of this issuer, or of none, call so."""
    return hashlib.sha256(json.dumps([issuer, subject]).encode("ascii")).hexdigest()[:PERSON_CHARS]


def _check_claims(claims: Mapping[str, Any]) -> None:
    """What PyJWT leaves open: how long a token may live, and how long a name may be."""
    begins, ends, subject = claims["iat"], claims["exp"], claims["sub"]
    if type(begins) is not int or type(ends) is not int:
        raise IdentityRefused(detail="iat and exp should be whole seconds")
    if ends - begins > MAX_TOKEN_LIFE_S:
        raise IdentityRefused(detail=f"exp is more than {MAX_TOKEN_LIFE_S} s after iat")
    if not 1 <= len(subject) <= MAX_SUBJECT_CHARS:
        raise IdentityRefused(detail=f"sub should be 1 to {MAX_SUBJECT_CHARS} characters")


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _is_canonical(part: str) -> bool:
    """Whether a piece of Base64 is how its bytes are written: its last character may hold bits that do not count."""
    return len(part) % 4 != 1 and base64.urlsafe_b64encode(_decoded(part)).decode("ascii").rstrip("=") == part
