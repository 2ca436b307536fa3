"""A Redis and a PostgreSQL for the servers that share answers, started when the first of them needs them."""

from __future__ import annotations

import secrets
import shutil
from contextlib import ExitStack
from pathlib import Path

from cores import load_cores, on_cores
from postgres_server import PostgresMissing, PostgresServer, newest_version
from proc_tree import processor_s
from redis_server import RedisServer


class SharedStores:
    """Both of them, on the load's core: with a thousand streams they would be on machines of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._redis: RedisServer | None = None
        self._postgres: PostgresServer | None = None
        self._started = ExitStack()

    def lacking(self) -> str:
        """What this machine would have to have; empty where nothing is lacking."""
        if not shutil.which("redis-server"):
            return "this machine has no redis-server"
        try:
            newest_version()
        except PostgresMissing as missing:
            return str(missing)
        return ""

    def settings(self) -> dict[str, str]:
        """Those of a deployment with a database of its own and names of its own in an empty Redis."""
        self._start()
        assert self._redis is not None
        assert self._postgres is not None
        self._redis.ask("FLUSHALL")
        return {
            "database_url": self._postgres.create_database(),
            "redis_url": self._redis.url,
            "redis_prefix": f"bench-{secrets.token_hex(4)}:",
        }

    def processor_s(self) -> float:
        """What both have taken so far."""
        pids = [self._redis.process.pid] if self._redis and self._redis.process else []
        pids += [self._postgres.pid] if self._postgres else []
        return sum(map(processor_s, pids))

    def close(self) -> None:
        """End them."""
        self._started.close()
        self._redis = self._postgres = None

    def _start(self) -> None:
        if self._redis is not None:
            return
        with on_cores(load_cores()):
            self._postgres = PostgresServer()
            self._started.callback(self._postgres.remove)
            self._redis = RedisServer(self._folder)
            self._started.callback(self._redis.stop)
            self._redis.start()
