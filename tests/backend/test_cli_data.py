"""The owner's commands for what is kept, alone and beside a server that runs on the same database."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from identities import SECRET, token
from scripted import Call
from serving import Serve, Served
from store_forms import answer, begin, question
from stream_client import Connection

from chatbubble import housekeeping
from chatbubble.cli import main
from chatbubble.errors import StoreUnavailable
from chatbubble.records import Answer, Turn
from chatbubble.stores.sql import SqlStore
from chatbubble.visitors import Visitors

ANNA, BERT = "anna-session-0123456789", "bert-session-0123456789"
Run = Callable[..., Result]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/chat.db"


@pytest.fixture
def run(url: str) -> Run:
    """Runs `chatbubble` on that database: `run("erase", "...")`."""

    def run(*arguments: str, **environ: str) -> Result:
        unset = {name: None for name in os.environ if name.startswith(("CHATBUBBLE_", "OPENAI_"))}
        chosen = {**unset, "CHATBUBBLE_DATABASE_URL": url, **environ}
        return CliRunner().invoke(main, list(arguments), env=chosen, prog_name="chatbubble")

    return run


@pytest.fixture
def talks(url: str) -> dict[str, str]:
    """Conversations of two visitors, said years apart; their ids as they are stored."""
    ids = {}
    for session, at in ((ANNA, 1_600_000_000_000), (BERT, 1_700_000_000_000)):
        ids[session] = visitor_id = Visitors().of_session(session)
        store = SqlStore(url, now_ms=lambda at=at: at)  # type: ignore[misc]
        store.open()
        turn = begin(store, question(f"{session[:4]} asks", visitor_id=visitor_id), f"s-{session[:4]}")
        store.finish_turn(turn, replace(answer("=2+3"), finished_at=at))
        store.close()
    return ids


def contents(done: Result) -> list[str]:
    """What was said in an export."""
    return [message["content"] for kept in json.loads(done.stdout) for message in kept["messages"]]


def test_an_export_holds_everybody_or_one_or_what_is_new(run: Run, talks: dict[str, str], tmp_path: Path) -> None:
    everything = run("export")
    assert (everything.exit_code, everything.stderr) == (0, "2 conversations\n")
    assert sorted(contents(everything)) == ["=2+3", "=2+3", "anna asks", "bert asks"]
    assert contents(run("export", "--visitor", talks[ANNA])) == ["anna asks", "=2+3"]
    assert contents(run("export", "--visitor", BERT)) == ["bert asks", "=2+3"]
    assert contents(run("export", "--since", "2023-11-14")) == ["bert asks", "=2+3"]
    assert contents(run("export", "--visitor", ANNA, "--since", "2023-11-14")) == []
    written = run("export", "--format", "csv", "--output", str(tmp_path / "all.csv"))
    assert written.stdout == ""
    rows = [*csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text("utf-8")))]
    assert [row["content"] for row in rows if row["author"] == "assistant"] == ["'=2+3", "'=2+3"]


@pytest.mark.parametrize("by", ["session id", "stored id"])
def test_erasing_one_leaves_the_others(run: Run, talks: dict[str, str], tmp_path: Path, by: str) -> None:
    done = run("erase", ANNA if by == "session id" else talks[ANNA])
    assert (done.exit_code, done.output) == (0, "erased, with 1 answer\n")
    assert contents(run("export")) == ["bert asks", "=2+3"]
    left = b"".join(path.read_bytes() for path in tmp_path.glob("chat.db*"))
    assert b"bert asks" in left
    assert b"anna asks" not in left
    assert talks[ANNA].encode() not in left
    again = run("erase", ANNA)
    assert (again.exit_code, again.output) == (1, "Error: nothing is kept of this visitor\n")


def test_a_person_is_found_by_the_name_that_the_site_has_for_them(serve: Serve, run: Run) -> None:
    served = serve(identity_secret=SECRET)
    identified = Connection(served.port).request("POST", "/api/ai/identify", body={"token": token()})
    visitor = served.visitor(identified.json()["sessionId"])
    served.provider.script("hi")
    visitor.ask("it is me").until_end()
    assert contents(run("export", "--person", "customer-1")) == ["it is me", "hi"]
    assert contents(run("export", "--person", "customer-1", "--issuer", "other")) == []
    assert run("erase", "--person", "customer-1").exit_code == 0
    assert visitor.conversation()["messages"] == []


def test_a_purge_by_hand_deletes_what_is_older(run: Run, talks: dict[str, str], url: str) -> None:
    store = SqlStore(url)
    store.open()
    begin(store, question("just now", visitor_id="new"), "s-new")
    store.close()
    days = (int(time.time()) - 1_650_000_000) // 86_400
    assert run("purge", CHATBUBBLE_KEEP_DAYS=str(days)).output == "deleted 1 conversation\n"
    assert sorted(contents(run("export"))) == ["=2+3", "bert asks", "just now"]
    assert run("purge", "--days", "1").output == "deleted 1 conversation\n"
    assert contents(run("export")) == ["just now"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["purge"], "CHATBUBBLE_KEEP_DAYS is 0: set it, or say --days"),
        (["erase"], "say which visitor: by an id or a session id, or with --person"),
        (["erase", ANNA, "--person", "x"], "say which visitor: by an id or a session id, or with --person"),
        (["erase", "short"], "sessionId should be 16 to 128 characters of A-Z, a-z, 0-9, _ and -."),
        (["export", "--visitor", "signed_" + "x" * 20], "CHATBUBBLE_IDENTITY_SECRET is not set any more"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(
    run: Run, talks: dict[str, str], arguments: list[str], line: str
) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.output) == (1, f"Error: {line}\n")


@pytest.mark.parametrize("command", [["export"], ["erase", ANNA], ["purge", "--days", "1"]])
def test_the_wrong_database_is_named(run: Run, tmp_path: Path, command: list[str]) -> None:
    done = run(*command, CHATBUBBLE_DATABASE_URL=f"sqlite:///{tmp_path}/other.db")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: CHATBUBBLE_DATABASE_URL cannot be used: it holds no conversations")


@pytest.fixture
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers look for what was erased every moment."""
    monkeypatch.setattr(housekeeping, "LOOK_EVERY_S", 0.05)


def test_servers_look_often_enough() -> None:
    assert housekeeping.LOOK_EVERY_S < 60 / 4


@pytest.mark.usefixtures("looking_often")
def test_erasing_beside_a_server_ends_what_runs_and_forgets_the_rest(serve: Serve, run: Run, tmp_path: Path) -> None:
    served = serve()
    visitor, stranger = served.visitor(), served.visitor()
    served.provider.script("a word of old")
    first = visitor.ask("what was asked")
    first.until_end()
    served.provider.script("hello")
    stranger.ask("somebody else").until_end()
    call: Call = served.provider.hold()
    running = visitor.ask("what is asked")
    running.until("connected")
    call.say("a word of now")
    running.until("token")
    assert run("erase", visitor.session).output == "erased, with 2 answers\n"
    last = running.until_end()[-1]
    assert (last.type, last.data["fullText"], last.data["finishReason"]) == ("done", "", "aborted")
    call.wait_until_ended()
    for reply in (first, running):
        assert visitor.resume(reply.seen[0].data["streamId"]).status == 404
    assert visitor.conversation()["messages"] == []
    assert [message["content"] for message in stranger.conversation()["messages"]] == ["somebody else", "hello"]
    assert no_word_in(tmp_path, b"what was asked", b"what is asked", b"a word of")


def no_word_in(folder: Path, *words: bytes) -> bool:
    """Whether no file of the database holds any of these, within a second: the server may be writing."""
    deadline = time.monotonic() + 1
    while True:
        left = b"".join(path.read_bytes() for path in folder.glob("chat.db*"))
        if not any(word in left for word in words) or time.monotonic() > deadline:
            return not any(word in left for word in words)
        time.sleep(0.01)


@pytest.mark.usefixtures("looking_often")
def test_an_answer_that_waits_to_be_saved_goes_with_its_visitor(
    serve: Serve, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatbubble.saving._FIRST_PAUSE_S", 3600)  # it would wait for ever
    served: Served = serve()

    def refuse(_turn: Turn, _answer: Answer) -> bool:
        raise StoreUnavailable(detail="away")

    monkeypatch.setattr(served.mounted.store, "finish_turn", refuse)
    visitor = served.visitor()
    served.provider.script("unsaved")
    reply = visitor.ask("waits")
    reply.until_end()
    served.await_stats(unsaved=1)
    assert run("erase", visitor.session).exit_code == 0
    served.await_stats(unsaved=0, savedLate=0, savedNever=0)
    assert visitor.resume(reply.seen[0].data["streamId"]).status == 404


def test_a_page_of_ones_own_forgets_an_answer_that_waits_too(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatbubble.saving._FIRST_PAUSE_S", 3600)
    served: Served = serve()
    monkeypatch.setattr(served.mounted.store, "finish_turn", lambda *_: (_ for _ in ()).throw(StoreUnavailable()))
    visitor = served.visitor()
    served.provider.script("unsaved")
    visitor.ask("waits").until_end()
    assert visitor.erase() == 204
    served.await_stats(unsaved=0)


def test_an_owner_reads_while_a_server_writes(serve: Serve, run: Run) -> None:
    served = serve()
    visitor = served.visitor()
    call: Call = served.provider.hold()
    reply = visitor.ask("and now?")
    reply.until("connected")
    assert contents(run("export")) == ["and now?"]
    call.finish("done")
    assert reply.until_end()[-1].type == "done"
    told: Any = json.loads(run("export", "--visitor", visitor.session).stdout)[0]["messages"][1]
    assert (told["content"], told["provider"]) == ("done", "scripted")
