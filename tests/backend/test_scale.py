"""docs/scale.md says what the simulation says, and the simulation what is known of such queues."""

from __future__ import annotations

import pytest
import scale


def test_the_page_says_what_the_simulation_says() -> None:
    page = scale.PAGE.read_text("utf-8")
    assert "| 100,000,000 |" in page
    assert scale.fill(page, scale.make_tables()) == page, "run tests/bench/scale.py --write"


def test_as_many_are_answered_at_once_as_littles_law_says() -> None:
    demand = scale.simulate_peak(1_000_000)
    lasts_s = scale.ASSUMED.first_token_s + demand.tokens / scale.ASSUMED.tokens_per_s
    assert demand.in_flight == pytest.approx(demand.questions_per_s * lasts_s, rel=0.02)
    assert demand.in_flight < demand.most_in_flight < 4 * demand.in_flight


def test_whoever_is_cut_comes_back_and_who_is_sent_away_comes_more_evenly() -> None:
    cut, sent = scale.simulate_herd(3000, 9, 1.0), scale.simulate_herd(3000, 9, 2.5)
    assert 0.1 <= cut.busiest <= 0.14
    assert 0.04 <= sent.busiest <= 0.06
    assert cut.last_s > sent.last_s - 2.5
    assert scale.simulate_herd(3000, 2, 1.0).last_s > cut.last_s
