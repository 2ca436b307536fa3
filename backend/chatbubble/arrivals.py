"""What arrives on a connection, with an end to waiting for it.

A socket's own time-out begins anew with every byte, so a peer that drips one now and then
would hold its connection for ever. Here a whole part of a request has one deadline.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from typing import Any

# A body may take longer than its deadline when it comes at least this fast.
MIN_BYTES_PER_S = 500


class Arrivals(io.RawIOBase):
    """The bytes of one connection, as the raw file under a buffered one.

    Attributes:
        has_begun: a byte has come since the last `expect_...`.
        is_late: a read ran into the deadline and raised TimeoutError, as every later one will.
    """

    def __init__(self, connection: socket.socket, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.has_begun = self.is_late = False
        self._socket, self._now = connection, now
        self._ends_at = now()
        self._after_first_s: float | None = None
        self._s_per_byte = 0.0

    def readable(self) -> bool:
        """See io.IOBase."""
        return True

    def expect_within(self, limit_s: float) -> None:
        """All that is read from now on comes within `limit_s` seconds."""
        self._expect(limit_s)

    def expect_after_pause(self, pause_s: float, limit_s: float) -> None:
        """Nothing may come for `pause_s` seconds; after the first byte, all within `limit_s`."""
        self._expect(pause_s)
        self._after_first_s = limit_s

    def expect_flow(self, limit_s: float) -> None:
        """All comes within `limit_s` seconds, or else at MIN_BYTES_PER_S and more."""
        self._expect(limit_s)
        self._s_per_byte = 1 / MIN_BYTES_PER_S

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase. Raises TimeoutError at the deadline, and what the socket raises."""
        left_s = self._ends_at - self._now()
        if self.is_late or left_s <= 0:
            self.is_late = True
            raise TimeoutError("timed out")
        before_s = self._socket.gettimeout()
        self._socket.settimeout(left_s)
        try:
            count = self._socket.recv_into(buffer)
        except TimeoutError:
            self.is_late = True
            raise
        finally:
            self._socket.settimeout(before_s)
        self._note(count)
        return count

    def _expect(self, limit_s: float) -> None:
        self.has_begun = False
        self._ends_at = self._now() + limit_s
        self._after_first_s, self._s_per_byte = None, 0.0

    def _note(self, count: int) -> None:
        if count and not self.has_begun:
            self.has_begun = True
            if self._after_first_s is not None:
                self._ends_at = self._now() + self._after_first_s
        self._ends_at += count * self._s_per_byte
