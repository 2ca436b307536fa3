"""The Provider contract: what turns a prompt into a streamed answer.

Writing one takes a class with two attributes and one method:

    class Parrot:
        name = "parrot"
        model = "parrot-1"

        def stream(self, prompt):
            yield "You said: "
            yield prompt.question
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from .events import Custom, Sources, Suggestions
from .records import Finish, ModelCall, Prompt

Piece = str | Finish | Sources | Suggestions | Custom | ModelCall


class Provider(Protocol):
    """Streams answers. One instance serves many turns at once, each in its own greenlet."""

    name: str
    model: str

    def stream(self, prompt: Prompt) -> Iterator[Piece]:
        """Yield the answer's text in pieces (str), then optionally one `Finish` whose reason
        is `stop`, `length` or `content_filter`.

        `Sources` and `Suggestions` may come at any place; each goes to the readers at once,
        brought to size as `additions` says, and is stored with the answer. The newest counts.
        A `ModelCall` is kept with the answer, the newest one, and shown to nobody who reads it.
        A `Custom` event in between goes to the readers as it is. Without a `Finish`
        the answer counts as complete (`stop`) when the iterator ends.

        The iterator is closed, or its greenlet killed, as soon as the turn is stopped:
        release connections in `finally` or with a context manager. Timers for the
        first and the next piece are kept by the turn, not here.

        Raises:
            ChatbubbleError: one of the `Upstream...` classes; any other exception
                reaches the visitor as STREAM_ERROR and the log with its traceback.
        """
        ...
