"""The app that is fuzzed, for `chatbubble serve --app fuzzed_app:create`: a model that repeats the question at once."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask

from chatbubble.provider import Piece
from chatbubble.records import Prompt
from chatbubble.server import create_app


class Parrot:
    """A provider that says what it was asked."""

    name = "parrot"
    model = "parrot-1"

    def stream(self, prompt: Prompt) -> Iterator[Piece]:
        """See chatbubble.provider.Provider."""
        yield "You said: "
        yield prompt.question


def create() -> Flask:
    """The app, by the settings of the environment."""
    return create_app(provider=Parrot())
