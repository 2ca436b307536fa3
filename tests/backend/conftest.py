"""Everything here runs as the server does: on gevent, patched before anything else."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import signal  # noqa: E402 -- patching comes first
import sys  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent.parent / "fixtures"))

from asking import provider_at  # noqa: E402
from deployment import deployment  # noqa: E402, F401 -- a fixture
from hosting import host_site, serve_app, site  # noqa: E402, F401
from model_server import ModelServer  # noqa: E402
from process import start_process  # noqa: E402, F401 -- a fixture
from serving import serve, served  # noqa: E402, F401 -- fixtures
from store_forms import (  # noqa: E402 -- fixtures
    database_url,  # noqa: F401
    open_store,  # noqa: F401
    postgres,  # noqa: F401
    postgres_tables,  # noqa: F401
    postgres_url,  # noqa: F401
    store,  # noqa: F401
)
from switches import no_collections  # noqa: E402, F401 -- a fixture
from turning import make_turns, turns  # noqa: E402, F401 -- fixtures

from chatbubble.providers.openai import OpenAIProvider  # noqa: E402

if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    # Under nohup all servers that are started here would inherit that, and mean it.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    """A scripted model server that listens on a free port."""
    server = ModelServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def openai_provider(model_server: ModelServer) -> Iterator[OpenAIProvider]:
    """The openai provider, asking the scripted server."""
    provider = provider_at(model_server.base_url)
    yield provider
    provider.close()
