"""The history checker: what may never happen to an answer, whatever happens to wires, processes, Redis and PostgreSQL.

It looks at one answer's whole story once it is over. What the log holds of it is checked as one more reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from history import TERMINAL, Accepted, Call, Reading, Story


class Rule(StrEnum):
    """What is checked, by the name that a report gives it."""

    PREFIX = "prefix"
    GAP = "gap"
    REPEAT = "repeat"
    TERMINAL = "one terminal"
    SAME = "same text"
    STORED = "stored row"
    CALLS = "calls"
    REFUSED = "refused"


@dataclass(frozen=True)
class Violation:
    """One rule that one answer broke; `who` is a reader's name, the store's or the model's."""

    rule: Rule
    tag: str
    who: str
    what: str


@dataclass(frozen=True)
class Allowed:
    """What may come of an answer beside the plain one: `calls` of the model in all, other endings than the whole text
    (codes of `error`), and whether its text may come anew after a `reset`; `retold`: also after its end, to those who
    had not read that yet, since everything that knew of the end was lost with it."""

    calls: int = 1
    endings: frozenset[str] = field(default_factory=frozenset)
    resets: bool = False
    retold: bool = False


def check(story: Story, allowed: Allowed) -> list[Violation]:
    """All that is wrong with an answer that is over."""
    return [
        Violation(rule, story.tag, who, what) for who, findings in _findings(story, allowed) for rule, what in findings
    ]


Finding = tuple[Rule, str]


def _findings(story: Story, allowed: Allowed) -> Iterator[tuple[str, Iterator[Finding]]]:
    for reading in story.readings:
        yield reading.reader, _check_reading(reading, story.calls, allowed)
    yield "all readers", _check_agreement(story, allowed)
    yield "store", _check_stored(story, allowed)
    yield "model", _check_calls(story, allowed)


class _Telling:
    """The text of one reader so far, and whose words it may be."""

    def __init__(self, calls: list[Call]) -> None:
        self.calls, self.text, self.units = calls, "", 0
        self.speakers = calls

    def restart(self) -> None:
        self.text, self.units, self.speakers = "", 0, self.calls

    def add(self, event: Accepted) -> Iterator[Finding]:
        if event.begins > self.units:
            yield Rule.GAP, f"{event.id} begins at {event.begins}, the text so far ends at {self.units}"
        elif event.begins < self.units:
            yield Rule.REPEAT, f"{event.id} begins at {event.begins}, the text so far ends at {self.units}"
        self.speakers = [call for call in self.speakers if call.text.startswith(event.text, len(self.text))]
        self.text += event.text
        self.units += len(event.text.encode("utf-16-le")) // 2
        if not self.speakers:
            yield Rule.PREFIX, f"{event.id}: no call of the model begins like {self.text[-60:]!r}"


def _check_reading(reading: Reading, calls: list[Call], allowed: Allowed) -> Iterator[Finding]:
    telling = _Telling(calls)
    yield from _check_order(reading)
    for event in reading.accepted:
        if event.type == "reset":
            telling.restart()
            if not allowed.resets:
                yield Rule.REPEAT, f"{event.id}: the answer begins anew"
        elif event.type == "token":
            yield from telling.add(event)
        elif event.type in TERMINAL:
            yield from _check_ending(event, telling, allowed)
    for cause in reading.refused:
        if not cause.startswith(("409 TURN_RUNNING", "503 ", "429 ")):
            yield Rule.REFUSED, f"{cause}, {reading.refused[cause]} times"


def _check_order(reading: Reading) -> Iterator[Finding]:
    """By the ids: each telling in its order, a new one only after `reset`, one terminal event, the last."""
    epoch, seq, is_ended = "", -1, False
    for event in reading.accepted:
        if is_ended:
            yield Rule.TERMINAL, f"{event.type} {event.id} after the end"
        told, _, place = event.id.partition(".")
        if event.type == "reset" or not epoch:
            epoch, seq = told, -1
        if told != epoch:
            yield Rule.GAP, f"{event.id} is of another telling than {epoch}.{seq}, and no reset came"
        elif int(place) <= seq:
            yield Rule.REPEAT, f"{event.id} comes after {epoch}.{seq}"
        epoch, seq, is_ended = told, int(place), event.type in TERMINAL
    if not (is_ended or reading.may_lack_end):
        last = reading.accepted[-1].id if reading.accepted else "nothing at all"
        yield Rule.TERMINAL, f"it never ended; the last is {last}"


def _check_ending(event: Accepted, telling: _Telling, allowed: Allowed) -> Iterator[Finding]:
    if event.type == "done":
        if event.text != telling.text:
            yield Rule.SAME, f"{event.id} says {event.text[-40:]!r}, what came ends in {telling.text[-40:]!r}"
        if event.finish != "stop" and event.finish not in allowed.endings:
            yield Rule.TERMINAL, f"{event.id} ends as {event.finish}"
        if event.finish == "stop" and not any(call.is_whole and call.text == telling.text for call in telling.speakers):
            yield Rule.PREFIX, f"{event.id}: the answer is not all that a call of the model said"
    elif event.text not in allowed.endings:
        yield Rule.TERMINAL, f"{event.id} ends as {event.text}"


def _endings(story: Story) -> set[tuple[str, str]]:
    """How the answer ended, and with which text, for each reader to whom it did."""
    return {
        (event.finish if event.type == "done" else event.text, _last_text(reading))
        for reading in story.readings
        for event in reading.accepted[-1:]
        if event.type in TERMINAL
    }


def _last_text(reading: Reading) -> str:
    """The text of a reader's last telling."""
    start = max((place for place, event in enumerate(reading.accepted) if event.type == "reset"), default=0)
    return "".join(event.text for event in reading.accepted[start:] if event.type == "token")


def _check_agreement(story: Story, allowed: Allowed) -> Iterator[Finding]:
    endings = _endings(story)
    if len(endings) > 1 and not allowed.retold:
        yield Rule.SAME, f"it ended in {len(endings)} ways: {sorted((how, text[-30:]) for how, text in endings)}"
    known: dict[str, Accepted] = {}
    for reading in story.readings:
        for event in reading.accepted:
            if event.type not in ("connected", "reset") and known.setdefault(event.id, event) != event:
                yield (
                    Rule.SAME,
                    f"{event.id} is {event.text!r:.40} to one reader, {known[event.id].text!r:.40} to another",
                )


def _check_stored(story: Story, allowed: Allowed) -> Iterator[Finding]:
    if len(story.stored) != 1:
        yield Rule.STORED, f"there are {len(story.stored)} turns of it"
        return
    row = story.stored[0]
    if row.state == "running":
        yield Rule.STORED, "it counts as running, long after its end"
        return
    if allowed.retold:
        if row.content and not any(call.text.startswith(row.content) for call in story.calls):
            yield Rule.STORED, f"stored is {(row.content or '')[-40:]!r}, which no call of the model said"
        return
    for how, text in _endings(story):
        if how not in (row.finish_reason, row.error_code):
            yield Rule.STORED, f"it is stored as {row.finish_reason} {row.error_code or ''}, and ended as {how}"
        if row.content != text:
            yield Rule.STORED, f"stored is {(row.content or '')[-40:]!r}, told was {text[-40:]!r}"


def _check_calls(story: Story, allowed: Allowed) -> Iterator[Finding]:
    if len(story.calls) > allowed.calls:
        yield Rule.CALLS, f"the model was asked {len(story.calls)} times, and {allowed.calls} are explained"
