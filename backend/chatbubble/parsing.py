"""What a setting's value may look like: text of an environment variable, or a value of Python from a Flask config.

A parser returns the value, or raises ValueError with what it expected: the end of "NAME should be ...".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .additions import MAX_SUGGESTIONS, SUGGESTION_CHARS, fitting_suggestions

Parse = Callable[[Any], Any]


def text(value: Any) -> str:
    """Any text, the empty one too."""
    if not isinstance(value, str):
        raise ValueError("text")
    return value.strip()


def filled(value: Any) -> str:
    """Text that is not empty."""
    given = _stripped(value)
    if not given:
        raise ValueError("text that is not empty")
    return given


def database_address(value: Any) -> str:
    """Where conversations are kept; SQLAlchemy reads the rest."""
    given = _stripped(value)
    if not given:
        raise ValueError(
            "an SQLite file: sqlite:///chatbubble.db, or with its whole path sqlite:////srv/chat.db; "
            "or PostgreSQL: postgresql://user:password@host/name"
        )
    return given


def redis_address(value: Any) -> str:
    """The address of a Redis, or empty."""
    if not isinstance(value, str) or not re.fullmatch(r"((redis|rediss|unix)://\S+)?", value.strip()):
        raise ValueError(
            "empty, or a Redis: redis://127.0.0.1:6379/0, rediss://user:password@host:6379 or unix:///path"
        )
    return value.strip()


def key_prefix(value: Any) -> str:
    """What the names of keys in Redis begin with."""
    given = _stripped(value)
    if not re.fullmatch(r"[A-Za-z0-9_.:/-]{1,64}", given, re.ASCII):
        raise ValueError("1 to 64 characters of A-Z a-z 0-9 _ . : / -")
    return given


def rate(value: Any) -> str:
    """Numbers per time, or off; the limits package reads the rest."""
    given = _stripped(value)
    if not given:
        raise ValueError("numbers per time with semicolons between, like 10/minute;100/day or 5/10seconds, or off")
    return given


def token(least: int) -> Parse:
    """A secret of at least so many characters, or empty."""

    def parse(value: Any) -> str:
        given = value.strip() if isinstance(value, str) else "no text"
        if given and not re.fullmatch(rf"[!-~]{{{least},}}", given, re.ASCII):
            raise ValueError(f"empty, or at least {least} visible ASCII characters")
        return given

    return parse


def number(low: float, high: float) -> Parse:
    """A number, both ends included."""

    def parse(value: Any) -> float:
        # Not whatever float() takes: that would be 1_0, NaN and digits of every script too.
        if isinstance(value, str) and re.fullmatch(r"[-+]?([0-9]{1,15}\.?|[0-9]{0,15}\.[0-9]{1,15})", value.strip()):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"a number from {low:.15g} to {high:.15g}")
        return float(value)

    return parse


def integer(low: int, high: int) -> Parse:
    """A whole number, both ends included."""

    def parse(value: Any) -> int:
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value.strip(), re.ASCII):
            value = int(value)
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return parse


def money(value: Any) -> float:
    """An amount of some currency; empty is nothing."""
    return float(number(0, 1_000_000)(0 if value == "" else value))


def prices(value: Any) -> tuple[str, ...]:
    """What models cost; budget.py reads each entry."""
    if isinstance(value, str):
        value = [entry for entry in re.split(r"[\s,]+", value) if entry]
    amount = r"[0-9]{1,6}(\.[0-9]{1,6})?"
    if (
        not isinstance(value, list | tuple)
        or not all(isinstance(entry, str) and re.fullmatch(rf"\S+={amount}/{amount}", entry) for entry in value)
        or len({entry.rpartition("=")[0] for entry in value}) != len(value)
    ):
        raise ValueError(
            "models with their prices for a million tokens in and out, like gpt-4o-mini=0.15/0.60, other=1/2"
        )
    return tuple(value)


def contact(value: Any) -> str:
    """An address that Markdown can link to as it is, or empty."""
    tail = r"[A-Za-z0-9._~:/?#@$&+,;=%-]*"
    host = r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"
    if not isinstance(value, str) or not re.fullmatch(
        rf"(https://{host}(:[0-9]+)?([/?#]{tail})?|mailto:[A-Za-z0-9._%+-]+@{host}(\?{tail})?)?", value.strip()
    ):
        raise ValueError("empty, or an address like https://shop.example/contact or mailto:help@shop.example")
    return value.strip()


def url_path(value: Any) -> str:
    """The path under which the routes live, without a slash at its end."""
    given = _stripped(value).rstrip("/")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", given, re.ASCII):
        raise ValueError("a path that starts with a slash, like /api/ai")
    return given


def choice(*choices: str) -> Parse:
    """One of a few words, in any case."""

    def parse(value: Any) -> str:
        given = _stripped(value).lower()
        if given not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return given

    return parse


def origins(value: Any) -> tuple[str, ...]:
    """Texts with commas or blanks between; origins.py reads each."""
    if isinstance(value, str):
        value = re.split(r"[\s,]+", value)
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(item, str) for item in value):
        raise ValueError("origins separated by commas, like https://shop.example, https://*.shop.example")
    return tuple(item for item in value if item)


def colour(value: Any) -> str:
    """A colour of six hexadecimal digits, or empty."""
    if not isinstance(value, str) or not re.fullmatch(r"(#[0-9A-Fa-f]{6})?", value.strip(), re.ASCII):
        raise ValueError("empty, or a colour like #2563eb")
    return value.strip()


def suggestions(value: Any) -> tuple[str, ...]:
    """Questions that the panel can show as they are."""
    if isinstance(value, str):
        value = [line for line in re.split(r"[|\n]", value) if line.strip()]
    fitting = fitting_suggestions(value) if isinstance(value, list | tuple) else None
    # Whatever does not fit would be missing in the panel: better said now.
    if fitting is None or len(fitting) != len(value):
        raise ValueError(
            f"at most {MAX_SUGGESTIONS} different questions of at most {SUGGESTION_CHARS} characters, "
            "one a line or with vertical bars between"
        )
    return fitting


def _stripped(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
