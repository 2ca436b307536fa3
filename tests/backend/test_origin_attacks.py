"""Pages that want to pass for others, by requests that no browser would send, and by names that point elsewhere."""

from __future__ import annotations

import pytest
from hosting import JSON, SHOP, HostSite, Site, assert_refused, new_session, question
from raw_http import Answer, Wire

EVIL = "https://evil.example"


def send(site: Site, *head: bytes, target: str = "/api/ai/chat", host: bytes = b"Host: chat.example") -> Answer | None:
    """A question with exactly these lines in its head; None where the server closes without a word."""
    body = question(new_session())
    lines = [f"POST {target} HTTP/1.1".encode(), host, b"Content-Type: application/json", *head]
    lines.append(b"Content-Length: %d" % len(body))
    with Wire(site.port) as wire:
        wire.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        try:
            return wire.read()
        except ConnectionError:
            return None


def assert_nothing_asked(site: Site, *head: bytes, **options: object) -> None:
    """The request is refused, and no model was asked."""
    asked = len(site.provider.questions)
    answer = send(site, *head, **options)  # type: ignore[arg-type]
    assert answer is None or answer.status in (400, 403, 404), answer
    assert len(site.provider.questions) == asked


def test_the_same_request_in_order_is_answered(site: Site) -> None:
    answer = send(site, b"Origin: https://shop.example")
    assert answer is not None
    assert answer.status == 200


SHAM = [
    [b"Origin: https://shop.example", b" .evil.example"],
    [b"Origin: https://evil.example", b" https://shop.example"],
    [b"Origin:", b" https://shop.example", b" https://evil.example"],
    [b"Origin: https://shop.example", b"Origin: https://evil.example"],
    [b"Origin: https://evil.example", b"Origin: https://shop.example"],
    [b"Origin: https://shop.example", b"Origin: https://shop.example"],
    [b"origin: https://shop.example", b"ORIGIN: https://evil.example"],
    [b"Origin: null", b"Origin: https://shop.example"],
    [b"Origin: https://evil.example", b"Origin : https://shop.example"],
    [b"Origin: https://shop.example\x00.evil.example"],
    [b"Origin: https://shop.example\xa0x"],
    [b"Origin: https://shop.example;https://evil.example"],
    [b"Origin: https://evil.example\rX: https://shop.example"],
    [b"X-Forwarded-Host: evil.example", b"X-Forwarded-Proto: https", b"Origin: https://evil.example"],
    [b"Forwarded: host=evil.example;proto=https", b"Origin: https://evil.example"],
    [b"X-Original-Host: evil.example", b"X-Host: evil.example", b"Origin: https://evil.example"],
]


@pytest.mark.parametrize("head", SHAM, ids=repr)
def test_an_origin_is_one_header_with_one_value(site: Site, head: list[bytes]) -> None:
    assert_nothing_asked(site, *head)


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (b"Host: evil.example@chat.example", b"Origin: https://chat.example"),
        (b"Host: chat.example@evil.example", b"Origin: https://evil.example"),
        (b"Host: chat.example#evil.example", b"Origin: https://chat.example"),
        (b"Host: chat.example/evil.example", b"Origin: https://chat.example"),
        (b"Host: evil.example\r\nHost: chat.example", b"Origin: https://evil.example"),
        (b"Host: chat.example\r\nHost: evil.example", b"Origin: https://evil.example"),
        (b"Host: evil.example, chat.example", b"Origin: https://evil.example"),
        (b"Host:", b"Origin: https://"),
        (b"Host: *", b"Origin: https://*"),
        (b"Host: null", b"Origin: null"),
        (b"Host: chat.example", b"Origin: https://chat.example."),
        (b"Host: chat.example", b"Origin: https://CHAT.example"),
    ],
)
def test_a_host_that_is_none_makes_no_page_its_own(site: Site, host: bytes, origin: bytes) -> None:
    assert_nothing_asked(site, origin, host=host)


def test_an_address_that_names_another_host_makes_no_page_its_own(site: Site) -> None:
    assert_nothing_asked(site, b"Origin: http://evil.example", target="http://evil.example/api/ai/chat")


def test_a_name_that_points_here_is_believed_unless_the_app_knows_its_own(host_site: HostSite) -> None:
    site = host_site(allowed_origins=SHOP)
    pages = [b"Origin: http://evil.example"]
    # A page can make its own name point here: it then gets what anybody gets who is no page at all.
    rebound = send(site, *pages, host=b"Host: evil.example")
    assert rebound is not None
    assert rebound.status == 200
    site.app.config["TRUSTED_HOSTS"] = ["chat.example", "127.0.0.1"]
    asked = len(site.provider.questions)
    answer = send(site, *pages, host=b"Host: evil.example")
    assert answer is not None
    assert_refused(answer, 400, "BAD_REQUEST")
    assert len(site.provider.questions) == asked
    own = send(site, b"Origin: https://chat.example")
    assert own is not None
    assert own.status == 200


def test_who_has_no_origin_meets_the_same_limits(host_site: HostSite) -> None:
    site = host_site(allowed_origins=SHOP, rate_limit="1/minute")
    for headers in ([], [("Origin", SHOP)]):
        session = new_session()
        assert site.ask(session, headers=headers).status == 200
        assert_refused(site.ask(session, headers=headers), 429, "RATE_LIMITED")
        body = question(session)
        assert_refused(site.call("POST", "/chat", headers, body), 415, "UNSUPPORTED_MEDIA_TYPE")
        assert_refused(site.call("POST", "/chat", [JSON, *headers], b"[]"), 400, "BAD_REQUEST")
