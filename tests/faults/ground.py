"""What all campaigns stand on: a real PostgreSQL, a real Redis and the telling model; and, for each campaign, a world
of server processes on them with a database, a prefix and a history of its own."""

from __future__ import annotations

import itertools
import random
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
from aftermath import read_log, read_store
from checker import Allowed, Violation, check
from history import Story
from postgres_server import PostgresServer
from redis_server import RedisServer
from servers import NotStarted, Nursery, Server
from stream_client import Connection
from telling import Teller

OPERATOR_TOKEN = "operator-token-of-the-faults"  # noqa: S105 -- guards nothing
_RESTART_S = 0.5


class Ground:
    """The servers that are not ours, and where ours come from; in `folder`. `environ` joins that of ours."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        with ExitStack() as started:
            self.postgres = PostgresServer()
            started.callback(self.postgres.remove)
            self.redis = RedisServer(folder)
            started.callback(self.redis.stop)
            self.redis.start()
            self.nursery = Nursery(folder, environ or {})
            started.callback(self.nursery.close)
            self._started = started.pop_all()

    def close(self) -> None:
        """End them."""
        self._started.close()


@dataclass
class Ended:
    """What was found: `violations`, and of how many answers only the second explanation kept away any."""

    violations: list[Violation] = field(default_factory=list)
    or_else: int = 0


class World:
    """Some processes on one ground, the model that they ask, and what is known of each answer.

    Args:
        breaks_redis: the campaign does, so that the log may lack what was told meanwhile.
        settings: of all processes, named without their prefix.
    """

    def __init__(self, ground: Ground, seed: int, *, breaks_redis: bool = False, **settings: str) -> None:
        self.ground, self.chance = ground, random.Random(seed)
        self.prefix = f"faults-{secrets.token_hex(4)}:"
        self.database_url = ground.postgres.create_database()
        self.teller = Teller(seed)
        self.teller.server.start()
        self.violations: list[Violation] = []
        self.answers = self.events = 0
        self._breaks_redis = breaks_redis
        self.servers: list[Server] = []
        self.spared: set[str] = set()
        self._keys = (f"sk-{number}" for number in itertools.count(1))
        self._environ = self._read(settings)

    @property
    def open_servers(self) -> list[Server]:
        """Those that new connections should go to."""
        return [server for server in self.servers if server.is_open]

    @property
    def exposed_servers(self) -> list[Server]:
        """Those of them to which something may happen."""
        return [server for server in self.open_servers if server.name not in self.spared]

    def spare(self, count: int) -> Sequence[Server]:
        """Start so many processes to which nothing happens."""
        started = self.start(count)
        self.spared.update(server.name for server in started)
        return started

    def start_server(self, **environ: str) -> Server:
        """One more process, that asks the model with a key of its own; it listens when this returns. Raises
        NotStarted."""
        key = next(self._keys)
        server = self.ground.nursery.start(key, self._environ | {"OPENAI_API_KEY": key} | environ)
        self.servers.append(server)
        return server

    def restart_server(self) -> None:
        """One more process in the place of one that has gone: started until it stays, as a service manager does."""
        while True:
            try:
                self.start_server()
            except NotStarted:
                gevent.sleep(_RESTART_S)
            else:
                return

    def bury(self, server: Server) -> None:
        """It is gone, or goes now."""
        server.kill()
        self.servers.remove(server)

    def start(self, count: int) -> Sequence[Server]:
        """Start so many processes; the first one alone makes the tables."""
        first = self.start_server()
        return [first, *(each.get() for each in [gevent.spawn(self.start_server) for _ in range(count - 1)])]

    def way(self) -> int:
        """The port of any process that is open, or of none where all have gone."""
        servers = self.open_servers
        return self.chance.choice(servers).port if servers else 1

    def stats(self) -> dict[str, Any]:
        """`GET /stats` of any process: the numbers of all, those of the others some seconds old."""
        headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
        with Connection(self.way()) as connection:
            told: dict[str, Any] = connection.request("GET", "/api/ai/stats", headers=headers).json()
        return told

    def await_stats(self, within_s: float, **expected: int) -> dict[str, int]:
        """These numbers, once they are as expected, or when the time is over."""
        deadline = time.monotonic() + within_s
        while True:
            told = self.stats()
            seen = {name: told[name] for name in expected}
            if seen == expected or time.monotonic() > deadline:
                return seen
            gevent.sleep(0.25)

    def end(self, stories: Sequence[Story], allowed: Allowed) -> Ended:
        """These answers are over: read what log and store have of them, check, and forget them."""
        self.read_witnesses(stories)
        return self.judge(stories, allowed)

    def read_witnesses(self, stories: Sequence[Story]) -> None:
        """These answers are over: read what log and store have of them, which may take until both are back."""
        read_log(self.ground.redis.port, self.prefix, stories, is_broken=self._breaks_redis)
        read_store(self.database_url, stories)

    def judge(self, stories: Sequence[Story], allowed: Allowed, or_else: Allowed | None = None) -> Ended:
        """Check these answers, and forget them. What `allowed` does not explain, `or_else` may."""
        ended = Ended()
        for story in stories:
            found = check(story, allowed)
            if found and or_else and not check(story, or_else):
                ended.or_else += 1
            else:
                ended.violations += found
            self.answers += 1
            self.events += story.events_accepted
            self.teller.forget(story)
        self.violations += ended.violations
        return ended

    def close(self) -> None:
        """End the processes, and the model."""
        for server in self.servers:
            server.kill()
        self.teller.server.stop()

    def _read(self, settings: dict[str, str]) -> dict[str, str]:
        chosen = {
            "provider": "openai",
            "database_url": self.database_url,
            "database_connections": "4",
            "redis_url": self.ground.redis.url,
            "redis_prefix": self.prefix,
            "rate_limit": "off",
            "max_tokens": "1000000",  # some words are longer than any model's
            "heartbeat_s": "2",
            "operator_token": OPERATOR_TOKEN,
            **settings,
        }
        environ = {f"CHATBUBBLE_{name.upper()}": value for name, value in chosen.items()}
        return environ | {"OPENAI_BASE_URL": self.teller.server.base_url}
