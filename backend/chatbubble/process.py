"""What every process that serves the chat does before its first visitor and after its last one, whoever listens."""

from __future__ import annotations

import gc
import logging
import resource
from collections.abc import Callable
from typing import TYPE_CHECKING

from .errors import ConfigError, RedisUnavailable, SeveralProcesses, StoreUnavailable

if TYPE_CHECKING:
    from .mounted import Mounted

logger = logging.getLogger("chatbubble.server")

_FLUSH_S = 5.0
_WHOLE_AFTER = 100  # of the collections before, instead of 10: some 800,000 more objects than have gone
_OTHER_FILES = 1024  # beside the streams: the database, requests on their way, idle connections


def get_ready(mounted: Mounted, *, is_one_of_several: bool = False) -> None:
    """Open what needs opening. Raises ConfigError, naming the setting that cannot be used."""
    _allow_open_files(2 * mounted.settings.max_streams + _OTHER_FILES)
    try:
        mounted.start(is_one_of_several=is_one_of_several)
    except StoreUnavailable as failure:
        setting = "CHATBUBBLE_REDIS_URL" if isinstance(failure, RedisUnavailable) else "CHATBUBBLE_DATABASE_URL"
        raise ConfigError(f"{setting} cannot be used: {failure.detail:.200}") from None
    except SeveralProcesses:
        raise ConfigError(f"several processes need {mounted.lacking_to_share}") from None
    _settle_heap()


def leave(mounted: Mounted, make_way: Callable[[], None], *, drain_s: float | None = None) -> None:
    """End all that runs here, as CHATBUBBLE_DRAIN_S says or within `drain_s` seconds, and let go of everything.

    Without other processes it goes on listening meanwhile: whoever asks anew is told to come back, and a reader
    that was cut can still resume. Where others go on, `make_way` has newcomers go to them at once.
    """
    budget_s = mounted.settings.drain_s if drain_s is None else drain_s
    logger.info("stopping: no new questions, %.0f s for running answers", budget_s)
    mounted.drain(budget_s, make_way)
    if not mounted.clients.wait_until_gone(_FLUSH_S):
        logger.warning("some readers were too slow to take their last event")
    make_way()
    mounted.close()


def _allow_open_files(count: int) -> None:
    """Ask the system for so many open files, a connection being one; it often begins with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= count:
        return
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as refusal:  # some systems allow less than they say
        logger.warning("only %d files may be open, and so many connections less: %s", soft, refusal)


def _settle_heap() -> None:
    """Tell the garbage collector that what was imported stays: looking through all of it again
    would hold up every answer for 50 ms each time.

    And so would looking through all connections, 40 objects each: with 10,000 that come and go it took half a second,
    every five. What a request leaves behind is found by the short looks, 10 ms at most.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _WHOLE_AFTER)
