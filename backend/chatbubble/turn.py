"""One answer from start to end: prompt, generate, append, save.

A turn owes nothing to any connection. It runs in two greenlets: the generation asks the
provider and appends, and may be killed at any point; `run` supervises it and finishes the
turn, and never is, so every stream ends with exactly one terminal event and the store holds
what the readers saw.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from enum import StrEnum

import gevent
from gevent.event import Event as Signal

from .discretion import on_one_line, withhold
from .errors import (
    ChatbubbleError,
    ContentFiltered,
    EmptyAnswer,
    Interrupted,
    NotFound,
    StoreUnavailable,
    StreamEnded,
    StreamError,
    UpstreamBusy,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from .events import Done, Error, Event
from .generation import Generation, TurnParts
from .logs import follow, tell_fault, trace_stream
from .provenance import provenance_of
from .records import Answer, Finish, FinishReason, Message, Provenance, Question, Turn, TurnState
from .saving import Saved
from .spending import FALLBACK_MODEL

logger = logging.getLogger("chatbubble.turn")

# What the provider may answer for; a filtered question is the visitor's.
PROVIDER_FAULTS = (
    EmptyAnswer, StreamError, UpstreamBusy, UpstreamRefused, UpstreamTimeout, UpstreamUnavailable,
)  # fmt: skip

_KILL_GRACE_S = 5.0


class StopReason(StrEnum):
    """Why a turn ended early: the visitor said Stop, the server stops, another process has it now, the provider is
    silent."""

    ABORTED = "aborted"
    INTERRUPTED = "interrupted"
    TAKEN_OVER = "taken over"
    SILENT = "silent"


class RunningTurn:
    """One turn at work. Create it, then call `run` in a greenlet of its own. `is_held` says whether no other process
    has taken it over."""

    def __init__(
        self,
        turn: Turn,
        question: Question,
        parts: TurnParts,
        now: Callable[[], float] = time.monotonic,
        *,
        history: Sequence[Message] = (),
        is_held: Callable[[], bool] = lambda: True,
    ) -> None:
        self.turn = turn
        self.state = TurnState.RUNNING
        self._parts = parts
        self._now, self._is_held = now, is_held
        self._started_at, self._asked_at = now(), _now_ms()
        self._stop_reason: StopReason | None = None
        self._has_news = Signal()
        self._trace = trace_stream(turn.stream_id)
        self._generation = Generation(turn, question, parts, now, history)

    def run(self) -> TurnState:
        """Answer the question; returns the final state. Raises nothing but programming errors."""
        follow(self._trace)
        checkpoints, stream_id = self._parts.checkpoints, self.turn.stream_id
        self._generation.start(self._has_news.set)
        checkpoints.watch(stream_id, self._generation, self.turn.attempt)
        try:
            self._wait()
            failure = self._failure()
            self.state = self._finish(failure)
        finally:
            checkpoints.leave(stream_id)
            self._pay()
        self._measure(self.state, failure)
        return self.state

    def _pay(self) -> None:
        # One that does not stop when told to may go on for long: what is put aside for it stays so.
        if self._generation.is_over:
            self._generation.pay()

    def stop(self, reason: StopReason) -> None:
        """End the turn early; harmless when it is ending already. Never switches."""
        if self._stop_reason is None and not self._generation.is_over:
            self._stop_reason = reason
            self._generation.kill()
            self._has_news.set()

    def _wait(self) -> None:
        """Until the generation is over; one that has no time left or was stopped is ended."""
        token_timeout_s = self._parts.settings.token_timeout_s
        while not (self._generation.is_over or self._stop_reason):
            # The first piece may bring the deadline nearer, and does not wake us.
            self._has_news.wait(min(max(0.0, self._deadline - self._now()), token_timeout_s))
            if self._now() >= self._deadline:
                self.stop(StopReason.SILENT)
        self._generation.join(_KILL_GRACE_S)
        if not self._generation.is_over:
            logger.error("provider %s does not stop when told to", self._parts.provider.name)

    @property
    def _deadline(self) -> float:
        settings, generation = self._parts.settings, self._generation
        silence_s = settings.token_timeout_s if generation.pieces else settings.first_token_timeout_s
        return min(generation.last_piece_at + silence_s, self._started_at + settings.turn_timeout_s)

    @property
    def _was_stopped(self) -> bool:
        """A stop that came too late to change anything does not count."""
        return self._stop_reason is not None and not self._generation.is_complete

    def _failure(self) -> ChatbubbleError | None:
        generation, name = self._generation, self._parts.provider.name
        if self._was_stopped:
            if self._stop_reason is StopReason.SILENT:
                return UpstreamTimeout(detail=f"{name} went silent")
            return Interrupted() if self._stop_reason is StopReason.INTERRUPTED else None
        fault = generation.fault
        if generation.is_complete:
            if fault is not None:
                self._tell(f"provider {name} failed after its answer", fault)
            return None if generation.text else self._hollow()
        if isinstance(fault, ChatbubbleError):
            return fault
        if isinstance(fault, gevent.Timeout):
            return UpstreamTimeout(detail=f"{name}: {fault}")
        self._tell(f"provider {name} failed", fault)
        return StreamError(detail=f"{type(fault).__name__}: {fault}")

    def _hollow(self) -> ChatbubbleError:
        """An answer that ended by itself without a word is an error, not an empty bubble."""
        finish = self._generation.finish
        is_filtered = finish is not None and finish.reason is FinishReason.CONTENT_FILTER
        return ContentFiltered() if is_filtered else EmptyAnswer(detail=f"{self._parts.provider.name} gave no text")

    def _measure(self, state: TurnState, failure: ChatbubbleError | None) -> None:
        measures, finish = self._parts.measures, self._generation.finish
        measures.outcomes[state] += 1
        if failure is not None:
            measures.turn_errors[failure.code] += 1
        if isinstance(failure, PROVIDER_FAULTS):
            measures.upstream_faults_in_a_row += 1
        elif self._generation.is_fallback:
            measures.fallbacks += 1
        elif state is TurnState.DONE:
            measures.upstream_faults_in_a_row = 0
        measures.turn.observe(self._now() - self._started_at)
        if finish is not None and finish.usage is not None:
            measures.prompt_tokens += finish.usage.prompt_tokens
            measures.completion_tokens += finish.usage.completion_tokens
        told = {
            "outcome": state.value,
            "duration_ms": round((self._now() - self._started_at) * 1000),
            "pieces": self._generation.deltas,
        }
        logger.info("stream %s is over: %s", self.turn.stream_id, state.value, extra={"fields": told})

    def _finish(self, failure: ChatbubbleError | None) -> TurnState:
        if self._stop_reason is StopReason.TAKEN_OVER:
            self._parts.log.abandon(self.turn.stream_id)
            return TurnState.INTERRUPTED
        if failure is not None:
            self._explain(failure)
        answer = self._answer(failure)
        event = self._last_event(answer, failure)
        saved = self._parts.saver.save(self.turn, answer)
        if saved in (Saved.LATER, Saved.NEVER) and not self._is_held():
            # The store, which would have refused the end of a turn that another process runs by now, is away; and
            # whoever reads here must not be told another end than all others.
            self._parts.saver.forget(self.turn.stream_id)
            self._parts.log.abandon(self.turn.stream_id)
            return TurnState.INTERRUPTED
        if saved is Saved.NEVER and failure is None:
            event = Error.of(StoreUnavailable(), _now_ms())
            self._parts.measures.turn_errors[StoreUnavailable.code] += 1
        self._close_stream(None if saved is Saved.GONE else event)
        return TurnState.FAILED if saved is Saved.NEVER else answer.state

    def _close_stream(self, event: Event | None) -> None:
        stream_id, log = self.turn.stream_id, self._parts.log
        try:
            if event is not None:
                log.append(stream_id, event)
                return
        except (NotFound, StreamEnded):
            logger.info("stream %s was erased or taken over as it ended", stream_id)
        if self._is_erased():
            log.erase(stream_id)  # nobody may read it any more
        else:
            log.abandon(stream_id)

    def _is_erased(self) -> bool:
        try:
            return self._parts.store.find_turn(self.turn.stream_id) is None
        except StoreUnavailable:
            return False

    def _answer(self, failure: ChatbubbleError | None) -> Answer:
        finish = self._generation.finish or Finish()
        if isinstance(failure, Interrupted):
            state, reason = TurnState.INTERRUPTED, FinishReason.INTERRUPTED
        elif failure is not None:
            state, reason = TurnState.FAILED, FinishReason.ERROR
        elif self._was_stopped:
            state, reason = TurnState.ABORTED, FinishReason.ABORTED
        else:
            state, reason = TurnState.DONE, finish.reason
        return Answer(
            text=self._generation.text,
            state=state,
            finish_reason=reason,
            error_code=failure.code if failure else None,
            usage=finish.usage,
            model=FALLBACK_MODEL if self._generation.is_fallback else self._parts.provider.model,
            finished_at=_now_ms(),
            sources=self._generation.sources,
            suggestions=self._generation.suggestions,
            provenance=self._provenance(),
        )

    def _provenance(self) -> Provenance | None:
        """None where no model was to be asked."""
        parts, generation = self._parts, self._generation
        if generation.is_fallback:
            return None
        return provenance_of(parts.settings, parts.provider.name, generation.call, self._asked_at)

    def _last_event(self, answer: Answer, failure: ChatbubbleError | None) -> Event:
        if failure is not None:
            return Error.of(failure, _now_ms())
        return Done(
            message_id=self.turn.message_id,
            full_text=answer.text,
            tokens=answer.usage.completion_tokens if answer.usage else self._generation.deltas,
            duration=round((self._now() - self._started_at) * 1000),
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            message=last_words(answer.finish_reason),
            timestamp=answer.finished_at,
        )

    def _explain(self, failure: ChatbubbleError) -> None:
        is_ordinary = isinstance(failure, Interrupted | EmptyAnswer | ContentFiltered | NotFound)
        level = logging.INFO if is_ordinary else logging.WARNING
        detail = failure.detail if logger.isEnabledFor(logging.DEBUG) else self._withhold(failure.detail)
        logger.log(level, "stream %s failed: %s %s", self.turn.stream_id, failure.code, on_one_line(detail))

    def _tell(self, what: str, fault: BaseException | None) -> None:
        tell_fault(logger, what, fault, self._generation.conversation)

    def _withhold(self, words: str) -> str:
        return withhold(words, self._generation.conversation)


def last_words(reason: FinishReason) -> str:
    """What the terminal event of an answer says to people."""
    return "The answer was stopped." if reason is FinishReason.ABORTED else "The answer is complete."


def _now_ms() -> int:
    return int(time.time() * 1000)
