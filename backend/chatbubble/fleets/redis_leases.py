"""Leases on Redis: a stream of all running turns, and a consumer group whose pending entries say who runs each.

A process renews what it holds every second, by claiming it for itself again. What nobody has renewed for LEASE_S
seconds, any other process claims; Redis counts how often that happened.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gevent
from gevent.event import Event as Signal
from gevent.lock import BoundedSemaphore

from ..errors import RedisUnavailable, StoreUnavailable
from ..leases import Claim, Followers
from ..records import Page, Question, Turn
from ..stream_logs.redis_hub import RedisHub
from ..stream_logs.redis_link import Command, Script
from .lease_scripts import ADOPT, CLAIM, RENEW

logger = logging.getLogger("chatbubble.leases")

LEASE_S = 4.5
RENEW_S = 1.0
_GAP_S = 2.5  # a round that comes later than that says that we or Redis hung: then others may only seem to be dead
_SWEEP_S = 2.0
_AT_ONCE = 4  # of turns that are taken over: many at once would take all connections from each other, and from us
_GROUP = "chat"
_LOST, _FULL = b"lost", b"full"
_TURN, _PAGE = b"t", 256


@dataclass(slots=True, eq=False)
class _Lease:
    """One turn of this process; `entry_id` is empty until Redis knows it, `attempt` as in Claim."""

    text: str | bytes
    entry_id: bytes = b""
    attempt: int = 1


class RedisLeases:
    """See Leases."""

    def __init__(self, hub: RedisHub) -> None:
        self._hub = hub
        self._key = hub.keys.named("turns")
        self._renew, self._claim_idle, self._adopt_left = (Script(hub.link, text) for text in (RENEW, CLAIM, ADOPT))
        self._held: dict[str, _Lease] = {}
        self._released: list[bytes] = []
        self._followers: Followers | None = None
        self._is_hurried = Signal()
        self._reachable_since = self._renewed_at = self._swept_at = self._looked_at = time.monotonic()
        self._renewing, self._taking_over = BoundedSemaphore(1), BoundedSemaphore(_AT_ONCE)
        self._is_claiming = True
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._sweeping: gevent.Greenlet[..., None] | None = None

    def open(self, followers: Followers) -> None:
        """See Leases.open."""
        self._followers = followers
        self._reachable_since = self._renewed_at = self._looked_at = time.monotonic()
        self._greenlet = gevent.spawn(self._work, followers)

    def take(self, turn: Turn, question: Question) -> None:
        """See Leases.take."""
        if turn.stream_id in self._held:
            return  # it was taken over, and is held since
        self._held[turn.stream_id] = _Lease(_write(turn.stream_id, question))
        self._is_hurried.set()

    def release(self, stream_id: str) -> None:
        """See Leases.release."""
        lease = self._held.pop(stream_id, None)
        if lease is not None and lease.entry_id:
            self._released.append(lease.entry_id)
            self._is_hurried.set()

    def is_held(self, stream_id: str) -> bool:
        """See Leases.is_held."""
        # Rounds come every second, also where Redis is away: without one, it was this process that stood still.
        if self._followers is not None and time.monotonic() - self._looked_at > LEASE_S - RENEW_S:
            try:
                self._renew_held(self._followers)
            except RedisUnavailable as failure:
                logger.info("whether turns were taken over is not known: %s", failure.detail)
        return stream_id in self._held

    def stop_claiming(self) -> None:
        """See Leases.stop_claiming."""
        self._is_claiming = False

    def hand_over(self, stream_ids: Sequence[str]) -> bool:
        """See Leases.hand_over."""
        leases = [lease for name in stream_ids if (lease := self._held.get(name)) and lease.entry_id]
        try:
            # Idle for so long that anybody may claim it. It does not count as a death.
            self._hub.link.ask(*(self._idle(lease) for lease in leases))
        except RedisUnavailable as failure:
            logger.warning("running answers cannot be handed over: %s", failure.detail)
            return False
        for name in stream_ids:
            self._held.pop(name, None)
        return True

    def _idle(self, lease: _Lease) -> Command:
        claim = ("XCLAIM", self._key, _GROUP, self._hub.process_id, 0, lease.entry_id)
        return (*claim, "IDLE", int(LEASE_S * 2000), "RETRYCOUNT", lease.attempt - 1, "JUSTID")

    def close(self) -> None:
        """See Leases.close."""
        if self._sweeping is not None:
            self._sweeping.kill()
        if self._greenlet is not None:
            self._greenlet.kill()
            try:
                self._end_released()
            except RedisUnavailable as failure:
                logger.info("ended turns stay in Redis: %s", failure.detail)

    def _work(self, followers: Followers) -> None:
        while True:
            try:
                self._round(followers)
            except RedisUnavailable as failure:
                logger.info("leases are not renewed: %s", failure.detail)
                self._reachable_since = time.monotonic()
            except Exception:
                logger.exception("leases could not be looked after")
            self._looked_at = time.monotonic()
            self._is_hurried.wait(RENEW_S)
            self._is_hurried.clear()

    def _round(self, followers: Followers) -> None:
        now = time.monotonic()
        self._renew_held(followers)
        self._end_released()
        if time.monotonic() - min(now, self._renewed_at) > _GAP_S:
            self._reachable_since = time.monotonic()
        self._renewed_at = time.monotonic()
        # After a gap the others get the time of a lease to renew theirs.
        if not self._is_claiming or self._renewed_at - self._reachable_since < LEASE_S:
            return
        self._claim(followers)
        if self._renewed_at - self._swept_at > _SWEEP_S and not self._sweeping:
            self._swept_at = self._renewed_at
            # The store may take its time over it, and no lease waits for that.
            self._sweeping = gevent.spawn(self._sweep, followers)

    def _sweep(self, followers: Followers) -> None:
        try:
            for claim in followers.sweep(self._all_streams()):
                self._adopt(followers, claim)
        except StoreUnavailable as failure:
            logger.warning("turns of other processes cannot be looked after: %s", failure.detail)
        except Exception:
            logger.exception("turns of other processes could not be looked after")

    def _renew_held(self, followers: Followers) -> None:
        with self._renewing:  # of two at once, each would make an entry for the same new lease
            self._renew_all(followers)

    def _renew_all(self, followers: Followers) -> None:
        held = list(self._held.items())
        arguments: list[Any] = [_GROUP, self._hub.process_id]
        for _, lease in held:
            arguments += [lease.entry_id, lease.text]
        room, *answers = self._renew.run([self._key], arguments)
        if room == _FULL:
            # Turns that began meanwhile have no lease, and only seem to be run by nobody.
            self._reachable_since = time.monotonic()
        for (stream_id, lease), answer in zip(held, answers, strict=True):
            is_held = self._held.get(stream_id) is lease
            if answer == _LOST:
                if is_held:
                    del self._held[stream_id]
                logger.warning("stream %s was taken over by another process", stream_id)
                gevent.spawn(followers.lose, stream_id)
            elif is_held:
                lease.entry_id = answer
            elif answer != lease.entry_id:
                self._released.append(answer)  # it ended as its entry was made

    def _end_released(self) -> None:
        released = self._released[:_PAGE]
        if released:
            # In this order: what is there and nobody has counts as left.
            ended = ("XDEL", self._key, *released), ("XACK", self._key, _GROUP, *released)
            self._hub.link.ask(*ended)
            del self._released[: len(released)]

    def _claim(self, followers: Followers) -> None:
        arguments = [_GROUP, self._hub.process_id, int(LEASE_S * 1000)]
        for entry_id, text, attempt in self._claim_idle.run([self._key], arguments):
            claim = _read(text, attempt)
            self._held[claim.stream_id] = _Lease(text, entry_id, attempt)
            logger.warning("stream %s was left by another process: attempt %d", claim.stream_id, attempt)
            gevent.spawn(self._take_over, followers, claim)

    def _adopt(self, followers: Followers, claim: Claim) -> None:
        """Take over a turn that has no lease, unless another process was faster."""
        text = _write(claim.stream_id, claim.question)
        told = [_GROUP, self._hub.process_id, claim.stream_id, text, claim.attempt]
        entry_id = self._adopt_left.run([self._key], told)
        if entry_id and claim.stream_id not in self._held:
            self._held[claim.stream_id] = _Lease(text, entry_id, claim.attempt)
            logger.warning("stream %s was run by nobody: attempt %d", claim.stream_id, claim.attempt)
            gevent.spawn(self._take_over, followers, claim)

    def _take_over(self, followers: Followers, claim: Claim) -> None:
        try:
            with self._taking_over:
                followers.take_over(claim)
        except StoreUnavailable as failure:
            # It is claimed again: here, or where the store can be reached.
            logger.warning("stream %s cannot be taken over now: %s", claim.stream_id, failure.detail)
            self._give_back(claim)
        except Exception:
            logger.exception("stream %s cannot be taken over", claim.stream_id)
            self._held.pop(claim.stream_id, None)

    def _give_back(self, claim: Claim) -> None:
        lease = self._held.pop(claim.stream_id, None)
        if lease is None:
            return
        try:
            self._hub.link.ask(self._idle(lease))
        except RedisUnavailable as failure:
            # Not renewed any more, it is claimed all the same, later, and then counts as a death.
            logger.info("stream %s cannot be given back: %s", claim.stream_id, failure.detail)

    def _all_streams(self) -> frozenset[str]:
        streams = set(self._held)  # Redis may have had no room for the newest
        position = b"-"
        while page := self._hub.link.ask(("XRANGE", self._key, position, "+", "COUNT", _PAGE))[0]:
            streams.update(json.loads(fields[_TURN])["stream"] for _, fields in page)
            position = b"(" + page[-1][0]
            gevent.sleep(0)
        return frozenset(streams)


def _write(stream_id: str, question: Question) -> str:
    page = asdict(question.page) if question.page else None
    text = {"stream": stream_id, "visitor": question.visitor_id, "request": question.request_id}
    return json.dumps({**text, "locale": question.locale, "page": page})


def _read(text: bytes, attempt: int) -> Claim:
    told = json.loads(text)
    page = Page(**told["page"]) if told["page"] else None
    # The question's words are in the store; here is what only its request has told.
    question = Question("", told["visitor"], told["request"], page, told["locale"])
    return Claim(told["stream"], question, attempt)
