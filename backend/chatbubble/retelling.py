"""From what the store remembers of a turn to the events of its stream, and back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from .errors import Interrupted, error_of
from .events import Connected, Done, Error, Event, Sources, Suggestions, Token, utf16_length
from .generation import PIECE_CHARS
from .records import Answer, FinishReason, Source, Turn, TurnState
from .store import StoredTurn
from .turn import last_words
from .visitors import new_id
from .well_formed import slices


def told_again(stored: StoredTurn) -> Iterator[Event]:
    """All events of a turn, from `connected` to the last one."""
    turn, answer = stored.turn, stored.answer
    yield connected(turn, new_id("client"))
    now, index = now_ms(), 0
    for text in slices(answer.content, PIECE_CHARS) if answer and answer.content else ():
        yield Token(text, index, now)
        index += utf16_length(text)
    if answer and answer.sources:
        yield Sources(answer.sources, now)
    if answer and answer.suggestions:
        yield Suggestions(answer.suggestions, now)
    if answer is None:
        yield Error.of(Interrupted(), now)
    elif answer.error_code is not None:
        yield Error.of(error_of(answer.error_code), now)
    else:
        reason = answer.finish_reason or FinishReason.STOP
        yield Done(turn.message_id, answer.content, 0, 0, reason, None, last_words(reason), now)


def as_told(events: Iterable[Event]) -> Answer | None:
    """The answer that a whole telling tells; None where its last event is missing."""
    text: list[str] = []
    sources: tuple[Source, ...] = ()
    suggestions: tuple[str, ...] = ()
    for event in events:
        if isinstance(event, Token):
            text.append(event.text)
        elif isinstance(event, Sources):
            sources = tuple(event.sources)
        elif isinstance(event, Suggestions):
            suggestions = tuple(event.suggestions)
        elif isinstance(event, Done):
            return replace(_ending(event, event.full_text), sources=sources, suggestions=suggestions)
        elif isinstance(event, Error):
            return replace(_ending(event, "".join(text)), sources=sources, suggestions=suggestions)
    return None


def _ending(event: Done | Error, text: str) -> Answer:
    if isinstance(event, Done):
        state = TurnState.ABORTED if event.finish_reason is FinishReason.ABORTED else TurnState.DONE
        return Answer(text, state, event.finish_reason, usage=event.usage, finished_at=event.timestamp)
    is_cut = event.code == Interrupted.code
    state = TurnState.INTERRUPTED if is_cut else TurnState.FAILED
    reason = FinishReason.INTERRUPTED if is_cut else FinishReason.ERROR
    return Answer(text, state, reason, event.code, finished_at=event.timestamp)


def connected(turn: Turn, client_id: str) -> Connected:
    """The first event of a turn's stream."""
    return Connected(
        client_id=client_id,
        message="Connected.",
        timestamp=now_ms(),
        stream_id=turn.stream_id,
        conversation_id=turn.conversation_id,
        message_id=turn.message_id,
    )


def now_ms() -> int:
    """Now, in milliseconds since the Unix epoch."""
    return int(time.time() * 1000)
