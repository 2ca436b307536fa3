"""What becomes of answers while their SQLite file cannot be written: a full disk, a file that may only be read."""

from __future__ import annotations

from contextlib import closing

import pytest
from serving import Served

from chatbubble.stores.sql import SqlStore

TEXT = "word " * 40_000
# How the connection is made to fail as the disk would have it, and to work again.
FAULTS = {
    "disk full": ("max_page_count = 1", "max_page_count = 1000000"),  # no more pages than there are already
    "only to be read": ("query_only = ON", "query_only = OFF"),
}


def set_pragma(served: Served, pragma: str) -> None:
    store = served.mounted.store
    assert isinstance(store, SqlStore)

    engine = store._database.engine

    def execute() -> None:
        # Not in a transaction, which would begin with the lock to write.
        with closing(engine.raw_connection()) as pooled:
            pooled.cursor().execute(f"PRAGMA {pragma}")

    store._database.run(execute)


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_outlives_a_file_that_cannot_be_written(
    served: Served, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken, mended = FAULTS[fault]
    call, visitor = served.provider.hold(), served.visitor()
    reply = visitor.ask("first")
    call.say("one ")
    set_pragma(served, broken)
    call.finish(TEXT)
    done = reply.until_end()[-1]
    assert (done.type, done.data["fullText"]) == ("done", f"one {TEXT}")
    served.await_stats(unsaved=1, savedLate=0)
    assert "is not saved yet: OperationalError" in caplog.text
    set_pragma(served, mended)
    served.await_stats(unsaved=0, savedLate=1, savedNever=0)
    served.provider.script("fine")
    assert visitor.ask("second").until_end()[-1].type == "done"
    texts = [message["content"] for message in visitor.conversation()["messages"]]
    assert texts == ["first", f"one {TEXT}", "second", "fine"]
