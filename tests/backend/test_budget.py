"""What an answer costs, what it may cost at most, and that these two are never the wrong way round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.budget import MICRO, Budget, Price, Said, Standing, read_prices, shown, to_micro
from chatbubble.prompt import MOST_CHARS_PER_TOKEN
from chatbubble.records import Prompt, PromptMessage, Usage

MINI = Price(150_000, 600_000)
BUDGET = Budget(5 * MICRO, MINI, 100)
PROMPT = Prompt((PromptMessage("system", "Be kind."), PromptMessage("user", "Hi")))
TEXTS = st.text(st.characters(), max_size=300)
PRICES = st.builds(Price, st.integers(0, 10**8), st.integers(0, 10**8))


def cost(text: str, usage: Usage | None = None, *, has_thought: bool = False, budget: Budget = BUDGET) -> int:
    return budget.cost(PROMPT, Said(text, has_thought, usage))


def test_a_million_tokens_cost_their_price() -> None:
    assert MINI.of(MICRO, 0) == to_micro(0.15)
    assert MINI.of(0, MICRO) == to_micro(0.6)
    assert MINI.of(1000, 300) == 330


def test_a_part_of_a_millionth_is_a_whole_one() -> None:
    assert Price(1, 0).of(1, 0) == 1
    assert Price(0, 0).of(10**9, 10**9) == 0


def test_the_servers_own_count_is_what_counts() -> None:
    assert cost("a" * 50, Usage(20, 12)) == MINI.of(20, 12)
    assert cost("", Usage(20, 0)) == MINI.of(20, 0)


@pytest.mark.parametrize("usage", [Usage(0, 0), Usage(0, 9), Usage(20, 0), Usage(-5, 9), Usage(20, -1)])
def test_a_count_that_cannot_be_is_none(usage: Usage) -> None:
    assert cost("some words", usage) == cost("some words") > 0


def test_a_count_beyond_all_reason_still_fits_a_column() -> None:
    assert cost("word", Usage(10**30, 10**30)) < 2**63


def test_without_a_count_bytes_are_tokens() -> None:
    assert cost("eight by", budget=Budget(1, Price(0, MICRO), 1000)) == 8 + 64
    assert cost("\u00fc\u00fc", budget=Budget(1, Price(0, MICRO), 1000)) == 4 + 64
    assert cost("", budget=Budget(1, Price(MICRO, 0), 1000)) == 8 + 2 + 2 * 8 + 64


def test_a_model_that_was_seen_thinking_may_have_thought_to_the_end() -> None:
    only_answers = Budget(1, Price(0, MICRO), 1000)
    assert cost("short", has_thought=True, budget=only_answers) == 1000
    assert cost("short", Usage(9, 30), has_thought=True, budget=only_answers) == 30


def test_who_keeps_to_no_length_is_counted_by_what_came() -> None:
    only_answers = Budget(1, Price(0, MICRO), 10)
    most = 10 * MOST_CHARS_PER_TOKEN
    assert cost("a" * (most - 1), budget=only_answers) == 10
    assert cost("a" * most, budget=only_answers) == most + 64


@given(st.lists(TEXTS, max_size=5), st.text(max_size=500), st.integers(1, 5000), PRICES, st.booleans())
def test_without_a_count_nothing_costs_more_than_its_worst_case(
    said: list[str], answer: str, max_tokens: int, price: Price, has_thought: bool
) -> None:
    budget = Budget(1, price, max_tokens)
    prompt = Prompt(tuple(PromptMessage("user", text) for text in said))
    came = answer[: max_tokens * MOST_CHARS_PER_TOKEN - 1]
    assert 0 <= budget.cost(prompt, Said(came, has_thought, None)) <= budget.worst_case(prompt)


@given(st.lists(TEXTS, min_size=1, max_size=5), PRICES)
def test_no_prompt_has_more_tokens_than_bytes(said: list[str], price: Price) -> None:
    prompt = Prompt(tuple(PromptMessage("user", text) for text in said))
    tokens = sum(len(text.encode("utf-8", "surrogatepass")) for text in said)
    assert Budget(1, price, 50).worst_case(prompt) >= price.of(tokens, 50)


@pytest.mark.parametrize(
    ("amount", "levels"),
    [(0, []), (4_999, []), (5_000, [50]), (7_999, [50]), (8_000, [50, 80]), (9_999, [50, 80]), (10_000, [50, 80, 100])],
)
def test_levels_are_reached_in_per_cent_of_the_cap(amount: int, levels: list[int]) -> None:
    assert Budget(10_000, MINI, 1).levels_of(amount) == levels


def test_nothing_spent_reaches_no_level_of_the_smallest_cap() -> None:
    assert Budget(1, MINI, 1).levels_of(0) == []


def test_what_is_put_aside_counts_as_spent() -> None:
    assert Standing("2026-01-31", 3, 4).total == 7


def test_prices_are_read_by_model() -> None:
    entries = ("gpt-4o-mini=0.15/0.60", "org/a=b:free=0/0", "big=12/60.000001")
    assert read_prices(entries) == {
        "gpt-4o-mini": MINI,
        "org/a=b:free": Price(0, 0),
        "big": Price(12 * MICRO, 60 * MICRO + 1),
    }


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0"), (1, "0.000001"), (12_500, "0.0125"), (MICRO, "1"), (10 * MICRO, "10")]
)
def test_amounts_are_shown_in_whole_units(amount: int, text: str) -> None:
    assert shown(amount) == text
