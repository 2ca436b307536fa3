"""Several processes under the real gunicorn: by `chatbubble serve --workers`, and by people who have their own."""

from __future__ import annotations

import os
import re
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from deployment import Deployment, new_deployment, same_visitor, stats_at
from gunicorn.config import Config
from hosting import JSON, assert_refused, bearer, new_session, question
from launching import SERVE, ended, running
from postgres_server import PostgresServer
from process import ServerProcess
from raw_http import Wire, call, request
from redis_server import own_redis
from stream_client import Visitor, joined_text

from chatbubble.config import Settings
from chatbubble.gunicorn_worker import ChatWorker

CONFIG = Path(__file__).resolve().parents[2] / "docs" / "deploy" / "gunicorn.conf.py"
REDIS, POSTGRESQL = "redis://127.0.0.1:1", "postgresql://u:hunter2@127.0.0.1:1/chat"
GUNICORN = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", "2", "-b", "127.0.0.1:0"]
APP = """
from flask import Flask
from chatbubble import Chatbubble

app = Flask("shop")
Chatbubble(app)
"""


@pytest.fixture(scope="module")
def several(postgres: PostgresServer) -> Iterator[Deployment]:
    """A deployment whose one server has two workers."""
    with new_deployment(postgres) as deployment:
        (server,) = deployment.start(1, "--workers", "2")
        deployment.await_processes(server, 2)
        yield deployment


@pytest.fixture
def server(several: Deployment) -> ServerProcess:
    return several.processes[0]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a Flask app that patches nothing itself."""
    (tmp_path / "shop_app.py").write_text(APP)
    return tmp_path


@pytest.mark.parametrize(
    ("environ", "lacking"),
    [
        ({}, "a Redis in CHATBUBBLE_REDIS_URL and a PostgreSQL database in CHATBUBBLE_DATABASE_URL"),
        ({"CHATBUBBLE_REDIS_URL": REDIS}, "a PostgreSQL database in CHATBUBBLE_DATABASE_URL"),
        ({"CHATBUBBLE_DATABASE_URL": POSTGRESQL}, "a Redis in CHATBUBBLE_REDIS_URL"),
    ],
)
def test_workers_that_could_share_nothing_are_one_clear_line(
    tmp_path: Path, environ: dict[str, str], lacking: str
) -> None:
    code, said = ended([*SERVE, "--workers", "2", "--port", "0"], tmp_path, **environ)
    reason = "running answers in memory and an SQLite file belong to one process"
    assert (code, said) == (1, f"Error: --workers 2 needs {lacking}: {reason}\n")


def test_an_app_that_lacks_something_ends_the_server_with_the_same_line(shop: Path) -> None:
    code, said = ended([*SERVE, "--workers", "2", "--port", "0", "--app", "shop_app"], shop)
    assert code == 4
    line = "Error: several processes need a Redis in CHATBUBBLE_REDIS_URL and a PostgreSQL database in"
    assert said.count(line) == 1
    assert "Traceback" not in said


def test_what_the_workers_cannot_reach_ends_the_server_and_is_named(shop: Path) -> None:
    environ = {"CHATBUBBLE_REDIS_URL": REDIS, "CHATBUBBLE_DATABASE_URL": POSTGRESQL}
    code, said = ended([*SERVE, "--workers", "2", "--port", "0"], shop, **environ)
    assert code == 4
    assert said.count("Error: CHATBUBBLE_REDIS_URL cannot be used: ") == 1
    assert "Traceback" not in said
    assert "hunter2" not in said


def test_both_workers_answer_on_one_port_and_each_reads_on_what_the_other_runs(
    several: Deployment, server: ServerProcess
) -> None:
    assert {each["pid"] for each in several.stats(server)["processes"]} == set(server.workers)
    answered = {several.stats(server)["processes"][0]["pid"] for _ in range(40)}
    assert answered == set(server.workers)
    visitor = server.visitor()
    reply = visitor.ask("answer: 40 tokens at 20 ms")
    stream_id = reply.next_event().data["streamId"]
    events = [*reply.until("token")]
    reply.close()
    while events[-1].type != "done":
        resumed = same_visitor(visitor, server).resume(stream_id, events[-1].id)
        events.append(resumed.next_event())
        resumed.close()
    assert "reset" not in [event.type for event in events]
    assert joined_text(events) == events[-1].data["fullText"]


def test_a_worker_speaks_http_as_our_own_server_does(several: Deployment, server: ServerProcess) -> None:
    with Wire(server.port) as wire:
        wire.send(b"GET /api/ai/healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        assert_refused(wire.read(), 400, "BAD_REQUEST")
    # Leaving is noticed without a heartbeat, which would come after 15 s.
    with Wire(server.port) as leaving:
        leaving.send(request("GET", "/api/ai/stream", [bearer(new_session())]))
        leaving.read(has_body=False)
        several.await_stats(server, activeChannels=1)
    several.await_stats(server, activeChannels=0)


def test_a_worker_may_open_as_many_files_as_it_has_connections(server: ServerProcess) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for pid in server.workers:
        limits = Path(f"/proc/{pid}/limits").read_text("ascii")
        found = re.search(r"Max open files +(\d+)", limits)
        assert found
        assert int(found[1]) >= min(20_000, hard)


def test_a_worker_that_dies_is_replaced_also_while_redis_is_away(postgres: PostgresServer, tmp_path: Path) -> None:
    with own_redis(tmp_path) as redis, new_deployment(postgres, redis) as deployment:
        (server,) = deployment.start(1, "--workers", "2")
        deployment.await_processes(server, 2)
        first, second = server.workers
        redis.stop()
        os.kill(first, signal.SIGKILL)
        server.await_words(re.compile("questions are refused for now: CHATBUBBLE_REDIS_URL cannot be used"))
        redis.start()
        stats = deployment.await_processes(server, 2)
        assert second in {each["pid"] for each in stats["processes"]}
        assert server.visitor().ask("say: again").until_end()[-1].data["fullText"] == "again"
        assert server.process.poll() is None


def test_workers_leave_properly_when_gunicorns_own_process_is_killed(postgres: PostgresServer) -> None:
    with new_deployment(postgres) as deployment:
        (server,) = deployment.start(1, "--workers", "2")
        deployment.await_processes(server, 2)
        workers = server.workers
        reply = server.visitor().ask("answer: 30 tokens at 50 ms")
        reply.until("token")
        os.kill(server.process.pid, signal.SIGKILL)
        assert reply.until_end()[-1].type == "done"
        deadline = time.monotonic() + 10
        while any(Path(f"/proc/{pid}/exe").exists() for pid in workers):
            assert time.monotonic() < deadline
            gevent.sleep(0.05)


def test_ctrl_c_ends_every_answer_properly(postgres: PostgresServer) -> None:
    with new_deployment(postgres) as deployment:
        (server,) = deployment.start(1, "--workers", "2")
        deployment.await_processes(server, 2)
        replies = [server.visitor().ask("answer: 100 tokens at 40 ms") for _ in range(4)]
        for reply in replies:
            reply.until("token")
        server.signal(signal.SIGINT)
        # Both stop, so neither leaves its answers to the other.
        assert [reply.until_end()[-1].data["code"] for reply in replies] == ["INTERRUPTED"] * 4
        assert server.wait() == 0
        assert "Traceback" not in server.log


def test_the_documented_configuration_fits_gunicorn_and_gives_a_drain_its_time() -> None:
    chosen: dict[str, Any] = {}
    exec(compile(CONFIG.read_text("utf-8"), CONFIG.name, "exec"), chosen)  # noqa: S102 -- our own file
    config = Config()
    for name, value in chosen.items():
        if not name.startswith("_"):
            config.set(name, value)
    assert config.worker_class is ChatWorker
    assert config.graceful_timeout > Settings().drain_s + 15


def test_the_documented_configuration_runs_and_drains(several: Deployment, tmp_path: Path) -> None:
    config = CONFIG.read_text("utf-8").replace("127.0.0.1:8000", "127.0.0.1:0")
    (tmp_path / CONFIG.name).write_text(config, "utf-8")
    command = [sys.executable, "-m", "gunicorn", "-c", CONFIG.name, "chatbubble.server:create_app()"]
    environ = several.environ | {"CHATBUBBLE_REDIS_PREFIX": "documented:"}
    with running(command, tmp_path, **environ) as gunicorn:
        reply = Visitor(gunicorn.port).ask("answer: 20 tokens at 40 ms", timeout_s=30)
        reply.until("token")
        gunicorn.process.send_signal(signal.SIGTERM)
        assert reply.until_end()[-1].type == "done"
        assert gunicorn.process.wait(20) == 0
    assert "Traceback" not in "".join(gunicorn.said)


@pytest.mark.parametrize("options", [[], ["--preload"]], ids=["each makes the app", "made before the fork"])
def test_a_plain_import_under_gunicorns_own_worker_shares_everything(
    several: Deployment, shop: Path, options: list[str]
) -> None:
    if options:
        (shop / "shop_app.py").write_text(f"from gevent import monkey; monkey.patch_all()\n{APP}")
    environ = several.environ | {"CHATBUBBLE_REDIS_PREFIX": f"plain{len(options)}:"}
    with running([*GUNICORN, *options, "shop_app:app"], shop, **environ) as gunicorn:
        deadline = time.monotonic() + 15
        while len(stats_at(gunicorn.port)["processes"]) < 2:
            assert time.monotonic() < deadline
            gunicorn.get("/api/ai/healthz")  # a process takes part from its first request on
            gevent.sleep(0.05)
        reply = Visitor(gunicorn.port).ask("answer: 20 tokens at 10 ms", timeout_s=30)
        events = reply.until_end()
        assert joined_text(events) == events[-1].data["fullText"]


def test_several_processes_on_one_file_refuse_every_question(several: Deployment, shop: Path) -> None:
    with running([*GUNICORN, "shop_app:app"], shop, CHATBUBBLE_REDIS_URL=several.redis.url) as gunicorn:
        for _ in range(4):
            answer = call(gunicorn.port, "POST", "/api/ai/chat", [JSON], question(new_session()))
            assert_refused(answer, 503, "SERVER_MULTIPROCESS")
    assert "CHATBUBBLE_DATABASE_URL" in "".join(gunicorn.said)
    assert not (shop / "chatbubble.db").exists()
