"""Saves the text of running answers now and then, so that a sudden death costs little of it.

All answers of the process are saved together, only what is new of each, once a second. So
the cost follows what was said and not how many said it; and whoever saves for long rests
for ten times as long. No turn waits for it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import gevent

from .errors import StoreUnavailable
from .store import AnswerPart, ConversationStore

logger = logging.getLogger("chatbubble.checkpoints")

EVERY_S = 1.0
_REST = 10
_LONGEST_REST_S = 30.0
_BATCH = 100


class GrowingText(Protocol):
    """An answer that is being generated, piece by piece."""

    @property
    def length(self) -> int:
        """How many pieces there are."""
        ...

    def text_from(self, piece: int) -> str:
        """All text but that of the first pieces."""
        ...


@dataclass(slots=True, eq=False)
class _Watched:
    """A running answer, and how many of its pieces are saved."""

    stream_id: str
    answer: GrowingText
    attempt: int
    saved: int = 0


class Checkpoints:
    """Watches running answers and saves them, in a greenlet that lives while there are any."""

    def __init__(self, store: ConversationStore, *, every_s: float = EVERY_S) -> None:
        self._store, self._every_s = store, every_s
        self._watched: dict[str, _Watched] = {}
        self._is_at_work = self._is_failing = False

    def watch(self, stream_id: str, answer: GrowingText, attempt: int = 1) -> None:
        """Save this answer of a turn's attempt from now on. Never switches."""
        self._watched[stream_id] = _Watched(stream_id, answer, attempt)
        if not self._is_at_work:
            self._is_at_work = True
            gevent.spawn(self._work)

    def leave(self, stream_id: str) -> None:
        """The answer is finished. Never switches; a part of it may still be on its way,
        which the store ignores."""
        self._watched.pop(stream_id, None)

    def _work(self) -> None:
        pause_s = self._every_s
        try:
            while self._watched:
                gevent.sleep(pause_s)
                began = time.monotonic()
                for batch in self._batches():
                    self._save(batch)
                pause_s = max(self._every_s, min(_LONGEST_REST_S, _REST * (time.monotonic() - began)))
        finally:
            self._is_at_work = False

    def _batches(self) -> Iterator[list[_Watched]]:
        """All that is watched now, so many at a time that nobody else waits long."""
        watched = list(self._watched.values())
        for start in range(0, len(watched), _BATCH):
            yield watched[start : start + _BATCH]

    def _save(self, batch: list[_Watched]) -> None:
        """One transaction, one after the other: so no answer has two on their way."""
        grown = [(watched, watched.answer.length) for watched in batch if watched.answer.length > watched.saved]
        if not grown:
            return
        try:
            self._store.save_parts(
                [
                    AnswerPart(
                        watched.stream_id, watched.saved, watched.answer.text_from(watched.saved), watched.attempt
                    )
                    for watched, _ in grown
                ]
            )
        except Exception as failure:  # noqa: BLE001 -- the store may be the integrator's own
            self._report(failure)
            return
        self._is_failing = False
        for watched, length in grown:
            watched.saved = length

    def _report(self, failure: Exception) -> None:
        """Once, until it works again; the next round brings what this one did not."""
        if not self._is_failing:
            reason = failure.detail if isinstance(failure, StoreUnavailable) else repr(failure)
            logger.warning("running answers are not saved for now: %s", reason)
        self._is_failing = True
