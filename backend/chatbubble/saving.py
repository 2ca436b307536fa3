"""Saves finished answers: at once, or later where the store does not take them for the moment.

Nobody who reads waits long for it: they have had every word, and are told so. What waits to be
saved is bounded. Where there is no room left for a text, the visitor is told that it could not
be saved, and only that is kept.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum

import gevent
from gevent.event import Event as Signal
from gevent.lock import BoundedSemaphore

from .errors import Overloaded, StoreUnavailable
from .logs import Trace, follow, tell_fault, trace_stream
from .measures import Measures
from .records import Answer, FinishReason, Turn, TurnState
from .store import ConversationStore

logger = logging.getLogger("chatbubble.turn")

PATIENCE_S = 2.0
MAX_ANSWERS = 1000
MAX_CHARS = 16_777_216
# So many wait only where the store takes less than is answered: then no new questions are.
BEHIND = 200
_AT_ONCE = 4
# Of an answer that fails by itself, while the store takes others.
MAX_ATTEMPTS = 20
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 1.0


class Saved(StrEnum):
    """What became of an answer: it is in the store; it will be; there was no room to wait; its turn is gone."""

    NOW = "now"
    LATER = "later"
    NEVER = "never"
    GONE = "gone"


@dataclass(slots=True, eq=False)
class _Waiting:
    """An answer that is not saved yet, what was at work on it, and how often it was it that failed
    and not the store."""

    turn: Turn
    answer: Answer
    trace: Trace
    attempts: int = 0


class Saver:
    """Saves the answers of one mounted chat; those that wait, in a greenlet that lives while there are any.

    So long their conversations count as still running, in the store.
    """

    def __init__(
        self,
        store: ConversationStore,
        measures: Measures,
        *,
        max_answers: int = MAX_ANSWERS,
        max_chars: int = MAX_CHARS,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._store, self._measures = store, measures
        self._max_answers, self._max_chars, self._patience_s = max_answers, max_chars, patience_s
        self._waiting: dict[str, _Waiting] = {}
        self._chars = 0
        self._saving = BoundedSemaphore(1)
        self._has_none = Signal()
        self._has_none.set()
        self._is_at_work = False

    def admit(self) -> None:
        """Raises Overloaded while so many answers wait that more could only join them."""
        if self._is_behind:
            raise Overloaded(retry_after_s=5, detail=f"{len(self._waiting)} answers wait to be saved")

    def save(self, turn: Turn, answer: Answer) -> Saved:
        """Save this answer and end its turn, now or later. Raises nothing."""
        if self._is_behind:
            return self._keep(turn, answer)  # one more who asks a busy store would only make it busier
        # In a greenlet of its own: what takes too long is left to its end, and does no harm then.
        attempt = gevent.spawn(self._attempt, turn, answer)
        attempt.join(self._patience_s)
        outcome = attempt.value if attempt.ready() else StoreUnavailable(detail="the store takes its time")
        if isinstance(outcome, Saved):
            return outcome
        if isinstance(outcome, StoreUnavailable):
            logger.error("answer %s is not saved yet: %s", turn.message_id, outcome.detail)
        else:
            tell_fault(logger, f"answer {turn.message_id} is not saved yet", outcome, [answer.text])
        return self._keep(turn, answer)

    def holds(self, stream_id: str) -> bool:
        """Whether the answer of this stream is still to be saved."""
        return stream_id in self._waiting

    def forget(self, stream_id: str) -> None:
        """Let go of the answer of this stream, which was erased or taken over. Never switches."""
        if (waiting := self._waiting.get(stream_id)) is not None:
            self._leave(waiting)
            logger.warning("answer %s need not be saved any more", waiting.turn.message_id)

    def save_now(self, stream_id: str) -> bool:
        """Try at once to save the answer of this stream; whether it was waiting, and does so no longer."""
        if stream_id not in self._waiting:
            return False
        gevent.spawn(self._save_all).join()  # it speaks for many, and this greenlet for one
        return stream_id not in self._waiting

    def flush(self, budget_s: float) -> None:
        """Give what waits this long, and say what is lost then: the process is about to end."""
        if self._has_none.wait(budget_s):
            return
        for waiting in self._waiting.values():
            logger.error("answer %s is lost: the store did not come back in time", waiting.turn.message_id)

    @property
    def _is_behind(self) -> bool:
        return len(self._waiting) >= BEHIND

    def _attempt(self, turn: Turn, answer: Answer) -> Saved | Exception:
        try:
            return Saved.NOW if self._store.finish_turn(turn, answer) else Saved.GONE
        except Exception as failure:  # noqa: BLE001 -- the store may be the integrator's own
            return failure

    def _keep(self, turn: Turn, answer: Answer) -> Saved:
        """Never more wait than turns were running when the store went away: it admits no new ones."""
        has_room = len(self._waiting) < self._max_answers and self._chars + len(answer.text) <= self._max_chars
        if not has_room:
            self._measures.saved_never += 1
            logger.error("no room to wait: answer %s will not be saved", turn.message_id)
            answer = _without_text(answer)
        self._waiting[turn.stream_id] = _Waiting(turn, answer, trace_stream(turn.stream_id))
        self._chars += len(answer.text)
        self._measures.late_saves += 1
        self._has_none.clear()
        if not self._is_at_work:
            self._is_at_work = True
            gevent.spawn(self._work)
        return Saved.LATER if has_room else Saved.NEVER

    def _work(self) -> None:
        pause_s = _FIRST_PAUSE_S
        try:
            while self._waiting:
                gevent.sleep(pause_s)
                pause_s = _FIRST_PAUSE_S if self._save_all() else min(_LONGEST_PAUSE_S, 2 * pause_s)
        finally:
            self._is_at_work = False

    def _save_all(self) -> bool:
        """One attempt for each, oldest first, a few at once; False once the store is found to be away."""
        with self._saving:
            oldest_first = list(self._waiting.values())
            for start in range(0, len(oldest_first), _AT_ONCE):
                group = [gevent.spawn(self._save_one, waiting) for waiting in oldest_first[start : start + _AT_ONCE]]
                gevent.joinall(group)
                if not all(attempt.get() for attempt in group):
                    return False
        return True

    def _save_one(self, waiting: _Waiting) -> bool:
        """One attempt for one; False where the store is away."""
        follow(waiting.trace)
        outcome = self._attempt(waiting.turn, waiting.answer)
        if isinstance(outcome, StoreUnavailable):
            logger.debug("%d answers are still not saved: %s", len(self._waiting), outcome.detail)
            return False
        if isinstance(outcome, Saved):
            self._leave(waiting)
            self._measures.saved_late += outcome is Saved.NOW
            word = "saved late" if outcome is Saved.NOW else "erased or taken over before it was saved"
            logger.warning("answer %s was %s", waiting.turn.message_id, word)
        else:
            self._try_again(waiting, outcome)
        return True

    def _try_again(self, waiting: _Waiting, failure: Exception) -> None:
        waiting.attempts += 1
        tell_fault(logger, f"answer {waiting.turn.message_id} is still not saved", failure, [waiting.answer.text])
        if waiting.attempts >= MAX_ATTEMPTS:
            self._leave(waiting)
            self._measures.saved_never += 1
            logger.error("answer %s is lost: the store fails on it", waiting.turn.message_id)

    def _leave(self, waiting: _Waiting) -> None:
        if self._waiting.pop(waiting.turn.stream_id, None) is None:
            return  # it was forgotten meanwhile
        self._chars -= len(waiting.answer.text)
        self._measures.late_saves -= 1
        if not self._waiting:
            self._has_none.set()


def _without_text(answer: Answer) -> Answer:
    return replace(
        answer,
        text="",
        state=TurnState.FAILED,
        finish_reason=FinishReason.ERROR,
        error_code=StoreUnavailable.code,
        sources=(),
        suggestions=(),
    )
