"""Every route over real HTTP: what it takes, what it refuses, and how it says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hosting import JSON, OPERATOR_TOKEN, SHOP, HostSite, Site, assert_refused, bearer, new_session
from raw_http import call

from chatbubble.views import ROUTES

WIRE_PAGE = Path(__file__).parents[2] / "docs" / "wire.md"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "Q" * 40)
STREAM_ROUTES = ("/chat", "/chat/<stream_id>", "/stream")


def address(rule: str) -> str:
    """An address that fits the rule."""
    return rule.replace("<stream_id>", "stream_1").replace("<path:name>", "chat.0.mjs")


WRONG = [
    (method, rule)
    for rule, views in ROUTES.items()
    for method in METHODS
    if method not in views
    and method != "OPTIONS"
    and not (method == "HEAD" and "GET" in views and rule not in STREAM_ROUTES)
]


@pytest.mark.parametrize(("method", "rule"), WRONG)
def test_a_wrong_method_is_named_and_the_right_ones_are_listed(site: Site, method: str, rule: str) -> None:
    answer = site.call(method, address(rule))
    assert answer.status == 405
    allowed = (answer.get("Allow") or "").split(", ")
    assert set(ROUTES[rule]) <= set(allowed)
    assert method not in allowed
    if method != "HEAD":
        assert_refused(answer, 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize("rule", ROUTES)
def test_options_lists_the_methods(site: Site, rule: str) -> None:
    answer = site.call("OPTIONS", address(rule))
    assert (answer.status, answer.body) == (204, b"")
    assert set(ROUTES[rule]) <= set((answer.get("Allow") or "").split(", "))


@pytest.mark.parametrize("path", ["/config", "/healthz", "/widget.js", "/conversation"])
def test_head_is_get_without_the_body(site: Site, path: str) -> None:
    headers = [bearer(new_session())]
    head, get = site.call("HEAD", path, headers), site.call("GET", path, headers)
    assert (head.status, head.body) == (get.status, b"")
    assert head.get("Content-Type") == get.get("Content-Type")


NOWHERE = [
    "", "/", "//", "/nope", "/chat/", "/chat//", "//chat", "//chat//x", "/chat/a/b", "/chat/a%2Fb",
    "/chat/a/abort/", "/chat/a//abort", "/../setup.cfg", "/./config", "/config/..", "/%2e%2e/%2e%2e/etc/passwd",
    "/chat%0Aconfig", "/x%0d%0aSet-Cookie:%20a=b", "/%00", "/%ff%fe", "/\xe9", "/%", "/%zz", "/conversation/",
    "/stream/", "/config/", "/widget.js/", "/assets", "/assets/", "/assets//etc/passwd", "/static/manifest.json",
    "/Chat", "/CONFIG", "/chat;x=1", "/" + "a" * 4000, "/a" * 1500, "/\\..\\x", "/config%2f", "/config%3Fa",
    "/\xf0\x9f\x98\x80",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "BREW"])
@pytest.mark.parametrize("path", NOWHERE)
def test_an_unknown_address_is_not_found(site: Site, method: str, path: str) -> None:
    assert_refused(site.call(method, path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "name",
    ["views.py", "../views.py", "%2e%2e/views.py", "manifest.json", "..%2fviews.py", "widget.js", "%00", "x%0ay"],
)
def test_only_built_files_are_assets(site: Site, name: str) -> None:
    assert_refused(site.call("GET", f"/assets/{name}"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "stream_id", ["stream_1", "%00", "a%20b", "%F0%9F%98%80", "x" * 3000, "..", "'; DROP TABLE turns"]
)
def test_an_unknown_stream_is_not_found(site: Site, stream_id: str) -> None:
    encoded, headers = stream_id.replace(" ", "%20"), [bearer(new_session())]
    assert_refused(site.call("GET", f"/chat/{encoded}", headers), 404, "NOT_FOUND")
    assert_refused(site.call("POST", f"/chat/{encoded}/abort", headers), 404, "NOT_FOUND")


NO_SESSION = [
    "", "Bearer", "Bearer ", "Bearer short", "Bearer " + "x" * 15, "Bearer " + "x" * 129, "Bearer " + "x" * 4000,
    "Basic " + "x" * 24, "x" * 24, "Bearer " + "x" * 12 + " " + "x" * 12, "Bearer " + "é" * 20,
    "Bearer " + "x" * 20 + "\xff", "Bearer\t" + "x" * 24, "Bearer " + "x" * 24 + ",Bearer " + "y" * 24,
    "Bearer " + "../" * 8, "Bearer null", "Bearer " + "x" * 20 + "%00", "Token " + "x" * 24, "Bearer=" + "x" * 24,
    'Bearer "' + "x" * 24 + '"',
]  # fmt: skip
NEEDS_SESSION = [
    ("GET", "/chat/stream_1"), ("POST", "/chat/stream_1/abort"), ("GET", "/conversation"), ("DELETE", "/conversation"),
    ("POST", "/feedback"), ("GET", "/stream"),
]  # fmt: skip


@pytest.mark.parametrize("header", NO_SESSION)
def test_a_bad_authorization_header_is_no_session(site: Site, header: str) -> None:
    for method, path in NEEDS_SESSION:
        error = assert_refused(site.call(method, path, [("Authorization", header)]), 401, "SESSION_MISSING")
        assert error["retryable"] is False


@pytest.mark.parametrize(("method", "path"), NEEDS_SESSION)
def test_without_authorization_there_is_no_session(site: Site, method: str, path: str) -> None:
    assert_refused(site.call(method, path), 401, "SESSION_MISSING")


@pytest.mark.parametrize("path", ["/", "/api", "/api/aix", "/static/manifest.json", "/favicon.ico"])
def test_a_server_that_has_nothing_but_the_chat_answers_in_json_everywhere(site: Site, path: str) -> None:
    assert_refused(call(site.port, "GET", path), 404, "NOT_FOUND")


def test_a_host_that_is_none_is_a_bad_request(site: Site) -> None:
    assert_refused(call(site.port, "GET", "/api/ai/config", host="a" * 400), 400, "BAD_REQUEST")


def test_an_encoded_slash_is_a_slash(site: Site) -> None:
    answer = site.call("POST", "/chat/stream_1%2Fabort", [bearer(new_session())])
    assert_refused(answer, 404, "NOT_FOUND")
    assert site.call("GET", "/chat/stream_1%2Fabort").status == 405


def test_two_authorization_headers_are_no_session(site: Site) -> None:
    answer = site.call("GET", "/conversation", [bearer(new_session()), bearer(new_session())])
    assert_refused(answer, 401, "SESSION_MISSING")


@pytest.mark.parametrize("spelling", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_the_scheme_may_be_spelt_as_http_allows(site: Site, spelling: str) -> None:
    assert site.call("GET", "/conversation", [("Authorization", spelling + new_session())]).status == 200


def test_config_tells_what_the_widget_may_know(site: Site) -> None:
    answer = site.call("GET", "/config")
    assert answer.json() == {"title": "Shop", "greeting": None, "accent": None, "suggestions": None}
    assert answer.get("Cache-Control") == "public, max-age=300"
    assert "origin" in answer.tokens("Vary")


def test_config_tells_what_the_empty_panel_offers(host_site: HostSite) -> None:
    site = host_site(suggestions="When are you open? | 怎么退货？")
    assert site.call("GET", "/config").json()["suggestions"] == ["When are you open?", "怎么退货？"]


def test_health_tells_the_state_of_each_part(site: Site) -> None:
    answer = site.call("GET", "/healthz")
    parts = {"server": "ok", "store": "ok", "provider": "ok", "streams": "ok"}
    assert (answer.status, answer.json()) == (200, {"status": "ok", "parts": parts})


def test_the_numbers_are_for_operators(site: Site, host_site: HostSite) -> None:
    numbers = site.call("GET", "/stats", [bearer(OPERATOR_TOKEN)]).json()
    told = WIRE_PAGE.read_text("utf-8").split("### `GET /stats`")[1].split("##")[0]
    assert set(numbers) == set(re.findall(r"`(\w+)`", told))
    assert_refused(site.call("GET", "/stats"), 401, "OPERATOR_REQUIRED")
    for wrong in (OPERATOR_TOKEN[:-1], OPERATOR_TOKEN + "x", OPERATOR_TOKEN.upper(), new_session(), "\xe9" * 20):
        assert_refused(site.call("GET", "/stats", [bearer(wrong)]), 401, "OPERATOR_REQUIRED")
    assert_refused(host_site().call("GET", "/stats", [bearer(OPERATOR_TOKEN)]), 404, "NOT_FOUND")


def test_the_operators_token_is_no_session(site: Site) -> None:
    conversation = site.call("GET", "/conversation", [bearer(OPERATOR_TOKEN)])
    assert conversation.json()["messages"] == []


ANSWERS: list[tuple[str, str, list[tuple[str, str]]]] = [
    ("GET", "/config", []), ("GET", "/healthz", []), ("GET", "/widget.js", []), ("GET", "/widget.mjs", []),
    ("GET", "/assets/nothing.js", []), ("GET", "/assets/chat.0123456789ab.mjs", []), ("GET", "/nope", []),
    ("PUT", "/chat", []), ("OPTIONS", "/chat", []), ("GET", "/conversation", []),
    ("GET", "/conversation", [("Authorization", "Bearer " + "c" * 24)]),
    ("DELETE", "/conversation", [("Authorization", "Bearer " + "c" * 24)]), ("GET", "/stats", []),
    ("GET", "/config", [("Origin", SHOP)]), ("GET", "/config", [("Origin", "https://evil.example")]),
    ("GET", "/widget.js", [("Origin", SHOP)]), ("GET", "/widget.js", [("Accept-Encoding", "br")]),
    ("POST", "/chat", [JSON]),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "headers"), ANSWERS)
def test_every_answer_is_safe_to_hand_around(
    site: Site, method: str, path: str, headers: list[tuple[str, str]]
) -> None:
    answer = site.call(method, path, [*headers, ("Cookie", "session=abc")])
    assert answer.get("X-Content-Type-Options") == "nosniff"
    assert answer.get("Cache-Control")
    assert answer.all("Set-Cookie") == []
    assert answer.all("Access-Control-Allow-Credentials") == []
    if "/widget" not in path and "/assets" not in path:
        assert answer.tokens("Vary").count("origin") == 1


def test_a_stream_is_safe_to_hand_around(site: Site) -> None:
    answer = site.ask(new_session())
    assert answer.get("X-Content-Type-Options") == "nosniff"
    assert answer.tokens("Vary") == ["origin"]
    assert answer.all("Set-Cookie") == []
