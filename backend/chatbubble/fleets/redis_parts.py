"""All that a process does through Redis, put together; imported only where a Redis is set."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import Settings
from ..limits import is_off
from ..stream_logs.redis import RedisStreamLog
from ..stream_logs.redis_hub import RedisHub
from .redis import RedisFleet
from .redis_leases import RedisLeases
from .redis_line import RedisLine
from .redis_places import RedisPlaces
from .redis_windows import RedisWindows


@dataclass(frozen=True, slots=True)
class RedisParts:
    """What shares one hub."""

    hub: RedisHub
    log: RedisStreamLog
    fleet: RedisFleet
    leases: RedisLeases
    line: RedisLine
    windows: RedisWindows
    places: RedisPlaces
    has_limits: bool

    def connect(self) -> None:
        """Look whether Redis is there, and begin to count in it. Raises RedisUnavailable."""
        self.hub.connect()
        if self.has_limits:
            self.line.open()

    def close(self, timeout_s: float) -> bool:
        """Let go of Redis; False when it did not take all that was told here within `timeout_s` seconds."""
        is_whole = self.log.flush(timeout_s)
        self.log.close()
        self.fleet.close()
        self.leases.close()
        self.line.close()
        self.hub.close()
        return is_whole


def create_redis_parts(settings: Settings) -> RedisParts:
    """What CHATBUBBLE_REDIS_URL asks for. Raises ConfigError when it cannot be used."""
    hub = RedisHub(settings.redis_url, settings.redis_prefix)
    log = RedisStreamLog(hub, ttl_s=settings.stream_ttl_s, max_bytes=settings.log_bytes)
    line = RedisLine(hub)
    counters = line, RedisWindows(hub, line), RedisPlaces(hub, line)
    return RedisParts(hub, log, RedisFleet(hub), RedisLeases(hub), *counters, has_limits=not is_off(settings))
