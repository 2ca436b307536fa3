"""These tests run on gevent, as the backend's do, and share their servers and clients."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402 -- patching comes first
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "faults"), str(TESTS / "backend"), str(TESTS / "fixtures")]

from absent import end_without  # noqa: E402
from ground import Ground  # noqa: E402
from postgres_server import PostgresMissing  # noqa: E402
from redis_server import require_redis  # noqa: E402


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """What all campaigns stand on."""
    require_redis()
    try:
        ground = Ground(tmp_path_factory.mktemp("ground"))
    except PostgresMissing as missing:
        end_without(str(missing))
    yield ground
    ground.close()
