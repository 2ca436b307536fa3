"""Answer text as text: surrogate halves joined, NUL replaced, sizes bounded.

A model's server may cut an emoji between two deltas and send each half as its own JSON
escape. Joined here, before the text is counted, logged and stored, so that every reader
and the store hold the very same characters.
"""

from __future__ import annotations

from collections.abc import Iterator

REPLACEMENT = "\ufffd"


class WellFormedText:
    """Takes deltas as they come and gives well-formed text; holds back at most half a character."""

    def __init__(self) -> None:
        self._half = ""

    def push(self, delta: str) -> str:
        """The text that is certain after `delta`."""
        if delta.isascii() and not self._half:
            return delta.replace("\0", REPLACEMENT)
        text = self._half + delta
        self._half = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._half, text = text[-1], text[:-1]
        return well_formed(text)

    def flush(self) -> str:
        """What was held back, once no more will come."""
        rest, self._half = self._half, ""
        return REPLACEMENT if rest else ""


def well_formed(text: str) -> str:
    """`text` with surrogate pairs joined, lone halves and NUL as U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", REPLACEMENT)


def slices(text: str, size: int) -> Iterator[str]:
    """`text` in pieces of at most `size` characters."""
    if len(text) <= size:
        yield text
        return
    for start in range(0, len(text), size):
        yield text[start : start + size]
