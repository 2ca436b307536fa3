"""Faults of the host app around our answers: it gets its own error page, and we keep nothing of the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hosting import Echo, Site, bearer, new_session, stream_id_of

from chatbubble import Chatbubble

ServeApp = Callable[[Any], int]


@pytest.fixture
def failing(tmp_path: Path, serve_app: ServeApp) -> Site:
    """A site whose host app fails after each of our event streams was begun, once `fails` is set in its config."""
    app = Flask("host")
    app.config["CHATBUBBLE_DATABASE_URL"] = f"sqlite:///{tmp_path}/chat.db"
    app.config["CHATBUBBLE_MAX_STREAMS"] = 2

    @app.after_request
    def sign(response: Any) -> Any:
        if app.config.get("fails") and response.mimetype == "text/event-stream":
            raise RuntimeError("the host's own")
        return response

    provider = Echo()
    Chatbubble(app, provider=provider)
    return Site(app, serve_app(app), provider)


def open_streams(site: Site) -> tuple[int, int]:
    """How many clients and readers are counted."""
    numbers = site.mounted.get_stats()
    return numbers["activeConnections"], numbers["logReaders"]


def test_a_hook_that_fails_after_our_view_costs_no_place(failing: Site) -> None:
    session = new_session()
    stream_id = stream_id_of(failing.ask(session))
    failing.app.config["fails"] = True
    for _ in range(5):
        assert failing.ask(new_session()).status == 500
        assert failing.call("GET", f"/chat/{stream_id}", [bearer(session)]).status == 500
        assert failing.call("GET", "/stream", [bearer(session)]).status == 500
        assert open_streams(failing) == (0, 0)
    failing.app.config["fails"] = False
    assert b"event: done\n" in failing.ask(new_session()).body


def test_the_answer_itself_goes_on(failing: Site) -> None:
    session = new_session()
    failing.app.config["fails"] = True
    failing.provider.gate.clear()
    assert failing.ask(session).status == 500
    stream_id = failing.call("GET", "/conversation", [bearer(session)]).json()["activeStream"]["streamId"]
    failing.app.config["fails"] = False
    failing.provider.gate.set()
    assert b'"fullText":"You said: hello"' in failing.call("GET", f"/chat/{stream_id}", [bearer(session)]).body
