"""Two server processes on one PostgreSQL and one Redis: whatever one of them runs, the other one can do."""

from __future__ import annotations

import statistics
import time
from typing import Any

import gevent
import pytest
from adopting import adopt, session_of
from deployment import Deployment, same_visitor
from process import ServerProcess
from stream_client import Visitor, joined_text

WORDS = 60


@pytest.fixture
def first(deployment: Deployment) -> ServerProcess:
    return deployment.processes[0]


@pytest.fixture
def second(deployment: Deployment) -> ServerProcess:
    return deployment.processes[1]


def answer(words: int, pause_ms: int = 20) -> str:
    """What to ask for an answer of so many words."""
    return f"answer: {words} tokens at {pause_ms} ms"


def stream_id_of(reply: Any) -> str:
    """The stream that a reply's first event names."""
    return str(reply.until("connected")[-1].data["streamId"])


def test_an_answer_is_read_on_at_the_other_process(first: ServerProcess, second: ServerProcess) -> None:
    visitor = first.visitor()
    reply = visitor.ask(answer(WORDS))
    stream_id = stream_id_of(reply)
    events = [*reply.seen, *reply.until("token"), *reply.until("token")]
    reply.close()
    resumed = same_visitor(visitor, second).resume(stream_id, reply.last_event_id)
    events += resumed.until_end()
    assert "reset" not in [event.type for event in events]
    assert joined_text(events) == events[-1].data["fullText"]
    assert [message["content"] for message in visitor.conversation()["messages"]][-1] == events[-1].data["fullText"]


def test_all_readers_get_the_same_text(first: ServerProcess, second: ServerProcess) -> None:
    visitor = first.visitor()
    replies = [visitor.ask(answer(WORDS))]
    stream_id = stream_id_of(replies[0])
    for process in (first, second) * 4:
        replies.append(same_visitor(visitor, process).resume(stream_id))
        gevent.sleep(0.01)
    read = [gevent.spawn(reply.until_end) for reply in replies]
    gevent.joinall(read, timeout=15, raise_error=True)
    assert {joined_text(reply.seen) for reply in replies} == {replies[0].seen[-1].data["fullText"]}


def test_a_reload_at_the_other_process_finds_the_running_answer(first: ServerProcess, second: ServerProcess) -> None:
    visitor = first.visitor()
    stream_id = stream_id_of(visitor.ask(answer(WORDS)))
    there = same_visitor(visitor, second)
    active = there.conversation()["activeStream"]
    assert active["streamId"] == stream_id
    events = there.resume(stream_id, active["lastEventId"]).until_end()
    assert joined_text(events) == events[-1].data["fullText"]


def test_stop_reaches_the_provider_through_the_other_process(
    first: ServerProcess,
    second: ServerProcess,
    deployment: Deployment,
) -> None:
    took_ms = []
    for _ in range(40):
        visitor = first.visitor()
        reply = visitor.ask(answer(1000))
        stream_id = stream_id_of(reply)
        reply.until("token")
        asked = deployment.model.requests[-1]
        began = time.monotonic()
        stopped = same_visitor(visitor, second).abort(stream_id).json()
        took_ms.append((asked.wait_closed() - began) * 1000)
        assert stopped == {"streamId": stream_id, "state": "aborted"}
        assert reply.until_end()[-1].data["finishReason"] == "aborted"
    worst = statistics.quantiles(took_ms, n=100, method="inclusive")[98]
    print(f"Stop across processes: p50 {statistics.median(took_ms):.0f} ms, p99 {worst:.0f} ms")  # noqa: T201
    assert worst < 500


def test_the_same_request_at_the_other_process_asks_the_model_once(
    first: ServerProcess,
    second: ServerProcess,
    deployment: Deployment,
) -> None:
    asked = len(deployment.model.requests)
    visitor = first.visitor()
    replies = [same_visitor(visitor, process).ask(answer(WORDS, 5), "request-1") for process in (first, second, second)]
    events = [reply.until_end() for reply in replies]
    assert len({joined_text(told) for told in events}) == 1
    assert len({told[0].data["streamId"] for told in events}) == 1
    assert len(deployment.model.requests) - asked == 1


def test_requests_that_race_at_both_processes_ask_the_model_once(
    first: ServerProcess,
    second: ServerProcess,
    deployment: Deployment,
) -> None:
    asked = len(deployment.model.requests)
    visitor = first.visitor()

    def ask(process: ServerProcess) -> str:
        return joined_text(same_visitor(visitor, process).ask(answer(5, 5), "request-1").until_end())

    asking = [gevent.spawn(ask, process) for process in (first, second) * 4]
    assert len({greenlet.get(timeout=15) for greenlet in asking}) == 1
    assert len(deployment.model.requests) - asked == 1


def test_a_second_question_is_refused_at_the_other_process(first: ServerProcess, second: ServerProcess) -> None:
    visitor = first.visitor()
    stream_id = stream_id_of(visitor.ask(answer(1000)))
    refused = same_visitor(visitor, second).ask("another one")
    assert refused.status == 409
    error = refused.json()["error"]
    assert (error["code"], error["streamId"]) == ("TURN_RUNNING", stream_id)
    visitor.abort(stream_id)


def test_erasing_at_the_other_process_ends_the_answer(
    first: ServerProcess,
    second: ServerProcess,
    deployment: Deployment,
) -> None:
    visitor = first.visitor()
    reply = visitor.ask(answer(1000))
    stream_id = stream_id_of(reply)
    reply.until("token")
    there = same_visitor(visitor, second)
    assert there.erase() == 204
    last = reply.until_end()[-1]
    assert (last.type, last.data["fullText"]) == ("done", "")
    deployment.model.requests[-1].wait_closed()
    assert [same_visitor(visitor, process).resume(stream_id).status for process in (first, second)] == [404, 404]


def test_a_finished_answer_that_is_erased_elsewhere_is_told_nowhere(
    first: ServerProcess, second: ServerProcess
) -> None:
    visitor = first.visitor()
    reply = visitor.ask("say at 1 ms: a secret")
    stream_id = stream_id_of(reply)
    reply.until_end()
    there = same_visitor(visitor, second)
    assert there.resume(stream_id).status == 200
    assert there.erase() == 204
    deadline = time.monotonic() + 2
    while {same_visitor(visitor, process).resume(stream_id).status for process in (first, second)} != {404}:
        assert time.monotonic() < deadline, "an erased answer is still told"
        gevent.sleep(0.01)


def test_what_a_person_takes_over_is_told_to_them_alone_at_every_process(
    first: ServerProcess, second: ServerProcess
) -> None:
    nameless, nell = first.visitor(), Visitor(second.port, session_of("nell"))
    stream_id = stream_id_of(nameless.ask("say at 1 ms: It ships."))
    for process in (first, second):
        assert same_visitor(nameless, process).resume(stream_id).until_end()[-1].data["fullText"] == "It ships."
    assert adopt(nell, nameless.session).status == 204
    deadline = time.monotonic() + 2
    while {same_visitor(nameless, process).resume(stream_id).status for process in (first, second)} != {404}:
        assert time.monotonic() < deadline, "it is still told to whom it does not belong any more"
        gevent.sleep(0.01)
    for process in (first, second):
        there = same_visitor(nell, process)
        assert there.resume(stream_id).until_end()[-1].data["fullText"] == "It ships."
        assert there.conversation()["messages"][-1]["content"] == "It ships."


def test_a_strangers_stream_is_not_found_at_the_other_process(first: ServerProcess, second: ServerProcess) -> None:
    visitor = first.visitor()
    stream_id = stream_id_of(visitor.ask(answer(1000)))
    stranger = second.visitor()
    assert (stranger.resume(stream_id).status, stranger.abort(stream_id).status) == (404, 404)
    visitor.abort(stream_id)


def test_the_numbers_are_those_of_all_and_of_each(
    first: ServerProcess,
    second: ServerProcess,
    deployment: Deployment,
) -> None:
    visitors = [Visitor(process.port) for process in (first, first, second)]
    streams = [stream_id_of(visitor.ask(answer(1000))) for visitor in visitors]
    deadline = time.monotonic() + 5
    while (stats := deployment.await_processes(second, 2))["activeTurns"] != 3:
        assert time.monotonic() < deadline, stats
        gevent.sleep(0.05)
    assert sorted(each["activeTurns"] for each in stats["processes"]) == [1, 2]
    assert {each["pid"] for each in stats["processes"]} == {first.process.pid, second.process.pid}
    for visitor, stream_id in zip(visitors, streams, strict=True):
        visitor.abort(stream_id)
