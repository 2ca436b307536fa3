"""What a provider adds to an answer is brought to size, and never breaks it."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.additions import fitting_sources, fitting_suggestions
from chatbubble.records import Source

URL = "https://shop.example/returns"


def test_what_fits_is_numbered_and_else_left_as_it_is() -> None:
    given = [Source("Returns", URL, "60 days."), Source("退货", "HTTP://a.example:80/?q=退#x")]
    assert fitting_sources(given) == (dataclasses.replace(given[0], n=1), dataclasses.replace(given[1], n=2))


BAD_ADDRESSES = [
    "", "shop.example", "/returns", "//shop.example", "javascript:alert(1)", "data:text/html,x", "ftp://a.example",
    "https://", "https:///returns", "https://?", "https://[::1", "https://a.example/\n", "https://a .example",
    " https://a.example", "https://a.example/\0", "https://a.example/\ud800", "https://a.example/" + "x" * 2031,
    None, 5, b"https://a.example",
]  # fmt: skip


@pytest.mark.parametrize("url", BAD_ADDRESSES)
def test_a_source_without_a_usable_address_is_left_out(url: Any) -> None:
    given = [Source("First", URL), Source("Bad", url), Source("Third", URL)]
    # The others keep their numbers: the text may name them.
    assert [(source.n, source.title) for source in fitting_sources(given)] == [(1, "First"), (3, "Third")]


def test_the_longest_address_is_taken() -> None:
    (source,) = fitting_sources([Source("", "https://a.example/" + "x" * 2030)])
    assert (len(source.url), source.title) == (2048, "a.example")


def test_texts_are_cut_with_an_ellipsis() -> None:
    (source,) = fitting_sources([Source("t" * 201, URL, "word " * 200)])
    assert source.title == "t" * 199 + "\u2026"
    assert len(source.snippet) == 500
    assert source.snippet.endswith(" word\u2026")
    (whole,) = fitting_sources([Source("t" * 200, URL, "s" * 500)])
    assert (whole.title, whole.snippet) == ("t" * 200, "s" * 500)


def test_texts_are_one_line_and_well_formed() -> None:
    (source,) = fitting_sources([Source(" A\n\ttitle\0 ", URL, "half \ud83d")])
    assert (source.title, source.snippet) == ("A title\ufffd", "half \ufffd")


def test_no_more_than_twenty_sources() -> None:
    given = [Source(str(number), URL) for number in range(25)]
    assert [source.n for source in fitting_sources(given)] == list(range(1, 21))


def test_a_number_of_ones_own_is_kept_and_counts_once() -> None:
    given = [Source("a", URL, n=7), Source("b", URL, n=7), Source("c", URL), Source("d", URL, n=-1)]
    assert [(source.n, source.title) for source in fitting_sources(given)] == [(7, "a"), (3, "c"), (4, "d")]


ODD: list[Any] = [None, 1, "text", URL, {"url": URL}, (URL,), Source(5, URL, [], "x")]  # type: ignore[arg-type]


def test_what_is_no_source_is_left_out() -> None:
    assert fitting_sources(ODD) == (Source("shop.example", URL, "", 7),)


def test_suggestions_are_different_short_and_few() -> None:
    given = [" Why?\n", "Why?", "", "  ", "x" * 121, "x" * 120, None, "How?", "Who?", "Where?"]
    assert fitting_suggestions(given) == ("Why?", "x" * 120, "How?", "Who?")


def test_a_suggestion_is_never_cut() -> None:
    assert fitting_suggestions(["word " * 24, "word " * 25]) == (("word " * 24).strip(),)


ANYTHING = st.none() | st.integers() | st.text() | st.binary() | st.lists(st.text())


@given(st.lists(ANYTHING | st.builds(Source, ANYTHING, ANYTHING | st.just(URL), ANYTHING, ANYTHING)))
def test_nothing_that_a_provider_adds_is_too_odd(given: list[Any]) -> None:
    assert all(source.title and 1 <= source.n <= 999 for source in fitting_sources(given))
    assert all(fitting_suggestions(given))


@pytest.mark.no_cover
def test_a_megabyte_of_a_text_costs_nothing() -> None:
    began = time.perf_counter()
    fitting_sources([Source("x " * 1_000_000, URL, "y " * 1_000_000)] * 20)
    assert time.perf_counter() - began < 0.1
