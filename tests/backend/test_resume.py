"""Reading on: from every cursor, at any time, the same answer arrives whole and once."""

from __future__ import annotations

import gevent
import pytest
from scripted import Call, Said, ScriptedProvider
from serving import Serve, Served
from stream_client import Received, Reply, Visitor, joined_text

from chatbubble.records import Finish, FinishReason

WORDS = [
    "Hello ",
    "\U0001f44b\U0001f3fd",
    " ",
    "\u4f60\u597d",
    "\n\n",
    "a",
    "b",
    "c",
    " e\u0301",
    "\u2028",
    '"',
    " end.",
]


def ask(served: Served, visitor: Visitor, *pieces: str) -> tuple[Call, Reply, str]:
    """Ask, and have the provider say these pieces and then hold; the reply has them all read."""
    call = served.provider.hold()
    reply = visitor.ask()
    connected = reply.next_event()
    call.say(*pieces)
    read = 0
    while read < len("".join(pieces)):
        read += len(reply.next_event().data["text"])
    return call, reply, connected.data["streamId"]


def record(served: Served, visitor: Visitor, *pieces: str) -> tuple[str, list[Received]]:
    """A whole answer: its stream and its events."""
    served.provider.script(*pieces)
    events = visitor.ask().until_end()
    return events[0].data["streamId"], events


def start_of(events: list[Received]) -> str:
    """The cursor before the first event."""
    return events[0].id.partition(".")[0] + ".0"


def test_after_the_end_every_cursor_gives_exactly_the_rest(served: Served) -> None:
    visitor = served.visitor()
    stream_id, events = record(served, visitor, *WORDS)
    assert joined_text(events) == events[-1].data["fullText"] == "".join(WORDS)
    for position, cursor in enumerate([start_of(events), *(event.id for event in events[:-1])]):
        assert visitor.resume(stream_id, cursor).until_end() == events[position:]


def test_during_the_answer_every_cursor_gives_exactly_the_rest(served: Served) -> None:
    visitor = served.visitor()
    call = served.provider.hold()
    reply = visitor.ask()
    seen = [reply.next_event()]
    stream_id = seen[0].data["streamId"]
    readers: list[tuple[int, Reply]] = []
    for word in WORDS:
        call.say(word)
        seen.append(reply.next_event())
        readers += [(place, visitor.resume(stream_id, seen[place - 1].id)) for place in range(1, len(seen) + 1)]
        readers.append((0, visitor.resume(stream_id, start_of(seen))))
    call.finish()
    events = seen + reply.until_end()
    for place, reader in readers:
        assert reader.until_end() == events[place:]


def test_without_a_cursor_the_whole_stream_is_told(served: Served) -> None:
    visitor = served.visitor()
    stream_id, events = record(served, visitor, *WORDS)
    assert visitor.resume(stream_id).until_end() == events


def test_the_cursor_may_stand_in_the_address(served: Served) -> None:
    visitor = served.visitor()
    stream_id, events = record(served, visitor, "a", "b")
    assert visitor.get(f"/chat/{stream_id}?lastEventId={events[1].id}").until_end() == events[2:]


MISFITS = {
    "unknown epoch": "abcdef0123.1",
    "unknown start": "abcdef0123.0",
    "future": "{epoch}.99",
    "far future": "{epoch}.999999999999999",
    "too many digits": "{epoch}.9999999999999999",
    "no number": "{epoch}.",
    "negative": "{epoch}.-1",
    "words": "the last one",
    "not ascii": "\xff\xfe.1",
    "leading zero": "{epoch}.01",
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_a_cursor_that_does_not_fit_gives_reset_and_the_whole_answer(served: Served, misfit: str) -> None:
    visitor = served.visitor()
    stream_id, events = record(served, visitor, *WORDS)
    told = visitor.resume(stream_id, MISFITS[misfit].format(epoch=events[0].id.split(".")[0])).until_end()
    assert told[0].type == "reset"
    assert told[1:] == events
    assert visitor.resume(stream_id, told[0].id).until_end() == events


def test_a_cursor_that_does_not_fit_a_running_answer_gives_reset_too(served: Served) -> None:
    visitor = served.visitor()
    call, first, stream_id = ask(served, visitor, "Hello ")
    second = visitor.resume(stream_id, "abcdef0123.1")
    assert [second.next_event().type for _ in range(3)] == ["reset", "connected", "token"]
    call.finish("world")
    assert second.until_end() == first.until_end()


@pytest.mark.parametrize("outcome", ["done", "error"])
def test_what_is_finished_and_read_has_no_content(served: Served, outcome: str) -> None:
    visitor = served.visitor()
    served.provider.script(*(["a"] if outcome == "done" else [RuntimeError("no")]))
    events = visitor.ask().until_end()
    assert events[-1].type == outcome
    reply = visitor.resume(events[0].data["streamId"], events[-1].id)
    assert (reply.status, reply.read()) == (204, b"")


def test_the_last_event_read_but_not_the_end_is_not_finished(served: Served) -> None:
    visitor = served.visitor()
    call, _, stream_id = ask(served, visitor, "a")
    last = visitor.conversation()["activeStream"]["lastEventId"].replace(".0", ".2")
    reply = visitor.resume(stream_id, last)
    assert reply.status == 200
    call.finish()
    assert [event.type for event in reply.until_end()] == ["done"]


def test_the_conversation_tells_where_the_running_answer_begins(served: Served) -> None:
    visitor = served.visitor()
    call, reply, stream_id = ask(served, visitor, "Hello ")
    conversation = visitor.conversation()
    active = conversation["activeStream"]
    assert active["streamId"] == stream_id
    assert [message["author"] for message in conversation["messages"]] == ["visitor"]
    second = visitor.resume(stream_id, active["lastEventId"])
    call.finish("world")
    events = second.until_end()
    assert [event.type for event in events] == ["connected", "token", "token", "done"]
    assert events[0].data["messageId"] == active["messageId"]
    assert joined_text(events) == "Hello world"
    reply.close()


def test_many_readers_read_one_answer(served: Served) -> None:
    visitor = served.visitor()
    call, reply, stream_id = ask(served, visitor, "a")
    readers = [reply, *(visitor.resume(stream_id) for _ in range(100))]
    reading = [gevent.spawn(reader.until_end) for reader in readers]
    for word in WORDS:
        call.say(word)
        gevent.sleep(0.001)
    call.finish()
    told = [greenlet.get(timeout=10) for greenlet in reading]
    assert all(joined_text(events) == "a" + "".join(WORDS) for events in told[1:])
    assert all(events == told[1] for events in told[2:])


def test_another_visitors_stream_is_as_unknown_as_any(served: Served) -> None:
    anna, bert = served.visitor(), served.visitor()
    call, reply, running = ask(served, anna, "private")
    ended, _ = record(served, bert, "private")
    unknown = "stream_" + "0" * 32
    answers = [
        (found.status, {**found.headers, "date": "", "x-request-id": ""}, found.read())
        for visitor, stream_id in ((bert, running), (bert, unknown), (anna, ended), (anna, unknown))
        for found in (visitor.resume(stream_id), visitor.resume(stream_id, "a.1"), visitor.abort(stream_id))
    ]
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)
    call.finish()
    assert reply.until_end()[-1].data["fullText"] == "private"


def test_a_stream_past_its_time_is_told_again_from_the_store(serve: Serve) -> None:
    served = serve(stream_ttl_s=0.1)
    visitor = served.visitor()
    stream_id, events = record(served, visitor, *WORDS)
    served.await_stats(logStreams=0)
    told = visitor.resume(stream_id, events[2].id).until_end()
    assert [event.type for event in told] == ["reset", "connected", "token", "done"]
    assert joined_text(told) == told[-1].data["fullText"] == "".join(WORDS)
    assert told[-1].data["messageId"] == events[-1].data["messageId"]
    assert told[0].id.split(".")[0] != events[0].id.split(".")[0]


def test_a_stream_at_the_edge_of_its_time_is_never_lost(serve: Serve) -> None:
    served = serve(stream_ttl_s=0.1)
    visitor = served.visitor()
    stream_id, _ = record(served, visitor, *WORDS)
    for _ in range(150):
        assert visitor.resume(stream_id).until_end()[-1].data["fullText"] == "".join(WORDS)
        gevent.sleep(0.001)


def test_a_stream_from_before_a_restart_is_told_again(serve: Serve) -> None:
    first = serve()
    visitor = first.visitor()
    stream_id, events = record(first, visitor, *WORDS)
    first.stop()
    visitor = serve().visitor(visitor.session)
    # Read to its end, a cursor of an earlier telling does not fit either.
    for cursor in (events[3].id, events[-1].id, ""):
        told = visitor.resume(stream_id, cursor).until_end()
        assert [event.type for event in told] == [*(["reset"] if cursor else []), "connected", "token", "done"]
        assert joined_text(told) == "".join(WORDS)


def test_another_visitors_stored_stream_is_as_unknown_as_any(serve: Serve) -> None:
    first = serve()
    stream_id, _ = record(first, first.visitor(), "private")
    first.stop()
    stranger = serve().visitor()
    assert stranger.resume(stream_id).read() == stranger.resume("stream_" + "0" * 32).read()
    assert stranger.abort(stream_id).read() == stranger.abort("stream_" + "0" * 32).read()


ENDINGS: dict[str, tuple[list[Said], str, str]] = {
    "stopped by the model": ([Finish(FinishReason.STOP)], "done", "stop"),
    "too long": ([Finish(FinishReason.LENGTH)], "done", "length"),
    "filtered": ([Finish(FinishReason.CONTENT_FILTER)], "done", "content_filter"),
    "failed": ([RuntimeError("no")], "error", "STREAM_ERROR"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_told_again_ends_as_it_ended(serve: Serve, ending: str) -> None:
    pieces, kind, word = ENDINGS[ending]
    first = serve()
    visitor = first.visitor()
    first.provider.script("part", *pieces)
    events = visitor.ask().until_end()
    first.stop()
    told = serve().visitor(visitor.session).resume(events[0].data["streamId"]).until_end()
    assert joined_text(told) == "part"
    for last in (events[-1], told[-1]):
        assert last.type == kind
        assert last.data["finishReason" if kind == "done" else "code"] == word
    assert told[-1].data["message"] == events[-1].data["message"]


def test_a_long_answer_told_again_comes_in_pieces_that_fit(serve: Serve) -> None:
    first = serve()
    visitor = first.visitor()
    text = "\u4e2d\U0001f600" * 60_000
    stream_id, _ = record(first, visitor, text)
    first.stop()
    told = serve().visitor(visitor.session).resume(stream_id).until_end()
    assert joined_text(told) == text
    assert max(len(event.data["text"]) for event in told if event.type == "token") <= 16_384


def test_what_finds_no_room_to_be_told_again_can_be_asked_for_later(serve: Serve) -> None:
    first = serve()
    visitor = first.visitor()
    stream_id, _ = record(first, visitor, "x" * 800_000)
    first.stop()
    served = serve(log_bytes=1_048_576, provider=ScriptedProvider())
    call, reply, _ = ask(served, served.visitor(), "y" * 700_000)
    visitor = served.visitor(visitor.session)
    refused = visitor.resume(stream_id)
    assert (refused.status, refused.json()["error"]["code"]) == (503, "OVERLOADED")
    assert int(refused.headers["retry-after"]) > 0
    assert served.mounted.log.owner(stream_id) is None
    call.finish()
    reply.until_end()
    assert joined_text(visitor.resume(stream_id).until_end()) == "x" * 800_000
