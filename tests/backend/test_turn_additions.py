"""Sources and suggestions of an answer: told before its end, stored with it, told again."""

from __future__ import annotations

from typing import Any

import pytest
from serving import Serve, Served
from stream_client import Received
from turning import Turns, check

from chatbubble.errors import UpstreamBusy
from chatbubble.events import Sources, Suggestions
from chatbubble.records import Source, TurnState

RETURNS = Source("Returns", "https://shop.example/returns", "60 days.")
REPAIRS = Source("Repairs", "https://shop.example/repairs")
WRITTEN = [
    {"title": "Returns", "url": "https://shop.example/returns", "snippet": "60 days.", "n": 1},
    {"title": "Repairs", "url": "https://shop.example/repairs", "snippet": "", "n": 2},
]
ASKED_NEXT = ["What does it cost?", "How long does it take?"]
BOTH = (Sources([RETURNS, REPAIRS]), Suggestions(ASKED_NEXT))


def added(events: list[Received]) -> list[tuple[str, Any]]:
    """The data of these two kinds of events, in order."""
    return [(event.type, event.data[event.type]) for event in events if event.type in ("sources", "suggestions")]


def test_what_is_added_comes_where_it_is_yielded_and_is_stored(turns: Turns) -> None:
    told = check(turns.run("Within ", BOTH[0], "60 days [1].", BOTH[1]))
    assert [event.type for event in told.events] == ["token", "sources", "token", "suggestions", "done"]
    assert added(told.events) == [("sources", WRITTEN), ("suggestions", ASKED_NEXT)]
    assert all(event.data["timestamp"] > 1_600_000_000_000 for event in told.events)
    assert told.stored is not None
    assert [source.n for source in told.stored.sources] == [1, 2]
    assert told.stored.suggestions == tuple(ASKED_NEXT)


def test_the_newest_counts_and_the_same_again_is_not_told(turns: Turns) -> None:
    told = check(turns.run("a", Sources([REPAIRS]), BOTH[0], BOTH[0], Suggestions(["Why?"]), BOTH[1], BOTH[1]))
    assert [kind for kind, _ in added(told.events)] == ["sources"] * 2 + ["suggestions"] * 2
    assert told.stored is not None
    assert [source.title for source in told.stored.sources] == ["Returns", "Repairs"]
    assert told.stored.suggestions == tuple(ASKED_NEXT)


def test_what_does_not_fit_never_breaks_an_answer(turns: Turns) -> None:
    odd: Any = ["no source", None, Source("Runs", "javascript:alert(1)")]
    told = check(turns.run("a", Sources(odd), Suggestions(["x" * 5000, ""]), Sources([RETURNS] * 500), "b"))
    assert told.state is TurnState.DONE
    assert [len(items) for _, items in added(told.events)] == [20]


@pytest.mark.parametrize("end", ["stopped", "failed"])
def test_an_answer_that_is_cut_keeps_what_was_told(turns: Turns, end: str) -> None:
    told = check(turns.stop_after("a", *BOTH) if end == "stopped" else turns.run("a", *BOTH, UpstreamBusy()))
    assert told.state is (TurnState.ABORTED if end == "stopped" else TurnState.FAILED)
    assert added(told.events) == [("sources", WRITTEN), ("suggestions", ASKED_NEXT)]
    assert told.stored is not None
    assert (len(told.stored.sources), told.stored.suggestions) == (2, tuple(ASKED_NEXT))


def test_sources_alone_are_no_answer(turns: Turns) -> None:
    assert check(turns.run(*BOTH)).last.data["code"] == "EMPTY_ANSWER"


def test_the_conversation_has_them(served: Served) -> None:
    visitor = served.visitor()
    served.provider.script("a", *BOTH)
    served.provider.script("b")
    for number in range(2):
        visitor.ask(f"question {number}").until_end()
    messages = visitor.conversation()["messages"]
    assert [message["sources"] for message in messages] == [None, WRITTEN, None, None]
    assert [message["suggestions"] for message in messages] == [None, ASKED_NEXT, None, None]


def test_the_model_is_not_told_of_them(served: Served) -> None:
    visitor = served.visitor()
    served.provider.script("a", *BOTH)
    served.provider.script("b")
    for _ in range(2):
        visitor.ask().until_end()
    assert [message.content for message in served.provider.calls[1].prompt.messages][1:] == ["hello", "a", "hello"]


def test_who_resumes_gets_what_they_have_not_read(served: Served) -> None:
    visitor = served.visitor()
    served.provider.script("a", BOTH[0], "b", BOTH[1])
    events = visitor.ask().until_end()
    stream_id = events[0].data["streamId"]
    for place, event in enumerate(events[:-1]):
        assert visitor.resume(stream_id, event.id).until_end() == events[place + 1 :]
    # `reset` forgets them, and they come again with the text.
    reset, *again = visitor.resume(stream_id, "foreign.7").until_end()
    assert reset.type == "reset"
    assert again == events


@pytest.mark.parametrize("moment", ["expired", "restarted"])
def test_an_answer_that_is_told_again_has_them_before_its_end(serve: Serve, moment: str) -> None:
    served = serve(stream_ttl_s=0.1 if moment == "expired" else 600)
    visitor = served.visitor()
    served.provider.script("a", *BOTH)
    stream_id = visitor.ask().until_end()[0].data["streamId"]
    if moment == "expired":
        served.await_stats(logStreams=0)
    else:
        served.stop()
        visitor = serve().visitor(visitor.session)
    events = visitor.resume(stream_id).until_end()
    assert [event.type for event in events] == ["connected", "token", "sources", "suggestions", "done"]
    assert added(events) == [("sources", WRITTEN), ("suggestions", ASKED_NEXT)]
