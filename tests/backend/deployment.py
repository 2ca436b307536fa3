"""Several `chatbubble serve` on one PostgreSQL and one Redis: a deployment as people have it."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest
from hosting import OPERATOR_TOKEN
from identities import SECRET
from model_server import ModelServer
from postgres_server import PostgresServer
from process import ServerProcess
from redis_server import RedisServer, shared_redis
from stream_client import Connection, Visitor, close_all

_WAIT_S = 30.0


class Deployment:
    """What its processes share, and the processes."""

    def __init__(self, folder: Path, database_url: str, redis: RedisServer, model: ModelServer) -> None:
        self.redis, self.model = redis, model
        self.prefix = f"test-{secrets.token_hex(4)}:"
        self.processes: list[ServerProcess] = []
        self._folder = folder
        self.environ = {
            "CHATBUBBLE_PROVIDER": "openai",
            "CHATBUBBLE_DATABASE_URL": database_url,
            "CHATBUBBLE_REDIS_URL": redis.url,
            "CHATBUBBLE_REDIS_PREFIX": self.prefix,
            "CHATBUBBLE_RATE_LIMIT": "off",
            "CHATBUBBLE_OPERATOR_TOKEN": OPERATOR_TOKEN,
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": model.base_url,
        }

    def start(self, count: int = 1, *options: str, **settings: str) -> list[ServerProcess]:
        """Start so many servers at once; each listens when this returns."""
        environ = self.environ | {f"CHATBUBBLE_{name.upper()}": value for name, value in settings.items()}
        started = [ServerProcess(self._folder, environ, *options) for _ in range(count)]
        self.processes += started
        for process in started:
            process.await_start()
        return started

    def stats(self, server: ServerProcess) -> dict[str, Any]:
        """`GET /stats` of one server."""
        return stats_at(server.port)

    def await_processes(self, server: ServerProcess, count: int) -> dict[str, Any]:
        """Its numbers, once so many processes are among them."""
        deadline = time.monotonic() + _WAIT_S
        while len((stats := self.stats(server))["processes"]) != count:
            assert time.monotonic() < deadline, stats
            gevent.sleep(0.05)
        return stats

    def await_stats(self, server: ServerProcess, **expected: int) -> None:
        """Wait until the sums over all processes are these."""
        deadline = time.monotonic() + _WAIT_S
        while (seen := {name: self.stats(server)[name] for name in expected}) != expected:
            assert time.monotonic() < deadline, f"{seen} did not become {expected}"
            gevent.sleep(0.05)

    def close(self) -> None:
        """End what runs."""
        close_all()
        for process in self.processes:
            process.kill()


@contextmanager
def new_deployment(postgres: PostgresServer, redis: RedisServer | None = None) -> Iterator[Deployment]:
    """A deployment without any server yet, on a database of its own."""
    model = ModelServer()
    model.start()
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder), postgres.create_database(), redis or shared_redis(), model)
        try:
            yield deployment
        finally:
            deployment.close()
    model.stop()


@pytest.fixture(scope="session")
def deployment(postgres: PostgresServer) -> Iterator[Deployment]:
    """A deployment of two processes that many tests share: each has visitors of its own."""
    with new_deployment(postgres) as deployment:
        deployment.start(2, identity_secret=SECRET)
        yield deployment


def stats_at(port: int) -> dict[str, Any]:
    """`GET /stats` of whoever listens on a port."""
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    connection = Connection(port, timeout_s=_WAIT_S)  # it may listen before it serves
    body: dict[str, Any] = connection.request("GET", "/api/ai/stats", headers=headers).json()
    return body


def same_visitor(visitor: Visitor, process: ServerProcess) -> Visitor:
    """The same browser, at another process."""
    return Visitor(process.port, visitor.session)
