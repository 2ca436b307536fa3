"""A wall clock that can jump: libfaketime, preloaded into a process, adds what a file says. Its monotonic clock goes
on as that of any machine does whose wall clock is set."""

from __future__ import annotations

import os
from pathlib import Path

_PLACES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1")


class ClockMissing(Exception):
    """This machine has no libfaketime."""


class FakeClock:
    """The clock of all processes that are started with `environ`; `path` is its file."""

    def __init__(self, path: Path) -> None:
        found = [library for place in _PLACES for library in Path("/").glob(place[1:])]
        if not found:
            raise ClockMissing("this machine has no libfaketime")
        self.environ = {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(path),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.ahead_s = 0
        self._path = path
        self.set(0)

    def set(self, ahead_s: int) -> None:
        """Be so many seconds ahead of the machine, or behind it, within a second from now."""
        fresh = self._path.with_suffix(".fresh")
        fresh.write_text(f"{ahead_s:+d}\n", "ascii")
        os.replace(fresh, self._path)  # noqa: PTH105 -- whoever reads it sees all of it
        self.ahead_s = ahead_s
