"""Chatbubble in other people's Flask apps: any prefix, several apps, and nothing of theirs changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, abort, g, jsonify, request, url_for
from flask.cli import routes_command
from hosting import JSON, Echo, Site, assert_refused, bearer, new_session
from raw_http import Wire, call
from raw_http import request as request_bytes
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from chatbubble import Chatbubble
from chatbubble.errors import ClientNotFound, ConfigError
from chatbubble.mount import EXTENSION_KEY

ServeApp = Callable[[Any], int]
Mount = Callable[[Flask, Chatbubble], object]


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """A host app, not mounted yet."""
    return make_app(tmp_path)


def make_app(folder: Path, **settings: Any) -> Flask:
    """A host app with a database in `folder`."""
    app = Flask("host")
    app.config.update({f"CHATBUBBLE_{name.upper()}": value for name, value in settings.items()})
    app.config["CHATBUBBLE_DATABASE_URL"] = f"sqlite:///{folder}/chat.db"
    return app


def in_parent(app: Flask, chatbubble: Chatbubble, **options: Any) -> None:
    """Mount inside a blueprint of the host."""
    parent = Blueprint("support", "support", url_prefix="/support")
    parent.register_blueprint(chatbubble.blueprint, **options)
    app.register_blueprint(parent)


WAYS: list[tuple[str, Mount]] = [
    ("/api/ai", lambda app, chatbubble: chatbubble.init_app(app)),
    ("/help", lambda app, chatbubble: chatbubble.init_app(app, url_prefix="/help")),
    ("/help", lambda app, chatbubble: chatbubble.init_app(app, url_prefix="/help/")),
    ("/a/b-c/d.e", lambda app, chatbubble: chatbubble.init_app(app, url_prefix="/a/b-c/d.e")),
    ("", lambda app, chatbubble: chatbubble.init_app(app, url_prefix="/")),
    ("/api/ai", lambda app, chatbubble: app.register_blueprint(chatbubble.blueprint)),
    ("/help", lambda app, chatbubble: app.register_blueprint(chatbubble.blueprint, url_prefix="/help")),
    ("/help", lambda app, chatbubble: app.register_blueprint(chatbubble.blueprint, url_prefix="/help", name="other")),
    ("/support/api/ai", in_parent),
    ("/support/chat", lambda app, chatbubble: in_parent(app, chatbubble, url_prefix="/chat")),
    ("/acme/ai", lambda app, chatbubble: chatbubble.init_app(app, url_prefix="/<tenant>/ai")),
]


@pytest.mark.parametrize(("prefix", "mount"), WAYS)
def test_every_way_of_mounting_answers_questions(prefix: str, mount: Mount, app: Flask, serve_app: ServeApp) -> None:
    provider, session = Echo(), new_session()
    mount(app, Chatbubble(provider=provider))
    site = Site(app, serve_app(app), provider, prefix)
    assert b"event: done\n" in site.ask(session).body
    assert len(site.call("GET", "/conversation", [bearer(session)]).json()["messages"]) == 2
    assert [site.call("GET", path).status for path in ("/healthz", "/widget.js")] == [200, 200]
    if prefix:
        assert_refused(site.call("GET", "/nope"), 404, "NOT_FOUND")


@pytest.mark.parametrize("register", [True, False])
def test_the_prefix_may_come_from_the_settings(tmp_path: Path, register: bool, serve_app: ServeApp) -> None:
    app, chatbubble = make_app(tmp_path, url_prefix="/from/config"), Chatbubble(provider=Echo())
    app.register_blueprint(chatbubble.blueprint) if register else chatbubble.init_app(app)
    assert call(serve_app(app), "GET", "/from/config/healthz").status == 200


def test_the_one_line_form_mounts_at_once(app: Flask, serve_app: ServeApp) -> None:
    Chatbubble(app, provider=Echo())
    assert call(serve_app(app), "GET", "/api/ai/healthz").status == 200


def test_under_a_script_name_everything_works(app: Flask, serve_app: ServeApp) -> None:
    Chatbubble(app, provider=Echo())
    app.wsgi_app = DispatcherMiddleware(Flask("outer"), {"/inner": app.wsgi_app})  # type: ignore[method-assign]
    port = serve_app(app)
    moved = call(port, "GET", "/inner/api/ai/assets/chat.0123456789ab.mjs")
    assert moved.status == 302
    assert call(port, "GET", f"/inner/api/ai/assets/{moved.get('Location')}").status == 200
    assert_refused(call(port, "GET", "/inner/api/ai/nope"), 404, "NOT_FOUND")
    assert call(port, "GET", "/api/ai/healthz").status == 404


def test_several_apps_in_one_process_keep_to_themselves(tmp_path: Path, serve_app: ServeApp) -> None:
    sites, session = [], new_session()
    chatbubble = Chatbubble(provider=Echo())
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        app = make_app(tmp_path / name, title=name, allowed_origins=f"https://{name}.example")
        chatbubble.init_app(app)
        sites.append(Site(app, serve_app(app), Echo()))
    one, two = sites
    assert [site.call("GET", "/config").json()["title"] for site in sites] == ["one", "two"]
    own, other = ("Origin", "https://one.example"), ("Origin", "https://two.example")
    assert [one.ask(session, headers=[origin]).status for origin in (own, other)] == [200, 403]
    assert two.call("GET", "/conversation", [bearer(session)]).json()["messages"] == []
    with one.app.app_context():
        assert chatbubble.get_stats()["turnsDone"] == 1
    with two.app.app_context():
        assert chatbubble.get_stats()["turnsDone"] == 0


def test_an_application_factory_may_run_many_times(tmp_path: Path) -> None:
    chatbubble = Chatbubble(provider=Echo())
    for _ in range(3):
        chatbubble.init_app(make_app(tmp_path))


@pytest.mark.parametrize("second", [
    lambda app, chatbubble: chatbubble.init_app(app),
    lambda app, chatbubble: chatbubble.init_app(app, url_prefix="/other"),
    lambda app, _: Chatbubble(app, provider=Echo()),
    lambda app, chatbubble: app.register_blueprint(chatbubble.blueprint, url_prefix="/other", name="other"),
])  # fmt: skip
def test_a_second_mount_on_one_app_is_refused(app: Flask, second: Mount) -> None:
    chatbubble = Chatbubble(app, provider=Echo())
    with pytest.raises(ConfigError, match=r"^the Flask app .* has a Chatbubble already: mount it once"):
        second(app, chatbubble)


def test_use_before_init_app_says_what_to_do(app: Flask) -> None:
    chatbubble = Chatbubble(provider=Echo())
    for use in (chatbubble.get_stats, chatbubble.drain, lambda: chatbubble.broadcast("news", 1)):
        with app.app_context(), pytest.raises(RuntimeError, match=r"call chatbubble\.init_app\(app\) first"):
            use()


def test_the_host_reaches_its_clients_and_ends_the_chat(app: Flask, serve_app: ServeApp) -> None:
    chatbubble = Chatbubble(app, provider=Echo())
    site = Site(app, serve_app(app), Echo())
    with Wire(site.port) as wire, app.app_context():
        wire.send(request_bytes("GET", "/api/ai/stream", [bearer(new_session())]))
        wire.read(has_body=False)
        assert chatbubble.broadcast("notice", {"text": "Back at two."}) == 1
        with pytest.raises(ClientNotFound):
            chatbubble.send("client_0", "notice", {})
        chatbubble.drain()
        assert b'event: notice\ndata: {"text":"Back at two."}\n' in wire.read_chunks()
        assert chatbubble.get_stats()["activeChannels"] == 0
    assert_refused(site.ask(new_session()), 503, "SHUTTING_DOWN")


def test_a_bad_setting_stops_the_mount_and_leaves_the_app_as_it_was(tmp_path: Path) -> None:
    app = make_app(tmp_path, temperature="hot")
    with pytest.raises(ConfigError, match="CHATBUBBLE_TEMPERATURE"):
        Chatbubble(app)
    assert EXTENSION_KEY not in app.extensions


def test_addresses_can_be_built_by_name(app: Flask) -> None:
    Chatbubble(app, provider=Echo())
    with app.test_request_context():
        assert url_for("chatbubble.launcher") == "/api/ai/widget.js"
        assert url_for("chatbubble.ask") == "/api/ai/chat"


def test_the_list_of_routes_shows_the_methods_that_work(app: Flask) -> None:
    Chatbubble(app, provider=Echo())
    shown = app.test_cli_runner().invoke(routes_command).output
    lines = {line.split()[-1]: line for line in shown.splitlines()}
    assert lines["/api/ai/chat"].split()[:2] == ["chatbubble.ask", "POST"]
    assert lines["/api/ai/conversation"].split()[:3] == ["chatbubble.conversation_erase", "DELETE,", "GET"]


def shop(folder: Path) -> Flask:
    """A host app with habits of its own: hooks, error pages, a session, redirects."""
    app = make_app(folder)
    app.secret_key = "of the tests"  # noqa: S105 -- guards nothing

    @app.before_request
    def remember() -> None:
        g.seen = request.get_json(silent=True)

    @app.after_request
    def sign(response: Any) -> Any:
        response.headers["X-Shop"] = "yes"
        return response

    @app.errorhandler(404)
    def lost(_error: Exception) -> Any:
        return "<h1>Lost in the shop</h1>", 404

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Any:
        return jsonify(shop_error=type(error).__name__), getattr(error, "code", 500)

    add_pages(app)
    return app


def add_pages(app: Flask) -> None:
    """The shop's own addresses, some of them close to ours."""

    @app.route("/")
    def home() -> str:
        return "home"

    @app.route("/folder/")
    def folder_page() -> str:
        return "folder"

    @app.route("/api/orders", methods=["POST"])
    def orders() -> Any:
        return jsonify(request.get_json())

    @app.route("/api/<name>")
    def by_name(name: str) -> str:
        return name

    @app.route("/boom")
    def boom() -> str:
        raise RuntimeError("boom")

    @app.route("/gone")
    def gone() -> str:
        abort(410)


ELSEWHERE = [
    ("GET", "/", []), ("GET", "/nope", []), ("POST", "/", []), ("BREW", "/", []), ("OPTIONS", "/", []),
    ("HEAD", "/", []), ("GET", "/boom", []), ("GET", "/gone", []), ("GET", "/folder", []), ("GET", "//folder//", []),
    ("GET", "/static/x", []), ("POST", "/api/orders", [JSON]), ("GET", "/api/orders", []), ("GET", "/api/chat", []),
    ("GET", "/api/", []), ("GET", "/api", []), ("GET", "/api/ain", []), ("GET", "/api/ain/x", []), ("GET", "/chat", []),
    ("GET", "/api//ai/config", []), ("GET", "/", [("Origin", "https://evil.example")]),
    ("OPTIONS", "/", [("Origin", "null")]),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "headers"), ELSEWHERE)
def test_elsewhere_the_host_app_answers_as_it_did(
    tmp_path: Path, serve_app: ServeApp, method: str, path: str, headers: list[tuple[str, str]]
) -> None:
    plain, mounted = shop(tmp_path), shop(tmp_path)
    Chatbubble(mounted, provider=Echo())
    body = b'{"a": 1}' if method == "POST" else None
    before, after = (call(serve_app(app), method, path, headers, body) for app in (plain, mounted))
    assert after.status == before.status
    assert after.body == before.body
    assert [pair for pair in after.headers if pair[0] != "date"] == [
        pair for pair in before.headers if pair[0] != "date"
    ]


def test_among_the_hosts_hooks_and_error_pages_ours_stay_ours(tmp_path: Path, serve_app: ServeApp) -> None:
    app, session = shop(tmp_path), new_session()
    app.url_map.strict_slashes = False
    app.config.update(MAX_CONTENT_LENGTH=10_000, PROPAGATE_EXCEPTIONS=True, TRAP_HTTP_EXCEPTIONS=True)
    Chatbubble(app, provider=Echo())
    site = Site(app, serve_app(app), Echo())
    answer = site.ask(session)
    assert (answer.status, answer.get("X-Shop")) == (200, "yes")
    assert b"event: done\n" in answer.body
    for method, path, status, code in (
        ("GET", "/nope", 404, "NOT_FOUND"),
        ("GET", "/config/", 404, "NOT_FOUND"),
        ("PUT", "/chat", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/chat", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ):
        assert_refused(site.call(method, path), status, code)
    assert_refused(site.call("POST", "/chat", [JSON], b"{"), 400, "BAD_REQUEST")
    assert site.call("GET", "/healthz").all("Set-Cookie") == []


def test_at_the_root_unknown_addresses_are_the_hosts(tmp_path: Path, serve_app: ServeApp) -> None:
    app = shop(tmp_path)
    Chatbubble(provider=Echo()).init_app(app, url_prefix="/")
    port = serve_app(app)
    assert call(port, "GET", "/").body == b"home"
    assert call(port, "GET", "/nope").body == b"<h1>Lost in the shop</h1>"
    assert call(port, "GET", "/healthz").status == 200


def test_a_host_that_knows_its_own_names_keeps_strangers_out(tmp_path: Path, serve_app: ServeApp) -> None:
    app = make_app(tmp_path)
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1"]
    Chatbubble(app, provider=Echo())
    port = serve_app(app)
    assert call(port, "GET", "/api/ai/config").status == 200
    assert call(port, "GET", "/api/ai/config", host="evil.example").status == 400
