"""No secret, and no word of the system prompt, is in anything that anybody is answered: every route, by everybody, in
every state that the chat can be in."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from asking import MODEL
from callers import NOWHERE, OTHERS, STRANGERS, Cast
from flask import Flask
from hosting import JSON, OPERATOR_TOKEN, SHOP, Echo, Site, bearer, close, listening, new_session, question
from identities import token
from model_server import ModelServer
from model_steps import DONE, delta, failure, finish, stream
from raw_http import Answer

from chatbubble import Chatbubble, identity_token
from chatbubble.choices import create_memory_log
from chatbubble.config import PREFIX, Settings
from chatbubble.errors import StoreUnavailable
from chatbubble.stores.sql import SqlStore
from chatbubble.views import ROUTES

PROMPT = "Canary-prompt: be a canary in a coal mine."
KEY = "canary-of-the-models-key-5d1f"
SECRET = "canary-of-the-identity-secret-93ab"  # noqa: S105 -- guards nothing
OTHER_KEY = "canary-of-another-identity-key-70c2"
REDIS_PASSWORD = "canary-of-redis-4e8d"  # noqa: S105 -- guards nothing
FOLDER = "canary-of-the-database"
CANARIES = [OPERATOR_TOKEN, PROMPT, KEY, SECRET, OTHER_KEY, REDIS_PASSWORD, FOLDER]


@pytest.fixture
def mine(tmp_path: Path, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site all of whose secrets are canaries, with a model's server that repeats what it was sent."""
    folder = tmp_path / FOLDER
    folder.mkdir()
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"next": {"alg": "HS256", "key": OTHER_KEY}}), "utf-8")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", model_server.base_url)
    settings = {
        "system_prompt": PROMPT, "operator_token": OPERATOR_TOKEN, "identity_secret": SECRET,
        "identity_keys": str(keys),
        "redis_url": f"redis://chat:{REDIS_PASSWORD}@127.0.0.1:1", "database_url": f"sqlite:///{folder}/chat.db",
        "provider": "openai", "model": MODEL, "allowed_origins": SHOP, "rate_limit": "off",
    }  # fmt: skip
    app = Flask("shop")
    app.config.update({PREFIX + name.upper(): value for name, value in settings.items()})
    # What is kept in this process's memory is told to nobody else: so the Redis is named, and not needed.
    Chatbubble(app, stream_log=create_memory_log(Settings()))
    model_server.script(MODEL, stream(delta("We are open."), finish(), DONE))
    with listening(app) as port:
        site = Site(app, port, Echo())
        yield site
        close(site.mounted)
        site.mounted.provider.close()  # type: ignore[attr-defined]


@cache
def traces(secret: str) -> list[bytes]:
    """How a secret may look in an answer."""
    raw = secret.encode()
    forms = [raw, json.dumps(secret).encode().strip(b'"'), quote(secret).encode(), raw.hex().encode()]
    # Base64 begins anew at every third byte.
    forms += [base64.b64encode(raw[start:])[:-4] for start in range(3)]
    return [*forms, hashlib.sha256(raw).hexdigest().encode()]


def assert_clean(answer: Answer) -> None:
    """There is no canary in it, wherever, and no cookie."""
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers).encode()
    for canary in CANARIES:
        for trace in traces(canary):
            assert trace not in head + b"\n" + answer.body, (canary, answer)
    assert answer.all("Set-Cookie") == []


def sweep(cast: Cast, *, callers: Iterable[str] = ("none", "other", "owner")) -> list[Answer]:
    """Every route, by each of them; all answers are clean."""
    calls = [(method, rule) for rule, views in ROUTES.items() for method in views if method != "DELETE"]
    answers = [cast.call(caller, *route, cast.target) for route in calls for caller in callers]
    for answer in answers:
        assert_clean(answer)
    return answers


def odd_calls(cast: Cast) -> list[Answer]:
    """Every route, as it should not be called, and addresses that are none."""
    site, header, answers = cast.site, bearer(cast.sessions["owner"]), []
    for rule in ROUTES:
        path = rule.replace("<stream_id>", cast.target.stream_id).replace("<path:name>", "x.js")
        odd = [("Origin", "https://evil.example")], [("Origin", SHOP)], [header], [("Authorization", "Basic eDp5")]
        answers += [
            site.call(method, path, headers) for method in ("OPTIONS", "PUT", "HEAD", "POST") for headers in odd
        ]
        for body in (b"", b"{", b"[]", b"x" * 20_000, question("short"), json.dumps({"token": token()}).encode()):
            answers.append(site.call("POST", path, [JSON, header], body))
    return answers + [
        site.call("GET", path, [header]) for path in ("", "/", "/nope", "/%00", "/chat/x/y", "/../config")
    ]


def test_a_canary_would_be_seen() -> None:
    for body in (PROMPT, json.dumps({"a": PROMPT}), base64.b64encode(b"xy" + PROMPT.encode()).decode(), quote(PROMPT)):
        with pytest.raises(AssertionError):
            assert_clean(Answer(200, (), body.encode()))
    with pytest.raises(AssertionError):
        assert_clean(Answer(200, (("x-key", KEY),), b""))


def test_every_secret_setting_is_a_canary(mine: Site) -> None:
    for name, value in mine.mounted.settings.shown().items():
        if value == "(set)":
            given = getattr(mine.mounted.settings, name.removeprefix(PREFIX).lower())
            assert any(canary in given for canary in CANARIES), name
    secrets = {PREFIX + item.name.upper() for item in fields(Settings) if item.metadata["secret"]}
    assert {name for name, value in mine.mounted.settings.shown().items() if value == "(set)"} == secrets


def test_all_is_clean_in_order(mine: Site, model_server: ModelServer) -> None:
    cast = Cast(mine)
    assert any(PROMPT in str(asked.body) for asked in model_server.requests)
    assert len(sweep(cast, callers=(*STRANGERS, *OTHERS, "owner"))) > 50
    for answer in odd_calls(cast):
        assert_clean(answer)
    signed = identity_token("customer-1", secret=SECRET, audience="chatbubble")
    session = mine.call("POST", "/identify", [JSON], json.dumps({"token": signed}).encode()).json()["sessionId"]
    assert_clean(mine.ask(session))
    assert_clean(mine.call("GET", "/conversation", [bearer(session)]))


def test_all_is_clean_where_the_models_server_repeats_what_it_was_sent(mine: Site, model_server: ModelServer) -> None:
    cast = Cast(mine)
    words = f"Incorrect API key provided: {KEY}. You sent: {PROMPT}"
    for steps in (
        failure(401, "invalid_api_key", words),
        failure(400, None, words),
        stream(b"data: %s\n\n" % words.encode()),
    ):
        model_server.forget()
        model_server.script(MODEL, steps)
        session = new_session()
        answer = mine.ask(session)
        assert b"event: error" in answer.body
        assert_clean(answer)
        assert_clean(mine.call("GET", "/conversation", [bearer(session)]))
    sweep(cast)


FAULTS: list[Callable[[], Exception]] = [
    lambda: StoreUnavailable(detail=" ".join(CANARIES)),
    lambda: RuntimeError(" ".join(CANARIES)),
]


@contextmanager
def failing(fault: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The store fails, and says all that it knows."""

    def fail(*_: Any, **__: Any) -> Any:
        raise fault()

    with monkeypatch.context() as patched:
        patched.setattr(SqlStore, "transact", fail)
        yield


@pytest.mark.parametrize("fault", FAULTS)
def test_all_is_clean_where_the_store_fails(
    mine: Site, fault: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = Cast(mine)
    with failing(fault, monkeypatch):
        assert cast.call("owner", "GET", "/conversation", cast.target).status >= 500
        sweep(cast)


def test_all_is_clean_as_the_server_stops(mine: Site) -> None:
    cast = Cast(mine)
    mine.mounted.workers.drain(0)
    assert cast.call("owner", "POST", "/chat", NOWHERE).json()["error"]["code"] == "SHUTTING_DOWN"
    sweep(cast)


def test_every_file_of_the_widget_is_clean(mine: Site, built: Path) -> None:
    names = [
        path.name for path in built.iterdir() if path.suffix not in (".br", ".gz") and path.name != "manifest.json"
    ]
    assert len(names) > 20
    for name in names:
        answer = mine.call("GET", f"/assets/{name}")
        assert answer.status == 200
        assert_clean(answer)
