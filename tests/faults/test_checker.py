"""The history checker, on made-up histories: it finds nothing in a good one, and each way in which one can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from checker import Allowed, Rule, check
from history import Accepted, Call, Reading, StoredRow, Story

WORDS = ("s.1.1 ", "s.1.2\U0001f44b ", "s.1.3 ")
TEXT = "".join(WORDS)
AGAIN = ("s.2.1 ", "s.2.2 ", "s.2.3 ")


def reading(*events: Accepted, name: str = "asker") -> Reading:
    """All that a reader accepted."""
    made = Reading(name)
    for event in events:
        made.take(event)
    return made


def telling(words: tuple[str, ...] = WORDS, epoch: str = "e") -> list[Accepted]:
    """The events of one whole telling."""
    events, index = [Accepted("connected", f"{epoch}.1")], 0
    for number, word in enumerate(words, start=2):
        events.append(Accepted("token", f"{epoch}.{number}", word, index))
        index += len(word.encode("utf-16-le")) // 2
    return [*events, Accepted("done", f"{epoch}.{len(words) + 2}", "".join(words), finish="stop")]


def story(*readings: Reading) -> Story:
    """An answer that was given once, whole, and is stored so."""
    made = Story("s", len(WORDS), calls=[Call(1, WORDS, words_said=3)], readings=list(readings))
    made.stored.append(StoredRow("done", TEXT, "stop", None))
    return made


def run_again(*readings: Reading) -> Story:
    """One that was begun, and given whole by the second call."""
    made = story(*readings)
    made.calls = [Call(1, WORDS, words_said=2), Call(2, AGAIN, words_said=3)]
    made.stored = [StoredRow("done", "".join(AGAIN), "stop", None)]
    return made


def broken(told: Story, allowed: Allowed | None = None) -> set[Rule]:
    """Which rules it breaks."""
    return {violation.rule for violation in check(told, allowed or Allowed())}


BEGUN = telling()[:3]
RESET = Accepted("reset", "f.0")
TWICE = Allowed(calls=2, resets=True)


def test_a_good_history_breaks_no_rule() -> None:
    assert broken(story(reading(*telling()), reading(*telling(), name="log"))) == set()


def test_a_history_with_a_reset_breaks_none_where_that_is_explained() -> None:
    told = run_again(reading(*BEGUN, RESET, *telling(AGAIN, "f")), reading(*telling(AGAIN, "f"), name="follower"))
    assert broken(told, TWICE) == set()
    assert broken(told) == {Rule.REPEAT, Rule.CALLS}


def test_an_answer_may_end_in_two_ways_where_its_end_was_lost_by_all_who_knew() -> None:
    told = run_again(reading(*telling()), reading(*telling(AGAIN, "f"), name="follower"))
    told.calls[0].words_said = len(told.calls[0].words)
    assert broken(told, replace(TWICE, retold=True)) == set()
    assert broken(told, TWICE) == {Rule.SAME, Rule.STORED}
    told.stored = [StoredRow("done", "what nobody said", "stop", None)]
    assert broken(told, replace(TWICE, retold=True)) == {Rule.STORED}
    told.stored = [StoredRow("running", None, None, None)]
    assert broken(told, replace(TWICE, retold=True)) == {Rule.STORED}
    unasked = story(reading(*telling()[:1], Accepted("error", "e.2", "STORE_UNAVAILABLE")))
    unasked.calls, unasked.stored = [], [StoredRow("interrupted", "", "interrupted", "INTERRUPTED")]
    ended = replace(TWICE, endings=frozenset({"STORE_UNAVAILABLE"}))
    assert broken(unasked, replace(ended, retold=True)) == set()
    assert broken(unasked, ended) == {Rule.STORED}


def test_a_log_that_was_lost_in_part_may_lack_its_end() -> None:
    log = reading(*telling()[:-1], name="log")
    assert broken(story(reading(*telling()), log)) == {Rule.TERMINAL}
    log.may_lack_end = True
    assert broken(story(reading(*telling()), log)) == set()


def without(place: int) -> list[Accepted]:
    events = telling()
    del events[place]
    return events


def with_extra(place: int, event: Accepted) -> list[Accepted]:
    events = telling()
    events.insert(place, event)
    return events


TOKEN, DONE = telling()[2], telling()[-1]
WRONG = {
    "a token is missing": (without(2), {Rule.GAP, Rule.PREFIX, Rule.SAME, Rule.STORED}),
    "the first one is missing": (without(1), {Rule.GAP, Rule.PREFIX, Rule.SAME, Rule.STORED}),
    "the last one is missing": (without(3), {Rule.PREFIX, Rule.SAME, Rule.STORED}),
    "a token comes twice": (with_extra(3, TOKEN), {Rule.REPEAT, Rule.PREFIX, Rule.SAME, Rule.STORED}),
    "a token comes again later, as another event": (
        with_extra(4, TOKEN._replace(id="e.5")),
        {Rule.REPEAT, Rule.PREFIX, Rule.SAME, Rule.STORED},
    ),
    "a word is another answer's": (
        [TOKEN._replace(text="t.1.2\U0001f44b ") if event == TOKEN else event for event in telling()],
        {Rule.PREFIX, Rule.SAME, Rule.STORED},
    ),
    "it never ends": (telling()[:-1], {Rule.TERMINAL}),
    "nothing comes": ([], {Rule.TERMINAL}),
    "it ends twice": ([*telling(), DONE._replace(id="e.6")], {Rule.TERMINAL}),
    "something follows the end": ([*telling(), TOKEN._replace(id="e.6", begins=20)], {Rule.TERMINAL, Rule.PREFIX}),
    "it ends as an error": (
        [*telling()[:-1], Accepted("error", "e.5", "INTERRUPTED", finish="error")],
        {Rule.TERMINAL, Rule.STORED},
    ),
    "it ends as aborted": ([*telling()[:-1], DONE._replace(finish="aborted")], {Rule.TERMINAL, Rule.STORED}),
    "the full text is another one": ([*telling()[:-1], DONE._replace(text="s.1.1 ")], {Rule.SAME}),
    "another telling begins without a reset": ([*BEGUN, *telling()[3:4], *telling((), "f")[1:]], {Rule.GAP, Rule.SAME}),
    "the telling begins anew": ([*BEGUN, RESET, *telling(epoch="f")], {Rule.REPEAT}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_reader_with_a_wrong_history_is_found(name: str) -> None:
    events, rules = WRONG[name]
    assert rules <= broken(story(reading(*events)))


def test_two_calls_in_one_text_are_found() -> None:
    mixed = [*BEGUN, *telling(AGAIN)[3:]]
    assert Rule.PREFIX in broken(run_again(reading(*mixed)), TWICE)


def test_half_an_answer_is_no_whole_one() -> None:
    told = story(reading(*telling(WORDS[:2])))
    told.stored = [StoredRow("done", "".join(WORDS[:2]), "stop", None)]
    assert broken(told) == {Rule.PREFIX}


def test_readers_who_disagree_are_found() -> None:
    other = reading(*telling(WORDS[:2], "f"), name="follower")
    assert Rule.SAME in broken(story(reading(*telling()), other))
    split = [TOKEN._replace(text="s.1.2"), TOKEN._replace(id="e.9", text="\U0001f44b ", begins=11)]
    assert Rule.SAME in broken(story(reading(*telling()), reading(*BEGUN[:2], *split, name="follower")))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: told.stored.clear(),
        lambda told: told.stored.append(told.stored[0]),
        lambda told: told.stored.__setitem__(0, StoredRow("done", TEXT[:-1], "stop", None)),
        lambda told: told.stored.__setitem__(0, StoredRow("running", None, None, None)),
        lambda told: told.stored.__setitem__(0, StoredRow("failed", TEXT, "error", "STREAM_ERROR")),
    ],
    ids=["no row", "two rows", "another text", "still running", "another ending"],
)
def test_a_wrong_row_is_found(spoil: Callable[[Story], None]) -> None:
    told = story(reading(*telling()))
    spoil(told)
    assert broken(told) == {Rule.STORED}


def test_a_call_too_many_is_found() -> None:
    told = story(reading(*telling()))
    told.calls.append(Call(2, AGAIN))
    assert broken(told) == {Rule.CALLS}


def test_what_a_reader_was_told_instead_of_a_stream_is_looked_at() -> None:
    refused = reading(*telling())
    refused.refused.update(["503 STORE_UNAVAILABLE", "409 TURN_RUNNING"])
    assert broken(story(refused)) == set()
    refused.refused["404 NOT_FOUND"] += 1
    assert broken(story(refused)) == {Rule.REFUSED}


def test_an_interrupted_answer_keeps_its_text() -> None:
    ending = Accepted("error", "e.4", "INTERRUPTED", finish="error")
    told = story(reading(*BEGUN, ending))
    told.stored = [StoredRow("interrupted", "".join(WORDS[:2]), "interrupted", "INTERRUPTED")]
    assert broken(told, Allowed(endings=frozenset({"INTERRUPTED"}))) == set()
    assert broken(told) == {Rule.TERMINAL}
    told.stored = [StoredRow("interrupted", WORDS[0], "interrupted", "INTERRUPTED")]
    assert broken(told, Allowed(endings=frozenset({"INTERRUPTED"}))) == {Rule.STORED}
