"""Chatbubble: an AI chat bubble for any web page, served by a Flask blueprint.

from gevent import monkey; monkey.patch_all()
from flask import Flask
from chatbubble import Chatbubble

app = Flask(__name__)
Chatbubble(app)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import ChatbubbleError
    from .events import Custom, Sources, Suggestions
    from .extension import Chatbubble
    from .identity_tokens import identity_token
    from .records import Finish, ModelCall, Prompt, Source

__all__ = [
    "Chatbubble",
    "ChatbubbleError",
    "Custom",
    "Finish",
    "ModelCall",
    "Prompt",
    "Source",
    "Sources",
    "Suggestions",
    "identity_token",
]
__version__ = "0.1.0"

_HOMES = {
    "Chatbubble": "extension",
    "ChatbubbleError": "errors",
    "Custom": "events",
    "Sources": "events",
    "Suggestions": "events",
    "identity_token": "identity_tokens",
}


def __getattr__(name: str) -> Any:
    # Loaded on first use: `chatbubble serve` must patch the standard library before
    # Flask and the rest import it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES.get(name, 'records')}", __name__), name)
