"""How we speak to Redis: few connections, many commands at once, one kind of error.

Nobody is kept waiting for long: a connection that says nothing for two seconds counts as broken. Whoever asks
decides whether to try again, since not every command may run twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError
from redis.retry import Retry

from ..errors import ConfigError, RedisUnavailable

TIMEOUT_S = 2.0
BLOCK_S = 1.0
# For a connection that is free: a thousand readers who come at once share one.
_FREE_S = 5.0

Command = tuple[Any, ...]


class Link:
    """This process's connections to one Redis, made when they are needed: one for what keeps the process going, one
    for readers, who may come by the thousand, and one that waits for news. One that says nothing for `timeout_s`
    seconds counts as broken.

    Raises:
        ConfigError: the URL cannot be used.
    """

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        # redis-py states no types for the call that takes any command.
        self._commands: Any = _client(url, 1, timeout_s)
        self._looks: Any = _client(url, 1, timeout_s)
        self._waiting: Any = _client(url, 1, timeout_s + BLOCK_S)

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Send all at once; the answers, among them the error of each command that failed.

        Raises RedisUnavailable when Redis cannot be reached: then any of them may have run.
        """
        return _run(self._commands, commands)

    def ask(self, *commands: Command) -> list[Any]:
        """Send all at once; the answers. Raises RedisUnavailable, also when Redis refuses one of them."""
        return _whole(_run(self._commands, commands))

    def look(self, *commands: Command) -> list[Any]:
        """As `ask`, for a reader: however many of them there are, writing and renewing leases does not wait for it."""
        return _whole(_run(self._looks, commands))

    def wait_for_news(self, positions: dict[str, bytes]) -> list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]:
        """What stands in these streams after these ids; waits up to BLOCK_S seconds for the first of it.

        For one greenlet alone. Raises RedisUnavailable.
        """
        streams = (*positions, *positions.values())
        command = ("XREAD", "COUNT", 256, "BLOCK", int(BLOCK_S * 1000), "STREAMS", *streams)
        try:
            return list(self._waiting.execute_command(*command) or ())
        except RedisError as failure:
            raise _unavailable(failure) from None

    def close(self) -> None:
        """Close all connections; one that is in use, when its command is over."""
        for client in (self._commands, self._looks, self._waiting):
            client.connection_pool.disconnect()


class Script:
    """A Lua script that Redis runs as one step."""

    def __init__(self, link: Link, source: str) -> None:
        self._link, self._source = link, source
        self._sha = ""

    def command(self, keys: Sequence[str], arguments: Sequence[Any]) -> Command:
        """The command that runs it, for `Link.run`."""
        if not self._sha:
            self.load()
        return ("EVALSHA", self._sha, len(keys), *keys, *arguments)

    def run(self, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run it by itself; its answer. Raises RedisUnavailable."""
        command = self.command(keys, arguments)
        (answer,) = self._link.run([command])
        if self.is_missing(answer):
            self.load()
            (answer,) = self._link.ask(command)
        if (failure := failed(answer)) is not None:
            raise failure
        return answer

    def load(self) -> None:
        """Give it to Redis, which forgets it at a restart. Raises RedisUnavailable."""
        self._sha = self._link.ask(("SCRIPT LOAD", self._source))[0]

    def is_missing(self, answer: object) -> bool:
        """Whether the answer to its command says that Redis does not know it any more."""
        return isinstance(answer, NoScriptError)


def failed(answer: object) -> RedisUnavailable | None:
    """What an answer of `Link.run` says went wrong, if anything did."""
    return _unavailable(answer) if isinstance(answer, RedisError) else None


def _run(client: Any, commands: Sequence[Command]) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    try:
        return list(pipeline.execute(raise_on_error=False))
    except RedisError as failure:
        raise _unavailable(failure) from None


def _whole(answers: list[Any]) -> list[Any]:
    for answer in answers:
        if isinstance(answer, RedisError):
            raise _unavailable(answer)
    return answers


def _client(url: str, connections: int, timeout_s: float) -> Redis:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=_FREE_S,
            socket_timeout=timeout_s,
            socket_connect_timeout=min(TIMEOUT_S, timeout_s),
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            decode_responses=False,
        )
    except ValueError:
        raise ConfigError("CHATBUBBLE_REDIS_URL should be like redis://127.0.0.1:6379/0") from None
    client = Redis(connection_pool=pool)
    client.set_response_callback("XCLAIM", _as_it_is)  # redis-py reads ids as if they were whole entries
    return client


def _as_it_is(answer: Any, **_options: Any) -> Any:
    return answer


def _unavailable(failure: RedisError) -> RedisUnavailable:
    return RedisUnavailable(retry_after_s=2, detail=f"{type(failure).__name__}: {failure}")
