"""One direction of one connection: passes bytes on, and does on the way what its faults say."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import gevent
from wire_faults import Fault, Kind

READ_BYTES = 65_536
_TICK_S = 0.02  # a throttled line passes bytes so often


class Flow:
    """Bytes from `source` to `target`.

    Args:
        on_fault: hears of every fault as it sets in; does what ends the connection, and returns whether it has ended.
    """

    def __init__(self, source: Any, target: Any, on_fault: Callable[[Fault], bool]) -> None:
        self._source, self._target, self._on_fault = source, target, on_fault
        self._faults: deque[Fault] = deque()
        self._position = 0
        self._slice_bytes = self._bytes_per_s = 0
        self._gather_s = 0.0
        self._is_over = False

    def begin(self, faults: Iterable[Fault]) -> None:
        """Count from here; `faults` are in the order of their places."""
        self._faults, self._position = deque(faults), 0

    def run(self, look: Callable[[bytes], None] = lambda _received: None) -> bool:
        """Pass everything on; `look` sees it first. True when the source came to its own end, False after a fault.

        Raises OSError when one of the two ends has gone.
        """
        while received := self._source.recv(READ_BYTES):
            look(received)
            if self._gather_s:
                received += self._gather()
            self._carry(received)
            if self._is_over:
                return False
        return True

    def drain(self) -> None:
        """Take what still comes, and pass nothing on."""
        with suppress(OSError):
            while self._source.recv(READ_BYTES):
                pass

    def _gather(self) -> bytes:
        gevent.sleep(self._gather_s)
        with suppress(TimeoutError), gevent.Timeout(0.001, TimeoutError):
            more: bytes = self._source.recv(READ_BYTES)
            return more
        return b""

    def _carry(self, received: bytes) -> None:
        self._begin_due()
        while received and not self._is_over:
            length = min(len(received), self._faults[0].at - self._position) if self._faults else len(received)
            self._pass_on(received[:length])
            self._position += length
            received = received[length:]
            self._begin_due()

    def _begin_due(self) -> None:
        while self._faults and self._faults[0].at <= self._position and not self._is_over:
            fault = self._faults.popleft()
            if fault.kind is Kind.SLICE:
                self._slice_bytes = max(1, int(fault.value))
            elif fault.kind is Kind.THROTTLE:
                self._bytes_per_s = max(1, int(fault.value))
            elif fault.kind is Kind.MERGE:
                self._gather_s = fault.value
            elif fault.kind is Kind.DELAY:
                gevent.sleep(fault.value)
            self._is_over = self._on_fault(fault)

    def _pass_on(self, part: bytes) -> None:
        size = self._slice_bytes or max(1, int(self._bytes_per_s * _TICK_S)) if self._is_paced else len(part)
        for start in range(0, len(part), max(1, size)):
            piece = part[start : start + size]
            self._target.sendall(piece)
            if self._is_paced:
                gevent.sleep(len(piece) / self._bytes_per_s if self._bytes_per_s else 0)

    @property
    def _is_paced(self) -> bool:
        return bool(self._slice_bytes or self._bytes_per_s)
