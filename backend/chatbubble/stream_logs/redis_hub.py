"""One process's access to Redis: its connections, the names of its keys, its news."""

from __future__ import annotations

import secrets

from .redis_link import Link
from .redis_news import RedisNews
from .redis_scripts import Keys


class RedisHub:
    """What everything in a process that speaks to Redis has in common.

    Args:
        url: of a Redis 6.2 or newer, as redis-py takes it.
        prefix: what the names of all keys begin with.

    Attributes:
        process_id: this process's name among all that share this Redis, from `connect` on.

    Raises:
        ConfigError: the URL cannot be used.
    """

    def __init__(self, url: str, prefix: str = "chatbubble:") -> None:
        self.url = url
        self.keys = Keys(prefix)
        self.link = Link(url)
        self.process_id = secrets.token_hex(6)
        self.news = RedisNews(self.link, self.keys)

    def connect(self) -> None:
        """Look whether Redis is there. Raises RedisUnavailable."""
        # Not before: a server may fork between making the app and starting it.
        self.process_id = secrets.token_hex(6)
        self.link.ask(("PING",))

    def close(self) -> None:
        """Let go of Redis."""
        self.news.close()
        self.link.close()
