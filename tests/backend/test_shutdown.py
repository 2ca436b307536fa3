"""The end of a process: asked to stop, it ends every answer properly; killed, it leaves nothing stuck."""

from __future__ import annotations

import signal
import time
from typing import Any

import gevent
import pytest
from process import ServerProcess, StartProcess
from serving import Served
from stream_client import Connection, Reply, Visitor, joined_text

from chatbubble.records import Question
from chatbubble.store import Admission

ENDLESS = "answer: 1000 tokens at 20 ms"


def ask(visitor: Visitor, question: str) -> tuple[Reply, str]:
    """Ask and read the first token; the stream's id."""
    reply = visitor.ask(question)
    stream_id: str = reply.next_event().data["streamId"]
    assert reply.next_event().type == "token"
    return reply, stream_id


def last_message(visitor: Visitor) -> dict[str, Any]:
    message: dict[str, Any] = visitor.conversation()["messages"][-1]
    return message


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_server_without_answers_stops_at_once(start_process: StartProcess, number: signal.Signals) -> None:
    server = start_process()
    listener = server.visitor().get("/stream")
    listener.next_event()
    began = time.monotonic()
    server.signal(number)
    assert listener.until_end() == []
    assert server.wait() == 0
    assert time.monotonic() - began < 3
    assert "Traceback" not in server.log


def test_a_server_that_was_started_in_the_background_outlives_its_terminal_and_stops_when_told(
    start_process: StartProcess,
) -> None:
    # As `nohup` has the one, and a shell the other; a child inherits both.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGINT)}
    try:
        server = start_process()
    finally:
        for number, action in before.items():
            signal.signal(number, action)
    server.signal(signal.SIGHUP)
    assert Connection(server.port).request("GET", "/api/ai/healthz").status == 200
    server.signal(signal.SIGINT)
    assert server.wait() == 0


def test_answers_that_end_in_time_are_whole_and_no_new_ones_begin(start_process: StartProcess) -> None:
    server = start_process(drain_s="10")
    visitor = server.visitor()
    kept_alive = Connection(server.port)
    assert kept_alive.request("GET", "/api/ai/healthz").json()["status"] == "ok"
    reply, stream_id = ask(visitor, "answer: 20 tokens at 40 ms")
    second = visitor.resume(stream_id)
    server.signal(signal.SIGTERM)
    await_drain(server)
    body = {"message": "hello", "sessionId": server.visitor().session}
    for connection in (kept_alive, Connection(server.port)):
        refused = connection.request("POST", "/api/ai/chat", body=body)
        assert (refused.status, refused.json()["error"]["code"]) == (503, "SHUTTING_DOWN")
        assert int(refused.headers["retry-after"]) > 0
    for reader in (reply, second):
        done = reader.until_end()[-1]
        assert (done.type, done.data["finishReason"]) == ("done", "stop")
        assert joined_text(reader.seen) == done.data["fullText"] == "".join(f"word{n} " for n in range(1, 21))
    assert server.wait() == 0
    assert "Traceback" not in server.log


def await_drain(server: ServerProcess) -> None:
    """Until the server says that it is stopping; it still takes new connections then."""
    deadline = time.monotonic() + 5
    while (health := Connection(server.port).request("GET", "/api/ai/healthz")).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert (health.status, health.json()["parts"]["server"]) == (503, "draining")


def test_a_reader_that_is_cut_while_the_server_stops_resumes(start_process: StartProcess) -> None:
    server = start_process(drain_s="10")
    visitor = server.visitor()
    reply, stream_id = ask(visitor, "answer: 20 tokens at 40 ms")
    server.signal(signal.SIGTERM)
    await_drain(server)
    reply.close()
    assert visitor.conversation()["activeStream"]["streamId"] == stream_id
    resumed = visitor.resume(stream_id, reply.last_event_id)
    done = resumed.until_end()[-1]
    assert joined_text([*reply.seen, *resumed.seen]) == done.data["fullText"]
    assert server.wait() == 0


def test_an_answer_can_be_stopped_while_the_server_stops(start_process: StartProcess) -> None:
    server = start_process(drain_s="60")
    visitor = server.visitor()
    reply, stream_id = ask(visitor, ENDLESS)
    server.signal(signal.SIGTERM)
    await_drain(server)
    assert visitor.abort(stream_id).json()["state"] == "aborted"
    assert reply.until_end()[-1].data["finishReason"] == "aborted"
    # The last answer is over, and so is the wait.
    assert server.wait(5) == 0
    with pytest.raises(ConnectionRefusedError):
        Connection(server.port)


def test_answers_that_do_not_end_in_time_are_interrupted_and_kept(start_process: StartProcess) -> None:
    server = start_process(drain_s="0.5")
    visitor, other = server.visitor(), server.visitor()
    reply, stream_id = ask(visitor, ENDLESS)
    silent = other.ask("stall")
    silent.next_event()
    readers = [reply, visitor.resume(stream_id), visitor.resume(stream_id)]
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    for reader in (*readers, silent):
        last = reader.until_end()[-1]
        assert (last.type, last.data["code"], last.data["retryable"]) == ("error", "INTERRUPTED", True)
    assert server.wait() == 0
    assert 0.5 < time.monotonic() - began < 3
    texts = {joined_text(reader.seen) for reader in readers}
    assert len(texts) == 1
    server = start_process()
    message = last_message(server.visitor(visitor.session))
    assert message["content"] in texts
    assert (message["finishReason"], message["errorCode"]) == ("interrupted", "INTERRUPTED")
    assert last_message(server.visitor(other.session))["content"] == ""
    assert ask(server.visitor(visitor.session), "say: again")[0].until_end()[-1].type == "done"


def test_a_second_signal_ends_at_once(start_process: StartProcess) -> None:
    server = start_process(drain_s="60")
    ask(server.visitor(), ENDLESS)
    server.signal(signal.SIGINT)
    await_drain(server)
    server.signal(signal.SIGINT)
    # The same Ctrl-C may arrive twice, so a second one counts after two seconds only.
    time.sleep(2.1)
    assert server.process.poll() is None
    server.signal(signal.SIGINT)
    assert server.wait(5) == 1


def test_after_a_sudden_death_no_conversation_is_stuck(start_process: StartProcess) -> None:
    server = start_process()
    visitors = [server.visitor() for _ in range(3)]
    asked = [ask(visitor, ENDLESS) for visitor in visitors]
    finished = server.visitor()
    finished.ask("say: whole").until_end()
    server.kill()
    for reply, _ in asked:
        with pytest.raises(ConnectionError):
            reply.until_end()
    server = start_process()
    assert "3 answers were cut" in server.log
    for visitor, (reply, stream_id) in zip(visitors, asked, strict=True):
        visitor = server.visitor(visitor.session)
        conversation = visitor.conversation()
        assert conversation["activeStream"] is None
        assert conversation["messages"][-1]["errorCode"] == "INTERRUPTED"
        told = visitor.resume(stream_id, reply.last_event_id).until_end()
        assert [event.type for event in told] == ["reset", "connected", "error"]
        assert told[-1].data["code"] == "INTERRUPTED"
        assert visitor.abort(stream_id).json()["state"] == "interrupted"
        assert ask(visitor, "say: again")[0].until_end()[-1].type == "done"
    assert last_message(server.visitor(finished.session))["content"] == "whole"


def test_a_question_that_slips_in_as_the_server_stops_is_ended_too(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = served.mounted.store.begin_turn
    draining: list[gevent.Greenlet[[float], None]] = []

    def begin_turn(question: Question, stream_id: str) -> Admission:
        admission = begin(question, stream_id)
        draining.append(gevent.spawn(served.mounted.workers.drain, 0))
        gevent.sleep(0.01)
        return admission

    monkeypatch.setattr(served.mounted.store, "begin_turn", begin_turn)
    visitor = served.visitor()
    events = visitor.ask().until_end()
    assert (events[-1].type, events[-1].data["code"]) == ("error", "INTERRUPTED")
    assert last_message(visitor)["finishReason"] == "interrupted"
    draining[0].get(timeout=5)


def test_health_says_that_the_server_is_stopping(served: Served) -> None:
    served.mounted.drain()
    reply = served.get("/api/ai/healthz")
    assert (reply.status, reply.json()["parts"]["server"]) == (503, "draining")


def test_what_was_answered_can_still_be_read_while_the_server_stops(served: Served) -> None:
    served.provider.script("a")
    visitor = served.visitor()
    stream_id = visitor.ask().until_end()[0].data["streamId"]
    served.mounted.workers.drain(0)
    assert visitor.resume(stream_id).until_end()[-1].data["fullText"] == "a"
    assert last_message(visitor)["content"] == "a"
