"""The events of a stream, as frozen records, to and from JSON.

JSON is one line of ASCII with camelCase names: no raw line end, no U+2028, and a lone
surrogate (half an emoji in one delta) cannot raise an encoding error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from .errors import ChatbubbleError
from .records import FinishReason, Source, Usage


@dataclass(frozen=True, slots=True)
class Connected:
    """First event of a stream. On a visitor's own channel only `client_id`, `message`
    and `timestamp` are set."""

    client_id: str
    message: str
    timestamp: int
    stream_id: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
    type: ClassVar[str] = "connected"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of answer text. `index` is where it starts, in UTF-16 code units."""

    text: str
    index: int
    timestamp: int
    type: ClassVar[str] = "token"


@dataclass(frozen=True, slots=True)
class Done:
    """Terminal: the whole answer once more. `duration` is in milliseconds; `tokens` is
    the model's own count, or the number of deltas where it reports none."""

    message_id: str
    full_text: str
    tokens: int
    duration: int
    finish_reason: FinishReason
    usage: Usage | None
    message: str
    timestamp: int
    type: ClassVar[str] = "done"

    @classmethod
    def of_erased(cls, message_id: str, timestamp: int) -> Done:
        """The end of an answer that its visitor had erased: nothing of it is told."""
        return cls(message_id, "", 0, 0, FinishReason.ABORTED, None, "The conversation was erased.", timestamp)


@dataclass(frozen=True, slots=True)
class Error:
    """Terminal: the turn failed, in our words."""

    code: str
    message: str
    retryable: bool
    timestamp: int
    type: ClassVar[str] = "error"

    @classmethod
    def of(cls, failure: ChatbubbleError, timestamp: int) -> Error:
        """The event that tells readers of `failure`."""
        return cls(failure.code, failure.message, failure.retryable, timestamp)


@dataclass(frozen=True, slots=True)
class Reset:
    """The reader's cursor does not fit: forget the text, what follows starts again."""

    reason: str
    timestamp: int
    type: ClassVar[str] = "reset"


@dataclass(frozen=True, slots=True)
class Sources:
    """What the answer rests on; the newest of an answer stands for all that came before it."""

    sources: Sequence[Source]
    timestamp: int = 0
    type: ClassVar[str] = "sources"


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Questions that the visitor may ask next; the newest of an answer stands for all before it."""

    suggestions: Sequence[str]
    timestamp: int = 0
    type: ClassVar[str] = "suggestions"


@dataclass(frozen=True, slots=True)
class Custom:
    """An integrator's own event; `data` is anything JSON can say."""

    type: str
    data: Any


_Own = Connected | Token | Done | Error | Reset | Sources | Suggestions
Event = _Own | Custom

TERMINAL_TYPES = frozenset({Done.type, Error.type})
_KNOWN: dict[str, type[_Own]] = {
    kind.type: kind for kind in (Connected, Token, Done, Error, Reset, Sources, Suggestions)
}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


# How each record's fields are called in JSON.
_NAMES: dict[type, tuple[tuple[str, str], ...]] = {
    kind: tuple((item.name, _camel(item.name)) for item in fields(kind)) for kind in (*_KNOWN.values(), Usage, Source)
}
RESERVED_TYPES = frozenset(_KNOWN) | {"message", "open"}


def is_terminal(event: Event) -> bool:
    """Whether `event` ends its stream."""
    return event.type in TERMINAL_TYPES


def to_json(event: Event) -> str:
    """`event` as one line of ASCII JSON.

    Raises TypeError or ValueError when the data of a custom event is not JSON.
    """
    data = event.data if isinstance(event, Custom) else _to_dict(event)
    return json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def from_json(event_type: str, text: str) -> Event:
    """The event that `to_json` wrote. Fields we do not know are ignored.

    Raises ValueError when `text` is not JSON or lacks a field the type needs.
    """
    data = json.loads(text)
    kind = _KNOWN.get(event_type)
    if kind is None:
        return Custom(event_type, data)
    if not isinstance(data, Mapping):
        raise ValueError(f"a {event_type} event needs a JSON object, got {text[:40]!r}")
    given = {name: data[key] for name, key in _NAMES[kind] if key in data}
    try:
        return _with_records(kind(**given))
    except (KeyError, TypeError) as cause:
        raise ValueError(f"a {event_type} event lacks a field: {cause}") from cause


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, as a browser counts `string.length`."""
    if text.isascii():
        return len(text)
    # By the codec: counting the characters beyond U+FFFF one by one takes 60 times as long.
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _to_dict(record: Any) -> dict[str, Any]:
    optional = isinstance(record, Connected)
    return {
        key: _to_value(value)
        for name, key in _NAMES[type(record)]
        if (value := getattr(record, name)) is not None or not optional
    }


def _to_value(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_to_value(item) for item in value]
    return _to_dict(value) if isinstance(value, Usage | Source) else value


def _with_records(event: _Own) -> _Own:
    given: Any = event
    if isinstance(event, Sources):
        return Sources(tuple(_read_source(source) for source in given.sources), event.timestamp)
    if isinstance(event, Suggestions):
        return Suggestions(tuple(given.suggestions), event.timestamp)
    if isinstance(event, Done):
        usage = given.usage
        counted = Usage(usage["promptTokens"], usage["completionTokens"]) if usage else None
        return replace(event, finish_reason=FinishReason(event.finish_reason), usage=counted)
    return event


def _read_source(data: Mapping[str, Any]) -> Source:
    return Source(**{name: data[key] for name, key in _NAMES[Source] if key in data})
