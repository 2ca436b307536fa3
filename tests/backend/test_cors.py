"""Which pages may call, over real HTTP: preflights, answers, refusals and what caches are told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_cors import CORS
from hosting import JSON, OPERATOR_TOKEN, SHOP, Echo, HostSite, Site, assert_refused, bearer, new_session, question
from raw_http import Answer, call
from werkzeug.middleware.proxy_fix import ProxyFix

from chatbubble import Chatbubble

ALLOW_ORIGIN = "Access-Control-Allow-Origin"
FILES = ["/widget.js", "/widget.mjs", "/assets/chat.0123456789ab.mjs"]

LISTED = [SHOP, "https://www.brand.example", "https://a.b.c.brand.example", "https://x-1.brand.example"]
UNLISTED = [
    "http://shop.example", "https://shop.example:8443", "https://shop.example:443", "https://www.shop.example",
    "https://shop.example.evil.example", "https://evilshop.example", "https://shop.example@evil.example",
    "https://evil.example#https://shop.example", "https://evil.example/https://shop.example", "https://shop.example/",
    "https://shop.example.", "https://SHOP.example", "HTTPS://shop.example", "https://Shop.Example", "shop.example",
    "//shop.example", "https://", "https:///shop.example", "https:shop.example", "", " ", "null", "Null", "*", "file://",
    "https://brand.example", "https://.brand.example", "https://evilbrand.example", "https://brand.example.evil.example",
    "https://a..brand.example", "https://-.brand.example", "https://a_b.brand.example", "https://a.brand.example:8443",
    "http://a.brand.example", "https://a.brand.example.", "https://*.brand.example", "https://evil.example?.brand.example",
    "https://evil.example\\.brand.example", "https://evil.example/.brand.example", "https://a@b.brand.example",
    "https://xn--shp-xza.example", "https://sh\u00f6p.example", "https://\u0455hop.example", "https://shop\u3002example",
    "https://shop.example https://evil.example", "https://shop.example, https://evil.example",
    "https://shop.example,https://shop.example", "chrome-extension://abcdefgh", "data:,", "https://shop.example\tx",
    "https://shop.example%00", "https://shopXexample", "https://[::1]", "https://127.0.0.1.evil.example",
    "https://" + "a." * 2000 + "brand.evil", "a" * 6000,
]  # fmt: skip


def from_page(origin: str) -> tuple[str, str]:
    """The header that a browser sends for a page of this origin; other letters as raw UTF-8."""
    return ("Origin", origin.encode().decode("latin-1"))


def preflight(site: Site, path: str, origin: str, method: str = "GET", headers: str = "") -> Answer:
    """What a browser asks before the request itself."""
    asked = [from_page(origin), ("Access-Control-Request-Method", method)]
    return site.call("OPTIONS", path, [*asked, *([("Access-Control-Request-Headers", headers)] if headers else [])])


@pytest.mark.parametrize("origin", LISTED)
def test_a_listed_page_gets_its_answer_and_may_read_it(site: Site, origin: str) -> None:
    answer = site.ask(new_session(), headers=[from_page(origin)])
    assert answer.status == 200
    assert answer.get(ALLOW_ORIGIN) == origin
    assert answer.tokens("Access-Control-Expose-Headers") == ["retry-after"]


@pytest.mark.parametrize("origin", UNLISTED)
def test_an_unlisted_page_is_refused_before_any_work(site: Site, origin: str) -> None:
    session, asked = new_session(), len(site.provider.questions)
    answer = site.ask(session, headers=[from_page(origin)])
    assert_refused(answer, 403, "ORIGIN_REFUSED")
    assert answer.all(ALLOW_ORIGIN) == []
    assert len(site.provider.questions) == asked
    assert site.call("GET", "/conversation", [bearer(session)]).json()["conversationId"] is None


def test_the_operator_is_told_once_which_site_to_allow(host_site: HostSite, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    site = host_site(allowed_origins=SHOP)
    for _ in range(3):
        site.call(
            "OPTIONS", "/chat", [from_page("https://www.shop.example"), ("Access-Control-Request-Method", "POST")]
        )
        site.ask(new_session(), headers=[from_page("https://www.shop.example")])
        site.ask(new_session(), headers=[from_page(SHOP)])
    told = [record for record in caplog.records if "shop.example" in record.getMessage()]
    assert [(record.levelname, record.name) for record in told] == [("WARNING", "chatbubble.origins")]
    assert "'https://www.shop.example'" in told[0].getMessage()
    assert "CHATBUBBLE_ALLOWED_ORIGINS" in told[0].getMessage()


@pytest.mark.parametrize("first", [SHOP, "https://evil.example"])
def test_two_origins_are_none(site: Site, first: str) -> None:
    answer = site.ask(new_session(), headers=[from_page(first), from_page(SHOP)])
    assert_refused(answer, 403, "ORIGIN_REFUSED")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/config"), ("GET", "/conversation"), ("DELETE", "/conversation"), ("GET", "/stream"), ("GET", "/chat/s"),
     ("POST", "/chat/s/abort"), ("POST", "/chat"), ("POST", "/feedback"),
     ("GET", "/stats"), ("GET", "/nope"), ("PUT", "/chat"), ("GET", "")],
)  # fmt: skip
def test_every_api_address_refuses_an_unlisted_page(site: Site, method: str, path: str) -> None:
    headers = [from_page("https://evil.example"), bearer(OPERATOR_TOKEN)]
    assert_refused(site.call(method, path, headers), 403, "ORIGIN_REFUSED")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_preflight_of_a_listed_page_passes_and_is_kept_for_two_hours(site: Site, method: str) -> None:
    path = "/feedback" if method == "POST" else "/conversation"
    answer = preflight(site, path, SHOP, method, "authorization,content-type,last-event-id")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.get(ALLOW_ORIGIN) == SHOP
    assert {"get", "post", "delete"} == set(answer.tokens("Access-Control-Allow-Methods"))
    allowed = {"authorization", "content-type", "last-event-id"}
    assert set(answer.tokens("Access-Control-Allow-Headers")) == allowed
    assert answer.get("Access-Control-Max-Age") == "7200"
    assert answer.all("Access-Control-Allow-Credentials") == []
    assert answer.all("Access-Control-Allow-Private-Network") == []


def test_a_preflight_allows_no_other_headers(site: Site) -> None:
    answer = preflight(site, "/chat", SHOP, "POST", "content-type, x-forwarded-for, cookie")
    assert answer.tokens("Access-Control-Allow-Headers") == ["content-type"]


@pytest.mark.parametrize(
    "path", ["/chat", "/chat/stream_1", "/chat/stream_1/abort", "/conversation", "/config", "/nope"]
)
def test_a_preflight_works_on_every_address(site: Site, path: str) -> None:
    assert preflight(site, path, SHOP).status == 204


def test_a_preflight_of_an_unlisted_page_is_refused(site: Site) -> None:
    answer = preflight(site, "/chat", "https://evil.example", "POST", "content-type")
    assert_refused(answer, 403, "ORIGIN_REFUSED")
    assert not [name for name, _ in answer.headers if name.startswith("access-control-")]


REFUSALS: list[tuple[str, str, list[tuple[str, str]], int]] = [
    ("POST", "/chat", [JSON], 400),
    ("POST", "/chat", [], 415),
    ("GET", "/conversation", [], 401),
    ("GET", "/chat/stream_1", [bearer(new_session())], 404),
    ("GET", "/nope", [], 404),
    ("PUT", "/chat", [], 405),
    ("GET", "/stats", [], 401),
]


def test_a_listed_page_may_read_errors_too(site: Site) -> None:
    for method, path, headers, status in REFUSALS:
        answer = site.call(method, path, [from_page(SHOP), *headers])
        assert (answer.status, answer.get(ALLOW_ORIGIN)) == (status, SHOP)


def test_caches_learn_that_the_origin_matters_whether_or_not_one_came(site: Site) -> None:
    for origin in ([], [from_page(SHOP)], [from_page("https://evil.example")]):
        for method, path, headers, _ in [*REFUSALS, ("GET", "/config", [], 200)]:
            assert site.call(method, path, [*origin, *headers]).tokens("Vary") == ["origin"]


def test_without_an_origin_nothing_is_said_about_origins(site: Site) -> None:
    answer = site.ask(new_session())
    assert answer.status == 200
    assert not [name for name, _ in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("origin", [SHOP, "https://evil.example", "null"])
def test_any_page_may_load_the_widget(site: Site, path: str, origin: str) -> None:
    answer = site.call("GET", path, [from_page(origin)])
    assert answer.status in (200, 302)
    assert answer.get(ALLOW_ORIGIN) == "*"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("chat.example", "http://chat.example"),
        ("chat.example:8000", "http://chat.example:8000"),
        ("chat.example", "https://chat.example"),
        ("chat.example:443", "https://chat.example"),
        ("chat.example:8443", "https://chat.example:8443"),
        ("[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_its_own_pages_may_always_call(site: Site, host: str, origin: str) -> None:
    answer = site.call("POST", "/chat", [JSON, from_page(origin)], question(new_session()), host)
    assert answer.status == 200


@pytest.mark.parametrize(
    "origin",
    ["http://chat.example:8000", "https://chat.example:443", "https://chat.example:8443", "https://www.chat.example"],
)
def test_another_port_or_host_of_its_own_is_another_origin(site: Site, origin: str) -> None:
    answer = site.call("POST", "/chat", [JSON, from_page(origin)], question(new_session()), "chat.example")
    assert_refused(answer, 403, "ORIGIN_REFUSED")


def test_behind_a_proxy_that_is_told_about_its_own_pages_are_known(host_site: HostSite) -> None:
    site = host_site()
    site.app.wsgi_app = ProxyFix(site.app.wsgi_app, x_proto=1, x_host=1)  # type: ignore[method-assign]
    forwarded = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "chat.example"), JSON]
    for origin, status in (("https://chat.example", 200), ("http://chat.example", 403), ("http://127.0.0.1", 403)):
        answer = site.call("POST", "/chat", [*forwarded, from_page(origin)], question(new_session()))
        assert answer.status == status


def test_without_that_a_forwarded_host_counts_for_nothing(site: Site) -> None:
    headers = [JSON, ("X-Forwarded-Host", "evil.example"), from_page("https://evil.example")]
    assert_refused(site.call("POST", "/chat", headers, question(new_session())), 403, "ORIGIN_REFUSED")


def test_a_star_allows_every_page_and_warns_loudly(host_site: HostSite, caplog: pytest.LogCaptureFixture) -> None:
    site = host_site(allowed_origins="*")
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len([text for text in warnings if "CHATBUBBLE_ALLOWED_ORIGINS is *" in text]) == 1
    for origin in ("https://any.example", "http://localhost:3000"):
        answer = site.ask(new_session(), headers=[from_page(origin)])
        assert (answer.status, answer.get(ALLOW_ORIGIN)) == (200, origin)
        assert answer.all("Access-Control-Allow-Credentials") == []


def test_a_star_does_not_allow_pages_that_have_no_origin(host_site: HostSite) -> None:
    site = host_site(allowed_origins="*")
    for origin in ("null", "https://a.example, https://b.example", "https://a.example/path"):
        assert_refused(site.ask(new_session(), headers=[from_page(origin)]), 403, "ORIGIN_REFUSED")


def test_with_nothing_listed_only_its_own_pages_may_call(host_site: HostSite) -> None:
    site = host_site()
    assert_refused(site.ask(new_session(), headers=[from_page(SHOP)]), 403, "ORIGIN_REFUSED")
    assert site.ask(new_session(), headers=[from_page("http://127.0.0.1")]).status == 200


HOST_CORS: list[dict[str, Any]] = [
    {},
    {"origins": [SHOP], "supports_credentials": True},
    {"origins": "*", "send_wildcard": True, "supports_credentials": False, "max_age": 5},
]


@pytest.mark.parametrize("options", HOST_CORS)
def test_the_host_apps_own_cors_settings_do_not_reach_the_chat(
    options: dict[str, Any], tmp_path: Path, serve_app: Callable[[Any], int]
) -> None:
    app = Flask("shop")
    app.config.update(CORS_SUPPORTS_CREDENTIALS=True, CORS_ALLOW_PRIVATE_NETWORK=True, CORS_MAX_AGE=5)
    app.config.update(CHATBUBBLE_DATABASE_URL=f"sqlite:///{tmp_path}/chat.db", CHATBUBBLE_ALLOWED_ORIGINS=SHOP)
    CORS(app, **options)
    Chatbubble(app, provider=Echo())
    port = serve_app(app)
    private = ("Access-Control-Request-Private-Network", "true")
    for origin, status, allowed in ((SHOP, 204, SHOP), ("https://evil.example", 403, None)):
        asked = [from_page(origin), private, ("Access-Control-Request-Method", "POST")]
        answer = call(port, "OPTIONS", "/api/ai/chat", asked)
        assert (answer.status, answer.get(ALLOW_ORIGIN)) == (status, allowed)
        assert answer.all("Access-Control-Allow-Credentials") == []
        assert "true" not in answer.all("Access-Control-Allow-Private-Network")
    assert call(port, "GET", "/api/ai/widget.js", [from_page(SHOP)]).get(ALLOW_ORIGIN) == "*"
