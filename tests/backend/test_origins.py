"""Rules of CHATBUBBLE_ALLOWED_ORIGINS, compared as scheme, host and port."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.errors import ConfigError
from chatbubble.origins import KNOWN_ORIGINS, TOLD_PER_MINUTE, OriginRules, RefusedOrigins


def allows(rule: str, origin: str) -> bool:
    """Whether this one rule lets a page call."""
    return OriginRules.parse([rule]).allows(origin)


@pytest.mark.parametrize(
    ("rule", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://Shop.Example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://xn--shp-xka.example", "https://xn--shp-xka.example"),
        ("https://*.shop.example", "https://www.shop.example"),
        ("https://*.shop.example", "https://a.b-c.d1.shop.example"),
        ("https://*.shop.example:8443", "https://www.shop.example:8443"),
        ("*", "https://any.example:1"),
        ("*", "http://localhost:3000"),
    ],
)
def test_a_rule_lets_its_pages_call(rule: str, origin: str) -> None:
    assert allows(rule, origin)


@pytest.mark.parametrize(
    ("rule", "origin"),
    [
        ("https://shop.example", "https://shopxexample"),
        ("https://shop.example", "http://shop.example"),
        ("https://shop.example", "https://shop.example:443"),
        ("https://shop.example", "https://shop.example\n"),
        ("https://shop.example", "https://shop.example."),
        ("https://shop.example", " https://shop.example"),
        ("https://shop.example", "https://SHOP.example"),
        ("https://shop.example:8443", "https://shop.example"),
        ("https://*.shop.example", "https://shop.example"),
        ("https://*.shop.example", "https://.shop.example"),
        ("https://*.shop.example", "https://evilshop.example"),
        ("https://*.shop.example", "https://evil.example/.shop.example"),
        ("https://*.shop.example", "https://a@b.shop.example"),
        ("https://*.shop.example", "https://a:b.shop.example"),
        ("https://*.shop.example", "https://\u0430.shop.example"),
        ("https://*.shop.example", "https://a.shop.example:8443"),
        ("*", "null"),
        ("*", ""),
        ("*", "https://"),
        ("*", "file://x"),
        ("*", "https://a.example\n"),
        ("*", "https://a.example https://b.example"),
    ],
)
def test_a_rule_lets_no_other_page_call(rule: str, origin: str) -> None:
    assert not allows(rule, origin)


@pytest.mark.parametrize(
    "rule",
    ["shop.example", "//shop.example", "ftp://shop.example", "https://", "https://*", "https://*.", "https://shop.*",
     "https://*shop.example", "https://a.*.example", "*.shop.example", "https://shop.example/path", "https://shop.example?x",
     "https://user@shop.example", "https://shop..example", "https://-shop.example", "https://shop-.example",
     "https://shop.example.", "https://sh\u00f6p.example", "https://shop.example:", "https://shop.example:0",
     "https://shop.example:65536", "https://shop.example:x", "null", "", "**", "https://shop_1.example", "https://[::1",
     "https://a b.example", "https://a.example https://b.example"],
)  # fmt: skip
def test_what_is_not_a_rule_stops_the_start(rule: str) -> None:
    with pytest.raises(ConfigError, match=r"CHATBUBBLE_ALLOWED_ORIGINS should hold origins like .*, but one is"):
        OriginRules.parse([rule])


def test_no_rules_let_nobody_call() -> None:
    assert OriginRules.parse([]) == OriginRules(())
    assert not OriginRules.parse([]).allows("https://shop.example")


def test_only_a_star_allows_all() -> None:
    assert OriginRules.parse(["https://a.example", "*"]).allows_all
    assert not OriginRules.parse(["https://a.example"]).allows_all


ODD = st.text(st.sampled_from("abz019.-_:/@#?*\\ \n%[]\u0430\uff0e"), max_size=30)


@given(ODD, st.sampled_from(["https://*.shop.example", "https://shop.example", "http://a.b:81"]))
def test_whatever_is_allowed_has_the_rules_scheme_host_and_port(inside: str, rule: str) -> None:
    wanted = urlsplit(rule.replace("*.", ""))
    for origin in (inside, f"https://{inside}shop.example", f"{rule}{inside}", f"https://{inside}.shop.example"):
        if allows(rule, origin):
            parsed = urlsplit(origin)
            assert (parsed.scheme, parsed.port, parsed.path, parsed.username) == (wanted.scheme, wanted.port, "", None)
            assert parsed.hostname is not None
            assert parsed.hostname == wanted.hostname or parsed.hostname.endswith(f".{wanted.hostname}")


@pytest.mark.parametrize("part", ["a", "a.", "a-", "-", ".", "a.a-"])
def test_a_long_origin_is_refused_quickly(part: str) -> None:
    rules = OriginRules.parse(["https://*.shop.example", "https://shop.example"])
    began = time.perf_counter()
    assert not rules.allows("https://" + part * (8000 // len(part)) + "!")
    assert time.perf_counter() - began < 0.05


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def test_each_refused_origin_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    refused = RefusedOrigins()
    for _ in range(3):
        refused.tell("https://shop.example")
        refused.tell("https://www.shop.example")
    assert [record.getMessage() for record in caplog.records] == [
        f"pages of '{origin}' may not use the chat: if they should, add it to CHATBUBBLE_ALLOWED_ORIGINS"
        for origin in ("https://shop.example", "https://www.shop.example")
    ]


@pytest.mark.parametrize(
    "origin", ["https://a\nWARNING b", "https://a\u2028b", "\x1b[2J", "https://\xe9", "x" * 100_000]
)
def test_whatever_was_refused_stays_one_short_line(origin: str, caplog: pytest.LogCaptureFixture) -> None:
    RefusedOrigins().tell(origin)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 500


def test_who_makes_origins_up_fills_neither_the_log_nor_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    refused = RefusedOrigins(clock)
    for number in range(5000):
        refused.tell(f"https://{number}.example")
    assert len(caplog.records) == TOLD_PER_MINUTE
    for number in range(2 * KNOWN_ORIGINS):
        clock.seconds += 60
        refused.tell(f"https://later{number}.example")
    assert len(caplog.records) == TOLD_PER_MINUTE + 2 * KNOWN_ORIGINS
    assert len(refused) == KNOWN_ORIGINS
