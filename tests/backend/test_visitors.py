"""Session ids and operator tokens: their shape, their hash, their headers."""

from __future__ import annotations

import hashlib

import pytest

from chatbubble.errors import BadRequest, NotFound, OperatorRequired, SessionMissing
from chatbubble.visitors import Visitors, check_operator, new_id

SESSION = "3f1c-session_ID-0123456789"
VISITORS = Visitors()


def test_a_visitor_is_the_hash_of_the_session_id() -> None:
    assert VISITORS.of_session(SESSION) == hashlib.sha256(SESSION.encode()).hexdigest()
    assert SESSION not in VISITORS.of_session(SESSION)


@pytest.mark.parametrize("session", ["x" * 16, "x" * 128, "AZaz09_-" * 2, "7b1f1b62-0c1e-4d5a-9a75-9b6d6b1d9f3e"])
def test_a_session_id_of_the_right_shape_is_taken(session: str) -> None:
    assert len(VISITORS.of_session(session)) == 64
    assert VISITORS.of_authorization(f"Bearer {session}") == VISITORS.of_session(session)


@pytest.mark.parametrize(
    "session", ["", "x" * 15, "x" * 129, "x" * 20 + "\n", "x" * 20 + " ", "x" * 20 + "é", "x" * 20 + "."]
)
def test_a_session_id_of_another_shape_is_refused(session: str) -> None:
    with pytest.raises(BadRequest, match="16 to 128 characters") as refusal:
        VISITORS.of_session(session)
    assert refusal.value.extra == {"field": "sessionId"}


@pytest.mark.parametrize(
    "header", [f"Bearer {SESSION}", f"bearer {SESSION}", f"BEARER   {SESSION}", f"  Bearer {SESSION}  "]
)
def test_the_header_may_be_spelt_as_http_allows(header: str) -> None:
    assert VISITORS.of_authorization(header) == VISITORS.of_session(SESSION)


NO_SESSION = [
    None, "", "Bearer", "Bearer ", SESSION, f"Basic {SESSION}", f"Bearer\n{SESSION}", f"Bearer {SESSION} x",
    "Bearer short", f"Bearer {SESSION},", f"Bearer {'x' * 129}", f"Bearer {SESSION}\u00e9", f"Bearer\u00a0{SESSION}",
    f"Bearer: {SESSION}",
]  # fmt: skip


@pytest.mark.parametrize("header", NO_SESSION)
def test_any_other_header_is_no_session(header: str | None) -> None:
    with pytest.raises(SessionMissing):
        VISITORS.of_authorization(header)


def test_an_operator_bears_exactly_the_token() -> None:
    token = "0123456789abcdef"  # noqa: S105 -- guards nothing
    for header in (f"Bearer {token}", f"bearer  {token} "):
        check_operator(header, token)
    for other in (None, "", "Bearer", "Bearer x", f"Bearer {token[:-1]}", f"Bearer {token}0", token, "Bearer \xe9\xe9"):
        with pytest.raises(OperatorRequired):
            check_operator(other, token)


def test_without_a_token_there_are_no_operators() -> None:
    for header in (None, "Bearer ", "Bearer x"):
        with pytest.raises(NotFound):
            check_operator(header, "")


def test_new_ids_name_their_kind_and_never_repeat() -> None:
    ids = {new_id("stream") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(name.startswith("stream_") and len(name) == 39 for name in ids)
