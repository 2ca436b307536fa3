"""Every setting: name, type, default, meaning. One table, read once, frozen afterwards.

A setting NAME is given as Flask config key or environment variable `CHATBUBBLE_NAME`;
the Flask config wins, because it is the more specific of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from . import parsing
from .errors import ConfigError
from .risks import find_risks

PREFIX = "CHATBUBBLE_"
DEFAULT_PREFIX = "/api/ai"
MIN_SECRET_BYTES = 32  # as many as HS256 has: a shorter one could be guessed from any token

DEFAULT_SYSTEM_PROMPT = (
    "You are the friendly customer-service assistant of this website. Answer briefly and "
    "concretely, in the language of the question. Use Markdown where it helps. When you do "
    "not know something, say so and suggest how to contact the company."
)


def _setting(default: Any, parse: parsing.Parse, meaning: str, *, secret: bool = False, between: str = ", ") -> Any:
    return field(default=default, metadata={"parse": parse, "meaning": meaning, "secret": secret, "between": between})


DEFAULT_BUDGET_MESSAGE = (
    "Thank you for your question. I have answered as many as I can today, and will be back tomorrow."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one mounted Chatbubble. Field NAME in lower case is `CHATBUBBLE_NAME`."""

    url_prefix: str = _setting(DEFAULT_PREFIX, parsing.url_path, "Where the routes live.")
    allowed_origins: tuple[str, ...] = _setting(
        (),
        parsing.origins,
        "Sites that may use the chat: exact origins or `https://*.host`; its own origin always may.",
    )
    database_url: str = _setting(
        "sqlite:///chatbubble.db", parsing.database_address, "Where conversations are kept.", secret=True
    )
    database_connections: int = _setting(
        10, parsing.integer(1, 1000), "Connections of one process to PostgreSQL, beside the one that holds its lock."
    )
    redis_url: str = _setting(
        "",
        parsing.redis_address,
        "The Redis that shares running answers; empty: the memory of one process.",
        secret=True,
    )
    redis_prefix: str = _setting("chatbubble:", parsing.key_prefix, "What the names of all keys in Redis begin with.")
    provider: str = _setting(
        "auto",
        parsing.choice("auto", "openai", "demo"),
        "Who answers; `auto`: openai when OPENAI_API_KEY is set, else demo.",
    )
    model: str = _setting("gpt-4o-mini", parsing.filled, "The model's name at the provider.")
    temperature: float = _setting(0.7, parsing.number(0, 2), "How freely the model words its answers.")
    max_tokens: int = _setting(2048, parsing.integer(1, 1_000_000), "Longest answer, in the model's tokens.")
    system_prompt: str = _setting(
        DEFAULT_SYSTEM_PROMPT, parsing.text, "What the model is told before every conversation."
    )
    context_tokens: int = _setting(
        8000, parsing.integer(500, 2_000_000), "Budget for prompt and history, in tokens by our estimate."
    )
    connect_timeout_s: float = _setting(5.0, parsing.number(0.1, 60), "Longest wait for a connection to the model.")
    first_token_timeout_s: float = _setting(
        20.0, parsing.number(0.1, 600), "Longest wait for the first piece of an answer."
    )
    token_timeout_s: float = _setting(20.0, parsing.number(0.1, 600), "Longest silence between two pieces.")
    turn_timeout_s: float = _setting(120.0, parsing.number(1, 3600), "Longest life of one answer.")
    heartbeat_s: float = _setting(15.0, parsing.number(0.05, 300), "A comment keeps an idle stream alive this often.")
    stream_ttl_s: float = _setting(600.0, parsing.number(0.1, 86_400), "How long a finished stream can be resumed.")
    send_timeout_s: float = _setting(
        30.0, parsing.number(0.1, 600), "A reader that takes nothing for so long is dropped."
    )
    log_bytes: int = _setting(
        67_108_864, parsing.integer(1_048_576, 2**40), "Memory for all streams together, in bytes."
    )
    max_streams: int = _setting(
        10_000, parsing.integer(1, 1_000_000), "Open connections, and running answers, of one process; 503 above."
    )
    drain_s: float = _setting(10.0, parsing.number(0, 600), "Time for running answers to finish at shutdown.")
    rate_limit: str = _setting(
        "10/minute;100/day",
        parsing.rate,
        "Questions per visitor, in the notation of the limits package; `off`: no limit of any kind.",
    )
    address_rate_limit: str = _setting(
        "30/minute", parsing.rate, "Questions per address, an IPv6 network of 64 bits being one; `off`: any number."
    )
    new_visitors_limit: str = _setting(
        "20/hour", parsing.rate, "Conversations that may be begun from one address; `off`: any number."
    )
    address_streams: int = _setting(
        20, parsing.integer(0, 1_000_000), "Event streams open at once from one address; 0: any number."
    )
    running_turns: int = _setting(
        60, parsing.integer(0, 1_000_000), "Answers that run at once, in all processes together; 0: any number."
    )
    trusted_proxies: int = _setting(
        0, parsing.integer(0, 16), "Proxies before the server: so far from the right X-Forwarded-For is believed."
    )
    daily_budget: float = _setting(0.0, parsing.money, "What all answers of a day (UTC) may cost at most; 0: anything.")
    prices: tuple[str, ...] = _setting(
        (), parsing.prices, "What models cost, in the same currency; a budget needs the price of the model."
    )
    budget_message: str = _setting(
        DEFAULT_BUDGET_MESSAGE, parsing.filled, "The answer, in Markdown, when the budget of the day is spent."
    )
    contact_url: str = _setting("", parsing.contact, "Where that answer leads to: a page, or a mailbox.")
    operator_token: str = _setting(
        "", parsing.token(16), "Bearer token for `/stats` and `/metrics`; without one they are a 404.", secret=True
    )
    log_format: str = _setting(
        "text", parsing.choice("text", "json"), "How `chatbubble serve` logs: `text` for people, `json` for programs."
    )
    log_level: str = _setting("info", parsing.choice("debug", "info", "warning", "error"), "What it logs, and above.")
    identity_secret: str = _setting(
        "", parsing.token(MIN_SECRET_BYTES), "Checks who your server says a visitor is; empty: no names.", secret=True
    )
    identity_keys: str = _setting(
        "", parsing.text, "JSON file with more keys for that, by key id: RS256, EdDSA, HS256."
    )
    identity_audience: str = _setting(
        "chatbubble", parsing.filled, "The `aud` of the tokens that are meant for this chat."
    )
    keep_days: int = _setting(
        0, parsing.integer(0, 36_500), "Days after its last message that a conversation is deleted; 0: never."
    )
    redact: str = _setting(
        "off",
        parsing.choice("off", "on"),
        "Whether card numbers, IBANs and keys in questions are blotted out before they are kept or sent to the model.",
    )
    title: str = _setting("", parsing.text, "Heading of the panel; empty: the widget's own, in the visitor's language.")
    greeting: str = _setting("", parsing.text, "First words of the panel; empty: the widget's own.")
    accent: str = _setting("", parsing.colour, "Colour of launcher and buttons, like #2563eb.")
    suggestions: tuple[str, ...] = _setting(
        (), parsing.suggestions, "Questions that the empty panel offers to ask.", between=" | "
    )

    @classmethod
    def read(cls, config: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
        """Read from a Flask config and the environment.

        Raises ConfigError, naming the setting, when one is unknown, malformed or a risk.
        """
        settings, problems = cls.examine(config, environ)
        if problems:
            raise ConfigError(problems[0])
        return settings

    @classmethod
    def examine(cls, config: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Settings, list[str]]:
        """Read what can be read, and say in one line each what cannot, or should not be: its default stands here."""
        given = _given(config, environ)
        known = {PREFIX + item.name.upper(): item for item in fields(cls)}
        problems = [
            f"{key} is not a setting of Chatbubble{_nearest(key, known)}" for key in sorted(given.keys() - known)
        ]
        values: dict[str, Any] = {}
        for key in sorted(given.keys() & known):
            values[known[key].name], problem = _parse(key, known[key], given[key])
            problems += filter(None, [problem])
        settings = cls(**values)
        return settings, [*problems, *find_risks(settings, config, environ)]

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


def _parse(key: str, item: Field[Any], value: Any) -> tuple[Any, str]:
    """The parsed value and an empty text, or the default and what is wrong."""
    parsed, expected = _attempt(item.metadata["parse"], value)
    if not expected:
        return parsed, ""
    came = "" if item.metadata["secret"] else f", but it is {value!r:.80}"
    return item.default, f"{key} should be {expected}{came}"


def _attempt(parse: parsing.Parse, value: Any) -> tuple[Any, str]:
    """The parsed value and an empty text, or None and what was expected instead."""
    try:
        return parse(value), ""
    except ValueError as expected:
        return None, str(expected)


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, known, n=1, cutoff=0.75)
    return f"; did you mean {near[0]}?" if near else "; `chatbubble config` lists them all"
