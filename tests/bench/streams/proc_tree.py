"""What a server costs: processor time and memory of its process and all that it has started, from /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_TICKS_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Places in /proc/<pid>/stat after the name in brackets: user and system, and those of children that have ended.
_OWN, _ENDED = slice(11, 13), slice(13, 15)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for parent in found:
        # One that has ended meanwhile has no children any more: they were given away, or counted with it.
        with suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text("ascii").split())
    return found


def processor_s(pid: int) -> float:
    """Processor time that a process and all below it have taken, ended children included."""
    total = 0.0
    for each in family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            stat = Path(f"/proc/{each}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
            # The first counts whole hundredths of a second, the second lacks threads that have ended.
            total += max(_TICKS_S * sum(map(int, stat[_OWN])), _threads_s(each))
            total += _TICKS_S * sum(map(int, stat[_ENDED]))
    return total


def _threads_s(pid: int) -> float:
    """What the threads of a process have taken that are there now; 0 where this kernel does not tell."""
    total_ns = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            total_ns += int((task / "schedstat").read_text("ascii").split()[0])
    return total_ns / 1e9


def resident_bytes(pid: int) -> int:
    """Memory of a process and all below it; what they share counts for each, so only look at how it grows."""
    total = 0
    for each in family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            total += int(Path(f"/proc/{each}/statm").read_text("ascii").split()[1])
    return total * _PAGE
