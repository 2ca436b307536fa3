"""The JSON object in a request's body, and its fields."""

from __future__ import annotations

import json
import math
from typing import Any

from .errors import BadRequest
from .json_flaws import Flaw, find_deepest, find_flaw
from .well_formed import well_formed

_NOT_JSON = "The body should be one JSON object in UTF-8."
_LONGEST_INTEGER = 309  # digits of the largest number that floating point holds


def parse_object(body: bytes) -> dict[str, Any]:
    """The fields of the one JSON object that a body is.

    Raises BadRequest when it is anything else, or holds what JSON's readers do not agree on: a name that occurs twice,
    NaN, a number beyond floating point, deep nesting. The error's `field` tells the way to it, such as `page.url`.
    """
    try:
        # Not json.loads(bytes), which would guess UTF-16 and UTF-32 too.
        text = body.decode("utf-8")
    except UnicodeDecodeError as cause:
        raise BadRequest(_NOT_JSON, detail=str(cause)) from None
    try:
        value = json.loads(
            text, parse_constant=_constant, parse_float=_float, parse_int=_integer, object_pairs_hook=_object
        )
    except RecursionError:
        raise _refusal(*find_deepest(text)) from None
    except ValueError as cause:
        raise BadRequest(_NOT_JSON, detail=str(cause)) from None
    if not isinstance(value, dict):
        raise BadRequest(f"The body should be a JSON object, not {kind_of(value)}.")
    found = find_flaw(value)
    if found:
        raise _refusal(*found)
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


def _refusal(path: str, flaw: str) -> BadRequest:
    return BadRequest(f"{path or 'The body'} {flaw}.", field=path)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        fields[name] = Flaw("occurs twice") if name in fields else value
    return fields


def _constant(name: str) -> Flaw:
    return Flaw(f"is {name}, which is not JSON")


def _float(digits: str) -> float | Flaw:
    number = float(digits)
    return number if math.isfinite(number) else Flaw("is too large a number")


def _integer(digits: str) -> int | Flaw:
    # Not int() for more: its time grows with the square of them.
    return int(digits) if len(digits) <= _LONGEST_INTEGER else Flaw("is too large a number")
