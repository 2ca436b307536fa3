"""For sites that are written with Flask: the token that tells the chat who the visitor is."""

from __future__ import annotations

import os
import time

from flask import current_app, has_app_context

from .config import MIN_SECRET_BYTES, Settings
from .errors import ConfigError
from .identity import MAX_SUBJECT_CHARS, MAX_TOKEN_LIFE_S

TOKEN_LIFE_S = 300


def identity_token(subject: str, *, secret: str = "", audience: str = "", life_s: int = TOKEN_LIFE_S) -> str:
    """A token for `Chatbubble('identify', {token})`, to be given to nobody but the person it names.

    Args:
        subject: who the visitor is in your own system, the same each time: a customer's number, say. At most 255
            characters; the chat keeps a hash of it only.
        secret: the chat's CHATBUBBLE_IDENTITY_SECRET; by default as the current app or the environment has it.
        audience: the chat's CHATBUBBLE_IDENTITY_AUDIENCE; by default likewise.
        life_s: for how many seconds it can be used, at most 3,600. The session that it opens lasts for a day.

    Raises:
        ConfigError: there is no secret, or too short a one.
        ValueError: a subject or a life that the chat would refuse.
    """
    if not 1 <= len(subject) <= MAX_SUBJECT_CHARS:
        raise ValueError(f"subject should be 1 to {MAX_SUBJECT_CHARS} characters")
    if not 1 <= life_s <= MAX_TOKEN_LIFE_S:
        raise ValueError(f"life_s should be 1 to {MAX_TOKEN_LIFE_S} seconds")
    if not secret or not audience:
        settings = Settings.read(current_app.config if has_app_context() else {}, os.environ)
        secret, audience = secret or settings.identity_secret, audience or settings.identity_audience
    if len(secret.encode()) < MIN_SECRET_BYTES:
        raise ConfigError(f"identity_token needs a CHATBUBBLE_IDENTITY_SECRET of at least {MIN_SECRET_BYTES} bytes")
    # Here and not above: see identity_keys.
    import jwt

    now = int(time.time())
    claims = {"sub": subject, "aud": audience, "iat": now, "exp": now + life_s}
    return jwt.encode(claims, secret, algorithm="HS256")
