"""How a process leaves while others go on: answers end here or are run there, readers are sent there a few at a time.

Readers whose connections all ended at one moment would all come again at one moment. So they are sent away evenly over
SPREAD_S, each asked to come again at once: whoever answers then gets an even flow of them, and nobody waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import gevent

from .clients import SOME_TIME_MS, Clients, Delivering
from .fleet import Fleet
from .stream_log import StreamLog
from .workers import Workers

logger = logging.getLogger("chatbubble.departure")

SPREAD_S = 2.5
AT_ONCE_MS = 100
# Processes that are stopped together learn of each other before one takes the other for its heir.
_HEAR_S = 0.5
# A reload begins new processes and stops the old ones at the same moment. So long at least the old ones wait for them,
# also where no answer runs; but not those that have no time at all.
_BEGIN_S = 3.0
_LOOK_EVERY_S = 0.25


class Departure:
    """The end of one process.

    Args:
        make_way: called once other processes go on in place of this one; may be called twice.
    """

    def __init__(
        self, workers: Workers, clients: Clients, log: StreamLog, fleet: Fleet, make_way: Callable[[], None]
    ) -> None:
        self._workers, self._clients, self._log, self._fleet = workers, clients, log, fleet
        self._make_way = make_way

    def run(self, budget_s: float) -> None:
        """End everything; running answers have `budget_s` seconds. Channels may stay if nobody takes them."""
        ends_at = time.monotonic() + budget_s
        self._workers.close()
        if self._await_heirs(budget_s):
            self._send_on(self._is_told_elsewhere)
        self._workers.join(max(0.0, ends_at - time.monotonic()))
        has_heirs = self._has_heirs()
        if has_heirs:
            # What still runs goes on meanwhile, and is read on over there.
            self._send_on(lambda _: True)
        self._workers.end_rest(has_heirs=has_heirs)
        for response in filter(self._is_told_elsewhere, self._clients.get_responses()):
            response.dismiss(SOME_TIME_MS)

    def _await_heirs(self, budget_s: float) -> bool:
        """Wait for another process that goes on; False when none has come by the time it would matter."""
        if self._fleet.is_alone:
            return False
        began, least_s = time.monotonic(), _BEGIN_S if budget_s else 0.0
        self._fleet.exchange()
        gevent.sleep(_HEAR_S)
        while not self._has_heirs():
            is_busy = self._workers.is_busy
            patience_s = max(budget_s, least_s) if is_busy else least_s
            if time.monotonic() - began >= patience_s or not (is_busy or self._clients.get_responses()):
                return False
            gevent.sleep(_LOOK_EVERY_S)
        return True

    def _has_heirs(self) -> bool:
        return any(not other.get("isDraining") for other in self._fleet.get_others())

    def _is_told_elsewhere(self, response: Delivering) -> bool:
        """Whether a response does not end by itself when the turns of this process do."""
        return not response.stream_id or self._log.is_foreign(response.stream_id)

    def _send_on(self, choose: Callable[[Delivering], bool]) -> None:
        """Send readers to other processes, evenly over SPREAD_S."""
        self._make_way()
        chosen = list(filter(choose, self._clients.get_responses()))
        if chosen:
            logger.info("%d readers are sent to other processes", len(chosen))
        for number, response in enumerate(chosen):
            if number:
                gevent.sleep(SPREAD_S / len(chosen))  # and never less, to catch up: they would come in a crowd
            response.dismiss(AT_ONCE_MS)
