"""What a server does of itself, beside answering: it deletes old conversations at night, and forgets what another
program has erased from its database."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Collection, Sequence

import gevent

from .errors import ConfigError, StoreUnavailable
from .store import ConversationStore, RetainingStore

logger = logging.getLogger("chatbubble.housekeeping")

LOOK_EVERY_S = 5.0
NIGHT_UTC_H = 3
_DAY_S, _HOUR_S = 86_400, 3600
_BREATH_S = 0.05  # between two transactions of a purge, for everybody else


class Housekeeping:
    """The duties of one mounted chat, each in a greenlet of its own.

    Args:
        keep_days: how long a conversation is kept after its last message; 0 is for ever.
        forget: takes the streams that another program has erased.
        now: the time in seconds since the Unix epoch.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        store: RetainingStore,
        keep_days: int,
        forget: Callable[[Collection[str]], None],
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = gevent.sleep,
    ) -> None:
        self._store, self._keep_days, self._forget = store, keep_days, forget
        self._now, self._sleep = now, sleep
        self._forgotten: frozenset[str] = frozenset()
        self._greenlets: Sequence[gevent.Greenlet[..., None]] = ()

    def start(self) -> None:
        """Begin; the store is open."""
        duties = [self._look_often, *([self._purge_nightly] if self._keep_days else [])]
        self._greenlets = [gevent.spawn(duty) for duty in duties]

    def stop(self) -> None:
        """End where it stands; harmless when it never began."""
        gevent.killall(self._greenlets)

    def look(self) -> None:
        """Forget what other programs have erased since the last look."""
        try:
            erased = frozenset(self._store.erased_elsewhere())
        except StoreUnavailable as failure:
            logger.debug("what was erased is not known for now: %s", failure.detail)
            return
        news, self._forgotten = erased - self._forgotten, erased
        if news:
            self._forget(news)
            logger.info("%d streams were erased by another program", len(news))

    def _look_often(self) -> None:
        while True:
            self.look()
            self._sleep(LOOK_EVERY_S)

    def _purge_nightly(self) -> None:
        while True:
            self._sleep(seconds_to_night(self._now()))
            try:
                purge(self._store, self._now() - self._keep_days * _DAY_S, self._sleep)
            except StoreUnavailable as failure:
                logger.warning("old conversations are not deleted, until the next night: %s", failure.detail)


class NoHousekeeping:
    """Of a store that has nothing of the kind."""

    def start(self) -> None:
        """See Housekeeping.start."""

    def stop(self) -> None:
        """See Housekeeping.stop."""


def create_housekeeping(
    store: ConversationStore, keep_days: int, forget: Callable[[Collection[str]], None]
) -> Housekeeping | NoHousekeeping:
    """What this store needs. Raises ConfigError when it cannot do what CHATBUBBLE_KEEP_DAYS asks for."""
    if isinstance(store, RetainingStore):
        return Housekeeping(store, keep_days, forget)
    if keep_days:
        raise ConfigError("CHATBUBBLE_KEEP_DAYS needs a store that can purge: yours has no method purge")
    return NoHousekeeping()


def seconds_to_night(now: float) -> float:
    """Until a random moment between 3 and 4 o'clock UTC of the coming night: servers should not all begin at once."""
    since_midnight = now % _DAY_S
    moment = NIGHT_UTC_H * _HOUR_S + random.uniform(0, _HOUR_S)
    # Never twice a night, though the moment of this one may be still to come.
    return moment - since_midnight + (_DAY_S if since_midnight >= NIGHT_UTC_H * _HOUR_S else 0)


def purge(store: RetainingStore, before: float, sleep: Callable[[float], object] = gevent.sleep) -> int:
    """Delete every conversation that has been silent since `before`, in seconds since the Unix epoch, a few at a time;
    returns how many. Where another process begins the same, it goes on instead. Raises StoreUnavailable."""
    deleted, after = 0, ""
    while True:
        purged = store.purge(int(before * 1000), after)
        if purged is None:
            logger.info("another process deletes old conversations")
            break
        deleted += purged.conversations
        if purged.next is None:
            break
        after = purged.next
        sleep(_BREATH_S)
    logger.info("%d old conversations were deleted", deleted)
    return deleted
