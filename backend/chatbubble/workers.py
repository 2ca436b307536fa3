"""Runs turns in greenlets of their own; stops them; lets them finish at shutdown."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial

import gevent
from gevent.pool import Group

from .errors import Overloaded, ShuttingDown, TurnRunning
from .generation import TurnParts
from .leases import Leases, NoLeases
from .limits import Bound
from .places import MemoryPlaces
from .records import Message, Question, Turn, TurnState
from .turn import RunningTurn, StopReason

logger = logging.getLogger("chatbubble.workers")

STOP_WAIT_S = 10.0
_LOOK_EVERY_S = 0.5


class Workers:
    """The turns that run in this process. Each has a place in `bound`, also one that was taken over."""

    def __init__(self, parts: TurnParts, leases: Leases | None = None, bound: Bound | None = None) -> None:
        self._parts, self._leases = parts, leases or NoLeases()
        self._bound = bound or Bound(MemoryPlaces(), "turns", 0)
        self._running: dict[str, tuple[RunningTurn, gevent.Greenlet[..., None]]] = {}
        self._stream_of: dict[str, str] = {}
        self._greenlets = Group()
        self._outcomes: Counter[TurnState] = Counter()
        self._is_draining = False

    def admit(self) -> None:
        """Raises ShuttingDown once `drain` has begun, and Overloaded when as many turns run as
        there may be connections: a turn outlives whoever asked and left."""
        if self._is_draining:
            raise ShuttingDown(retry_after_s=5)
        if len(self._running) >= self._parts.settings.max_streams:
            raise Overloaded(retry_after_s=5, detail=f"{len(self._running)} turns run: CHATBUBBLE_MAX_STREAMS")

    def refuse_second(self, visitor_id: str) -> None:
        """Raises TurnRunning while a turn of this visitor runs in this process."""
        stream_id = self._stream_of.get(visitor_id)
        if stream_id is not None:
            raise TurnRunning(streamId=stream_id)

    def start(
        self, turn: Turn, question: Question, history: Sequence[Message] = (), *, is_admitted: bool = False
    ) -> None:
        """Begin to answer; returns at once, before the provider is called. A turn that `is_admitted` has its place.
        Without its `history`, the store is asked for that."""
        is_held = partial(self._leases.is_held, turn.stream_id)
        running = RunningTurn(turn, question, self._parts, history=history, is_held=is_held)
        greenlet = self._greenlets.spawn(self._run, running)
        self._running[turn.stream_id] = (running, greenlet)
        self._stream_of[turn.visitor_id] = turn.stream_id
        self._leases.take(turn, question)
        if not is_admitted:
            self._bound.add()
        if self._is_draining:
            # Admitted just before the drain began, saved just after.
            running.stop(StopReason.INTERRUPTED)

    def stop(self, stream_id: str, reason: StopReason = StopReason.ABORTED) -> TurnState | None:
        """End a turn and wait until its last event is written.

        Returns its final state, or None when it does not run in this process.
        """
        entry = self._running.get(stream_id)
        if entry is None:
            return None
        running, greenlet = entry
        running.stop(reason)
        greenlet.join(STOP_WAIT_S)
        return running.state

    def drain(self, budget_s: float) -> None:
        """Take no new turns, give the running ones `budget_s` seconds, and end the rest as interrupted."""
        self.close()
        self.join(budget_s)
        self.end_rest(has_heirs=False)

    def close(self) -> None:
        """Take no new turns."""
        self._is_draining = True
        self._leases.stop_claiming()

    def join(self, timeout_s: float) -> bool:
        """Wait until no turn runs; False when one still does after `timeout_s` seconds."""
        return bool(self._greenlets.join(timeout=timeout_s))

    def end_rest(self, *, has_heirs: bool) -> None:
        """Have another process run again what still runs, where it `has_heirs`, or else end it as interrupted."""
        left = [running for running, _ in self._running.values()]
        is_handed_over = has_heirs and self._leases.hand_over([running.turn.stream_id for running in left])
        for running in left:
            running.stop(StopReason.TAKEN_OVER if is_handed_over else StopReason.INTERRUPTED)
        self._greenlets.join(timeout=STOP_WAIT_S)

    def get_stats(self) -> dict[str, int]:
        """`activeTurns` now, and how many turns ended how since the start."""
        ended = {f"turns{state.value.capitalize()}": self._outcomes[state] for state in TurnState}
        ended.pop("turnsRunning")
        return {"activeTurns": len(self._running), **ended}

    @property
    def is_busy(self) -> bool:
        """Whether a turn runs."""
        return bool(self._running)

    @property
    def is_draining(self) -> bool:
        """Whether new turns are refused because the server is stopping."""
        return self._is_draining

    def _run(self, running: RunningTurn) -> None:
        try:
            self._outcomes[running.run()] += 1
        finally:
            turn = running.turn
            self._bound.leave()
            gevent.spawn(self._release, turn.stream_id)
            del self._running[turn.stream_id]
            # An erased turn may still be ending while the next one runs.
            if self._stream_of.get(turn.visitor_id) == turn.stream_id:
                del self._stream_of[turn.visitor_id]

    def _release(self, stream_id: str) -> None:
        """Give up the lease of a turn, once its end is saved: until then others would take it for one that was left."""
        while self._parts.saver.holds(stream_id):
            gevent.sleep(_LOOK_EVERY_S)
        self._leases.release(stream_id)
