"""The JSON object in a request's body, and its fields."""

from __future__ import annotations

import json
import math
from typing import Any

from .errors import BadRequest
from .well_formed import well_formed


def parse_object(body: bytes) -> dict[str, Any]:
    """The fields of the one JSON object that a body is.

    Raises BadRequest when it is anything else, or a name occurs twice.
    """
    try:
        # Not json.loads(bytes), which would guess UTF-16 and UTF-32 too.
        text = body.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as cause:
        detail = "it is nested too deeply" if isinstance(cause, RecursionError) else str(cause)
        raise BadRequest("The body should be one JSON object in UTF-8.", detail=detail) from None
    if not isinstance(value, dict):
        raise BadRequest(f"The body should be a JSON object, not {kind_of(value)}.")
    return value


def text_of(fields: dict[str, Any], name: str) -> str:
    """The field of this name. Raises BadRequest when it is no text."""
    value = fields[name]
    if not isinstance(value, str):
        raise BadRequest(f"{name} should be text, not {kind_of(value)}.", field=name)
    return value


def words_of(fields: dict[str, Any], name: str) -> str:
    """What a visitor wrote: the text of this field without outer blanks, NUL as U+FFFD.

    Raises BadRequest when it is no text, or holds half a character.
    """
    text = text_of(fields, name)
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise BadRequest(f"{name} should be text, but it holds half a surrogate pair.", field=name)
    return well_formed(text).strip()


def kind_of(value: Any) -> str:
    """What a JSON value is, in words for a person."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            raise BadRequest(f"{name:.40} occurs twice.", field=name[:40])
        fields[name] = value
    return fields


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
