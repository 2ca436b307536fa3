"""The command line, as a stranger meets it."""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from launching import SERVE, ended, running

from chatbubble import __version__
from chatbubble.assets import Assets
from chatbubble.cli import main, markdown_table
from chatbubble.config import describe


def run(*arguments: str, **environ: str) -> Result:
    """Run `chatbubble` in this process, with these environment variables and none of ours beside."""
    unset = {name: None for name in os.environ if name.startswith(("CHATBUBBLE_", "OPENAI_"))}
    return CliRunner().invoke(main, list(arguments), env={**unset, **environ}, prog_name="chatbubble")


def test_help_leads_a_stranger_through_the_commands() -> None:
    for arguments in (["--help"], ["-h"]):
        shown = run(*arguments)
        assert shown.exit_code == 0
        for word in ("serve", "snippet", "config", "OPENAI_API_KEY", "--version"):
            assert word in shown.output


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            "serve",
            [
                "--host",
                "--port",
                "--app",
                "MODULE:APP",
                "8000",
                "127.0.0.1",
                "Ctrl-C",
                "CHATBUBBLE_",
                "chatbubble config",
            ],
        ),
        ("snippet", ["--url", "--pin", "integrity", "http://127.0.0.1:8000/api/ai"]),
        ("config", ["--markdown", "setting"]),
    ],
)
def test_each_command_explains_itself(command: str, words: list[str]) -> None:
    shown = run(command, "--help")
    assert shown.exit_code == 0
    text = " ".join(shown.output.split())
    assert [word for word in words if word not in text] == []


def test_the_version_is_told() -> None:
    assert run("--version").output == f"chatbubble, version {__version__}\n"


def test_no_command_shows_the_help() -> None:
    assert "serve" in run().output


def test_an_unknown_command_is_named() -> None:
    shown = run("server")
    assert shown.exit_code == 2
    assert "server" in shown.output


def test_the_snippet_is_the_tag_to_paste() -> None:
    shown = run("snippet", "--url", "https://chat.example/api/ai/")
    assert shown.output == '<script async src="https://chat.example/api/ai/widget.js"></script>\n'


def test_the_pinned_snippet_names_this_very_build() -> None:
    shown = run("snippet", "--url", "https://chat.example/api/ai", "--pin").output
    assert re.search(r'src="https://chat\.example/api/ai/assets/widget\.[0-9a-f]{12}\.js"', shown)
    assert re.search(r'integrity="sha384-[A-Za-z0-9+/]{64}" crossorigin="anonymous"', shown)


@pytest.mark.parametrize("url", [
    "not-a-url", "", "chat.example/api/ai", "ftp://chat.example", "https://", "https:///api/ai", "javascript:alert(1)",
    "//chat.example/api/ai", "https://chat.example/api/ai?x=1", "https://chat.example/#x", "https://chat.example/a b",
    'https://chat.example/"><b>', "https://chat.example/api/ai\nx", "https://u:p@chat.example/api/ai",
])  # fmt: skip
def test_a_snippet_of_no_address_is_one_clear_line(url: str) -> None:
    shown = run("snippet", "--url", url)
    assert shown.exit_code == 1
    assert shown.output == f"Error: --url should be like https://chat.example.com/api/ai, but it is {url!r}\n"


@pytest.mark.parametrize("base", [
    "http://127.0.0.1:8000/api/ai", "http://localhost", "https://[::1]:8443/api/ai", "https://xn--mnchen-3ya.example/a/~b",
    "https://m\u00fcnchen.example/api/ai",
])  # fmt: skip
def test_a_snippet_takes_whatever_a_page_can_load_from(base: str) -> None:
    assert run("snippet", "--url", base).output == f'<script async src="{base}/widget.js"></script>\n'


def test_without_a_built_widget_there_is_no_snippet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The folder is the default of a parameter, so it is changed there.
    monkeypatch.setattr(Assets.load.__func__, "__defaults__", (tmp_path,))  # type: ignore[attr-defined]
    shown = run("snippet")
    assert shown.exit_code == 1
    assert shown.output.startswith("Error: The widget is not built: run `make build`.")


def test_config_lists_every_setting_with_its_value_and_who_answers() -> None:
    shown = run("config", CHATBUBBLE_TITLE="My shop", CHATBUBBLE_TEMPERATURE="1.50").output
    for setting in describe():
        assert f"{setting.name}=" in shown
        assert setting.meaning in shown
    assert "CHATBUBBLE_TITLE=My shop\n" in shown
    assert "CHATBUBBLE_TEMPERATURE=1.5\n" in shown
    assert "CHATBUBBLE_MAX_TOKENS=2048\n" in shown
    assert "Answers come from: demo" in shown


@pytest.mark.parametrize(("name", "shape"), [
    ("CHATBUBBLE_RATE_LIMIT", "like 10/minute;100/day"), ("CHATBUBBLE_DATABASE_URL", "sqlite:////srv/chat.db"),
])  # fmt: skip
def test_config_shows_the_shape_of_what_is_not_plain_text(name: str, shape: str) -> None:
    assert shape in run("config").output.split(f"{name}=")[1].split("\nCHATBUBBLE_")[0]


def test_config_never_prints_a_secret() -> None:
    environ = {
        "CHATBUBBLE_OPERATOR_TOKEN": "hunter2-8c1f04d7e2b9",
        "CHATBUBBLE_DATABASE_URL": "sqlite:///hunter2.db",
        "OPENAI_API_KEY": "sk-hunter2",
    }
    shown = run("config", **environ).output
    assert "CHATBUBBLE_OPERATOR_TOKEN=(set)\n" in shown
    assert "CHATBUBBLE_DATABASE_URL=(set)\n" in shown
    assert "Answers come from: openai (gpt-4o-mini)" in shown
    assert "hunter2" not in shown


def test_config_prints_the_table_of_the_documentation() -> None:
    shown = run("config", "--markdown")
    assert shown.output == markdown_table()
    assert shown.output.count("\n") == len(describe()) + 2


WRONG = [
    ({"CHATBUBBLE_TEMPERATURE": "hot"}, "CHATBUBBLE_TEMPERATURE should be a number from 0 to 2, but it is 'hot'"),
    ({"CHATBUBBLE_TEMPRATURE": "1"}, "CHATBUBBLE_TEMPRATURE is not a setting of Chatbubble; did you mean"),
    ({"CHATBUBBLE_ALLOWED_ORIGINS": "shop.example"}, "CHATBUBBLE_ALLOWED_ORIGINS should hold origins like"),
    ({"CHATBUBBLE_RATE_LIMIT": "often"}, "CHATBUBBLE_RATE_LIMIT should be like 10/minute"),
    ({"CHATBUBBLE_OPERATOR_TOKEN": "hunter2"}, "CHATBUBBLE_OPERATOR_TOKEN should be empty, or at least 16"),
    ({"CHATBUBBLE_DATABASE_URL": "mysql://u:hunter2@db"}, "CHATBUBBLE_DATABASE_URL should be like sqlite:"),
    ({"CHATBUBBLE_PROVIDER": "openai"}, "CHATBUBBLE_PROVIDER is openai, so OPENAI_API_KEY must be set"),
]


@pytest.mark.parametrize(("environ", "line"), WRONG)
@pytest.mark.parametrize("command", ["serve", "config"])
def test_a_wrong_setting_is_one_clear_line(command: str, environ: dict[str, str], line: str) -> None:
    shown = run(command, **environ)
    assert shown.exit_code == 1
    assert shown.output.startswith(f"Error: {line}")
    assert len(shown.output.splitlines()) == 1
    assert "hunter2" not in shown.output


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_a_port_is_a_port(port: str) -> None:
    shown = run("serve", "--port", port)
    assert shown.exit_code == 2
    assert "--port" in shown.output


def test_serve_says_where_it_listens_and_who_answers(tmp_path: Path) -> None:
    with running([*SERVE, "--port", "0"], tmp_path) as serving:
        said = "".join(serving.said)
        assert "answers come from demo" in said
        assert "set OPENAI_API_KEY" in said
        assert serving.get("/api/ai/widget.js").status == 200
        assert (tmp_path / "chatbubble.db").exists()
        assert serving.stop(signal.SIGINT) == 0


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = ended([*SERVE, "--port", str(port)], tmp_path)
    assert code == 1
    line = f"Error: cannot listen on 127.0.0.1:{port}: another program does already; choose another port with --port"
    assert said.splitlines()[-1] == line
    assert "Traceback" not in said


def test_a_host_that_is_not_ours_is_one_clear_line(tmp_path: Path) -> None:
    code, said = ended([*SERVE, "--host", "192.0.2.1", "--port", "0"], tmp_path)
    assert code == 1
    assert said.splitlines()[-1] == "Error: cannot listen on 192.0.2.1:0: Cannot assign requested address"
    assert "Traceback" not in said


def test_a_redis_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    code, said = ended([*SERVE, "--port", "0"], tmp_path, CHATBUBBLE_REDIS_URL="redis://127.0.0.1:1")
    assert code == 1
    assert said.splitlines()[-1].startswith("Error: CHATBUBBLE_REDIS_URL cannot be used: ")


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql://u:hunter2@127.0.0.1:1/chat"])
def test_a_database_that_cannot_be_opened_is_one_clear_line(tmp_path: Path, url: str) -> None:
    code, said = ended([*SERVE, "--port", "0"], tmp_path, CHATBUBBLE_DATABASE_URL=url)
    assert code == 1
    assert said.splitlines()[-1].startswith("Error: CHATBUBBLE_DATABASE_URL cannot be used: ")
    assert "Traceback" not in said
    assert "hunter2" not in said
