"""More than a thousand hostile answers in three engines: none runs, fetches, leads away or breaks a bound."""

from __future__ import annotations

import pytest
from conftest import Engine, Place

GROUPS = ["all are there", "elements", "caps", "quiet"]
BATCHES = 6
POLICIES = ["", "&lax"]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("number", range(BATCHES))
def test_a_conversation_full_of_them(engine: Engine, place: Place, number: int, policy: str) -> None:
    report = engine.report(place.hostile_query(number) + policy)
    assert report["groups"] == dict.fromkeys(GROUPS, "ok")
    assert place.sink.visits == 0


@pytest.mark.parametrize("policy", POLICIES)
def test_some_of_them_as_they_are_written_out(engine: Engine, place: Place, policy: str) -> None:
    report = engine.report(place.hostile_query(BATCHES) + policy)
    assert report["groups"].pop("live") == "ok"
    assert report["groups"] == {"all are there": "ok", "elements": "ok", "caps": "ok", "quiet": "ok"}
    assert place.sink.visits == 0


def test_all_of_them_were_looked_at(place: Place) -> None:
    place.hostile_query(0)
    assert len(place.batches) == BATCHES
    assert sum(batch.count for batch in place.batches) == len(place.answers) > 1000


@pytest.mark.parametrize("policy", POLICIES)
def test_what_must_not_happen_would_be_seen(engine: Engine, place: Place, policy: str) -> None:
    before = place.control.visits
    groups = engine.report(f"suite=control&sink={place.control.address}{policy}")["groups"]
    assert groups == dict.fromkeys(groups, "ok")
    assert len(groups) == 3
    # A browser may try more than once.
    assert (place.control.visits > before) == (policy == "&lax")
