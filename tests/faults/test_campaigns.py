"""The short form of each campaign: nothing is lost, doubled, stuck or told twice, whatever breaks.

`make faults` runs the whole forms.
"""

from __future__ import annotations

from typing import Any

import pytest
from absent import end_without
from campaign import Campaign, Outcome
from campaigns import CAMPAIGNS
from campaigns.chaos import CHAOS, Chaos, Happening, may_be_retold
from campaigns.clock import CLOCK
from campaigns.every_byte import EVERY_BYTE
from campaigns.kill9 import KILL9
from campaigns.random_cuts import RANDOM_CUTS
from campaigns.reconnects import RECONNECTS
from campaigns.repeated_sends import REPEATED_SENDS
from campaigns.stalled import STALLED
from campaigns.starts import STARTS
from checker import Allowed
from fake_clock import ClockMissing
from ground import Ground
from history import Call, Story
from incidents import POSTGRES, PROCESSES, REDIS

SEED = 7
NO_WORLD: Any = None


def run_short(campaign: Campaign, ground: Ground) -> Outcome:
    """Its outcome, which is clean."""
    outcome = campaign.run(ground, SEED, campaign.short)
    assert outcome.is_clean, (outcome.violations[:5], outcome.shortfalls)
    return outcome


def test_an_answer_cut_anywhere_arrives_whole_and_once(ground: Ground) -> None:
    assert run_short(EVERY_BYTE, ground).counts["cuts"] > 0.9 * EVERY_BYTE.short


def test_answers_cut_at_random_places_arrive_whole_and_once(ground: Ground) -> None:
    counts = run_short(RANDOM_CUTS, ground).counts
    assert counts["answers"] == counts["model calls"] == RANDOM_CUTS.short
    assert counts["cuts"] > RANDOM_CUTS.short


def test_repeated_and_raced_sends_ask_the_model_once(ground: Ground) -> None:
    counts = run_short(REPEATED_SENDS, ground).counts
    assert counts["repeated"] >= REPEATED_SENDS.short
    assert counts["doubled calls"] == 0


def test_64_answers_begun_at_once_lose_no_first_event(ground: Ground) -> None:
    counts = run_short(STARTS, ground).counts
    assert counts["answers"] == STARTS.short
    assert counts["first events lost"] == 0


def test_who_stops_reading_takes_nothing_from_the_others(ground: Ground) -> None:
    counts = run_short(STALLED, ground).counts
    assert (counts["stalled"], counts["others"], counts["dropped while they read"]) == (10, 10, 0)


def test_everybody_may_reconnect_at_once(ground: Ground) -> None:
    assert run_short(RECONNECTS, ground).counts["reconnects"] == RECONNECTS.short


def test_a_clock_that_jumps_by_an_hour_changes_nothing(ground: Ground) -> None:
    try:
        counts = run_short(CLOCK, ground).counts
    except ClockMissing as missing:
        end_without(str(missing))
    assert counts["jumps"] == CLOCK.short


def test_answers_whose_process_is_killed_are_given_whole_by_another(ground: Ground) -> None:
    outcome = run_short(KILL9, ground)
    assert outcome.counts["kills"] == KILL9.short
    assert outcome.counts["resets"] > 0
    assert len(outcome.recoveries_s) >= KILL9.short


def test_whatever_breaks_at_once_nothing_is_told_wrong(ground: Ground) -> None:
    assert run_short(CHAOS, ground).counts["answers"] > 20


@pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.name)
def test_a_campaign_says_what_it_is(campaign: Campaign) -> None:
    assert campaign.title
    assert 0 < campaign.short < campaign.whole


LOST_END = {POSTGRES: (9, 12), REDIS: (8, 11), PROCESSES: (12, 14)}  # told at 10, saved nowhere, and its process died


@pytest.mark.parametrize(
    ("changed", "may_be"),
    [
        ({}, True),
        ({POSTGRES: (20, 30)}, False),  # away long after it was told: it was saved
        ({POSTGRES: (0, 2)}, False),
        ({PROCESSES: (0, 5)}, False),  # died before: another one told the end
        ({PROCESSES: (18, 20)}, False),  # died when all was back
        ({REDIS: (0, 2)}, False),
        ({REDIS: (18, 20)}, False),
    ],
)
def test_an_end_may_be_lost_only_where_all_that_knew_it_was_lost(
    changed: dict[str, tuple[float, float]], may_be: bool
) -> None:
    happened = [Happening(line, began_at, ended_at) for line, (began_at, ended_at) in (LOST_END | changed).items()]
    assert may_be_retold(10, happened) is may_be
    for missing in happened:
        assert not may_be_retold(10, [each for each in happened if each is not missing])


def test_each_end_that_was_lost_explains_another_call() -> None:
    calls = [Call(number, ("word",), ended_at=10) for number in (1, 2, 3)]
    story = Story("told again", 1, calls=calls)
    happened = [Happening(line, *when) for line, when in LOST_END.items()]

    def explained(happened: list[Happening]) -> Allowed | None:
        chaos = Chaos(NO_WORLD, SEED, Outcome())
        chaos._happened = happened
        return chaos._if_lost(story, Allowed())

    assert explained(happened) == Allowed(calls=3, retold=True)
    calls[0].was_cut = True
    assert explained(happened) == Allowed(calls=2, retold=True)
    calls[1].was_cut = calls[2].was_cut = True  # for one reader, when another one had been told its end
    assert explained(happened) == Allowed(calls=1, retold=True)
    assert explained(happened[1:]) is None
