"""Erasing one visitor leaves nothing of them: every table, every key of Redis and every log is searched."""

from __future__ import annotations

import secrets
import time
from typing import Any

import gevent
import psycopg
import redis
from click.testing import CliRunner
from deployment import Deployment, same_visitor
from redis_server import shared_redis
from serving import Serve
from stream_client import Connection

from chatbubble.cli import main
from chatbubble.visitors import Visitors

WITHIN_S = 60.0
WORDS = "Xylophone-Quartz"


def rows_with(url: str, *words: str) -> list[str]:
    """The tables that hold one of these words in any column."""
    with psycopg.connect(url) as connection:
        tables: list[Any] = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        ).fetchall()
        return [
            name
            for (name,) in tables
            for row in connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608
            if any(word in str(row) for word in words)
        ]


def keys_with(url: str, prefix: str, *words: str) -> list[str]:
    """The keys of Redis that hold one of these words, in whatever they are."""
    client = redis.Redis.from_url(url)
    readers: dict[bytes, Any] = {
        b"string": client.get,
        b"hash": client.hgetall,
        b"stream": client.xrange,
        b"set": client.smembers,
        b"list": lambda key: client.lrange(key, 0, -1),
        b"zset": lambda key: client.zrange(key, 0, -1, withscores=True),
    }
    keys: list[bytes] = [*client.scan_iter(f"{prefix}*")]
    found = [key.decode() for key in keys if any(word in f"{key!r}{told(client, readers, key)}" for word in words)]
    client.close()
    return found


def told(client: Any, readers: dict[bytes, Any], key: bytes) -> str:
    kind = client.type(key)
    return repr(readers[kind](key)) if kind in readers else ""


def test_nothing_is_left_of_a_visitor_who_is_erased_by_hand(deployment: Deployment) -> None:
    first, second = deployment.processes[:2]
    visitor = first.visitor()
    visitor_id = Visitors().of_session(visitor.session)
    traces = (WORDS, visitor_id, visitor.session)
    told_whole = visitor.ask(f"say at 1 ms: {WORDS} one")
    message_id = told_whole.until_end()[0].data["messageId"]
    rating = {"messageId": message_id, "rating": "down", "comment": WORDS}
    Connection(first.port).request("POST", "/api/ai/feedback", body=rating, session=visitor.session)
    page = {"url": f"https://shop.example/{WORDS}", "title": WORDS}
    body = {"message": f"say at 50 ms: {WORDS} " * 40, "sessionId": visitor.session, "page": page}
    running = Connection(first.port).request("POST", "/api/ai/chat", body=body)
    running.until("token")
    there = same_visitor(visitor, second).resume(running.seen[0].data["streamId"])
    there.until("token")
    url, prefix = deployment.environ["CHATBUBBLE_DATABASE_URL"], deployment.prefix
    assert {"messages", "conversations", "feedback"} <= {*rows_with(url, *traces)}
    assert keys_with(deployment.redis.url, prefix, *traces)

    began = time.monotonic()
    done = CliRunner().invoke(main, ["erase", visitor.session], env=deployment.environ)
    assert (done.exit_code, done.output) == (0, "erased, with 2 answers\n")
    assert rows_with(url, *traces) == []
    for reply in (running, there):
        last = reply.until_end()[-1]
        assert (last.type, last.data["fullText"]) == ("done", "")
    while found := keys_with(deployment.redis.url, prefix, *traces) or [
        f"process {process.port}"
        for process in (first, second)
        for reply in (told_whole, running)
        if same_visitor(visitor, process).resume(reply.seen[0].data["streamId"]).status != 404
    ]:
        assert time.monotonic() < began + WITHIN_S, f"still in {found}"
        gevent.sleep(0.2)
    deployment.await_stats(first, unsaved=0)
    assert rows_with(url, *traces) == []
    assert not [trace for trace in traces for process in deployment.processes if trace in process.log]


def test_redis_is_emptied_also_where_no_server_runs(serve: Serve, postgres_url: str) -> None:
    url, prefix = shared_redis().url, f"test-{secrets.token_hex(4)}:"
    served = serve(database_url=postgres_url, redis_url=url, redis_prefix=prefix)
    visitor = served.visitor()
    served.provider.script(f"{WORDS} two")
    visitor.ask(WORDS).until_end()
    served.leave()
    assert keys_with(url, prefix, WORDS)
    environ = {"DATABASE_URL": postgres_url, "REDIS_URL": url, "REDIS_PREFIX": prefix}
    done = CliRunner().invoke(
        main, ["erase", visitor.session], env={f"CHATBUBBLE_{name}": value for name, value in environ.items()}
    )
    assert (done.exit_code, done.output) == (0, "erased, with 1 answer\n")
    assert keys_with(url, prefix, WORDS, visitor.session, Visitors().of_session(visitor.session)) == []
