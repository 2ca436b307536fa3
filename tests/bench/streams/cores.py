"""Who runs where: the servers under test have cores of their own as far as there are enough."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from contextlib import contextmanager


def load_cores() -> set[int]:
    """The core that model, load, Redis and PostgreSQL share: the last one."""
    return {max(os.sched_getaffinity(0))}


def server_cores(workers: int) -> set[int]:
    """One core for each worker; that of the load only where there are no others."""
    ours = sorted(os.sched_getaffinity(0))
    return set((ours[:-1] if len(ours) > workers else ours)[:workers])


@contextmanager
def on_cores(cores: Set[int]) -> Iterator[None]:
    """What is started meanwhile stays on these cores, and so does this process until then."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
