"""Every earlier database is brought up to date, on both servers, and nothing in it is lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import gevent
import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from earlier_schemas import STEPS, make_earlier
from postgres_server import PostgresServer
from sqlalchemy import MetaData, create_engine, inspect, select
from sqlalchemy.pool import NullPool
from store_forms import STORES, answer, begin, question, said

from chatbubble.cli import main
from chatbubble.errors import StoreUnavailable
from chatbubble.records import Author
from chatbubble.stores import upgrade
from chatbubble.stores.schema import REVISION, metadata
from chatbubble.stores.sql import SqlStore

OPEN = """
from gevent import monkey
monkey.patch_all()
import sys
from chatbubble.stores.sql import SqlStore
store = SqlStore(sys.argv[1], is_shared=True)
store.upgrade()
print(store.revision())
"""


class Tried:
    """One database, looked at from outside."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.kind = url.partition(":")[0]
        self.engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)

    def run(self, statements: str) -> None:
        """Run many statements."""
        if self.kind == "sqlite":
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection:
                connection.executescript(statements)
        else:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(statements.encode())

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything in the tables, but for the revision."""
        found = MetaData()
        found.reflect(self.engine)
        with self.engine.connect() as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(select(table))))
                for table in found.sorted_tables
                if table.name != upgrade.VERSION_TABLE
            }

    def shape(self) -> dict[str, Any]:
        """Columns, keys and indexes of every table."""
        look = inspect(self.engine)
        return {
            name: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(name)],
                look.get_pk_constraint(name)["constrained_columns"],
                sorted((k["constrained_columns"], k["options"]) for k in look.get_foreign_keys(name)),
                sorted(str(constraint["column_names"]) for constraint in look.get_unique_constraints(name)),
                sorted((str(i["name"]), i["column_names"], bool(i["unique"])) for i in look.get_indexes(name)),
            )
            for name in metadata.tables
        }

    def open(self) -> SqlStore:
        """A store on it, opened."""
        store = SqlStore(self.url)
        store.open()
        return store


@pytest.fixture(params=STORES)
def tried(request: pytest.FixtureRequest, tmp_path: Path) -> Tried:
    """An empty database of each kind."""
    is_file = request.param == "sqlite"
    return Tried(f"sqlite:///{tmp_path}/chat.db" if is_file else request.getfixturevalue("postgres").create_schema())


@pytest.fixture
def opened(tried: Tried) -> Iterator[Callable[[], SqlStore]]:
    """Opens stores on it, and closes them in the end."""
    stores: list[SqlStore] = []

    def start() -> SqlStore:
        stores.append(tried.open())
        return stores[-1]

    yield start
    for store in stores:
        store.close()


@pytest.mark.parametrize("last", STEPS)
def test_nothing_of_an_earlier_database_is_lost(tried: Tried, opened: Callable[[], SqlStore], last: str) -> None:
    make_earlier(tried.run, tried.kind, last)
    before = tried.rows()
    store = opened()
    after = tried.rows()
    assert {name: after[name] for name in before} == before
    assert not any(after[name] for name in after.keys() - before.keys())
    assert store.revision() == REVISION
    assert store.interrupt_running() == 2
    assert said(store, "bert") == [(Author.VISITOR, "bert asks"), (Author.ASSISTANT, "")]
    texts = [text for _, text in said(store)]
    kept = [*STEPS][: [*STEPS].index(last) + 1]
    cut = "half an answer" if "answer_parts" in kept else ""
    assert texts == [*([] if "replaced_messages" in kept else ["hello", "hi"]), "and then?", cut]
    store.finish_turn(begin(store, question("again", "r3"), "s4"), answer())
    assert said(store)[-2:] == [(Author.VISITOR, "again"), (Author.ASSISTANT, "hi")]


def test_an_upgraded_database_is_like_a_new_one(tried: Tried, opened: Callable[[], SqlStore]) -> None:
    opened().close()
    new = tried.shape()
    tables = [upgrade.VERSION_TABLE, *(table.name for table in reversed(metadata.sorted_tables))]
    tried.run("".join(f"DROP TABLE {name};" for name in tables))
    make_earlier(tried.run, tried.kind, "conversations")
    opened()
    assert tried.shape() == new


def test_a_new_database_has_todays_revision_and_opening_it_again_changes_nothing(
    tried: Tried, opened: Callable[[], SqlStore]
) -> None:
    store = SqlStore(tried.url)
    assert store.revision() is None
    store.close()
    store = opened()
    assert store.revision() == REVISION
    begin(store)
    store.close()
    before = tried.rows()
    assert opened().revision() == REVISION
    assert tried.rows() == before


def test_the_newest_revision_is_the_one_that_the_tables_are_described_as() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_what_a_newer_version_has_made_is_left_alone(tried: Tried, opened: Callable[[], SqlStore]) -> None:
    store = opened()
    begin(store)
    store.close()
    tried.run(f"CREATE TABLE later (id INTEGER); UPDATE {upgrade.VERSION_TABLE} SET version_num = '9999'")  # noqa: S608
    store = opened()
    assert store.revision() == "9999"
    assert said(store) == [(Author.VISITOR, "hello")]


def test_somebody_elses_table_is_named(tried: Tried, opened: Callable[[], SqlStore]) -> None:
    tried.run("CREATE TABLE messages (subject TEXT); INSERT INTO messages VALUES ('theirs')")
    with pytest.raises(StoreUnavailable, match="has a table messages that is not Chatbubble's"):
        opened()
    assert tried.rows() == {"messages": [("theirs",)]}


def test_revisions_of_somebody_else_are_not_ours(tried: Tried, opened: Callable[[], SqlStore]) -> None:
    tried.run(
        "CREATE TABLE alembic_version (version_num VARCHAR(32)); INSERT INTO alembic_version VALUES ('their-head')"
    )
    opened()
    assert tried.rows()["alembic_version"] == [("their-head",)]


def test_processes_that_start_at_once_upgrade_once(tried: Tried) -> None:
    make_earlier(tried.run, tried.kind, "conversations")
    starting = [
        subprocess.Popen([sys.executable, "-c", OPEN, tried.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=30) for process in starting]
    assert told == [(f"{REVISION}\n".encode(), b"")] * 2


@pytest.mark.parametrize("last", [None, "conversations"], ids=["new", "earlier"])
def test_stores_of_one_process_may_start_at_once(postgres: PostgresServer, last: str | None) -> None:
    url = postgres.create_schema()
    if last:
        make_earlier(Tried(url).run, "postgresql", last)
    stores = [SqlStore(url, is_shared=True) for _ in range(5)]
    gevent.joinall([gevent.spawn(store.open) for store in stores], raise_error=True)
    for store in stores:
        assert store.revision() == REVISION
        store.close()


def test_the_command_upgrades_and_tells(tried: Tried, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBUBBLE_DATABASE_URL", tried.url)

    def told(*words: str) -> str:
        done = CliRunner().invoke(main, ["db", *words])
        assert done.exit_code == 0, done.output
        return done.output.strip()

    assert told("current") == f"revision none, needed: {REVISION}"
    assert told("upgrade") == f"revision {REVISION}, before: none"
    assert told("upgrade") == f"revision {REVISION}, as before"
    assert told("current") == f"revision {REVISION}, needed: {REVISION}"


def test_the_command_says_in_one_line_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBUBBLE_DATABASE_URL", "postgresql://127.0.0.1:1/chat")
    done = CliRunner().invoke(main, ["db", "upgrade"])
    assert done.exit_code == 1
    assert done.output.startswith("Error: CHATBUBBLE_DATABASE_URL cannot be used: OperationalError")
    assert len(done.output.splitlines()) == 1
