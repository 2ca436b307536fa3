"""Places that all processes share, in Redis; while it is away, a fixed share of them in each.

Each process says how many places it has taken under a name, and not that it takes one more: what is said twice or
never cannot add up, and what a dead process has said counts no more once it is missed.
"""

from __future__ import annotations

import time
from collections import Counter

from ..errors import RedisUnavailable
from ..stream_logs.redis_hub import RedisHub
from ..stream_logs.redis_link import Command
from .redis_line import RedisLine

_KEPT_MS = 86_400_000  # longer than what nobody comes to or leaves for a day, a name is not kept
_FULL_S = 0.25  # so long what was full is taken to be: a thousand refusals ask once
_MOST_FULL = 10_000

# KEYS: what each process has taken under a name, who lives. ARGV: member, its places with the new one, how many
# there are, ms that a name is kept.
_ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local others = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
    if all[i] ~= ARGV[1] then
        local ends = redis.call('ZSCORE', KEYS[2], all[i])
        if ends and tonumber(ends) > now then
            others = others + tonumber(all[i + 1])
        else
            redis.call('HDEL', KEYS[1], all[i])
        end
    end
end
if others + tonumber(ARGV[2]) > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""


class RedisPlaces:
    """See Places."""

    def __init__(self, hub: RedisHub, line: RedisLine) -> None:
        self._keys, self._line = hub.keys, line
        self._taken: Counter[str] = Counter()
        self._full_until: dict[str, float] = {}
        line.on_forgotten = self._tell_all

    def enter(self, name: str, most: int) -> bool:
        """See Places.enter."""
        if self._taken[name] >= most or self._full_until.get(name, 0.0) > time.monotonic():
            return False
        self._taken[name] += 1
        taken = self._taken[name]
        keys = self._key(name), self._line.living
        try:
            (is_free,) = self._line.ask(("EVAL", _ENTER, 2, *keys, self._line.member, taken, most, _KEPT_MS))
        except RedisUnavailable:
            # It may have heard us all the same, so it is told what came of it.
            self._line.tell(*self._state(name))
            is_free = taken <= max(1, most // self._line.processes)
        except BaseException:
            self.leave(name)
            raise
        if not is_free:
            self.leave(name)
            self._note_full(name)
        return bool(is_free)

    def add(self, name: str) -> None:
        """See Places.add."""
        self._taken[name] += 1
        self._line.tell(*self._state(name))

    def leave(self, name: str) -> None:
        """See Places.leave."""
        self._taken[name] -= 1
        self._line.tell(*self._state(name))
        self._full_until.pop(name, None)
        if not self._taken[name]:
            del self._taken[name]

    def _note_full(self, name: str) -> None:
        if len(self._full_until) >= _MOST_FULL:
            self._full_until.clear()
        self._full_until[name] = time.monotonic() + _FULL_S

    def _tell_all(self) -> None:
        for name in self._taken:
            self._line.tell(*self._state(name))

    def _state(self, name: str) -> list[Command]:
        key, taken = self._key(name), self._taken[name]
        if not taken:
            return [("HDEL", key, self._line.member)]
        return [("HSET", key, self._line.member, taken), ("PEXPIRE", key, _KEPT_MS)]

    def _key(self, name: str) -> str:
        return self._keys.named(f"places:{name}")
