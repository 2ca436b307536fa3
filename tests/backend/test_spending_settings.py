"""The settings of the day's budget: what each takes, and which of them cannot be kept together."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import ScriptedProvider
from test_config import assert_refused, value_of

from chatbubble.config import Settings
from chatbubble.errors import ConfigError
from chatbubble.providers.demo import DemoProvider
from chatbubble.spending import NoSpending, create_spending, write_fallback
from chatbubble.stores.sql import SqlStore

SMALL: Any = {"context_tokens": 500, "max_tokens": 100, "prices": ("scripted-1=1/2",)}


@pytest.fixture
def store(tmp_path: Any) -> Any:
    """One that keeps account, not opened."""
    return SqlStore(f"sqlite:///{tmp_path}/chat.db")


def test_a_budget_is_an_amount_and_nothing_is_none() -> None:
    for given, amount in (("", 0), (0, 0), ("0.50", 0.5), (5, 5), (" 1000000 ", 1_000_000)):
        assert value_of("DAILY_BUDGET", given) == amount
        assert isinstance(value_of("DAILY_BUDGET", given), float)
    for wrong in (-1, "-0.01", 1_000_001, "5 USD", "$5", "1e3", "nan", " ", None, True):
        assert_refused("DAILY_BUDGET", wrong)


def test_prices_are_two_amounts_for_each_model() -> None:
    entries = ("gpt-4o-mini=0.15/0.60", "org/a=b:free=0/12.000001")
    assert value_of("PRICES", "gpt-4o-mini=0.15/0.60, org/a=b:free=0/12.000001") == entries
    assert value_of("PRICES", list(entries)) == entries
    assert value_of("PRICES", "") == ()
    for given in ("gpt-4o-mini", "a=1", "a=1/", "=1/2", "a=1/2/3", "a=-1/2", "a=1,5/2", "a=1e3/2", "a=1/2 a=1/3"):
        assert_refused("PRICES", given)
    for wrong in (None, 5, {"a": "1/2"}, [("a", 1, 2)], ["a = 1/2"]):
        assert_refused("PRICES", wrong)


def test_a_contact_is_a_page_or_a_mailbox_that_markdown_can_link_to() -> None:
    for given in (
        "", "https://shop.example", "https://shop.example:8443/contact_us?from=chat&a=b#form",
        "mailto:help+chat@shop.example", "mailto:help@shop.example?subject=Question",
    ):  # fmt: skip
        assert value_of("CONTACT_URL", f" {given} ") == given
    for given in (
        "shop.example", "http://shop.example", "https://", "https://shop.example/a b", "https://shop.example/(x)",
        "https://me:secret@shop.example", "https://shop.example/<b>", "https://shop.example/[x]", "mailto:help",
        "javascript:alert(1)", "https://shop.example/\nx", "tel:+41", "https://sh\u00f6p.example",
    ):  # fmt: skip
        assert_refused("CONTACT_URL", given)
    for wrong in (None, 5, b"https://shop.example"):
        assert_refused("CONTACT_URL", wrong)


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("https://shop.example/", "[shop.example](https://shop.example/)"),
        ("https://shop.example/_us_?a=b", r"[shop.example/\_us\_](https://shop.example/_us_?a=b)"),
        ("mailto:help@shop.example?subject=Hi", "[help@shop.example](mailto:help@shop.example?subject=Hi)"),
    ],
)
def test_the_link_names_its_own_address(contact: str, link: str) -> None:
    assert write_fallback("Sorry.", contact) == f"Sorry.\n\n{link}"
    assert write_fallback("Sorry.", "") == "Sorry."


def test_without_a_budget_nobody_counts(store: SqlStore) -> None:
    free = Settings(prices=("scripted-1=1/2",))
    assert isinstance(create_spending(free, ScriptedProvider(), store), NoSpending)
    assert isinstance(create_spending(Settings(daily_budget=1), DemoProvider(), store), NoSpending)


class Forgetful:
    """A store that keeps no account."""


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"prices": ("other=1/2",)}, r"what the model costs.*CHATBUBBLE_PRICES=scripted-1="),
        ({"daily_budget": 0.002}, r"CHATBUBBLE_DAILY_BUDGET is 0.002, and one answer alone may cost 0.002264"),
    ],
)
def test_a_budget_that_cannot_be_kept_stops_the_start(store: SqlStore, settings: dict[str, Any], says: str) -> None:
    chosen = Settings(**{"daily_budget": 1, **SMALL, **settings})
    with pytest.raises(ConfigError, match=says) as refusal:
        create_spending(chosen, ScriptedProvider(), store)
    assert "\n" not in refusal.value.message


def test_a_budget_needs_a_store_that_keeps_account() -> None:
    store: Any = Forgetful()
    with pytest.raises(ConfigError, match="CHATBUBBLE_DAILY_BUDGET needs a store that keeps account"):
        create_spending(Settings(daily_budget=1, **SMALL), ScriptedProvider(), store)
