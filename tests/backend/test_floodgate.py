"""A flood of questions is refused before Flask is entered, and nobody can tell, but by the processor's time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from crowding import FREE, come_from
from flask import Blueprint, Flask, request_finished, request_started
from hosting import JSON, SHOP, Echo, HostSite, Site, assert_refused, new_session, question
from limits import RateLimitItemPerMinute
from raw_http import Wire, call, request

from chatbubble import Chatbubble, limits

FLOOD = "192.0.2.1"
SETTINGS = FREE | {"address_rate_limit": "1/day", "allowed_origins": SHOP}
ServeApp = Callable[[Any], int]
Pair = tuple[str, str]


@pytest.fixture(autouse=True)
def _soon_and_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second refusal makes a flood, and it is believed for as long as a test takes."""
    monkeypatch.setattr(limits, "_LOOKS", RateLimitItemPerMinute(1))
    monkeypatch.setattr(limits, "_BELIEVED_S", 600.0)


def flood(site: Site) -> Mock:
    """Make one address a flood; returns what counts the questions that come as far as the view."""
    assert [site.ask(new_session(), headers=come_from(FLOOD)).status for _ in range(3)] == [200, 429, 429]
    gate = site.mounted.flood_gate
    gate._kept.clear()
    gate.refuse = Mock(wraps=gate.refuse)  # type: ignore[method-assign]
    return gate.refuse


def refused(site: Site, headers: Iterable[Pair] = (), host: str = "127.0.0.1") -> bytes:
    """The bytes that a question of the flood is answered with, but for the time and the seconds to wait."""
    with Wire(site.port) as wire:
        sent = (JSON, *come_from(FLOOD), ("Connection", "close"), *headers)
        wire.send(request("POST", "/api/ai/chat", sent, question(new_session()), host))
        told = b"".join(iter(lambda: wire.socket.recv(65_536), b""))
    assert told.startswith(b"HTTP/1.1 429 "), told
    return re.sub(rb"(Date: |Retry-After: )[^\r]+", rb"\1", told)


OWN_ID = ("X-Request-ID", "an-id-of-the-test")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Origin", SHOP)],
        [("Origin", "http://127.0.0.1")],
        [("Origin", SHOP), ("Access-Control-Request-Private-Network", "true")],
    ],
    ids=["no page", "a listed page", "a page of its own", "in a private network"],
)
def test_the_answer_is_the_views_byte_for_byte(host_site: HostSite, headers: list[Pair]) -> None:
    site = host_site(**SETTINGS)
    seen = flood(site)
    ordinary = refused(site, [OWN_ID, *headers])
    assert refused(site, [OWN_ID, *headers]) == ordinary
    assert seen.call_count == 1
    assert (b"Access-Control-Allow-Origin: " + SHOP.encode() in ordinary) == (("Origin", SHOP) in headers)


def test_what_is_said_of_a_private_network_is_said_to_who_asks(host_site: HostSite) -> None:
    site = host_site(**SETTINGS)
    flood(site)
    page, private = ("Origin", SHOP), ("Access-Control-Request-Private-Network", "true")
    assert [b"Private-Network: " in refused(site, [page, *more]) for more in ([], [private], [])] == [
        False,
        True,
        False,
    ]


def test_each_has_an_id_of_its_own_and_is_counted_and_logged(
    host_site: HostSite, caplog: pytest.LogCaptureFixture
) -> None:
    site = host_site(**SETTINGS)
    seen, count = flood(site), site.mounted.measures.refusals["RATE_LIMITED"]
    caplog.set_level("INFO")
    answers = [site.ask(new_session(), headers=come_from(FLOOD)) for _ in range(5)]
    assert seen.call_count == 1
    assert site.mounted.measures.refusals["RATE_LIMITED"] == count + 5
    logged = [(line.name, line.levelname, line.getMessage()) for line in caplog.records]
    assert logged == [("chatbubble.views", "INFO", "POST /chat: 429")] * 5
    assert len({answer.get("X-Request-ID") for answer in answers}) == 5
    for answer in answers:
        assert_refused(answer, 429, "RATE_LIMITED")
        assert 86_000 < int(answer.get("Retry-After") or 0) <= 86_400


def test_nothing_else_is_refused_with_it(host_site: HostSite) -> None:
    site = host_site(**SETTINGS)
    seen, here = flood(site), come_from(FLOOD)
    refused(site, [("Origin", SHOP)])
    refused(site)
    evil = site.ask(new_session(), headers=[*here, ("Origin", "https://evil.example")])
    assert_refused(evil, 403, "ORIGIN_REFUSED")
    assert site.call("POST", "/chat", (JSON, *here), question(new_session()), host="a" * 400).status == 400
    assert site.ask(new_session(), headers=come_from("192.0.2.2")).status == 200
    assert site.call("GET", "/config", here).status == 200
    preflight = [*here, ("Origin", SHOP), ("Access-Control-Request-Method", "POST")]
    assert site.call("OPTIONS", "/chat", preflight).status == 204
    assert_refused(site.call("GET", "/chat", here), 405, "METHOD_NOT_ALLOWED")
    # A cookie may be a session of the host's, that goes on with each answer.
    seen.reset_mock()
    refused(site, [("Cookie", "session=host")])
    refused(site, [("Cookie", "session=host")])
    assert seen.call_count == 2


def test_a_full_process_says_so_also_to_a_flood(host_site: HostSite) -> None:
    site = host_site(**SETTINGS)
    flood(site)
    refused(site)
    site.mounted.clients.slots.size = -1
    assert_refused(site.ask(new_session(), headers=come_from(FLOOD)), 503, "OVERLOADED")


def test_a_flood_is_believed_for_a_moment_and_then_looked_at_again(host_site: HostSite) -> None:
    site = host_site(**SETTINGS)
    seen = flood(site)
    refused(site)
    refused(site)
    assert seen.call_count == 1
    site.mounted.chat._limits.questions._full[FLOOD].believed_until = 0.0
    assert site.ask(new_session(), headers=come_from(FLOOD)).status == 429
    assert seen.call_count == 2


def test_strangers_cannot_have_it_keep_more_and_more(host_site: HostSite) -> None:
    site = host_site(**SETTINGS)
    flood(site)
    kept = site.mounted.flood_gate._kept
    for number in range(70):
        refused(site, host=f"host-{number}.example")
        assert 0 < len(kept) <= 64


def test_the_connection_goes_on_and_what_was_sent_is_not_taken_for_a_request(host_site: HostSite) -> None:
    site = host_site(**SETTINGS)
    seen = flood(site)
    with Wire(site.port) as wire:
        for _ in range(3):
            body = question(new_session(), 16_000)
            wire.send(request("POST", "/api/ai/chat", (JSON, *come_from(FLOOD)), body))
            assert wire.read().status == 429
        wire.send(request("GET", "/api/ai/config"))
        assert wire.read().status == 200
    assert seen.call_count == 1


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """A host app, not mounted yet."""
    app = Flask("host")
    settings = SETTINGS | {"database_url": f"sqlite:///{tmp_path}/chat.db"}
    app.config.update({f"CHATBUBBLE_{name.upper()}": value for name, value in settings.items()})
    return app


def seen_of(app: Flask, serve_app: ServeApp, prefix: str = "/api/ai") -> int:
    """How many of three questions of a flood come as far as the view."""
    site = Site(app, serve_app(app), Echo(), prefix)
    seen = flood(site)
    assert [site.ask(new_session(), headers=come_from(FLOOD)).status for _ in range(3)] == [429] * 3
    return int(seen.call_count)


def test_it_stands_before_a_plain_host_app_and_lets_its_own_addresses_be(app: Flask, serve_app: ServeApp) -> None:
    app.add_url_rule("/order", "order", lambda: "ordered", methods=["POST"])
    Chatbubble(app, provider=Echo())
    site = Site(app, serve_app(app), Echo())
    seen = flood(site)
    for _ in range(2):
        assert site.ask(new_session(), headers=come_from(FLOOD)).status == 429
        assert call(site.port, "POST", "/order", come_from(FLOOD), b"{}").body == b"ordered"
    assert seen.call_count == 1


def test_also_within_a_blueprint_of_the_hosts(app: Flask, serve_app: ServeApp) -> None:
    parent = Blueprint("support", "support", url_prefix="/support")
    parent.register_blueprint(Chatbubble(provider=Echo()).blueprint)
    app.register_blueprint(parent)
    assert seen_of(app, serve_app, "/support/api/ai") == 1


def before(app: Flask, parent: Blueprint, hook: Mock) -> None:
    app.before_request(hook)


def after(app: Flask, parent: Blueprint, hook: Mock) -> None:
    hook.side_effect = lambda response: response
    app.after_request(hook)


def around(app: Flask, parent: Blueprint, hook: Mock) -> None:
    parent.before_request(hook)


@pytest.mark.parametrize("add", [before, after, around])
def test_a_hook_of_the_hosts_runs_for_every_question(
    app: Flask, serve_app: ServeApp, add: Callable[[Flask, Blueprint, Mock], None]
) -> None:
    parent, hook = Blueprint("support", "support", url_prefix="/support"), Mock(return_value=None)
    add(app, parent, hook)
    parent.register_blueprint(Chatbubble(provider=Echo()).blueprint)
    app.register_blueprint(parent)
    assert seen_of(app, serve_app, "/support/api/ai") == 3
    assert hook.call_count == 6


@pytest.fixture(params=[request_started, request_finished], ids=lambda signal: signal.name)
def listened(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """One who listens to Flask's signals."""
    listener = Mock(spec=["__call__"])
    request.param.connect(listener, weak=False)
    yield listener
    request.param.disconnect(listener)


def test_who_listens_to_flask_hears_of_every_question(app: Flask, serve_app: ServeApp, listened: Mock) -> None:
    Chatbubble(app, provider=Echo())
    assert seen_of(app, serve_app) == 3
    assert listened.call_count == 6


def test_what_stood_around_the_app_before_and_what_is_put_there_later_sees_every_question(
    app: Flask, serve_app: ServeApp
) -> None:
    calls, ordinary = Mock(), app.wsgi_app
    app.wsgi_app = lambda environ, start_response: (calls(), ordinary(environ, start_response))[1]  # type: ignore[method-assign]
    Chatbubble(app, provider=Echo())
    assert seen_of(app, serve_app) == 3
    assert calls.call_count == 6


def test_what_is_put_around_the_app_later_sees_every_question(app: Flask, serve_app: ServeApp) -> None:
    Chatbubble(app, provider=Echo())
    calls, inner = Mock(), app.wsgi_app
    app.wsgi_app = lambda environ, start_response: (calls(), inner(environ, start_response))[1]  # type: ignore[method-assign]
    assert seen_of(app, serve_app) == 1
    assert calls.call_count == 6


def test_an_app_of_another_class_answers_for_itself(app: Flask, serve_app: ServeApp) -> None:
    class Own(Flask):
        """A host's own kind of app."""

    own = Own("own")
    own.config.update(app.config)
    Chatbubble(own, provider=Echo())
    assert seen_of(own, serve_app) == 3
