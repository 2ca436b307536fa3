"""Conversations over HTTP: they outlive the server, and are gone at once when they are erased."""

from __future__ import annotations

import hashlib
from pathlib import Path

import gevent
import pytest
from scripted import Call
from serving import Serve, Served
from stream_client import Reply, Visitor
from werkzeug.test import TestResponse

from chatbubble.records import Question
from chatbubble.store import StoredTurn

EMPTY: dict[str, object] = {"conversationId": None, "messages": [], "activeStream": None}
PRIVATE = "the visitor's shoe size is 47"


def ask_and_hold(served: Served, visitor: Visitor, *pieces: str) -> tuple[Call, Reply, str]:
    call = served.provider.hold()
    reply = visitor.ask(PRIVATE)
    stream_id: str = reply.next_event().data["streamId"]
    assert call.began.wait(5)
    call.say(*pieces)
    for _ in pieces:
        reply.next_event()
    return call, reply, stream_id


def bytes_on_disk(folder: Path) -> bytes:
    """Every byte of the database, its write-ahead log included."""
    return b"".join(path.read_bytes() for path in folder.glob("chat.db*"))


def test_a_conversation_is_there_after_a_restart(serve: Serve) -> None:
    first = serve()
    visitor = first.visitor()
    for number in range(3):
        first.provider.script(f"answer {number}")
        visitor.ask(f"question {number}", request_id=f"r{number}").until_end()
    before = visitor.conversation()
    first.stop()
    assert serve().visitor(visitor.session).conversation() == before
    assert [(message["author"], message["content"], message["requestId"]) for message in before["messages"]] == [
        pair
        for number in range(3)
        for pair in (("visitor", f"question {number}", f"r{number}"), ("assistant", f"answer {number}", f"r{number}"))
    ]


def test_the_model_is_told_what_was_said_before_the_restart(serve: Serve) -> None:
    first = serve()
    visitor = first.visitor()
    first.provider.script("I am called Chatbubble.")
    visitor.ask("Who are you?").until_end()
    first.stop()
    second = serve()
    second.provider.script("I just told you.")
    second.visitor(visitor.session).ask("Sorry?").until_end()
    prompt = second.provider.calls[0].prompt
    assert [(message.role, message.content) for message in prompt.messages][1:] == [
        ("user", "Who are you?"), ("assistant", "I am called Chatbubble."), ("user", "Sorry?"),
    ]  # fmt: skip


def test_a_question_in_the_place_of_another(served: Served) -> None:
    visitor = served.visitor()
    for number in range(2):
        served.provider.script(f"answer {number}")
        visitor.ask(f"question {number}", request_id=f"r{number}").until_end()
    call = served.provider.hold()
    reply = visitor.ask("better", request_id="r2", replaces="r1")
    reply.next_event()
    assert call.began.wait(5)
    # Who has lost the connection asks the very same again, and the one that runs is not replaced.
    assert visitor.ask("better", request_id="r2", replaces="r1").next_event() == reply.seen[0]
    assert visitor.ask("best", request_id="r3", replaces="r2").status == 409
    call.finish("answer")
    reply.until_end()
    assert [message.content for message in call.prompt.messages][1:] == ["question 0", "answer 0", "better"]
    assert [message["content"] for message in visitor.conversation()["messages"]] == [
        "question 0", "answer 0", "better", "answer",
    ]  # fmt: skip
    assert len(served.provider.calls) == 3


def test_a_running_answer_is_not_among_the_messages(served: Served) -> None:
    visitor = served.visitor()
    call, reply, stream_id = ask_and_hold(served, visitor, "part")
    conversation = visitor.conversation()
    assert [message["content"] for message in conversation["messages"]] == [PRIVATE]
    assert conversation["activeStream"]["streamId"] == stream_id
    call.finish()
    reply.until_end()
    conversation = visitor.conversation()
    assert [message["content"] for message in conversation["messages"]] == [PRIVATE, "part"]
    assert conversation["activeStream"] is None


def test_who_has_read_the_end_finds_the_answer_stored(served: Served) -> None:
    for _ in range(50):
        visitor = served.visitor()
        served.provider.script("a")
        visitor.ask().until_end()
        conversation = visitor.conversation()
        assert conversation["activeStream"] is None
        assert [message["content"] for message in conversation["messages"]] == ["hello", "a"]


def test_erasing_forgets_everything_at_once(served: Served, tmp_path: Path) -> None:
    visitor = served.visitor()
    served.provider.script(PRIVATE)
    stream_id = visitor.ask(PRIVATE, request_id="r1").until_end()[0].data["streamId"]
    assert PRIVATE.encode() in bytes_on_disk(tmp_path)
    assert visitor.erase() == 204
    assert visitor.conversation() == EMPTY
    assert visitor.resume(stream_id).status == 404
    assert visitor.abort(stream_id).status == 404
    assert PRIVATE.encode() not in bytes_on_disk(tmp_path)
    served.await_stats(logStreams=0, logBytes=0)
    # The request id is free again: nothing is known of it.
    served.provider.script("something new")
    assert visitor.ask("another", request_id="r1").until_end()[-1].data["fullText"] == "something new"


def assert_told_of_the_erasure(reply: Reply) -> None:
    """The reader forgets what it has and gets one last event, without a word of the answer."""
    last = reply.until_end()
    assert [event.type for event in last] == ["reset", "done"]
    assert reply.is_at_end
    done = last[-1].data
    assert (done["finishReason"], done["fullText"], done["tokens"]) == ("aborted", "", 0)
    assert done["messageId"] == reply.seen[0].data["messageId"]


def test_erasing_stops_a_running_answer_and_tells_each_reader_once(served: Served, tmp_path: Path) -> None:
    visitor = served.visitor()
    call, reply, stream_id = ask_and_hold(served, visitor, "part")
    second = visitor.resume(stream_id)
    second.until("token")
    assert visitor.erase() == 204
    assert call.ended.is_set()
    assert visitor.conversation() == EMPTY
    for reader in (reply, second):
        assert_told_of_the_erasure(reader)
    assert visitor.resume(stream_id).status == 404
    assert visitor.abort(stream_id).status == 404
    served.await_stats(activeTurns=0, activeConnections=0, logStreams=0, logReaders=0, logBytes=0)
    assert PRIVATE.encode() not in bytes_on_disk(tmp_path)


def test_a_reader_that_lags_behind_an_erasure_gets_its_end_and_not_the_text(served: Served) -> None:
    visitor = served.visitor()
    served.provider.script(*["word " * 1000] * 200)
    slow = visitor.ask(PRIVATE, receive_buffer=4096)
    served.await_stats(turnsDone=1)
    assert visitor.erase() == 204
    events = slow.until_end()
    assert [event.type for event in events if event.type in ("done", "error")] == ["done"]
    assert (events[-1].type, events[-1].data["fullText"]) == ("done", "")
    served.await_stats(activeConnections=0, logReaders=0)


def test_after_erasing_a_new_conversation_begins_at_once(served: Served) -> None:
    visitor = served.visitor()
    ask_and_hold(served, visitor, "part")
    visitor.erase()
    served.provider.script("new")
    assert visitor.ask("hello again").until_end()[-1].data["fullText"] == "new"
    assert [message["content"] for message in visitor.conversation()["messages"]] == ["hello again", "new"]


def test_erasing_is_harmless_when_repeated_and_touches_nobody_else(served: Served) -> None:
    anna, bert = served.visitor(), served.visitor()
    call, reply, _ = ask_and_hold(served, bert, "for bert")
    assert [anna.erase(), anna.erase()] == [204, 204]
    call.finish()
    assert reply.until_end()[-1].data["fullText"] == "for bert"


def test_an_answer_that_ends_as_it_is_erased_leaves_nothing(served: Served) -> None:
    for attempt in range(60):
        visitor = served.visitor()
        call, reply, stream_id = ask_and_hold(served, visitor, "part")
        erasing = gevent.spawn(visitor.erase)
        gevent.sleep(attempt % 20 * 0.0002)
        call.finish("end")
        assert erasing.get(timeout=5) == 204
        assert [event.type for event in reply.until_end() if event.type in ("done", "error")] == ["done"]
        assert visitor.conversation() == EMPTY
        assert visitor.resume(stream_id).status == 404
    served.await_stats(activeTurns=0, logStreams=0, activeConnections=0)


def test_what_is_erased_as_it_is_told_again_is_not_told(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    first = serve()
    visitor = first.visitor()
    first.provider.script(PRIVATE)
    stream_id = visitor.ask().until_end()[0].data["streamId"]
    first.stop()
    served = serve()
    visitor = served.visitor(visitor.session)
    assert visitor.conversation()["messages"]
    find = served.mounted.store.find_turn

    def find_turn(wanted: str, visitor_id: str | None = None) -> StoredTurn | None:
        found = find(wanted, visitor_id)
        monkeypatch.setattr(served.mounted.store, "find_turn", find)
        visitor.erase()
        return found

    monkeypatch.setattr(served.mounted.store, "find_turn", find_turn)
    assert visitor.resume(stream_id).status == 404
    served.await_stats(logStreams=0)


def test_many_who_come_back_at_once_are_told_one_story(serve: Serve) -> None:
    first = serve()
    visitor = first.visitor()
    first.provider.script("a", "b")
    stream_id = visitor.ask().until_end()[0].data["streamId"]
    first.stop()
    visitor = serve().visitor(visitor.session)
    replies = [gevent.spawn(visitor.resume, stream_id) for _ in range(20)]
    told = [reply.get(timeout=5).until_end() for reply in replies]
    assert all(events == told[0] for events in told)


def test_a_turn_that_nobody_works_on_is_told_as_interrupted(served: Served) -> None:
    visitor = served.visitor()
    visitor.conversation()
    visitor_id = hashlib.sha256(visitor.session.encode()).hexdigest()
    served.mounted.store.begin_turn(Question("hello", visitor_id, "r1"), "stream_of_another_process")
    told = visitor.resume("stream_of_another_process").until_end()
    assert [event.type for event in told] == ["connected", "error"]
    assert told[-1].data["code"] == "INTERRUPTED"


def test_the_question_and_all_before_it_come_from_one_transaction(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(type(served.mounted.store), "history")
    visitor = served.visitor()
    for number in range(2):
        served.provider.script(f"a{number}")
        assert visitor.ask(f"q{number}").until_end()[-1].type == "done"
    assert [said.content for said in served.provider.calls[-1].prompt.messages][-3:] == ["q0", "a0", "q1"]


def test_long_conversations_are_sent_to_an_address_a_few_at_a_time(serve: Serve) -> None:
    served = serve(rate_limit="100/minute", address_streams=2)
    visitor, page = served.visitor(), served.app.test_client()
    headers = {"Authorization": f"Bearer {visitor.session}"}

    def read() -> TestResponse:
        """The beginning of the answer, which nobody closes."""
        return page.get("/api/ai/conversation", headers=headers)

    served.provider.script("short")
    visitor.ask().until_end()
    assert [read().status_code for _ in range(3)] == [200] * 3
    served.provider.script("long " * 20_000)
    visitor.ask().until_end()
    held = [read() for _ in range(3)]
    assert [answer.status_code for answer in held] == [200, 200, 429]
    held[0].close()
    assert read().status_code == 200


def test_session_ids_are_kept_only_as_a_hash(served: Served, tmp_path: Path) -> None:
    visitor = served.visitor()
    served.provider.script("a")
    visitor.ask(request_id="r1").until_end()
    visitor.conversation()
    visitor.get("/stream").next_event()
    on_disk = bytes_on_disk(tmp_path)
    assert visitor.session.encode() not in on_disk
    assert hashlib.sha256(visitor.session.encode()).hexdigest().encode() in on_disk
