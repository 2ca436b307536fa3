"""`chatbubble serve --app`: the Flask app of somebody else, and whatever else may be named there."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from flask import Flask
from launching import SERVE, running
from test_cli import run

APP = """
from gevent import monkey; monkey.patch_all()
from flask import Flask
from chatbubble import Chatbubble

app = Flask("shop")

@app.get("/")
def home():
    return "the shop"

Chatbubble(app)
bare = Flask("bare")
text = "no app"

def needy(name):
    return app

def create_app():
    return app
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a Flask app in `shop_app.py`; the working directory."""
    (tmp_path / "shop_app.py").write_text(APP)
    (tmp_path / "broken_app.py").write_text("import nothing_of_that_name\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


@pytest.mark.parametrize(
    "path", ["nowhere", "nowhere:app", "shop_app:nothing", "broken_app", "", ":app", "..x:app", "a b"]
)
@pytest.mark.usefixtures("shop")
def test_an_app_that_cannot_be_imported_is_one_clear_line(path: str) -> None:
    shown = run("serve", "--app", path)
    assert shown.exit_code == 1
    assert shown.output.startswith(f"Error: --app should be MODULE:APP, but {path!r} cannot be imported: ")
    assert len(shown.output.splitlines()) == 1


@pytest.mark.parametrize("name", ["bare", "text", "needy", "Flask"])
def test_an_app_without_a_chatbubble_is_told_what_to_do(shop: Path, name: str) -> None:
    shown = run("serve", "--app", f"shop_app:{name}", CHATBUBBLE_DATABASE_URL=f"sqlite:///{shop}/chat.db")
    assert shown.exit_code == 1
    assert shown.output.startswith(f"Error: --app 'shop_app:{name}' is not a Flask app with a Chatbubble: ")
    assert len(shown.output.splitlines()) == 1


@pytest.mark.parametrize("path", ["json:dumps", "json:JSONDecoder", "builtins:dict", "os:sep"])
def test_something_else_than_an_app_is_one_clear_line(path: str) -> None:
    shown = run("serve", "--app", path)
    assert shown.exit_code == 1
    assert shown.output.startswith(f"Error: --app {path!r} is not a Flask app with a Chatbubble: ")
    assert len(shown.output.splitlines()) == 1


def test_an_app_with_two_chatbubbles_is_one_clear_line(shop: Path) -> None:
    (shop / "twice_app.py").write_text(APP + "\nChatbubble(app)\n")
    shown = run("serve", "--app", "twice_app", CHATBUBBLE_DATABASE_URL=f"sqlite:///{shop}/chat.db")
    assert shown.exit_code == 1
    assert shown.output.startswith("Error: the Flask app 'shop' has a Chatbubble already: mount it once")
    assert len(shown.output.splitlines()) == 1


@pytest.mark.parametrize("path", ["shop_app", "shop_app:app", "shop_app:create_app"])
@pytest.mark.usefixtures("shop")
def test_the_app_may_be_named_in_three_ways(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[str, str, int]] = []

    def serve(app: Flask, *, host: str, port: int) -> int:
        served.append((app.name, host, port))
        return 0

    monkeypatch.setattr("chatbubble.server.serve", serve)
    assert run("serve", "--app", path, "--port", "8123").exit_code == 0
    assert served == [("shop", "127.0.0.1", 8123)]


def test_serve_takes_the_app_of_somebody_else(shop: Path) -> None:
    with running([*SERVE, "--port", "0", "--app", "shop_app:app"], shop) as serving:
        assert serving.get("/").body == b"the shop"
        assert serving.get("/api/ai/healthz").status == 200
        assert serving.stop(signal.SIGTERM) == 0
