"""These tests run on gevent, as the backend's do, and share their servers and clients."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402 -- patching comes first
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "backend"), str(TESTS / "fixtures")]

from model_server import ModelServer  # noqa: E402
from process import start_process  # noqa: E402, F401 -- a fixture


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """A scripted model server that listens on a free port."""
    server = ModelServer()
    server.start()
    yield server
    server.stop()
