"""The keys by which a site's own server says who its visitors are: read and checked once, at the start."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import MIN_SECRET_BYTES, Settings
from .errors import ConfigError
from .secrecy import how_guessable

if TYPE_CHECKING:
    from jwt.algorithms import Algorithm

ALGORITHMS = ("HS256", "RS256", "EdDSA")
_FIELDS = {"alg", "key", "issuer"}


@dataclass(frozen=True, slots=True)
class IdentityKey:
    """What a key id stands for: one algorithm, the key for it, and the issuer whose people it names."""

    algorithm: str
    material: Any
    issuer: str = ""


def read_identity_keys(settings: Settings) -> dict[str, IdentityKey]:
    """Every key by its id; that of CHATBUBBLE_IDENTITY_SECRET has the empty one. None where no secret is set.

    Raises ConfigError, naming the setting and the key, for one that cannot be used.
    """
    return {name: _key(title, entry) for name, title, entry in _entries(settings)}


def find_key_faults(settings: Settings) -> Iterator[str]:
    """A line for each key that cannot be used."""
    try:
        entries = list(_entries(settings))
    except ConfigError as fault:
        yield fault.message
        return
    for _, title, entry in entries:
        try:
            _key(title, entry)
        except ConfigError as fault:
            yield fault.message


def _entries(settings: Settings) -> Iterator[tuple[str, str, Any]]:
    """Each key's id, how it is named in a message, and what is said of it."""
    if not settings.identity_secret:
        if settings.identity_keys:
            raise ConfigError(
                "CHATBUBBLE_IDENTITY_KEYS needs CHATBUBBLE_IDENTITY_SECRET beside it, which signs the sessions"
            )
        return
    yield "", "CHATBUBBLE_IDENTITY_SECRET", {"alg": "HS256", "key": settings.identity_secret}
    if settings.identity_keys:
        for name, entry in _read(settings.identity_keys).items():
            yield name, f"CHATBUBBLE_IDENTITY_KEYS: the key {name!r:.80}", entry


def _read(path: str) -> Mapping[str, Any]:
    try:
        table = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as fault:
        raise ConfigError(f"CHATBUBBLE_IDENTITY_KEYS: {path!r:.200} cannot be read: {fault}") from None
    if not isinstance(table, dict) or not all(table):
        raise ConfigError(
            'CHATBUBBLE_IDENTITY_KEYS should name a JSON file like {"2026": {"alg": "RS256", "key": "<PEM>"}}'
        )
    return table


def _key(name: str, entry: Any) -> IdentityKey:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise ConfigError(f"{name} should be an object of texts: alg, key and perhaps issuer")
    if entry.keys() - _FIELDS or "key" not in entry or entry.get("alg") not in ALGORITHMS:
        raise ConfigError(f"{name} should have an alg, one of {', '.join(ALGORITHMS)}, a key, perhaps an issuer")
    # Here and not above: it brings in ssl, which gevent wants to patch before that.
    from jwt.algorithms import get_default_algorithms

    algorithm = get_default_algorithms().get(entry["alg"])
    if algorithm is None:
        raise ConfigError(f"{name} is for {entry['alg']}, which needs a package: pip install 'chatbubble[identity]'")
    return IdentityKey(entry["alg"], _material(name, algorithm, entry), entry.get("issuer", ""))


def _material(name: str, algorithm: Algorithm, entry: Mapping[str, str]) -> Any:
    from jwt.exceptions import InvalidKeyError

    key, is_shared = entry["key"], entry["alg"] == "HS256"
    if is_shared and len(key.encode()) < MIN_SECRET_BYTES:
        raise ConfigError(f"{name} should have at least {MIN_SECRET_BYTES} bytes: `openssl rand -hex 32` makes one")
    if not is_shared and "PRIVATE KEY" in key:
        raise ConfigError(f"{name} should be the public key: the private one stays on the server that makes the tokens")
    try:
        material = algorithm.prepare_key(key)
    except (InvalidKeyError, ValueError, TypeError):
        # Not the cause's own words: they might show a piece of the key.
        raise ConfigError(f"{name} is no key for {entry['alg']}{'' if is_shared else ', in PEM form'}") from None
    why = how_guessable(key) if is_shared else ""
    if why:
        raise ConfigError(f"{name} can be guessed, for {why}: `openssl rand -hex 32` makes one that cannot")
    weakness = algorithm.check_key_length(material)
    if weakness:
        raise ConfigError(f"{name} is too weak: {weakness}")
    return material
