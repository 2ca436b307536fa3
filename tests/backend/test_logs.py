"""What is logged: every line of a turn carries its request and stream, and none the words of the conversation."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from typing import Any

import pytest
from model_server import ModelServer
from model_steps import Step, delta, failure, frame, stream
from process import ServerProcess, StartProcess
from stream_client import Connection, Visitor
from turning import Turns, provider_of

from chatbubble.errors import UpstreamRefused
from chatbubble.logs import begin_request
from chatbubble.records import Prompt, TurnState

MARKED = "MARKED-4111-2222 is my card"
SESSION = "session-of-the-test-5f0b8a91"
REQUEST = "4bf92f3577b34da6a3ce929d0e0e4736"
MODEL = "gpt-4o-mini"


def lines_of(server: ServerProcess) -> list[dict[str, Any]]:
    """Everything that it has logged; fails where a line is no JSON object."""
    return [json.loads(line) for line in server.log.splitlines()]


def ask(visitor: Visitor, message: str, request_id: str = "") -> tuple[str, str]:
    """Ask, and read to the end; the request's id, which came back as a header, and the stream's."""
    body = {"message": message, "sessionId": visitor.session}
    headers = {"X-Request-ID": request_id} if request_id else {}
    reply = Connection(visitor.port).request("POST", "/api/ai/chat", body=body, headers=headers)
    stream_id: str = reply.next_event().data["streamId"]
    reply.until_end()
    return reply.headers["x-request-id"], stream_id


FAULTS: list[list[Step]] = [
    failure(400, "bad_prompt", f"cannot answer {MARKED}"),
    failure(503, None, f"too busy for {MARKED}"),
    stream(delta("So far "), frame({"error": {"code": "odd", "message": f"lost at {MARKED}"}})),
    stream(delta(f"You said {MARKED}"), b"data: {broken\n\n"),
]


def test_a_turn_can_be_followed_and_nobody_reads_along(start_process: StartProcess, model_server: ModelServer) -> None:
    server = start_process(log_format="json")
    visitor = server.visitor(SESSION)
    turns = [ask(visitor, f"say: {MARKED}", REQUEST)]
    for steps in FAULTS:
        model_server.forget()
        model_server.script(MODEL, steps)
        turns.append(ask(visitor, f"{MARKED}, says {steps[0]}"[:200]))
    model_server.forget()
    reply = visitor.ask("stall")
    visitor.abort(reply.next_event().data["streamId"])
    reply.until_end()
    assert visitor.ask(MARKED, "r" * 200).status == 400
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    lines = lines_of(server)
    assert "MARKED" not in server.log
    assert SESSION not in server.log
    assert turns[0][0] == REQUEST
    for request_id, stream_id in turns:
        told = [line for line in lines if line.get("stream_id") == stream_id]
        assert {line["request_id"] for line in told} == {request_id}
        assert [line["outcome"] for line in told if "outcome" in line] in (["done"], ["failed"])
        assert [line["message"] for line in told if line["logger"] == "chatbubble.views"] == ["POST /chat: 200"]
        assert not [line for line in lines if stream_id in line["message"] and line not in told]
    assert [line["level"] for line in lines if "cannot answer ..." in line["message"]] == ["warning"]
    assert {"time", "level", "logger", "message"} <= lines[0].keys()


def test_a_resume_carries_the_stream_under_a_request_of_its_own(start_process: StartProcess) -> None:
    server = start_process(log_format="json")
    visitor = server.visitor()
    first, stream_id = ask(visitor, "hello")
    again = visitor.resume(stream_id)
    second = again.headers["x-request-id"]
    again.until_end()
    told = [line for line in lines_of(server) if line.get("request_id") == second]
    assert first != second
    assert [(line["message"], line["stream_id"]) for line in told] == [("GET /chat/<stream_id>: 200", stream_id)]


@pytest.mark.parametrize("name", [REQUEST, "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "01J0XK.a_b-c"])
def test_a_request_keeps_the_id_that_it_came_with(name: str) -> None:
    assert begin_request(name) == name


@pytest.mark.parametrize(
    "name", [None, "", "short", "x" * 65, "a b c d e", "x\ny" * 4, "\u00e9" * 9, '"quoted"', "<b>bold</b>"]
)
def test_what_is_no_safe_id_is_replaced(name: str | None) -> None:
    made = begin_request(name)
    assert made != name
    assert len(made) == 32
    assert begin_request(name) != made


def test_a_provider_that_quotes_the_question_in_its_fault_is_not_quoted(
    turns: Turns, caplog: pytest.LogCaptureFixture
) -> None:
    quoting = [ValueError("hello, you"), UpstreamRefused(detail="not: hello"), RuntimeError("You said hello twice")]
    caplog.set_level(logging.INFO)
    for fault in quoting:
        assert turns.run("hello was said. ", fault).state is TurnState.FAILED
    told = "\n".join(caplog.messages)
    assert "hello" not in told
    assert "in _ask_provider" in told
    assert "ValueError: ... (withheld" in told
    assert "RuntimeError: You said ... (withheld" in told


def test_whoever_debugs_reads_all(turns: Turns, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "chatbubble.turn")
    turns.run(ValueError("hello, you"))
    assert "ValueError: hello, you" in caplog.text


def test_faults_keep_their_traceback(make_turns: Any, caplog: pytest.LogCaptureFixture) -> None:
    def stream_nothing(_prompt: Prompt) -> None:
        raise KeyError("price")

    make_turns(provider_of(stream_nothing)).run()
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


CRASH = """
from gevent import monkey; monkey.patch_all()
import gevent, logging, warnings
from chatbubble.logs import set_up
set_up("json", "info")
gevent.spawn(lambda secret: 1 / 0, "what was said").join()
warnings.warn("soon gone")
logging.getLogger("elsewhere").debug("not told")
set_up("text", "info")
logging.getLogger("elsewhere").info("for people")
"""


def test_what_gevent_and_python_say_by_themselves_is_one_line_each_too() -> None:
    told = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, check=True).stderr
    crash, warning, text = told.splitlines()
    assert "ZeroDivisionError" in json.loads(crash)["error"]
    assert "what was said" not in crash
    assert "soon gone" in json.loads(warning)["message"]
    assert text.endswith("INFO elsewhere: for people")
