"""Other people's servers: gunicorn's gevent worker, and Flask's own without any patching."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest
from hosting import JSON, assert_refused, bearer, new_session, question
from launching import Running, running
from raw_http import Wire, call, chunked, exchange, request

PLAIN_APP = """
from flask import Flask
from chatbubble import Chatbubble

class Slow:
    name = model = "slow"

    def stream(self, prompt):
        import time
        yield "One "
        time.sleep(0.2)
        yield "two."

app = Flask("shop")
app.config["CHATBUBBLE_OPERATOR_TOKEN"] = "operator-token-of-the-tests"
chatbubble = Chatbubble(app, provider=Slow())

@app.get("/")
def home():
    return "the shop"
"""
UNPATCHED = "gevent has not patched the standard library"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a Flask app that patches nothing itself."""
    (tmp_path / "shop_app.py").write_text(PLAIN_APP)
    return tmp_path


def stats(server: Running) -> dict[str, int]:
    """The operator's numbers."""
    numbers: dict[str, int] = call(server.port, "GET", "/api/ai/stats", [bearer("operator-token-of-the-tests")]).json()
    return numbers


def test_under_gunicorn_answers_stream_and_leavers_are_noticed(folder: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-b", "127.0.0.1:0", "shop_app:app"]
    with running(command, folder) as server:
        session = new_session()
        asking = request("POST", "/api/ai/chat", [JSON], question(session))
        with Wire(server.port) as wire:
            wire.send(asking)
            answer = wire.read()
        assert answer.get("Content-Type") == "text/event-stream; charset=utf-8"
        assert answer.body.startswith(b"retry: 1000\n")
        assert b'"fullText":"One two."' in answer.body
        body = chunked(question(new_session(), 16_385), 1000)
        too_large = exchange(
            server.port, request("POST", "/api/ai/chat", [JSON, ("Transfer-Encoding", "chunked")]) + body
        )
        assert_refused(too_large, 413, "PAYLOAD_TOO_LARGE")
        with Wire(server.port) as leaving:
            leaving.send(request("GET", "/api/ai/stream", [bearer(session)]))
            leaving.read(has_body=False)
            assert stats(server)["activeConnections"] == 1
        # Long before a heartbeat could find out.
        deadline = time.monotonic() + 5
        while stats(server)["activeConnections"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert server.stop() == 0
    assert UNPATCHED not in "".join(server.said)
    assert "Traceback" not in "".join(server.said)


def test_several_processes_refuse_every_question_and_say_why(folder: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", "2", "-b", "127.0.0.1:0", "shop_app:app"]
    with running(command, folder) as server:
        assert server.get("/").body == b"the shop"
        assert server.get("/api/ai/widget.js").status == 200
        for _ in range(10):
            answer = call(server.port, "POST", "/api/ai/chat", [JSON], question(new_session()))
            assert_refused(answer, 503, "SERVER_MULTIPROCESS")
        health = server.get("/api/ai/healthz")
        assert (health.status, json.loads(health.body)["parts"]["server"]) == (503, "multiprocess")
        assert server.stop() == 0
    assert not (folder / "chatbubble.db").exists()
    said = "".join(server.said)
    assert 1 <= said.count("run one process, such as `gunicorn -k gevent -w 1`") <= 2  # once a process
    assert "Traceback" not in said


def test_a_second_server_on_the_same_file_is_refused_and_the_first_goes_on(folder: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-b", "127.0.0.1:0", "shop_app:app"]
    with running(command, folder) as first, running(command, folder, CHATBUBBLE_DRAIN_S="0") as second:
        assert call(first.port, "POST", "/api/ai/chat", [JSON], question(new_session())).status == 200
        for _ in range(2):
            refused = call(second.port, "POST", "/api/ai/chat", [JSON], question(new_session()))
            assert_refused(refused, 503, "STORE_UNAVAILABLE")
        assert call(first.port, "POST", "/api/ai/chat", [JSON], question(new_session())).status == 200
        assert first.stop() == 0
        assert call(second.port, "POST", "/api/ai/chat", [JSON], question(new_session())).status == 200
    assert "chatbubble.db belongs to process" in "".join(second.said)


def test_without_patching_the_chat_refuses_at_once_and_says_why(folder: Path) -> None:
    with running([sys.executable, "-m", "flask", "--app", "shop_app", "run", "--port", "0"], folder) as server:
        assert server.get("/").body == b"the shop"
        assert server.get("/api/ai/widget.js").status == 200
        for _ in range(3):
            began = time.monotonic()
            answer = call(server.port, "POST", "/api/ai/chat", [JSON], question(new_session()))
            assert_refused(answer, 503, "SERVER_UNPATCHED")
            assert time.monotonic() - began < 1
        health = server.get("/api/ai/healthz")
        assert (health.status, json.loads(health.body)["parts"]["server"]) == (503, "unpatched")
        server.process.kill()
        server.process.wait()
    lines = [line for line in "".join(server.said).splitlines() if UNPATCHED in line]
    assert len(lines) == 1
    assert "monkey.patch_all()" in lines[0]
