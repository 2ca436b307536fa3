"""Every route, called by everybody: whoever may not learns nothing, not even whether there is anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from callers import NOWHERE, OTHERS, OWN_WORDS, STRANGERS, Cast, outcome, told
from hosting import OPERATOR_TOKEN, Site, hosting

from chatbubble.views import ROUTES

OK = (200, "")
DONE = (204, "")
NOT_FOUND = (404, "NOT_FOUND")
NO_SESSION = (401, "SESSION_MISSING")
NO_OPERATOR = (401, "OPERATOR_REQUIRED")


class Row(NamedTuple):
    """What each kind of caller gets."""

    owner: tuple[int, str]
    others: tuple[int, str]
    strangers: tuple[int, str]
    operator: tuple[int, str]
    is_each_ones_own: bool = False  # others get something of their own, instead of the owner's

    def of(self, caller: str) -> tuple[int, str]:
        """What this caller gets."""
        if caller in STRANGERS:
            return self.strangers
        return {"owner": self.owner, "operator": self.operator}.get(caller, self.others)


# An operator's token opens nothing of a visitor's: it is a session id like any, of a visitor who has nothing.
OF_THE_OWNER = Row(OK, NOT_FOUND, NO_SESSION, NOT_FOUND)
OF_EACH = Row(OK, OK, NO_SESSION, OK, is_each_ones_own=True)
OF_THE_OPERATOR = Row(NO_OPERATOR, NO_OPERATOR, NO_OPERATOR, OK)
PUBLIC = Row(OK, OK, OK, OK)
IDENTITY_OFF = (404, "IDENTITY_OFF")
# What persons get, whom nobody here is: test_adoption.py.
NAMELESS = (401, "IDENTITY_REFUSED")

ROWS: dict[tuple[str, str], Row] = {
    # The request id is the owner's, for another question: nobody else is told that there is one.
    ("POST", "/chat"): OF_EACH._replace(owner=(409, "REQUEST_MISMATCH"), strangers=(400, "BAD_REQUEST")),
    ("GET", "/chat/<stream_id>"): OF_THE_OWNER,
    ("POST", "/chat/<stream_id>/abort"): OF_THE_OWNER,
    ("GET", "/conversation"): OF_EACH,
    ("DELETE", "/conversation"): OF_EACH._replace(owner=DONE, others=DONE, operator=DONE),
    ("POST", "/conversation/adopt"): Row(NAMELESS, NAMELESS, NO_SESSION, NAMELESS),
    ("POST", "/feedback"): OF_THE_OWNER._replace(owner=DONE),
    ("GET", "/stream"): OF_EACH,
    ("POST", "/identify"): Row(IDENTITY_OFF, IDENTITY_OFF, IDENTITY_OFF, IDENTITY_OFF),
    ("GET", "/config"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/widget.js"): PUBLIC,
    ("GET", "/widget.mjs"): PUBLIC,
    ("GET", "/assets/<path:name>"): PUBLIC,
    ("GET", "/stats"): OF_THE_OPERATOR,
    ("GET", "/metrics"): OF_THE_OPERATOR,
    ("GET", "/healthz"): PUBLIC,
}
ALIKE = [route for route, row in ROWS.items() if row.owner == row.others == row.strangers == row.operator]


@pytest.fixture(scope="module")
def own_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site where the operator's token may be a visitor's, too, without anybody wondering."""
    database: Path = tmp_path_factory.mktemp("site") / "chat.db"
    with hosting(database, operator_token=OPERATOR_TOKEN) as opened:
        yield opened


@pytest.fixture(scope="module")
def casts(own_site: Site) -> tuple[Cast, Cast]:
    """Two owners, and everybody else twice: some calls leave something behind for who calls, in both alike."""
    return Cast(own_site), Cast(own_site)


def those_without(row: Row) -> list[str]:
    """All callers who are to learn nothing."""
    return [caller for caller in (*STRANGERS, *OTHERS) if not (row is OF_THE_OPERATOR and caller == "operator")]


def test_every_route_has_a_row() -> None:
    assert set(ROWS) == {(method, rule) for rule, views in ROUTES.items() for method in views}


@pytest.mark.parametrize(("method", "rule"), ROWS)
def test_everybody_gets_what_is_theirs_and_nothing_else(own_site: Site, method: str, rule: str) -> None:
    row, cast = ROWS[method, rule], Cast(own_site)
    before = cast.messages_of("owner")
    for caller in (*STRANGERS, *OTHERS):
        answer = cast.call(caller, method, rule, cast.target)
        assert outcome(answer) == row.of(caller), caller
        for theirs in (OWN_WORDS, cast.target.stream_id, cast.target.message_id, cast.sessions["owner"]):
            assert theirs.encode() not in answer.body, caller
        assert cast.messages_of("owner") == before, caller
    assert outcome(cast.call("owner", method, rule, cast.target)) == row.owner


@pytest.mark.parametrize(("method", "rule"), ROWS)
def test_what_is_somebody_elses_is_as_what_never_was(casts: tuple[Cast, Cast], method: str, rule: str) -> None:
    first, second = casts
    for caller in those_without(ROWS[method, rule]):
        theirs = told(first.call(caller, method, rule, first.target))
        assert told(second.call(caller, method, rule, NOWHERE)) == theirs, caller


@pytest.mark.parametrize(("method", "rule"), ROWS)
def test_callers_who_have_nothing_there_cannot_be_told_apart(casts: tuple[Cast, Cast], method: str, rule: str) -> None:
    row, cast = ROWS[method, rule], casts[0]
    without = [caller for caller in those_without(row) if not (row.is_each_ones_own and caller == "other")]
    kinds: dict[tuple[int, str], set[str]] = {}
    for caller in without:
        kinds.setdefault(row.of(caller), set()).add(told(cast.call(caller, method, rule, cast.target)))
    if row.strangers == (400, "BAD_REQUEST"):
        # One lacks the field and the other has a wrong one: each is told so.
        assert len(kinds.pop(row.strangers)) == 2
    assert {expected: len(answers) for expected, answers in kinds.items()} == dict.fromkeys(kinds, 1)


@pytest.mark.parametrize(("method", "rule"), ALIKE)
def test_where_nobody_is_asked_who_they_are_all_are_told_the_same(
    casts: tuple[Cast, Cast], method: str, rule: str
) -> None:
    cast = casts[0]
    answers = {told(cast.call(caller, method, rule, cast.target)) for caller in (*STRANGERS, *OTHERS, "owner")}
    assert len(answers) == 1


@pytest.mark.parametrize("rule", ["/stats", "/metrics"])
def test_without_an_operator_there_is_nothing_to_be_refused(tmp_path: Path, rule: str) -> None:
    with hosting(tmp_path / "chat.db") as opened:
        cast = Cast(opened)
        for caller in (*STRANGERS, *OTHERS, "owner"):
            assert outcome(cast.call(caller, "GET", rule, cast.target)) == NOT_FOUND
