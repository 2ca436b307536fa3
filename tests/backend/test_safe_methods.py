"""What a page may do that has no right to anything: a link, an image, a form and a beacon change nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from callers import Cast
from hosting import OPERATOR_TOKEN, bearer, hosting, question
from raw_http import Answer, Headers

from chatbubble.views import ROUTES

READING = [rule for rule, views in ROUTES.items() if "GET" in views]
WRITING = [rule for rule, views in ROUTES.items() if "POST" in views]
# A page sends these anywhere without asking first; all else it has to be allowed in a preflight.
SIMPLE_TYPES = ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json",
                "application/json, text/plain", "text/plain; application/json", "application/jsonp"]  # fmt: skip


class Watched:
    """A cast whose site's whole memory can be looked at."""

    def __init__(self, cast: Cast, database: Path) -> None:
        self.cast, self._database = cast, database

    def state(self) -> dict[str, Any]:
        """Every row of every table, what runs, and what the model was asked."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            tables = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608
        stats = self.cast.site.mounted.get_stats()
        asked = list(self.cast.site.provider.questions)
        return {**tables, "asked": asked, "running": stats["activeTurns"], "streams": stats["logStreams"]}

    def send(self, method: str, rule: str, headers: Headers = (), body: bytes | None = None, query: str = "") -> Answer:
        """One request to a route, with the owner's ids in its address."""
        path = rule.replace("<stream_id>", self.cast.target.stream_id).replace("<path:name>", "chat.0.mjs")
        return self.cast.site.call(method, path + query, headers, body)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A site with an owner's conversation in it."""
    database = tmp_path_factory.mktemp("watched") / "chat.db"
    with hosting(database, operator_token=OPERATOR_TOKEN) as site:
        yield Watched(Cast(site), database)


def test_the_state_tells_a_question_and_a_word_of_feedback(watched: Watched) -> None:
    before = watched.state()
    watched.cast.site.ask(watched.cast.sessions["other"], "Seen?")
    after = watched.state()
    assert {name for name in after if after[name] != before[name]} >= {"messages", "turns", "asked", "streams"}
    watched.cast.call("owner", "POST", "/feedback", watched.cast.target)
    assert watched.state()["feedback"] != after["feedback"]


@pytest.mark.parametrize("rule", [rule for rule in READING if rule != "/stream"])
@pytest.mark.parametrize("caller", ["owner", "unheard", "operator"])
def test_reading_changes_nothing(watched: Watched, rule: str, caller: str) -> None:
    before = watched.state()
    session = watched.cast.sessions[caller]
    disguise = [("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "DELETE"), ("X-Method-Override", "POST")]
    query = f"?_method=DELETE&method=POST&message=hello&sessionId={session}"
    for headers in ([bearer(session)], [bearer(session), *disguise]):
        for method in ("GET", "HEAD", "OPTIONS"):
            watched.send(method, rule, headers)
            watched.send(method, rule, headers, query=query)
    assert watched.state() == before


def test_opening_a_channel_changes_nothing(watched: Watched) -> None:
    before = watched.state()
    for caller in ("owner", "unheard"):
        assert watched.cast.call(caller, "GET", "/stream", watched.cast.target).status == 200
    assert watched.state() == before


@pytest.mark.parametrize("rule", [rule for rule in WRITING if "<" not in rule])
@pytest.mark.parametrize("content_type", SIMPLE_TYPES)
def test_a_form_and_a_beacon_change_nothing(watched: Watched, rule: str, content_type: str) -> None:
    before = watched.state()
    session = watched.cast.sessions["owner"]
    named = [("Content-Type", content_type)] if content_type else []
    answer = watched.send("POST", rule, [bearer(session), *named], question(session))
    assert (answer.status, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert watched.state() == before


def test_what_takes_no_body_takes_a_header_that_no_form_can_send(watched: Watched) -> None:
    before = watched.state()
    bodiless = [rule for rule in WRITING if "<" in rule]
    assert bodiless == ["/chat/<stream_id>/abort"]
    session = watched.cast.sessions["owner"]
    body = f"sessionId={session}&Authorization=Bearer+{session}".encode()
    for content_type in SIMPLE_TYPES[1:]:
        answer = watched.send(
            "POST", bodiless[0], [("Content-Type", content_type)], body, query=f"?sessionId={session}"
        )
        assert (answer.status, answer.json()["error"]["code"]) == (401, "SESSION_MISSING")
    assert watched.state() == before
