"""How long to rest between two readings of one answer, so that a busy process does less often what costs most.

Reading, logging and sending cost about as much for three words as for one. A process with time to spare passes each
delta on at once. The more of its processor it uses, the longer an answer's next reading waits, up to what the
typewriter of the page hides, and then takes all that has come. But nothing waits where that would spare little: what
makes a process busy may be something else, such as a thousand readers who come back at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent

LONGEST_S = 0.06
# Up to this share of a processor nothing waits; from that one on, everything waits for LONGEST_S.
_IDLE, _BUSY = 0.12, 0.6
# And up to that share if each delta went alone. Fifty answers come to 0.5: when they waited all the same, by what the
# process used, their added delay p99 was 30 ms.
_LITTLE, _MUCH = 0.65, 1.0
_DELTA_S = 0.0002  # what a delta costs that goes alone
_SAMPLE_S = 0.1


class Pace:
    """The rests of one thread's event loop, by how busy that thread is, and with what.

    Args:
        now: monotonic clock, in seconds.
        used: the processor time that the thread has used, in seconds.
        sleep: lets others run for so many seconds.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], None] = gevent.sleep,
    ) -> None:
        self._now, self._used, self._sleep = now, used, sleep
        self._sampled_at, self._used_s = now(), used()
        self._deltas = 0
        self._rest_s = 0.0

    def rest(self, deltas: int) -> None:
        """Let others run after a reading that has brought so many deltas, for as long as it is called for now: not at
        all, or up to LONGEST_S."""
        self._deltas += deltas
        now = self._now()
        if now - self._sampled_at > _SAMPLE_S:
            self._sample(now)
        if self._rest_s:
            self._sleep(self._rest_s)

    def _sample(self, now: float) -> None:
        used_s, passed_s = self._used(), now - self._sampled_at
        share = (used_s - self._used_s) / passed_s
        share_alone = self._deltas * _DELTA_S / passed_s
        self._sampled_at, self._used_s, self._deltas = now, used_s, 0
        wanted_s = LONGEST_S * _ramp(share, _IDLE, _BUSY) * _ramp(share_alone, _LITTLE, _MUCH)
        # Half of the way, so that a single long request does not make everybody wait.
        self._rest_s = (self._rest_s + wanted_s) / 2 if wanted_s or self._rest_s > 0.001 else 0.0


def _ramp(value: float, low: float, high: float) -> float:
    """From 0 at `low` to 1 at `high`."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
