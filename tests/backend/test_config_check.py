"""`chatbubble config --check`: all that is wrong with a configuration, a line each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from test_cli import run

from chatbubble import Chatbubble
from chatbubble.config_check import find_problems
from chatbubble.errors import ConfigError
from chatbubble.server import serve

# One for each way to be wrong: what is set, and how its line begins.
WRONG: list[tuple[dict[str, str], str]] = [
    ({"CHATBUBBLE_MODELL": "gpt"}, "CHATBUBBLE_MODELL is not a setting of Chatbubble; did you mean CHATBUBBLE_MODEL?"),
    ({"CHATBUBBLE_TEMPERATURE": "hot"}, "CHATBUBBLE_TEMPERATURE should be a number from 0 to 2"),
    ({"CHATBUBBLE_MAX_TOKENS": "1.5"}, "CHATBUBBLE_MAX_TOKENS should be a whole number"),
    ({"CHATBUBBLE_MAX_STREAMS": "-1"}, "CHATBUBBLE_MAX_STREAMS should be a whole number from 1"),
    ({"CHATBUBBLE_TURN_TIMEOUT_S": "-120"}, "CHATBUBBLE_TURN_TIMEOUT_S should be a number from 1"),
    ({"CHATBUBBLE_RATE_LIMIT": "-10/minute"}, "CHATBUBBLE_RATE_LIMIT should be like 10/minute"),
    ({"CHATBUBBLE_ALLOWED_ORIGINS": "shop.example"}, "CHATBUBBLE_ALLOWED_ORIGINS should hold origins like"),
    ({"CHATBUBBLE_OPERATOR_TOKEN": "short"}, "CHATBUBBLE_OPERATOR_TOKEN should be empty, or at least 16"),
    ({"CHATBUBBLE_OPERATOR_TOKEN": "changeme-changeme"}, "CHATBUBBLE_OPERATOR_TOKEN can be guessed"),
    ({"CHATBUBBLE_IDENTITY_SECRET": "short"}, "CHATBUBBLE_IDENTITY_SECRET should be empty, or at least 32"),
    ({"CHATBUBBLE_IDENTITY_SECRET": "secret" * 6}, "CHATBUBBLE_IDENTITY_SECRET can be guessed"),
    ({"CHATBUBBLE_IDENTITY_KEYS": "keys.json"}, "CHATBUBBLE_IDENTITY_KEYS needs CHATBUBBLE_IDENTITY_SECRET"),
    ({"CHATBUBBLE_DATABASE_URL": "mysql://db"}, "CHATBUBBLE_DATABASE_URL should be like sqlite:"),
    ({"CHATBUBBLE_REDIS_URL": "redis://localhost:no"}, "CHATBUBBLE_REDIS_URL should be like redis:"),
    ({"CHATBUBBLE_PROVIDER": "openai"}, "CHATBUBBLE_PROVIDER is openai, so OPENAI_API_KEY must be set"),
    ({"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": "models.example"}, "OPENAI_BASE_URL should be an address like"),
    ({"OPENAI_API_KEY": "x", "CHATBUBBLE_DAILY_BUDGET": "5"}, "CHATBUBBLE_DAILY_BUDGET needs to know what the model"),
    ({"CHATBUBBLE_SYSTEM_PROMPT": "password=7d9f2c41b8e06a53"}, "CHATBUBBLE_SYSTEM_PROMPT seems to hold"),
    ({"FLASK_DEBUG": "1", "CHATBUBBLE_ALLOWED_ORIGINS": "https://shop.example"}, "FLASK_DEBUG, or DEBUG"),
]


def test_all_is_said_at_once() -> None:
    kept = [(environ, line) for environ, line in WRONG if "OPERATOR_TOKEN" not in line and "IDENTITY_" not in line]
    origins = "shop.example, https://shop.example, https://*"
    together = {name: value for environ, _ in kept for name, value in environ.items()}
    together |= {"CHATBUBBLE_ALLOWED_ORIGINS": origins, "CHATBUBBLE_OPERATOR_TOKEN": "x" * 20}
    shown = run("config", "--check", **together)
    lines = shown.output.splitlines()
    assert shown.exit_code == 1
    for _, line in [*kept, ({}, "CHATBUBBLE_OPERATOR_TOKEN can be guessed")]:
        # A key came with the address of its server, so that one does not lack.
        assert [said for said in lines if said.startswith(line)] or line.startswith("CHATBUBBLE_PROVIDER"), line
    assert len([line for line in lines if line.startswith("CHATBUBBLE_ALLOWED_ORIGINS")]) == 2
    assert len(lines) == len(kept) + 1


@pytest.mark.parametrize(("environ", "line"), WRONG)
def test_one_problem_is_one_line(environ: dict[str, str], line: str) -> None:
    shown = run("config", "--check", **environ)
    assert shown.exit_code == 1
    assert len(shown.output.splitlines()) == 1
    assert shown.output.startswith(line)


@pytest.mark.parametrize(("environ", "line"), WRONG)
def test_whatever_is_found_keeps_the_chat_from_starting(
    environ: dict[str, str], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    for attempt in (lambda: Chatbubble(Flask("shop")), lambda: in_flask_config(environ)):
        with pytest.raises(ConfigError) as refused:
            attempt()
        assert refused.value.message.startswith(line)


def in_flask_config(environ: dict[str, str]) -> None:
    """The same settings, as a Flask app has them."""
    app = Flask("shop")
    app.config.update({name: value for name, value in environ.items() if name.startswith("CHATBUBBLE_")})
    Chatbubble(app)


def test_debug_mode_is_not_served_to_others() -> None:
    shown = run("serve", "--host", "0.0.0.0", FLASK_DEBUG="1")  # noqa: S104 -- refused
    assert shown.exit_code == 1
    assert shown.output.startswith("Error: FLASK_DEBUG, or DEBUG in the Flask config, is for this machine alone")
    app = Flask("shop")
    app.config.update(DEBUG=True)
    Chatbubble(app)
    with pytest.raises(ConfigError, match=r"but --host is '::'"):
        serve(app, host="::", port=0)


def test_several_problems_are_told_to_be_several() -> None:
    shown = run("config", CHATBUBBLE_TEMPERATURE="hot", CHATBUBBLE_MODELL="x", CHATBUBBLE_ACCENT="red")
    assert shown.exit_code == 1
    assert shown.output.startswith("Error: CHATBUBBLE_MODELL is not a setting")
    assert shown.output.endswith("(2 more: chatbubble config --check)\n")


def test_where_nothing_is_wrong_that_is_said(tmp_path: Path) -> None:
    for environ in ({}, {"CHATBUBBLE_DATABASE_URL": f"sqlite:///{tmp_path}/chat.db", "CHATBUBBLE_RATE_LIMIT": "off"}):
        shown = run("config", "--check", **environ)
        assert (shown.exit_code, shown.output) == (0, "The configuration is in order.\n")
    assert not list(tmp_path.iterdir())


def test_each_wrong_key_has_a_line(tmp_path: Path) -> None:
    table = tmp_path / "keys.json"
    entries: dict[str, Any] = {"a": {"alg": "HS256", "key": "short"}, "b": {"alg": "none", "key": "x"}, "c": 7}
    entries["d"] = {"alg": "HS256", "key": "changeme" * 5}
    table.write_text(json.dumps(entries), "utf-8")
    given = {"CHATBUBBLE_IDENTITY_SECRET": "7d9f2c41b8e06a537d9f2c41b8e06a53!", "CHATBUBBLE_IDENTITY_KEYS": str(table)}
    problems = find_problems(given, {})
    assert [problem.split(": ")[1][:11] for problem in problems] == [f"the key '{name}'" for name in "abcd"]
    assert "can be guessed" in problems[3]
    for problem in find_problems({**given, "CHATBUBBLE_IDENTITY_KEYS": "nowhere.json"}, {}):
        assert problem.startswith("CHATBUBBLE_IDENTITY_KEYS: 'nowhere.json' cannot be read")


def test_no_secret_is_in_any_line() -> None:
    environ = {
        "CHATBUBBLE_OPERATOR_TOKEN": "hunter2",
        "CHATBUBBLE_IDENTITY_SECRET": "hunter2" * 6,
        "CHATBUBBLE_DATABASE_URL": "mysql://u:hunter2@db",
        "CHATBUBBLE_REDIS_URL": "redis://u:hunter2@localhost:no",
        "OPENAI_API_KEY": "hunter2-hunter2-hunter2",
        "CHATBUBBLE_SYSTEM_PROMPT": "Say hunter2-hunter2-hunter2.",
    }
    said = run("config", "--check", **environ).output
    assert len(said.splitlines()) == 5
    assert "hunter2" not in said
