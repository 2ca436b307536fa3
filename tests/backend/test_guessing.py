"""Guessed ids open nothing; `make fuzz` guesses 50,000."""

from __future__ import annotations

from pathlib import Path

import pytest
from callers import Cast
from guessing import KINDS, count_found
from hosting import OPERATOR_TOKEN, hosting

GUESSES = 200


def test_guessed_ids_find_nothing(tmp_path: Path) -> None:
    with hosting(tmp_path / "chat.db", operator_token=OPERATOR_TOKEN) as site:
        cast = Cast(site)
        answered, found = count_found(cast, GUESSES, seed=20260108)
        assert (answered, found) == (GUESSES, [])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_a_guess_that_is_right_would_be_found(tmp_path: Path, kind: object, monkeypatch: pytest.MonkeyPatch) -> None:
    with hosting(tmp_path / "chat.db", operator_token=OPERATOR_TOKEN) as site:
        cast = Cast(site)
        cast.sessions["unheard"] = cast.sessions["owner"]
        monkeypatch.setattr("guessing.KINDS", (kind,))
        monkeypatch.setattr("guessing._near", lambda _chance, real, _letters: real)
        assert len(count_found(cast, 1, seed=1)[1]) == 1
