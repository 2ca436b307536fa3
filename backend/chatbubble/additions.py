"""What a provider adds to an answer's text, brought to size: its sources, and what to ask next. Pure.

Nothing here fails: what does not fit is cut or left out, by the rules below, and the answer
goes on without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from .records import Source
from .well_formed import well_formed

MAX_SOURCES = 20
TITLE_CHARS = 200
URL_CHARS = 2048
SNIPPET_CHARS = 500
MAX_SUGGESTIONS = 4
SUGGESTION_CHARS = 120

_MAX_NUMBER = 999
_ADDRESS = re.compile(r"https?://[^\x00-\x20\x7f-\xa0\u2028\u2029]+", re.IGNORECASE)


def fitting_sources(given: Iterable[object]) -> tuple[Source, ...]:
    """The first 20 that are sources, each with its number.

    One without an http or https address of at most 2,048 characters is left out: half an
    address leads elsewhere. So is one whose number is taken. The others keep their numbers,
    which the text may name. A title is cut to 200 characters, and is the address's host
    where there is none; a snippet is cut to 500.
    """
    fitting: dict[int, Source] = {}
    for place, item in enumerate(given, 1):
        source = _fitting_source(item, place)
        if source is not None:
            fitting.setdefault(source.n, source)
        if len(fitting) == MAX_SOURCES:
            break
    return tuple(fitting.values())


def fitting_suggestions(given: Iterable[object]) -> tuple[str, ...]:
    """The first 4 different texts. One of more than 120 characters is left out: half a
    question is none."""
    fitting: dict[str, None] = {}
    for item in given:
        text = _line(item, SUGGESTION_CHARS)
        if 0 < len(text) <= SUGGESTION_CHARS:
            fitting[text] = None
        if len(fitting) == MAX_SUGGESTIONS:
            break
    return tuple(fitting)


def _fitting_source(item: object, place: int) -> Source | None:
    host = _host(item.url) if isinstance(item, Source) else ""
    if not isinstance(item, Source) or not host:
        return None
    number = item.n if type(item.n) is int and 1 <= item.n <= _MAX_NUMBER else place
    title = _cut(item.title, TITLE_CHARS) or host[:TITLE_CHARS]
    return Source(title, item.url, _cut(item.snippet, SNIPPET_CHARS), number)


def _host(url: object) -> str:
    """The host of an address that a source may have, else nothing."""
    if not isinstance(url, str) or len(url) > URL_CHARS or not _ADDRESS.fullmatch(url) or well_formed(url) != url:
        return ""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _cut(text: object, size: int) -> str:
    """`text` on one line of at most `size` characters, an ellipsis for what was cut."""
    line = _line(text, size)
    return line if len(line) <= size else line[: size - 1].rstrip() + "\u2026"


def _line(text: object, size: int) -> str:
    """`text` on one line, whole where it has no more than `size` characters."""
    if not isinstance(text, str):
        return ""
    # Nobody waits for the blanks of a megabyte to be counted.
    return " ".join(well_formed(text[: size * 10]).split())
