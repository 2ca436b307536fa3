"""Every setting: name, type, default, meaning. One table, read once, frozen afterwards.

A setting NAME is given as Flask config key or environment variable `CHATBUBBLE_NAME`;
the Flask config wins, because it is the more specific of the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .additions import MAX_SUGGESTIONS, SUGGESTION_CHARS, fitting_suggestions
from .errors import ConfigError

PREFIX = "CHATBUBBLE_"
DEFAULT_PREFIX = "/api/ai"
MIN_SECRET_BYTES = 32  # as many as HS256 has: a shorter one could be guessed from any token

DEFAULT_SYSTEM_PROMPT = (
    "You are the friendly customer-service assistant of this website. Answer briefly and "
    "concretely, in the language of the question. Use Markdown where it helps. When you do "
    "not know something, say so and suggest how to contact the company."
)

Parse = Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("text")
    return value.strip()


def _filled(value: Any) -> str:
    text = _text(value) if isinstance(value, str) else ""
    if not text:
        raise ValueError("text that is not empty")
    return text


def _address(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise ValueError(
            "an SQLite file: sqlite:///chatbubble.db, or with its whole path sqlite:////srv/chat.db; "
            "or PostgreSQL: postgresql://user:password@host/name"
        )
    return text


def _redis_address(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else None
    if text is None or not re.fullmatch(r"((redis|rediss|unix)://\S+)?", text):
        raise ValueError(
            "empty, or a Redis: redis://127.0.0.1:6379/0, rediss://user:password@host:6379 or unix:///path"
        )
    return text


def _key_prefix(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"[A-Za-z0-9_.:/-]{1,64}", text, re.ASCII):
        raise ValueError("1 to 64 characters of A-Z a-z 0-9 _ . : / -")
    return text


def _rate(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        raise ValueError("numbers per time with semicolons between, like 10/minute;100/day or 5/10seconds, or off")
    return text


def _token(least: int) -> Parse:
    def parse(value: Any) -> str:
        text = value.strip() if isinstance(value, str) else "no text"
        if text and not re.fullmatch(rf"[!-~]{{{least},}}", text, re.ASCII):
            raise ValueError(f"empty, or at least {least} visible ASCII characters")
        return text

    return parse


def _number(low: float, high: float) -> Parse:
    def parse(value: Any) -> float:
        # Not whatever float() takes: that would be 1_0, NaN and digits of every script too.
        if isinstance(value, str) and re.fullmatch(r"[-+]?([0-9]{1,15}\.?|[0-9]{0,15}\.[0-9]{1,15})", value.strip()):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"a number from {_shown(low)} to {_shown(high)}")
        return float(value)

    return parse


def _integer(low: int, high: int) -> Parse:
    def parse(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value.strip(), re.ASCII):
            value = int(value)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return parse


def _prefix(value: Any) -> str:
    text = value.strip().rstrip("/") if isinstance(value, str) else ""
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text, re.ASCII):
        raise ValueError("a path that starts with a slash, like /api/ai")
    return text


def _choice(*choices: str) -> Parse:
    def parse(value: Any) -> str:
        text = value.strip().lower() if isinstance(value, str) else ""
        if text not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return text

    return parse


def _origins(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = re.split(r"[\s,]+", value)
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(item, str) for item in value):
        raise ValueError("origins separated by commas, like https://shop.example, https://*.shop.example")
    return tuple(item for item in value if item)


def _colour(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"(#[0-9A-Fa-f]{6})?", value.strip(), re.ASCII):
        raise ValueError("empty, or a colour like #2563eb")
    return value.strip()


def _suggestions(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [text for text in re.split(r"[|\n]", value) if text.strip()]
    fitting = fitting_suggestions(value) if isinstance(value, list | tuple) else None
    # Whatever does not fit would be missing in the panel: better said now.
    if fitting is None or len(fitting) != len(value):
        raise ValueError(
            f"at most {MAX_SUGGESTIONS} different questions of at most {SUGGESTION_CHARS} characters, "
            "one a line or with vertical bars between"
        )
    return fitting


def _setting(default: Any, parse: Parse, meaning: str, *, secret: bool = False, between: str = ", ") -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning, "secret": secret, "between": between})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one mounted Chatbubble. Field NAME in lower case is `CHATBUBBLE_NAME`."""

    url_prefix: str = _setting(DEFAULT_PREFIX, _prefix, "Where the routes live.")
    allowed_origins: tuple[str, ...] = _setting(
        (), _origins, "Sites that may use the chat: exact origins or `https://*.host`; its own origin always may."
    )
    database_url: str = _setting("sqlite:///chatbubble.db", _address, "Where conversations are kept.", secret=True)
    database_connections: int = _setting(
        10, _integer(1, 1000), "Connections of one process to PostgreSQL, beside the one that holds its lock."
    )
    redis_url: str = _setting(
        "", _redis_address, "The Redis that shares running answers; empty: the memory of one process.", secret=True
    )
    redis_prefix: str = _setting("chatbubble:", _key_prefix, "What the names of all keys in Redis begin with.")
    provider: str = _setting(
        "auto", _choice("auto", "openai", "demo"), "Who answers; `auto`: openai when OPENAI_API_KEY is set, else demo."
    )
    model: str = _setting("gpt-4o-mini", _filled, "The model's name at the provider.")
    temperature: float = _setting(0.7, _number(0, 2), "How freely the model words its answers.")
    max_tokens: int = _setting(2048, _integer(1, 1_000_000), "Longest answer, in the model's tokens.")
    system_prompt: str = _setting(DEFAULT_SYSTEM_PROMPT, _text, "What the model is told before every conversation.")
    context_tokens: int = _setting(
        8000, _integer(500, 2_000_000), "Budget for prompt and history, in tokens by our estimate."
    )
    connect_timeout_s: float = _setting(5.0, _number(0.1, 60), "Longest wait for a connection to the model.")
    first_token_timeout_s: float = _setting(20.0, _number(0.1, 600), "Longest wait for the first piece of an answer.")
    token_timeout_s: float = _setting(20.0, _number(0.1, 600), "Longest silence between two pieces.")
    turn_timeout_s: float = _setting(120.0, _number(1, 3600), "Longest life of one answer.")
    heartbeat_s: float = _setting(15.0, _number(0.05, 300), "A comment keeps an idle stream alive this often.")
    stream_ttl_s: float = _setting(600.0, _number(0.1, 86_400), "How long a finished stream can be resumed.")
    send_timeout_s: float = _setting(30.0, _number(0.1, 600), "A reader that takes nothing for so long is dropped.")
    log_bytes: int = _setting(67_108_864, _integer(1_048_576, 2**40), "Memory for all streams together, in bytes.")
    max_streams: int = _setting(
        10_000, _integer(1, 1_000_000), "Open connections, and running answers, of one process; 503 above."
    )
    drain_s: float = _setting(10.0, _number(0, 600), "Time for running answers to finish at shutdown.")
    rate_limit: str = _setting(
        "10/minute;100/day", _rate, "Questions per visitor, in the notation of the limits package; `off`: none."
    )
    operator_token: str = _setting(
        "", _token(16), "Bearer token for `/stats` and `/metrics`; without one they are a 404.", secret=True
    )
    log_format: str = _setting(
        "text", _choice("text", "json"), "How `chatbubble serve` logs: `text` for people, `json` for programs."
    )
    log_level: str = _setting("info", _choice("debug", "info", "warning", "error"), "What it logs, and above.")
    identity_secret: str = _setting(
        "", _token(MIN_SECRET_BYTES), "Checks who your server says a visitor is; empty: no names.", secret=True
    )
    identity_keys: str = _setting("", _text, "JSON file with more keys for that, by key id: RS256, EdDSA, HS256.")
    identity_audience: str = _setting("chatbubble", _filled, "The `aud` of the tokens that are meant for this chat.")
    title: str = _setting("", _text, "Heading of the panel; empty: the widget's own, in the visitor's language.")
    greeting: str = _setting("", _text, "First words of the panel; empty: the widget's own.")
    accent: str = _setting("", _colour, "Colour of launcher and buttons, like #2563eb.")
    suggestions: tuple[str, ...] = _setting(
        (), _suggestions, "Questions that the empty panel offers to ask.", between=" | "
    )

    @classmethod
    def read(cls, config: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
        """Read from a Flask config and the environment.

        Raises ConfigError, naming the setting, when one is unknown or malformed.
        """
        given = _given(config, environ)
        known = {PREFIX + item.name.upper(): item for item in fields(cls)}
        for key in sorted(given):
            if key not in known:
                raise ConfigError(f"{key} is not a setting of Chatbubble{_nearest(key, known)}")
        return cls(**{known[key].name: _parse(key, known[key].metadata, given[key]) for key in given})

    def shown(self) -> dict[str, str]:
        """Each setting's value as text by its environment name; of a secret only whether it is set."""
        texts = {}
        for item in fields(self):
            value = getattr(self, item.name)
            is_hidden = item.metadata["secret"] and value != item.default
            texts[PREFIX + item.name.upper()] = "(set)" if is_hidden else _shown(value, item.metadata["between"])
        return texts


@dataclass(frozen=True, slots=True)
class Description:
    """One setting for people: environment name, default as text, what values it takes, what it means."""

    name: str
    default: str
    expects: str
    meaning: str


def describe() -> list[Description]:
    """All settings, in the order in which they are documented."""
    return [
        Description(
            PREFIX + item.name.upper(),
            _shown(item.default),
            # What a parser expects, it says when it gets what nothing accepts.
            _attempt(item.metadata["parse"], None)[1],
            item.metadata["meaning"],
        )
        for item in fields(Settings)
    ]


def _shown(value: Any, between: str = "") -> str:
    if value == DEFAULT_SYSTEM_PROMPT:
        return "(a friendly one)"
    if isinstance(value, tuple):
        return between.join(value)
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _given(config: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    return {key: value for source in (environ, config) for key, value in source.items() if key.startswith(PREFIX)}


def _parse(key: str, metadata: Mapping[str, Any], value: Any) -> Any:
    parsed, expected = _attempt(metadata["parse"], value)
    if expected:
        came = "" if metadata["secret"] else f", but it is {value!r:.80}"
        raise ConfigError(f"{key} should be {expected}{came}")
    return parsed


def _attempt(parse: Parse, value: Any) -> tuple[Any, str]:
    """The parsed value and an empty text, or None and what was expected instead."""
    try:
        return parse(value), ""
    except ValueError as expected:
        return None, str(expected)


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, known, n=1, cutoff=0.75)
    return f"; did you mean {near[0]}?" if near else "; `chatbubble config` lists them all"
