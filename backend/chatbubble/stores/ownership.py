"""One process owns a SQLite file: a lock of the operating system says which one it is.

Running answers live in the memory of the process that writes them. A second process on the
same file would take them for the remains of a crash, end them, and not know their streams.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import StoreUnavailable
from .patience import Patience

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger("chatbubble.store")

HAND_OVER_S = 15.0


@dataclass
class _Hold:
    """This process's lock on one file, and how many of its stores rely on it."""

    descriptor: int
    stores: int = 0


_holds: dict[str, _Hold] = {}


class Ownership:
    """One store's share in its process's lock on a file.

    Stores of one process share it: two apps on one file do not end each other's answers.
    The kernel releases it however the process dies, and a forked child has no part in it.

    Args:
        wait_s: how long another process is given to let go, from the first `take` on: in a
            deploy the old server is still finishing its answers.
    """

    def __init__(self, wait_s: float = HAND_OVER_S) -> None:
        self._patience = Patience(wait_s, "file")
        self._path = ""
        self._is_first = True

    @property
    def is_first(self) -> bool:
        """Whether no other store of this process had the file when this one took it: then
        whatever runs in it was left by a process that is gone."""
        return self._is_first

    def take(self, database: str) -> None:
        """Own the file at this absolute path, waiting while another process does; other
        greenlets run meanwhile. A database in memory has no path, and nothing to be owned.

        Raises StoreUnavailable when the other one does not let go in time, and when the
        lock cannot be had at all.
        """
        if not database:
            return
        while (hold := _hold(database)) is None:
            self._patience.wait(Path(database).name, _owner(database))
        self._patience.end()
        self._path, self._is_first = database, hold.stores == 0
        hold.stores += 1

    def release(self) -> None:
        """Let go; harmless when nothing is held."""
        path, self._path = self._path, ""
        hold = _holds.get(path)
        if hold is None:
            return
        hold.stores -= 1
        if hold.stores == 0:
            os.close(_holds.pop(path).descriptor)


def _hold(database: str) -> _Hold | None:
    """This process's hold on the file, taken now if it can be; None while another has it."""
    if database not in _holds:
        try:
            descriptor = _lock(database)
        except BlockingIOError:
            return None
        except OSError as failure:
            reason = failure.strerror or failure
            raise StoreUnavailable(detail=f"{_lock_file(database).name} cannot be locked: {reason}") from None
        _holds[database] = _Hold(descriptor)
    return _holds[database]


def _lock(database: str) -> int:
    """Not the database's own descriptor: closing one of those would drop SQLite's locks."""
    descriptor = os.open(_lock_file(database), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if sys.platform == "win32":
            logger.warning("this system has no flock: see to it that no second process uses %s", database)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _owner(database: str) -> str:
    """What the owner wrote of itself; it may be about to, or just have gone."""
    try:
        name = _lock_file(database).read_text("utf-8", "replace").strip()
    except OSError:
        name = ""
    return name if name.isprintable() and 0 < len(name) < 100 else "another process"


def _lock_file(database: str) -> Path:
    return Path(f"{database}.lock")


def _leave_to_parent() -> None:
    # A copy of the descriptor would keep the lock beyond the parent's end.
    for hold in _holds.values():
        os.close(hold.descriptor)
    _holds.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
