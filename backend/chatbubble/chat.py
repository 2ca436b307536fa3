"""What the routes do, without HTTP: ask, resume, stop, look back, rate, adopt, erase."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

import gevent

from .errors import (
    ChatbubbleError,
    NotFound,
    Overloaded,
    RateLimited,
    ShuttingDown,
    StoreUnavailable,
    TurnRunning,
)
from .events import Token
from .fleet import Fleet, ForgetStream, StopTurn
from .limits import Limits
from .logs import follow, trace_stream
from .records import Answer, Conversation, Cursor, Feedback, FinishReason, Question, TurnState
from .retelling import connected, now_ms, told_again
from .saving import Saver
from .store import Admission, ConversationStore, StoredTurn
from .stream_log import StreamLog, StreamReader
from .visitors import new_id
from .workers import STOP_WAIT_S, Workers

T = TypeVar("T")

_LAST_EVENT_S = 1.0  # what the last event of another process may take to come, once its turn is saved
_RUNS_FOR_S = 1.0  # a turn of another process that ran when the store was asked is taken to run for so long
_MOST_ASKED = 10_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A visitor's conversation and where to read the answer that is running, if one is."""

    conversation: Conversation
    stream_start: Cursor | None


class Chat:
    """One mounted chat: questions in, readers out."""

    def __init__(
        self,
        store: ConversationStore,
        log: StreamLog,
        workers: Workers,
        saver: Saver,
        fleet: Fleet,
        limits: Limits,
    ) -> None:
        self._store, self._log, self._workers, self._saver, self._fleet = store, log, workers, saver, fleet
        self._limits = limits
        self._erasures = 0
        self._ran_at: dict[str, float] = {}

    def ask(self, question: Question, client_id: str, address: str) -> StreamReader:
        """Start a turn, or attach to the one that the same request id has started. `address` as Addresses tells it.

        Raises TurnRunning, RequestMismatch, RateLimited, Overloaded, ShuttingDown or
        StoreUnavailable.
        """
        try:
            self._workers.admit()
            self._saver.admit()
            admission = self._admit(question, address)
        except (RateLimited, Overloaded, ShuttingDown) as refusal:
            # Asking the same again is free: whatever is refused, it costs nothing to go on with what was begun. It is
            # looked for only now, since almost no question is asked twice; one that is taken is looked for as it is
            # saved, and the same may have been saved just now, from another connection.
            is_limited = isinstance(refusal, RateLimited)
            if is_limited and not self._limits.questions.may_look(address):
                raise
            known = self._store.find_request(question)
            if known is not None:
                return self._follow(known.visitor_id, known.stream_id, None)
            if is_limited:
                self._workers.refuse_second(question.visitor_id)
            raise
        if admission.is_new:
            return self._begin(admission, question, client_id)
        return self._follow(admission.turn.visitor_id, admission.turn.stream_id, None)

    def resume(self, visitor_id: str, stream_id: str, last_event_id: str) -> StreamReader | None:
        """Read on after `last_event_id`, or from the beginning when it is empty.

        None when the terminal event was already read. Raises NotFound for a stream that
        is unknown or somebody else's.
        """
        reader = self._follow(visitor_id, stream_id, last_event_id or None)
        if reader.is_exhausted:
            reader.close()
            return None
        return reader

    def stop(self, visitor_id: str, stream_id: str) -> TurnState:
        """End a turn early; harmless when repeated. Returns the state it is in afterwards.

        Raises NotFound for a stream that is unknown or somebody else's.
        """
        if self._log.owner(stream_id) == visitor_id:
            follow(trace_stream(stream_id))
            state = self._workers.stop(stream_id)
            if state is not None:
                return state
            if self._log.is_foreign(stream_id):
                self._fleet.post(StopTurn(stream_id))
                self._await_end(stream_id, STOP_WAIT_S)
        return self._stored(visitor_id, stream_id).turn.state

    def snapshot(self, visitor_id: str) -> Snapshot | None:
        """The visitor's conversation; None before the first question."""
        conversation = self._store.conversation(visitor_id)
        if conversation is None:
            return None
        running = conversation.running
        return Snapshot(conversation, self._log.start(running.stream_id) if running else None)

    def rate(self, visitor_id: str, message_id: str, feedback: Feedback | None) -> None:
        """Keep what the visitor thinks of an answer; None takes it back.

        Raises RateLimited, and NotFound for a message that is no answer of theirs.
        """
        with self._limits.feedback.hold(visitor_id) as count:
            if not self._store.save_feedback(visitor_id, message_id, feedback):
                raise NotFound()
            count()

    def adopt(self, visitor_id: str, nameless_id: str) -> None:
        """Make what a nameless visitor has said a person's; harmless when repeated. The streams of it are told anew to
        whom they belong now: whoever reads one as the nameless visitor is told `done`, aborted.

        Raises TurnRunning while an answer to either of them is being written.
        """
        streams = self._unless_running(lambda: self._store.adopt(visitor_id, nameless_id))
        self._limits.questions.forget(nameless_id)
        self.forget(streams)

    def erase(self, visitor_id: str) -> None:
        """Delete everything the visitor has, a running turn included; its readers are told `done`, aborted."""
        streams = self._store.erase(visitor_id)
        self._limits.questions.forget(visitor_id)
        self.forget(streams)

    def forget(self, stream_ids: Collection[str]) -> None:
        """Let go of streams whose turns were erased or are somebody else's now, in every process: nobody who has read
        them so far can go on, and nothing that waits of them is saved."""
        self._erasures += 1
        for stream_id in stream_ids:
            self._saver.forget(stream_id)
            self._log.erase(stream_id)
            self._fleet.post(ForgetStream(stream_id))
        for stream_id in stream_ids:
            self._workers.stop(stream_id)  # which may take a while

    def _admit(self, question: Question, address: str) -> Admission:
        """Save the question as a turn with an open stream and a place to run, or find its turn; only a new turn is
        counted."""
        visitor_id, limits = question.visitor_id, self._limits

        def is_known() -> bool:
            return self._store.conversation(visitor_id) is not None

        with limits.questions.hold(visitor_id, address, is_known) as count, limits.turns.hold() as keep:
            # The stream is there before the turn is known to anybody, so that whoever finds
            # the turn finds its stream, from the first event on.
            stream_id = new_id("stream")
            self._log.open(stream_id, visitor_id)
            is_new = False
            try:
                admission = self._unless_running(lambda: self._store.begin_turn(question, stream_id))
                is_new = admission.is_new
            finally:
                if not is_new:
                    self._log.discard(stream_id)
            if is_new:
                count(admission.is_first)
                keep()
            return admission

    def _unless_running(self, transaction: Callable[[], T]) -> T:
        """Run what a running turn stands in the way of. Raises TurnRunning."""
        while True:
            try:
                return transaction()
            except TurnRunning as running:
                # Perhaps in the store only, which was away when the answer was finished.
                if not self._saver.save_now(running.extra["streamId"]):
                    raise

    def _begin(self, admission: Admission, question: Question, client_id: str) -> StreamReader:
        turn = admission.turn
        follow(trace_stream(turn.stream_id))
        try:
            self._log.append(turn.stream_id, connected(turn, client_id))
            reader = self._log.reader(turn.stream_id)
        except ChatbubbleError as failure:
            # It is saved as running: without this no other question could ever follow it.
            self._log.discard(turn.stream_id)
            self._limits.turns.leave()
            self._saver.save(turn, Answer("", TurnState.FAILED, FinishReason.ERROR, failure.code, finished_at=now_ms()))
            raise
        self._workers.start(turn, question, admission.history, is_admitted=True)
        return reader

    def _follow(self, visitor_id: str, stream_id: str, last_event_id: str | None) -> StreamReader:
        owner, is_left_behind = self._log.owner(stream_id), False
        if owner == visitor_id and self._log.is_foreign(stream_id):
            is_left_behind = self._is_left_behind(visitor_id, stream_id)
            # The store was asked: what was here before may have gone meanwhile, with a Redis that was restarted, or
            # another reader may have had it told again.
            owner = self._log.owner(stream_id)
        if owner is None or (is_left_behind and self._log.is_foreign(stream_id)):
            self._retell(visitor_id, stream_id)
        elif owner != visitor_id:
            # The store is asked as it is for what never was: nobody can tell the two apart by the time they take.
            self._stored(visitor_id, stream_id)
            raise NotFound()
        follow(trace_stream(stream_id))
        cursor = Cursor.parse(last_event_id) if last_event_id is not None else None
        return self._log.reader(stream_id, cursor, lost=last_event_id is not None and cursor is None)

    def _is_left_behind(self, visitor_id: str, stream_id: str) -> bool:
        """Whether a stream that another process writes will never end: its turn has, and the last event is missing."""
        # A thousand readers who come back at once need one look into the store, for as long as it says that the turn
        # runs. Who comes while it looks and finds otherwise is closed with the stream, and comes again.
        now = time.monotonic()
        if now < self._ran_at.get(stream_id, -_RUNS_FOR_S) + _RUNS_FOR_S:
            return False
        if len(self._ran_at) >= _MOST_ASKED:
            self._ran_at.clear()
        self._ran_at[stream_id] = now
        if self._stored(visitor_id, stream_id).answer is None:
            return False
        self._ran_at.pop(stream_id, None)
        return not self._await_end(stream_id, _LAST_EVENT_S)

    def _await_end(self, stream_id: str, timeout_s: float) -> bool:
        """Read a stream to its end; False when that does not come within `timeout_s` seconds."""
        reader = self._log.reader(stream_id)
        gives_up_at = time.monotonic() + timeout_s
        while not (reader.is_exhausted or reader.is_closed) and (left_s := gives_up_at - time.monotonic()) > 0:
            reader.next(left_s)
        reader.close()
        return reader.is_exhausted

    def _stored(self, visitor_id: str, stream_id: str) -> StoredTurn:
        stored = self._store.find_turn(stream_id, visitor_id)
        if stored is None or stored.turn.visitor_id != visitor_id:
            raise NotFound()
        return stored

    def _retell(self, visitor_id: str, stream_id: str) -> None:
        """Open an expired stream again, in a new epoch, from what the store remembers."""
        while True:
            # What is read may be erased before we get to run again: then look once more.
            erasures = self._erasures
            stored = self._stored(visitor_id, stream_id)
            if erasures == self._erasures:
                break
        if stored.answer is None and self._log.is_shared:
            raise StoreUnavailable(retry_after_s=2, detail=f"stream {stream_id} runs in another process, out of reach")
        is_there = self._log.owner(stream_id) is not None
        if is_there and (stored.answer is None or not self._log.is_foreign(stream_id)):
            return  # another reader was faster
        self._log.open(stream_id, visitor_id, private=True)
        try:
            for event in told_again(stored):
                self._log.append(stream_id, event)
                if isinstance(event, Token):
                    gevent.sleep(0)  # a long answer holds nobody else up; who comes now follows it live
        except BaseException:
            # Half a stream would keep its readers waiting for ever.
            self._log.discard(stream_id)
            raise
