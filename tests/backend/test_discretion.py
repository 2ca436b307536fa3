"""The words of a conversation stay out of the log, and all other words stay in it."""

from __future__ import annotations

import pytest

from chatbubble.discretion import REPEATED, WITHHELD, on_one_line, withhold

SAID = ["My card is 4111 2222 3333 4444,\nwhat now?", "PIN 9271", "\u4f60\u597d\u5417"]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("HTTP 400, code bad: 'My card is 4111 2222 3333 4444' is no question", "HTTP 400, code bad: '"),
        ("no: card is 4111 2222", "no:"),
        ("on one line: 3333 4444, what now? end", "on one line:"),
        ("ValueError: PIN 9271", "ValueError:"),
        ("ValueError: \u60a8\u95ee\u4f60\u597d\u5417?", "ValueError: \u60a8\u95ee"),
        ("My card is 4111 2222 3333 4444,", ""),
    ],
)
def test_a_line_ends_where_it_begins_to_repeat_what_was_said(words: str, left: str) -> None:
    assert withhold(words, SAID) == f"{left} {WITHHELD}".lstrip()


@pytest.mark.parametrize(
    "words",
    [
        "",
        "HTTP 401, code invalid_api_key: Incorrect API key provided: sk-***",
        "The model `gpt-5o` does not exist, my card game neither",
        "SPIN 92713",
        "Traceback (most recent call last):\n  File \"shop.py\", line 7, in stream\nKeyError: 'price'",
    ],
)
def test_all_else_stays_as_it_is(words: str) -> None:
    assert withhold(words, [*SAID, "", "in"]) == words


def test_only_the_lines_that_repeat_something_are_cut() -> None:
    words = "Traceback (most recent call last):\nValueError: what now? My card is 4111 2222\n  in stream"
    assert withhold(words, SAID).split("\n") == [
        "Traceback (most recent call last):", f"ValueError: what now? {WITHHELD}", "  in stream",
    ]  # fmt: skip


def test_so_many_characters_are_a_repetition_wherever_they_begin() -> None:
    said = "abcdefghijklmnopqrstuvwxyz"
    for start in range(len(said) - REPEATED):
        piece = said[start : start + REPEATED]
        for shift in range(8):
            assert withhold("." * shift + piece + ".", [said]) == f"{'.' * shift} {WITHHELD}".lstrip()
        assert withhold(piece[1:], [said]) == piece[1:]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("all of this prints: \u00e9 \u4f60 \U0001f600 \\ \"'", "all of this prints: \u00e9 \u4f60 \U0001f600 \\ \"'"),
        ("a\r\n2026-01-01 ERROR forged", r"a\r\n2026-01-01 ERROR forged"),
        ("\x1b[2J\0\x85\u2028\u202e\ud83d", r"\x1b[2J\x00\x85\u2028\u202e\ud83d"),
    ],
)
def test_words_of_strangers_stay_on_one_line(words: str, line: str) -> None:
    assert on_one_line(words) == line
    assert line.isprintable()
