"""One running turn per conversation, one turn per request."""

from __future__ import annotations

import gevent
import pytest
from serving import Serve, Served
from stream_client import Received, Visitor, joined_text

from chatbubble.records import Question


def test_a_second_question_has_to_wait(served: Served) -> None:
    visitor = served.visitor()
    call = served.provider.hold()
    first = visitor.ask()
    stream_id = first.next_event().data["streamId"]
    second = visitor.ask("and another thing")
    error = second.json()["error"]
    assert (second.status, error["code"], error["retryable"]) == (409, "TURN_RUNNING", True)
    assert error["streamId"] == stream_id
    call.finish("a")
    assert visitor.resume(error["streamId"]).until_end()[-1].data["fullText"] == "a"
    served.provider.script("b")
    assert visitor.ask("and another thing").until_end()[-1].data["fullText"] == "b"
    assert [message["content"] for message in visitor.conversation()["messages"]] == [
        "hello", "a", "and another thing", "b",
    ]  # fmt: skip
    first.close()


def test_a_refused_question_leaves_nothing_behind(served: Served) -> None:
    visitor = served.visitor()
    served.provider.hold()
    first = visitor.ask()
    first.next_event()
    for _ in range(10):
        visitor.ask("again").read()
    assert len(visitor.conversation()["messages"]) == 1
    served.await_stats(logStreams=1, logReaders=1, activeTurns=1, activeConnections=1)


def test_two_questions_at_the_same_moment_are_one_answer_and_one_refusal(served: Served) -> None:
    visitor = served.visitor()
    served.provider.script("a")
    asking = [gevent.spawn(visitor.ask, f"question {number}") for number in range(10)]
    replies = [greenlet.get(timeout=5) for greenlet in asking]
    assert sorted(reply.status for reply in replies) == [200] + [409] * 9
    assert len(served.provider.calls) <= 1


@pytest.mark.parametrize("moment", ["running", "ended", "expired", "restarted"])
def test_the_same_request_attaches_to_the_same_answer(serve: Serve, moment: str) -> None:
    served = serve(stream_ttl_s=0.1 if moment == "expired" else 600)
    visitor = served.visitor()
    call = served.provider.hold()
    first = visitor.ask(request_id="r1")
    stream_id = first.next_event().data["streamId"]
    call.say("a")
    if moment != "running":
        call.finish("b")
        first.until_end()
    if moment == "expired":
        served.await_stats(logStreams=0)
    if moment == "restarted":
        served.stop()
        visitor = serve().visitor(visitor.session)
    again = visitor.ask(request_id="r1")
    assert again.next_event().data["streamId"] == stream_id
    if moment == "running":
        call.finish("b")
    events = again.until_end()
    assert joined_text(events) == events[-1].data["fullText"] == "ab"
    assert len(served.provider.calls) == 1
    assert len(visitor.conversation()["messages"]) == 2


def answer_of(visitor: Visitor, request_id: str) -> list[Received]:
    return visitor.ask(request_id=request_id).until_end()


def test_the_same_request_from_many_connections_at_once_is_one_call(served: Served) -> None:
    for attempt in range(10):
        visitor = served.visitor()
        served.provider.script("a", "b", "c")
        asking = [gevent.spawn(answer_of, visitor, "r1") for _ in range(20)]
        answers = [greenlet.get(timeout=10) for greenlet in asking]
        assert len({events[0].data["streamId"] for events in answers}) == 1
        assert all(joined_text(events) == events[-1].data["fullText"] == "abc" for events in answers)
        assert len(served.provider.calls) == attempt + 1
        assert len(visitor.conversation()["messages"]) == 2
    served.await_stats(activeTurns=0, activeConnections=0, logReaders=0, logStreams=10)


@pytest.mark.parametrize("is_running", [True, False])
def test_a_request_id_is_for_one_question(served: Served, is_running: bool) -> None:
    visitor = served.visitor()
    call = served.provider.hold()
    first = visitor.ask(request_id="r1")
    first.next_event()
    if not is_running:
        call.finish("a")
        first.until_end()
    other = visitor.ask("something else", request_id="r1")
    error = other.json()["error"]
    assert (other.status, error["code"], error["retryable"]) == (409, "REQUEST_MISMATCH", False)


def test_a_request_id_is_the_visitors_own(served: Served) -> None:
    served.provider.script("for anna")
    served.provider.script("for bert")
    assert served.visitor().ask(request_id="r1").until_end()[-1].data["fullText"] == "for anna"
    assert served.visitor().ask("other", request_id="r1").until_end()[-1].data["fullText"] == "for bert"


def test_without_a_request_id_the_same_words_are_another_question(served: Served) -> None:
    visitor = served.visitor()
    for answer in ("a", "b"):
        served.provider.script(answer)
        assert visitor.ask().until_end()[-1].data["fullText"] == answer


def test_asking_the_same_again_costs_nothing(serve: Serve) -> None:
    served = serve(rate_limit="1/hour")
    visitor = served.visitor()
    served.provider.script("a")
    visitor.ask(request_id="r1").until_end()
    assert visitor.ask(request_id="r1").until_end()[-1].data["fullText"] == "a"
    assert visitor.ask(request_id="r2").status == 429


def test_a_turn_that_cannot_begin_does_not_block_its_conversation(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = served.visitor()
    log = served.mounted.log
    append = log.append
    monkeypatch.setattr(log, "append", lambda *_: log.reader("no such stream"))
    assert visitor.ask(request_id="r1").status == 404
    monkeypatch.setattr(log, "append", append)
    served.provider.script("a")
    assert visitor.ask("again").until_end()[-1].data["fullText"] == "a"
    served.await_stats(activeTurns=0, activeConnections=0, logReaders=0, logStreams=1)


def test_a_question_that_is_erased_as_it_is_saved_is_not_answered(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = served.visitor()
    begin = served.mounted.store.begin_turn

    def begin_turn(question: Question, stream_id: str) -> object:
        admission = begin(question, stream_id)
        served.mounted.chat.erase(question.visitor_id)
        return admission

    monkeypatch.setattr(served.mounted.store, "begin_turn", begin_turn)
    assert visitor.ask().status == 404
    assert visitor.conversation()["conversationId"] is None
    assert served.provider.calls == []
    served.await_stats(activeTurns=0, activeConnections=0, logReaders=0, logStreams=0)
