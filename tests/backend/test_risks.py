"""Settings that can be read and should not be used: each is refused in one line that names it."""

from __future__ import annotations

from typing import Any

import pytest

from chatbubble.config import PREFIX, Settings
from chatbubble.errors import ConfigError
from chatbubble.risks import is_local, refuse_public_debugging

TOKEN = "7d9f2c41b8e06a537d9f"  # noqa: S105 -- guards nothing
KEY = "model-key-of-the-tests"


def refusal(environ: dict[str, str] | None = None, /, **settings: Any) -> str:
    """The line with which these settings are refused; `environ` holds what else is set."""
    with pytest.raises(ConfigError) as refused:
        Settings.read({PREFIX + name: value for name, value in settings.items()}, environ or {})
    message = refused.value.message
    assert "\n" not in message
    assert len(message) < 300
    return message


@pytest.mark.parametrize("token", ["changemechangeme", "x" * 16, "secret" * 4, "0123456789abcdef"])
def test_a_token_that_anybody_would_try_is_refused_and_not_shown(token: str) -> None:
    said = refusal(OPERATOR_TOKEN=token)
    assert said.startswith("CHATBUBBLE_OPERATOR_TOKEN can be guessed, for it ")
    assert token not in said


def test_one_secret_is_not_used_twice() -> None:
    secret = TOKEN * 2 + "!"
    said = refusal(OPERATOR_TOKEN=secret, IDENTITY_SECRET=secret)
    assert "CHATBUBBLE_OPERATOR_TOKEN should not be the same as CHATBUBBLE_IDENTITY_SECRET" in said
    assert secret not in said
    assert "the same as OPENAI_API_KEY" in refusal({"OPENAI_API_KEY": f" {TOKEN} "}, OPERATOR_TOKEN=TOKEN)


@pytest.mark.parametrize("name", ["SYSTEM_PROMPT", "TITLE", "GREETING", "MODEL"])
def test_a_key_has_no_place_in_what_visitors_may_come_to_see(name: str) -> None:
    key = "sk-" + "proj-a1B2c3D4e5F6g7H8i9J0"
    said = refusal(**{name: f"Use {key}."})
    assert said.startswith(f"CHATBUBBLE_{name} seems to hold an API key")
    assert key not in said


def test_nor_has_a_suggestion() -> None:
    assert "CHATBUBBLE_SUGGESTIONS seems to hold" in refusal(SUGGESTIONS=["How?", "password=7d9f2c41b8e06a53"])


@pytest.mark.parametrize(
    ("environ", "settings", "named"),
    [
        ({"OPENAI_API_KEY": KEY}, {"SYSTEM_PROMPT": f"The key is {KEY}."}, "OPENAI_API_KEY"),
        ({}, {"OPERATOR_TOKEN": TOKEN, "GREETING": f"Hi {TOKEN}"}, "CHATBUBBLE_OPERATOR_TOKEN"),
        ({}, {"IDENTITY_SECRET": TOKEN * 2, "TITLE": TOKEN * 2}, "CHATBUBBLE_IDENTITY_SECRET"),
        ({}, {"DATABASE_URL": "sqlite:///of-ours.db", "TITLE": "sqlite:///of-ours.db"}, "CHATBUBBLE_DATABASE_URL"),
    ],
)
def test_our_own_secrets_are_known_whatever_they_look_like(
    environ: dict[str, str], settings: dict[str, str], named: str
) -> None:
    assert f"seems to hold {named}: take it out" in refusal(environ, **settings)


def test_a_word_that_is_called_a_key_is_still_a_word() -> None:
    assert Settings.read({"CHATBUBBLE_SYSTEM_PROMPT": "Sell ollama socks."}, {"OPENAI_API_KEY": "ollama"})
    assert Settings.read({"CHATBUBBLE_TITLE": "sqlite:///chatbubble.db"}, {})


DEBUGGING: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"DEBUG": True}, {}), ({}, {"FLASK_DEBUG": "1"}), ({}, {"FLASK_DEBUG": "true"}),
]  # fmt: skip


@pytest.mark.parametrize(("config", "environ"), DEBUGGING)
@pytest.mark.parametrize(
    "origin", ["*", "https://shop.example", "https://*.shop.example", "http://203.0.113.9.nip.io:80"]
)
def test_debug_mode_and_pages_of_the_public_exclude_each_other(
    config: dict[str, Any], environ: dict[str, str], origin: str
) -> None:
    given = {"CHATBUBBLE_ALLOWED_ORIGINS": f"http://localhost:3000, {origin}", **config}
    with pytest.raises(ConfigError) as refused:
        Settings.read(given, environ)
    assert f"CHATBUBBLE_ALLOWED_ORIGINS has {origin!r}: switch debug mode off" in refused.value.message


@pytest.mark.parametrize(
    "origins",
    ["", "http://localhost:3000", "http://127.0.0.1:8000,http://[::1]:5000", "http://192.168.1.7", "http://web:80"],
)
def test_on_ones_own_machine_debug_mode_is_allowed(origins: str) -> None:
    assert Settings.read({"CHATBUBBLE_ALLOWED_ORIGINS": origins, "DEBUG": True}, {})


@pytest.mark.parametrize(
    "environ", [{}, {"FLASK_DEBUG": ""}, {"FLASK_DEBUG": "0"}, {"FLASK_DEBUG": "False"}, {"FLASK_DEBUG": "no"}]
)
def test_without_debug_mode_the_public_is_welcome(environ: dict[str, str]) -> None:
    assert Settings.read({"CHATBUBBLE_ALLOWED_ORIGINS": "https://shop.example", "DEBUG": False}, environ)


@pytest.mark.parametrize("rule", ["https://[::1", "shop.example", "https://"])
def test_what_is_no_origin_is_left_to_those_who_read_origins(rule: str) -> None:
    assert Settings.read({"CHATBUBBLE_ALLOWED_ORIGINS": [rule], "DEBUG": True}, {}).allowed_origins == (rule,)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "203.0.113.9.nip.io", "8.8.8.8", "2a00::1", "chat.example"])  # noqa: S104
def test_a_server_in_debug_mode_is_not_for_others(host: str) -> None:
    assert not is_local(host)
    with pytest.raises(ConfigError, match=r"but --host is .*: switch debug mode off"):
        refuse_public_debugging(host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.0.1", "localhost", "::1", "[::1]", "10.0.0.4", "fd00::1", "a.localhost"]
)
def test_a_server_in_debug_mode_is_for_this_machine_and_its_own_network(host: str) -> None:
    assert is_local(host)
    refuse_public_debugging(host)
