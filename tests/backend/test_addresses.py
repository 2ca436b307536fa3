"""Which address a request counts for, and who may say so."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from chatbubble.addresses import Addresses


def address(connection: str | None, forwarded: str | None = None, *, proxies: int = 0) -> str:
    """The address of a request, as a server with so many trusted proxies tells it."""
    environ: dict[str, Any] = {}
    if connection is not None:
        environ["REMOTE_ADDR"] = connection
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded
    return Addresses(proxies).of(environ)


@pytest.mark.parametrize(
    ("connection", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_connections_address(connection: str | None, counted: str) -> None:
    assert address(connection) == counted


FORGED = "198.51.100.1, 198.51.100.2"


@pytest.mark.parametrize("forwarded", ["198.51.100.7", FORGED, "", ",", "x" * 10_000])
def test_without_trusted_proxies_nobody_says_who_they_are(forwarded: str) -> None:
    assert address("192.0.2.1", forwarded) == "192.0.2.1"


@pytest.mark.parametrize(
    ("forwarded", "proxies", "counted"),
    [
        ("203.0.113.9", 1, "203.0.113.9"),
        (f"{FORGED}, 203.0.113.9", 1, "203.0.113.9"),
        (f"{FORGED},203.0.113.9, 10.0.0.2", 2, "203.0.113.9"),
        (f"{FORGED}, 2001:db8::1", 1, "2001:db8::/64"),
        ("[2001:db8::1]", 1, "2001:db8::/64"),
        ("[2001:db8::1]:4711", 1, "2001:db8::/64"),
        ("203.0.113.9:4711", 1, "203.0.113.9"),
        ("::ffff:203.0.113.9", 1, "203.0.113.9"),
    ],
)
def test_with_trusted_proxies_the_entry_so_far_from_the_right_counts(
    forwarded: str, proxies: int, counted: str
) -> None:
    assert address("10.0.0.1", forwarded, proxies=proxies) == counted


WRONG = [None, "", "unknown", "203.0.113.9,", "203.0.113.999", "1.2.3", "203.0.113.9 x", "_hidden", "[::1", ":80"]
WRONG += ["\n203.0.113.9\n203.0.113.8", "\u0661.2.3.4", "9" * 10_000]


@pytest.mark.parametrize("forwarded", WRONG)
def test_what_is_no_address_counts_as_the_connections_own(forwarded: str | None) -> None:
    assert address("10.0.0.1", forwarded, proxies=1) == "10.0.0.1"


def test_who_comes_past_a_proxy_says_nothing_of_themselves() -> None:
    assert address("192.0.2.1", "198.51.100.1", proxies=2) == "192.0.2.1"


def test_a_proxy_that_nobody_has_told_of_is_complained_about_once(caplog: pytest.LogCaptureFixture) -> None:
    addresses = Addresses(0)
    with caplog.at_level(logging.WARNING, "chatbubble.addresses"):
        addresses.of({"REMOTE_ADDR": "8.8.8.8", "HTTP_X_FORWARDED_FOR": "203.0.113.9"})
        addresses.of({"REMOTE_ADDR": "127.0.0.1"})
        assert not caplog.messages
        for remote in ("127.0.0.1", "10.0.0.1", ""):
            addresses.of({"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": "203.0.113.9"})
    assert len(caplog.messages) == 1
    assert "CHATBUBBLE_TRUSTED_PROXIES is 0" in caplog.text


def test_a_proxy_that_says_nothing_is_complained_about_once(caplog: pytest.LogCaptureFixture) -> None:
    addresses = Addresses(1)
    with caplog.at_level(logging.WARNING, "chatbubble.addresses"):
        addresses.of({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"})
        assert not caplog.messages
        for _ in range(3):
            addresses.of({"REMOTE_ADDR": "10.0.0.1"})
    assert len(caplog.messages) == 1
    assert "CHATBUBBLE_TRUSTED_PROXIES is 1" in caplog.text
