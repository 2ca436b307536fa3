"""The report: one row a campaign, the rows of the others stay, and page and plot are what the rows say."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from campaign import Campaign, Outcome
from checker import Rule, Violation
from plot import LONGEST_S, SHORTEST_S, Curve, draw, place_x, place_y
from report import DOCS, Row, keep, page, percentiles, row_of

CAMPAIGN = Campaign("bytes", "cut at every byte", "places", whole=100, short=1, run=lambda *_: Outcome())


def row(campaign: Campaign = CAMPAIGN, outcome: Outcome | None = None, size: int = 100, seed: int = 1) -> Row:
    return row_of(campaign, seed, size, outcome or Outcome(), 90.0)


def test_a_run_replaces_its_own_row_and_no_other(tmp_path: Path) -> None:
    other = Campaign("kill9", "killed", "kills", whole=10, short=1, run=CAMPAIGN.run)
    for kept in (row(), row(other), row(seed=2)):
        keep(kept, tmp_path)
    rows = json.loads((tmp_path / "faults.json").read_text("utf-8"))
    assert [(each["name"], each["seed"]) for each in rows] == [("bytes", 2), ("kill9", 1)]
    told = (tmp_path / "faults.md").read_text("utf-8")
    assert "| `bytes` | cut at every byte | 2 | 0 |" in told
    assert "| `kill9` | killed | 1 | 0 |" in told
    ElementTree.parse(tmp_path / "faults.svg")  # noqa: S314 -- our own


def test_what_was_found_is_told_with_its_seed() -> None:
    outcome = Outcome(
        violations=[Violation(Rule.GAP, "s1", "asker", "e.3 begins at 4")], shortfalls=["only 3 cuts were made"]
    )
    told = page([row(outcome=outcome, seed=5)])
    assert "| 5 | **2** |" in told
    assert "- `bytes`, seed 5: gap: s1, asker: e.3 begins at 4" in told
    assert "- `bytes`, seed 5: only 3 cuts were made" in told


def test_a_part_of_the_whole_form_is_told_as_one() -> None:
    assert "| `bytes` | 7 places |" in page([row(size=7)])
    assert "| `bytes` | whole |" in page([row()])


def test_recovery_times_are_told_and_drawn() -> None:
    times = [number / 100 for number in range(1, 1001)]
    told = row(outcome=Outcome(recoveries_s=times))
    assert (told.recovery_s[0], told.recovery_s[50], told.recovery_s[100]) == (0.01, 5.005, 10.0)
    assert "| 5.0 s | 9.9 s | 10.0 s |" in page([told])
    assert "1,000 recoveries" in page([told])


def test_percentiles_of_few_and_of_none() -> None:
    assert percentiles([]) == []
    assert percentiles([2.0]) == [2.0] * 101
    assert len(percentiles([1.0, 2.0])) == 101


def test_a_curve_rises_from_the_shortest_to_the_longest() -> None:
    drawn = ElementTree.fromstring(draw([Curve("a<b", percentiles([0.01, 0.1, 1.0]))]))  # noqa: S314
    line = next(found for found in drawn.iter() if found.tag.endswith("polyline"))
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert points[0] == (round(place_x(0.01), 1), round(place_y(0), 1))
    assert points[-1] == (round(place_x(1.0), 1), round(place_y(100), 1))
    assert points == sorted(points, key=lambda point: (point[0], -point[1]))
    assert place_x(0) == place_x(SHORTEST_S) < place_x(LONGEST_S) == place_x(1e9)
    assert "a<b" in {found.text for found in drawn.iter()}


def test_the_page_in_the_documents_is_what_its_rows_say() -> None:
    rows = [Row(**each) for each in json.loads((DOCS / "faults.json").read_text("utf-8"))]
    assert (DOCS / "faults.md").read_text("utf-8") == page(rows)
    curves = [Curve(each.name, each.recovery_s) for each in rows if each.recovery_s]
    assert (DOCS / "faults.svg").read_text("utf-8") == draw(curves)
    assert not [each.name for each in rows if each.violations or each.shortfalls]
