"""Every guarantee that the page gives says how far it reaches, and links to tests; so do the promises of SECURITY.md.

That each of those is there is checked with all other links, in test_docs.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "guarantees.md"
SECURITY = ROOT / "SECURITY.md"
COLUMNS = ["guarantee", "for how long", "store", "what is lost when", "shown by"]
STORES = {"memory", "Redis", "any"}


def rows(page: Path = PAGE) -> list[list[str]]:
    """The cells of the page's table, its first row being the names of the columns."""
    lines = [line for line in page.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_row_says_all_that_it_has_to() -> None:
    first, *others = rows()
    assert first == COLUMNS
    assert len(others) > 10
    for row in others:
        assert len(row) == len(COLUMNS)
        assert all(row)
        assert set(row[2].split(", ")) <= STORES


@pytest.mark.parametrize("row", rows()[1:], ids=lambda row: row[0][:40])
def test_every_guarantee_is_shown_by_tests(row: list[str]) -> None:
    links = re.findall(r"\[[^\]]+\]\(\.\./tests/[\w/]+\.py#test_\w+\)", row[-1])
    assert links
    assert row[-1] == ", ".join(links)


def test_the_threat_model_names_who_attacks_and_what_is_promised_then() -> None:
    first, *others = rows(SECURITY)
    assert first == ["who", "what we promise", "shown by"]
    assert len([who for who, _, _ in others if who]) >= 6


@pytest.mark.parametrize("row", rows(SECURITY)[1:], ids=lambda row: row[1][:40])
def test_every_promise_is_shown_by_tests(row: list[str]) -> None:
    links = re.findall(r"\[[^\]]+\]\(tests/[\w/]+\.py#test_\w+\)", row[-1])
    assert links
    assert row[-1] == ", ".join(links)


def test_the_threat_model_is_one_page() -> None:
    prose = re.sub(r"\]\([^)]*\)", "]", SECURITY.read_text("utf-8"))
    assert len(prose.split()) < 1000
