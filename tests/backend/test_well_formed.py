"""Answer text as well-formed text, wherever a model's server cut it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbubble.well_formed import WellFormedText, slices, well_formed

# Many surrogates and NULs, so that halves meet.
ODD = st.text(st.sampled_from("ab\0\ud83d\ude00\ud83c\udfff😀é\uffff"), max_size=12)


def fed(deltas: list[str]) -> str:
    """What comes out of these deltas."""
    text = WellFormedText()
    return "".join(text.push(delta) for delta in deltas) + text.flush()


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("grüezi 😀", "grüezi 😀"),
        ("\ud83d\ude00", "😀"),
        ("a\ud83d", "a\ufffd"),
        ("\ude00a", "\ufffda"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", "\ufffd😀"),
        ("a\0b", "a\ufffdb"),
        ("\0\ud83d\ude00\0", "\ufffd😀\ufffd"),
    ],
)
def test_text_is_mended(given_text: str, expected: str) -> None:
    assert well_formed(given_text) == expected


@given(ODD)
def test_mended_text_can_be_encoded_and_needs_no_more_mending(text: str) -> None:
    mended = well_formed(text)
    mended.encode("utf-8")
    assert "\0" not in mended
    assert well_formed(mended) == mended


@given(st.lists(ODD, max_size=6))
def test_deltas_give_the_same_text_however_they_were_cut(deltas: list[str]) -> None:
    assert fed(deltas) == well_formed("".join(deltas))


@given(st.lists(ODD, max_size=6))
def test_each_piece_is_well_formed_by_itself(deltas: list[str]) -> None:
    text = WellFormedText()
    for piece in [*(text.push(delta) for delta in deltas), text.flush()]:
        assert well_formed(piece) == piece


def test_only_half_a_character_is_held_back() -> None:
    text = WellFormedText()
    assert text.push("Hello \ud83d") == "Hello "
    assert text.push("") == ""
    assert text.push("\ude00!") == "😀!"
    assert text.flush() == ""


def test_what_stays_half_is_replaced_at_the_end() -> None:
    text = WellFormedText()
    assert (text.push("\ud83d"), text.flush(), text.flush()) == ("", "\ufffd", "")


@given(st.text(max_size=30), st.integers(1, 10))
def test_slices_are_short_and_join_to_the_text(text: str, size: int) -> None:
    parts = list(slices(text, size))
    assert "".join(parts) == text
    assert all(len(part) <= size for part in parts)
    assert "" not in parts or parts == [""]
