"""What becomes of the turns that dead processes have left: they run again, once, or end as interrupted."""

from __future__ import annotations

import logging
import time

import gevent

from .events import Event, Token, from_json
from .leases import Claim, Followers, Leases
from .measures import Measures
from .records import Answer, Question
from .retelling import as_told, connected, told_again
from .sse import Decoder
from .store import ConversationStore, StoredTurn
from .stream_log import StreamLog
from .stream_logs.memory import MAX_STREAM_BYTES
from .turn import StopReason
from .visitors import new_id
from .workers import Workers

logger = logging.getLogger("chatbubble.takeover")

MAX_ATTEMPTS = 2
_ORPHAN_S = 5.0  # so long nobody has run a turn that the store takes for running


class Takeover:
    """What this process does about turns of other processes, and they about its own."""

    def __init__(
        self, store: ConversationStore, log: StreamLog, workers: Workers, leases: Leases, measures: Measures
    ) -> None:
        self._store, self._log, self._workers, self._leases = store, log, workers, leases
        self._taken_over = measures.taken_over
        self._missing_since: dict[str, float] = {}

    def open(self) -> None:
        """Begin to look after the turns of other processes."""
        self._leases.open(Followers(self.take_over, self.lose, self.sweep))

    def take_over(self, claim: Claim) -> None:
        """Save the answer of a turn whose process has died or hangs, where it was told to its end; else run the turn
        once more; after that, end it. Raises StoreUnavailable."""
        try:
            self._end_or_run(claim)
        except BaseException:
            # Who has begun to read here would wait for ever: whoever goes on with it, goes on elsewhere.
            self._log.abandon(claim.stream_id)
            raise

    def _end_or_run(self, claim: Claim) -> None:
        if self._save_told(claim):
            self._taken_over["saved"] += 1
            return
        if claim.attempt <= MAX_ATTEMPTS and self._run_again(claim):
            self._taken_over["run_again"] += 1
            return
        self._taken_over["ended"] += self._store.interrupt_turn(claim.stream_id)
        self._tell_end(claim.stream_id)
        self._leases.release(claim.stream_id)

    def _save_told(self, claim: Claim) -> bool:
        """Every reader has the answer already: the store was away, and its process died before it was back."""
        stored = self._store.find_turn(claim.stream_id)
        if stored is None or stored.answer is not None:
            return False
        answer = self._told(claim.stream_id)
        turn = self._store.restart_turn(claim.stream_id) if answer else None
        if answer is None or turn is None:
            return False
        self._store.finish_turn(turn, answer)
        self._leases.release(claim.stream_id)
        logger.warning("answer %s was told and not saved: now it is", turn.message_id)
        return True

    def _told(self, stream_id: str) -> Answer | None:
        """What the log has of a turn, if that is all of it."""
        if self._log.owner(stream_id) is None:
            return None
        reader, decoder, told = self._log.reader(stream_id), Decoder(MAX_STREAM_BYTES), list[Event]()
        while (batch := reader.next(0)) is not None:
            told += [from_json(event.event, event.data) for event in decoder.feed(batch.wire)]
        reader.close()
        return as_told(told)

    def _run_again(self, claim: Claim) -> bool:
        """False when the turn has ended meanwhile, or was erased."""
        stored = self._store.find_turn(claim.stream_id)
        if stored is None or stored.answer is not None:
            return False
        # The log first: from here on nobody else can write what readers see.
        self._log.take_over(claim.stream_id, claim.question.visitor_id)
        turn = self._store.restart_turn(claim.stream_id)
        if turn is None:
            return False
        self._log.append(turn.stream_id, connected(turn, new_id("client")))
        self._workers.start(turn, claim.question)
        return True

    def lose(self, stream_id: str) -> None:
        """Another process has taken over a turn that runs here: this one took too long over something."""
        self._workers.stop(stream_id, StopReason.TAKEN_OVER)
        self._log.abandon(stream_id)

    def sweep(self, streams: frozenset[str]) -> list[Claim]:
        """The turns that the store takes for running and that nobody runs: their process died before it could say
        that it does, or Redis has forgotten. Raises StoreUnavailable."""
        now = time.monotonic()
        missing = [name for name in self._store.running_streams() if name not in streams]
        self._missing_since = {name: self._missing_since.get(name, now) for name in missing}
        left = [name for name, since in self._missing_since.items() if now - since > _ORPHAN_S]
        return [claim for name in left if (claim := self._claim(name)) is not None]

    def _claim(self, stream_id: str) -> Claim | None:
        stored = self._store.find_turn(stream_id)
        if stored is None or stored.answer is not None:
            return None
        # Its words are in the store; the page and the language, which only a lease tells, are lost.
        question = Question("", stored.turn.visitor_id, stored.turn.request_id)
        return Claim(stream_id, question, stored.turn.attempt + 1)

    def _tell_end(self, stream_id: str) -> None:
        """Tell the stream of an ended turn again, to all who read it anywhere."""
        stored: StoredTurn | None = self._store.find_turn(stream_id)
        if stored is None:
            self._log.erase(stream_id)
            return
        self._log.take_over(stream_id, stored.turn.visitor_id)
        for event in told_again(stored):
            self._log.append(stream_id, event)
            if isinstance(event, Token):
                gevent.sleep(0)
