"""What is wrong with settings that can each be read: secrets that are none, secrets where pages see them, debug mode
where strangers are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from ipaddress import ip_address
from itertools import combinations
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .errors import ConfigError
from .secrecy import find_key, how_guessable

if TYPE_CHECKING:
    from .config import Settings

_TELLING_CHARS = 12  # a shorter secret may as well be a word that stands in a prompt
DEBUG_MODE = "FLASK_DEBUG, or DEBUG in the Flask config, is for this machine alone"


def find_risks(settings: Settings, config: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    """A line for each, which names the setting and never its value where that is a secret."""
    yield from _weak_secrets(settings)
    yield from _shared_secrets(settings, environ)
    yield from _shown_secrets(settings, environ)
    if is_debugging(config, environ):
        yield from _public_debugging(settings)


def is_debugging(config: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether Flask's debug mode is on."""
    return bool(config.get("DEBUG")) or environ.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no")


def refuse_public_debugging(host: str) -> None:
    """Raises ConfigError where a server in debug mode would listen for others than this machine."""
    if not is_local(host):
        raise ConfigError(f"{DEBUG_MODE}, but --host is {host!r:.80}: switch debug mode off")


def is_local(host: str) -> bool:
    """Whether an address or name is one of this machine, or of a network that is not the public one."""
    host = host.lower().strip("[]")
    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".test", ".internal"))
    return (address.is_loopback or address.is_private) and not address.is_unspecified


def _weak_secrets(settings: Settings) -> Iterator[str]:
    # The identity's secrets are looked at with its other keys: see identity_keys.
    why = how_guessable(settings.operator_token) if settings.operator_token else ""
    if why:
        yield f"CHATBUBBLE_OPERATOR_TOKEN can be guessed, for {why}: `openssl rand -hex 32` makes one that cannot"


def _shared_secrets(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    given = {
        "CHATBUBBLE_OPERATOR_TOKEN": settings.operator_token,
        "CHATBUBBLE_IDENTITY_SECRET": settings.identity_secret,
        "OPENAI_API_KEY": environ.get("OPENAI_API_KEY", "").strip(),
    }
    for (name, secret), (other, same) in combinations(given.items(), 2):
        if secret and secret == same:
            yield f"{name} should not be the same as {other}: who knows one of them would know both"


def _shown_secrets(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    """Keys in what a page shows, or a model may be talked into showing."""
    secrets = _own_secrets(settings, environ)
    for item in fields(settings):
        value = getattr(settings, item.name)
        if item.metadata["secret"] or not isinstance(value, str | tuple):
            continue
        shown = value if isinstance(value, str) else "\n".join(value)
        found = next((name for name, secret in secrets.items() if secret in shown), "") or find_key(shown)
        if found:
            yield (
                f"CHATBUBBLE_{item.name.upper()} seems to hold {found}: take it out, "
                "since visitors can see this text, or have the model tell it"
            )


def _own_secrets(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """What must not be said anywhere, by what it is."""
    secrets = {"OPENAI_API_KEY": environ.get("OPENAI_API_KEY", "").strip()}
    for item in fields(settings):
        value = getattr(settings, item.name)
        if item.metadata["secret"] and value != item.default:
            secrets[f"CHATBUBBLE_{item.name.upper()}"] = value
    return {name: secret for name, secret in secrets.items() if len(secret) >= _TELLING_CHARS}


def _public_debugging(settings: Settings) -> Iterator[str]:
    for rule in settings.allowed_origins:
        host = _host_of(rule)
        if host and not is_local(host):
            yield f"{DEBUG_MODE}, but CHATBUBBLE_ALLOWED_ORIGINS has {rule!r:.80}: switch debug mode off"


def _host_of(rule: str) -> str:
    """The host of an origin, as far as it is one; of `*`, that of everybody."""
    if rule == "*":
        return "0.0.0.0"  # noqa: S104 -- nothing listens there
    try:
        return (urlsplit(rule).hostname or "").removeprefix("*.")
    except ValueError:  # no origin at all: origins.py says so
        return ""
