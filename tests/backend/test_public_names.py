"""The one door: what `import chatbubble` offers, and what importing it costs."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from typing import Any

import pytest

import chatbubble
from chatbubble import records

NAMES = [
    "Chatbubble", "ChatbubbleError", "Custom", "Finish", "ModelCall", "Prompt", "Source", "Sources", "Suggestions",
    "identity_token",
]  # fmt: skip


def test_the_door_offers_ten_names() -> None:
    assert chatbubble.__all__ == NAMES
    for name in NAMES:
        assert getattr(chatbubble, name).__name__ == name


def test_star_import_gives_the_same() -> None:
    given: dict[str, Any] = {}
    exec("from chatbubble import *", given)  # noqa: S102 -- the only way to import a star in a function
    assert set(given) - {"__builtins__"} == set(NAMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'chatbubble' has no attribute 'Chatbuble'"):
        chatbubble.Chatbuble  # noqa: B018


def test_the_door_shows_the_very_classes_of_the_package() -> None:
    assert chatbubble.Prompt is records.Prompt
    assert chatbubble.Finish is records.Finish


def test_importing_the_package_imports_nothing_that_must_come_after_patching() -> None:
    code = "import sys; before = {*sys.modules}; import chatbubble; print(*({*sys.modules} - before))"
    # Coverage would import modules of its own into the process that is looked at.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    ended = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert "chatbubble" in ended.stdout.split()
    assert not {"flask", "socket", "ssl", "threading", "sqlalchemy"} & set(ended.stdout.split())


def test_everything_public_is_documented() -> None:
    for name in NAMES:
        kind = getattr(chatbubble, name)
        assert kind.__doc__
        for member, value in vars(kind).items():
            if not member.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                assert value.__doc__, f"{name}.{member}"


def test_chatbubble_takes_the_app_first_and_the_rest_by_name() -> None:
    parameters = inspect.signature(chatbubble.Chatbubble).parameters
    kinds = {name: parameter.kind.name for name, parameter in parameters.items()}
    assert kinds == {
        "app": "POSITIONAL_OR_KEYWORD",
        "provider": "KEYWORD_ONLY",
        "store": "KEYWORD_ONLY",
        "stream_log": "KEYWORD_ONLY",
    }
    members = {name for name in vars(chatbubble.Chatbubble) if not name.startswith("_")}
    assert members == {"init_app", "blueprint", "broadcast", "send", "get_stats", "drain"}
