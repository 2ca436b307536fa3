"""Every guarantee that the page gives says how far it reaches, and links to tests.

That each of those is there is checked with all other links, in test_docs.py.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "guarantees.md"
COLUMNS = ["guarantee", "for how long", "store", "what is lost when", "shown by"]
STORES = {"memory", "Redis", "any"}


def rows() -> list[list[str]]:
    """The cells of the table, its first row being the names of the columns."""
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
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
