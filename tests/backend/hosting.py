"""Flask apps on a real server, with a provider that needs no driving."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from gevent.event import Event
from gevent.pywsgi import WSGIServer
from raw_http import Answer, Headers, call

from chatbubble.connections import StreamingHandler
from chatbubble.mount import EXTENSION_KEY
from chatbubble.mounted import Mounted
from chatbubble.provider import Piece
from chatbubble.records import Prompt
from chatbubble.server import create_app

PREFIX = "/api/ai"
SHOP = "https://shop.example"
OPERATOR_TOKEN = "operator-token-of-the-tests"  # noqa: S105 -- guards nothing
JSON = ("Content-Type", "application/json")


class Echo:
    """Repeats the question; answers nobody while `gate` is closed."""

    name = "echo"
    model = "echo-1"

    def __init__(self) -> None:
        self.questions: list[str] = []
        self.gate = Event()
        self.gate.set()

    def stream(self, prompt: Prompt) -> Iterator[Piece]:
        """See chatbubble.provider.Provider."""
        self.questions.append(prompt.question)
        self.gate.wait()
        yield "You said: "
        yield prompt.question


class Site:
    """An app that has a Chatbubble, on a port of its own."""

    def __init__(self, app: Flask, port: int, provider: Echo, prefix: str = PREFIX) -> None:
        self.app, self.port, self.provider, self.prefix = app, port, provider, prefix

    @property
    def mounted(self) -> Mounted:
        """What the app's Chatbubble is made of."""
        mounted: Mounted = self.app.extensions[EXTENSION_KEY]
        return mounted

    def call(
        self, method: str, path: str, headers: Headers = (), body: bytes | None = None, host: str = "127.0.0.1"
    ) -> Answer:
        """A request for an address under the prefix, answered whole."""
        return call(self.port, method, self.prefix + path, headers, body, host)

    def ask(self, session: str, message: str = "hello", headers: Headers = (), **fields: Any) -> Answer:
        """`POST /chat`; the answer is there once the stream has ended."""
        body = json.dumps({"message": message, "sessionId": session, **fields}).encode()
        return self.call("POST", "/chat", (JSON, *headers), body)


def new_session() -> str:
    """A session id that nobody else has."""
    return secrets.token_urlsafe(24)


def bearer(session: str) -> tuple[str, str]:
    """The header that carries a session id."""
    return ("Authorization", f"Bearer {session}")


def assert_refused(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """The answer is our JSON error and nothing else; returns the error."""
    assert answer.status == status, answer
    assert answer.get("Content-Type") == "application/json"
    assert answer.get("Cache-Control") == "no-store"
    assert answer.get("X-Content-Type-Options") == "nosniff"
    assert set(answer.json()) == {"error"}
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == code
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["retryable"], bool)
    assert b"Traceback" not in answer.body
    return error


def question(session: str, padding_to: int = 0) -> bytes:
    """A body that is in order, with blanks after it up to a length."""
    return json.dumps({"message": "hello", "sessionId": session}).encode().ljust(padding_to)


def stream_id_of(answer: Answer) -> str:
    """The stream that an answer's `connected` event names."""
    first = next(line for line in answer.body.splitlines() if line.startswith(b"data: "))
    return str(json.loads(first[6:])["streamId"])


@contextmanager
def listening(app: Any) -> Iterator[int]:
    """A WSGI app on a free port, served as `chatbubble serve` does."""
    server = WSGIServer(("127.0.0.1", 0), app, handler_class=StreamingHandler, log=None, error_log=None)
    server.start()
    try:
        yield int(server.server_port or 0)
    finally:
        server.stop(timeout=1)


@contextmanager
def hosting(database: Path, **settings: Any) -> Iterator[Site]:
    """A site whose settings are named without their prefix: `hosting(path, title="Shop")`."""
    provider = Echo()
    chosen = {"database_url": f"sqlite:///{database}", "rate_limit": "off", **settings}
    app = create_app({f"CHATBUBBLE_{name.upper()}": value for name, value in chosen.items()}, provider=provider)
    with listening(app) as port:
        site = Site(app, port, provider)
        try:
            yield site
        finally:
            close(site.mounted)


def close(mounted: Mounted) -> None:
    """End what still runs and release the store."""
    mounted.workers.drain(0)
    mounted.clients.close_channels()
    mounted.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site that many tests share; each test brings sessions of its own."""
    database = tmp_path_factory.mktemp("site") / "chat.db"
    origins = f"{SHOP}, https://*.brand.example"
    with hosting(database, allowed_origins=origins, operator_token=OPERATOR_TOKEN, title="Shop") as opened:
        yield opened


HostSite = Callable[..., Site]


@pytest.fixture
def host_site(tmp_path: Path) -> Iterator[HostSite]:
    """Opens a site with settings of its own: `host_site(max_streams=1)`."""
    with ExitStack() as opened:
        yield lambda **settings: opened.enter_context(hosting(tmp_path / "chat.db", **settings))


@pytest.fixture
def serve_app() -> Iterator[Callable[[Any], int]]:
    """Serves any WSGI app until the test ends; returns its port. Closes a Chatbubble in it."""
    with ExitStack() as opened:

        def serve(app: Any) -> int:
            mounted = getattr(app, "extensions", {}).get(EXTENSION_KEY)
            if mounted is not None:
                opened.callback(close, mounted)
            return opened.enter_context(listening(app))

        yield serve
