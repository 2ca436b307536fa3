"""What becomes of an answer when the disk of its database is full: a real one, filled to the last byte."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from postgres_server import PostgresServer
from serving import Serve
from store_forms import STORES
from tiny_disk import DiskMissing, TinyDisk

# A database packs what repeats itself; this does not.
TEXT = secrets.token_hex(100_000)


@pytest.fixture
def disk() -> Iterator[TinyDisk]:
    try:
        disk = TinyDisk()
    except DiskMissing as missing:
        pytest.skip(f"{missing}: run the tests as root to fill one")
    yield disk
    disk.remove()


@pytest.fixture(params=STORES)
def url_on_disk(request: pytest.FixtureRequest, disk: TinyDisk) -> Iterator[str]:
    """A new database of each kind on that disk."""
    if request.param == "sqlite":
        yield f"sqlite:///{disk.path}/chat.db"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url = postgres.create_database_in(disk.path)
    yield url
    postgres.drop_database_of(url)


def test_an_answer_outlives_a_full_disk(
    serve: Serve, url_on_disk: str, disk: TinyDisk, caplog: pytest.LogCaptureFixture
) -> None:
    served = serve(database_url=url_on_disk)
    call, visitor = served.provider.hold(), served.visitor()
    reply = visitor.ask("first")
    call.say("one ")
    reply.next_event()
    assert reply.next_event().data["text"] == "one "
    disk.fill()
    call.finish(TEXT)
    done = reply.until_end()[-1]
    assert (done.type, done.data["fullText"]) == ("done", f"one {TEXT}")
    served.await_stats(unsaved=1, savedLate=0)
    assert "is not saved yet: OperationalError" in caplog.text
    disk.free()
    served.await_stats(unsaved=0, savedLate=1, savedNever=0)
    served.provider.script("fine")
    assert visitor.ask("second").until_end()[-1].type == "done"
    texts = [message["content"] for message in visitor.conversation()["messages"]]
    assert texts == ["first", f"one {TEXT}", "second", "fine"]
    served.stop()
