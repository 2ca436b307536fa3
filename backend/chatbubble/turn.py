"""One answer from start to end: prompt, generate, append, save.

A turn owes nothing to any connection. It runs in two greenlets: `run` supervises and
finishes, the generation it spawns only reads the provider and appends. The generation may
be killed at any point; what finishes the turn never is, so every stream ends with exactly
one terminal event and the store holds what the readers saw.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import gevent

from .config import Settings
from .errors import (
    ChatbubbleError,
    ContentFiltered,
    EmptyAnswer,
    Interrupted,
    StoreUnavailable,
    StreamError,
    UpstreamTimeout,
)
from .events import RESERVED_TYPES, Custom, Done, Error, Event, Token, utf16_length
from .prompt import build_prompt
from .provider import Provider
from .records import Answer, Finish, FinishReason, Question, Turn, TurnState
from .store import ConversationStore
from .stream_log import StreamLog
from .well_formed import WellFormedText, slices

logger = logging.getLogger("chatbubble.turn")

MAX_ANSWER_UNITS = 1_500_000
PIECE_CHARS = 16_384
HISTORY_MESSAGES = 100
_YIELD_EVERY = 64
_KILL_GRACE_S = 5.0


class StopReason(StrEnum):
    """Who ended a turn early."""

    ABORTED = "aborted"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class TurnParts:
    """What every turn of one mounted Chatbubble works with."""

    settings: Settings
    provider: Provider
    store: ConversationStore
    log: StreamLog


@dataclass(slots=True)
class _Progress:
    """What the generation has got so far."""

    text: list[str] = field(default_factory=list)
    units: int = 0
    deltas: int = 0
    pieces: int = 0
    finish: Finish | None = None
    last_piece_at: float = 0.0


class _AnswerFull(Exception):
    """The answer reached MAX_ANSWER_UNITS."""


class RunningTurn:
    """One turn at work. Create it, then call `run` in a greenlet of its own."""

    def __init__(
        self, turn: Turn, question: Question, parts: TurnParts, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.turn = turn
        self.state = TurnState.RUNNING
        self._question = question
        self._parts = parts
        self._now = now
        self._started_at = now()
        self._progress = _Progress(last_piece_at=self._started_at)
        self._well_formed = WellFormedText()
        self._stop_reason: StopReason | None = None
        self._generation = gevent.Greenlet(self._generate)

    def run(self) -> TurnState:
        """Answer the question; returns the final state. Raises nothing but programming errors."""
        self._generation.start()
        failure = self._supervise()
        self.state = self._finish(failure)
        return self.state

    def stop(self, reason: StopReason) -> None:
        """End the turn early; harmless when it is ending already. Never switches."""
        if self._stop_reason is None and not self._generation.ready():
            self._stop_reason = reason
            self._generation.kill(block=False)

    @property
    def first_piece_seen(self) -> bool:
        """Whether the provider has said anything yet."""
        return self._progress.pieces > 0

    # The generation: everything here may be killed between any two lines.

    def _generate(self) -> None:
        settings, parts = self._parts.settings, self._parts
        history = parts.store.history(self.turn, HISTORY_MESSAGES)
        prompt = build_prompt(
            history,
            system_prompt=settings.system_prompt,
            context_tokens=settings.context_tokens,
            locale=self._question.locale,
            page=self._question.page,
        )
        pieces = parts.provider.stream(prompt)
        try:
            for piece in pieces:
                self._take(piece)
            self._say(self._well_formed.flush())
        except _AnswerFull:
            self._progress.finish = Finish(FinishReason.LENGTH)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()

    def _take(self, piece: object) -> None:
        progress = self._progress
        progress.pieces += 1
        progress.last_piece_at = self._now()
        if isinstance(piece, str):
            progress.deltas += bool(piece)
            self._say(self._well_formed.push(piece))
        elif isinstance(piece, Finish):
            progress.finish = piece
        elif isinstance(piece, Custom) and piece.type not in RESERVED_TYPES:
            self._append(piece)
        else:
            raise TypeError(
                f"a provider should yield str, Finish or Custom with a type of its own, but "
                f"{self._parts.provider.name} yielded {piece!r:.80}"
            )
        if progress.pieces % _YIELD_EVERY == 0:
            gevent.sleep(0)

    def _say(self, text: str) -> None:
        progress = self._progress
        for part in slices(text, PIECE_CHARS) if text else ():
            units = utf16_length(part)
            if progress.units + units > MAX_ANSWER_UNITS:
                raise _AnswerFull
            self._append(Token(part, progress.units, _now_ms()))
            progress.text.append(part)
            progress.units += units

    def _append(self, event: Event) -> None:
        if self._stop_reason is not None:
            # The provider swallowed its GreenletExit: it is not heard any more.
            raise gevent.GreenletExit
        self._parts.log.append(self.turn.stream_id, event)

    # The supervision: never killed.

    def _supervise(self) -> ChatbubbleError | None:
        """Wait for the generation within its time limits; returns why it failed, if it did."""
        while not self._generation.ready():
            wait_s = self._next_deadline() - self._now()
            if wait_s <= 0 and self._stop_reason is None:
                self._generation.kill(timeout=_KILL_GRACE_S)
                return UpstreamTimeout(detail=f"{self._parts.provider.name} went silent")
            self._generation.join(_KILL_GRACE_S if self._stop_reason else wait_s)
            if self._stop_reason and not self._generation.ready():
                logger.error("provider %s does not stop when told to", self._parts.provider.name)
                break
        return self._failure()

    def _next_deadline(self) -> float:
        settings, progress = self._parts.settings, self._progress
        silence_s = settings.token_timeout_s if progress.pieces else settings.first_token_timeout_s
        return min(progress.last_piece_at + silence_s, self._started_at + settings.turn_timeout_s)

    def _failure(self) -> ChatbubbleError | None:
        cause = self._generation.exception
        if cause is None or isinstance(cause, gevent.GreenletExit):
            return self._hollow()
        if isinstance(cause, ChatbubbleError):
            return cause
        logger.error("provider %s failed", self._parts.provider.name, exc_info=cause)
        return StreamError(detail=f"{type(cause).__name__}: {cause}")

    def _hollow(self) -> ChatbubbleError | None:
        """An answer that ended by itself without a word is an error, not an empty bubble."""
        if self._was_stopped or self._progress.text:
            return Interrupted() if self._was_stopped and self._stop_reason is StopReason.INTERRUPTED else None
        finish = self._progress.finish
        filtered = finish is not None and finish.reason is FinishReason.CONTENT_FILTER
        return ContentFiltered() if filtered else EmptyAnswer(detail=f"{self._parts.provider.name} gave no text")

    @property
    def _was_stopped(self) -> bool:
        """A stop that came too late to change anything does not count."""
        if self._stop_reason is None:
            return False
        return not self._generation.ready() or isinstance(self._generation.value, gevent.GreenletExit)

    def _finish(self, failure: ChatbubbleError | None) -> TurnState:
        if failure is not None:
            self._explain(failure)
        answer = self._answer(failure)
        event = self._last_event(answer, failure)
        try:
            is_kept = self._parts.store.finish_turn(self.turn, answer)
        except StoreUnavailable as unavailable:
            logger.error("answer %s is not saved yet: %s", self.turn.message_id, unavailable.detail)
            gevent.spawn(self._save_later, answer)
            is_kept, event = True, Error.of(failure or unavailable, _now_ms())
        if is_kept:
            self._parts.log.append(self.turn.stream_id, event)
        else:
            # Erased meanwhile: nobody may read it any more.
            self._parts.log.discard(self.turn.stream_id)
        return answer.state

    def _answer(self, failure: ChatbubbleError | None) -> Answer:
        finish = self._progress.finish or Finish()
        if isinstance(failure, Interrupted):
            state, reason = TurnState.INTERRUPTED, FinishReason.INTERRUPTED
        elif failure is not None:
            state, reason = TurnState.FAILED, FinishReason.ERROR
        elif self._was_stopped:
            state, reason = TurnState.ABORTED, FinishReason.ABORTED
        else:
            state, reason = TurnState.DONE, finish.reason
        return Answer(
            text="".join(self._progress.text),
            state=state,
            finish_reason=reason,
            error_code=failure.code if failure else None,
            usage=finish.usage,
            model=self._parts.provider.model,
            finished_at=_now_ms(),
        )

    def _last_event(self, answer: Answer, failure: ChatbubbleError | None) -> Event:
        if failure is not None:
            return Error.of(failure, _now_ms())
        return Done(
            message_id=self.turn.message_id,
            full_text=answer.text,
            tokens=answer.usage.completion_tokens if answer.usage else self._progress.deltas,
            duration=round((self._now() - self._started_at) * 1000),
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            message="The answer was stopped." if answer.state is TurnState.ABORTED else "The answer is complete.",
            timestamp=answer.finished_at,
        )

    def _explain(self, failure: ChatbubbleError) -> None:
        level = logging.INFO if isinstance(failure, Interrupted | EmptyAnswer | ContentFiltered) else logging.WARNING
        logger.log(level, "stream %s failed: %s %s", self.turn.stream_id, failure.code, failure.detail)

    def _save_later(self, answer: Answer) -> None:
        """Try again for ten minutes: until then the conversation counts as still running."""
        for attempt in range(24):
            gevent.sleep(min(30.0, 0.5 * 2**attempt))
            try:
                self._parts.store.finish_turn(self.turn, answer)
            except StoreUnavailable:
                continue
            logger.warning("answer %s was saved late", self.turn.message_id)
            return
        logger.critical("answer %s was never saved", self.turn.message_id)


def _now_ms() -> int:
    return int(time.time() * 1000)
