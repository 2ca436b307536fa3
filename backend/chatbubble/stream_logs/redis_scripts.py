"""What Redis does as one step, in its own Lua, and the names of the keys that it does it with.

Of each stream Redis has two keys. The hash says who may read it (`owner`), which telling it is (`epoch`), how
often it was told (`generation`), the number of its last event (`last`), and whether it has `ended` or was `erased`.
The stream holds the events; their ids, `<generation>-<seq>`, only ever grow, so that whoever follows it finds
the next telling after the one that was cut.
"""

from __future__ import annotations

OK, FENCED, ENDED, GONE, ERASED = b"ok", b"fenced", b"ended", b"gone", b"erased"

# What an entry of a stream holds; `before` is the number of the event before it, so that whoever follows sees a gap.
WIRE, TYPE, BEFORE, IS_TERMINAL = b"w", b"t", b"b", b"e"
ERASED_TYPE = b"erased"


class Keys:
    """The names of all our keys. Those of one stream belong together, also where a cluster spreads keys."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def meta(self, stream_id: str) -> str:
        """The hash of a stream."""
        return f"{self._prefix}{{{stream_id}}}:meta"

    def events(self, stream_id: str) -> str:
        """The events of a stream."""
        return f"{self._prefix}{{{stream_id}}}:events"

    def named(self, name: str) -> str:
        """A key that all processes share."""
        return f"{self._prefix}{name}"

    def wake(self, process_id: str) -> str:
        """The stream whose entries wake a process that waits for news."""
        return f"{self._prefix}wake:{process_id}"


# ARGV: epoch, begins ('1' or ''), epoch that is replaced, owner, generation, ms to live running, ms to live ended,
# then seq, before, type, is terminal ('1' or ''), wire of each event. Running it twice is running it once.
WRITE = """
local meta, events = KEYS[1], KEYS[2]
local epoch, begins, replaces, owner = ARGV[1], ARGV[2] == '1', ARGV[3], ARGV[4]
local generation = tonumber(ARGV[5])
if redis.call('HEXISTS', meta, 'erased') == 1 then return {'erased', 0} end
local told = redis.call('HGET', meta, 'epoch')
if begins then
    if told and told ~= epoch and told ~= replaces then return {'fenced', 0} end
    local known = tonumber(redis.call('HGET', meta, 'generation') or '0')
    if told == epoch then
        generation = known
    else
        generation = math.max(generation, known + 1)
    end
    redis.call('HSET', meta, 'epoch', epoch, 'owner', owner, 'generation', generation, 'last', 0, 'ended', '')
    redis.call('DEL', events)
elseif not told then
    return {'gone', 0}
elseif told ~= epoch then
    return {'fenced', 0}
else
    generation = tonumber(redis.call('HGET', meta, 'generation'))
end
local last = tonumber(redis.call('HGET', meta, 'last'))
local ended = redis.call('HGET', meta, 'ended') == '1'
if last > 0 and redis.call('EXISTS', events) == 0 then return {'gone', generation} end
for i = 8, #ARGV, 5 do
    if tonumber(ARGV[i]) > last then
        if ended then return {'ended', generation} end
        last = tonumber(ARGV[i])
        ended = ARGV[i + 3] == '1'
        redis.call('XADD', events, generation .. '-' .. ARGV[i],
            'b', ARGV[i + 1], 't', ARGV[i + 2], 'e', ARGV[i + 3], 'w', ARGV[i + 4])
    end
end
redis.call('HSET', meta, 'last', last, 'ended', ended and '1' or '')
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ended and ARGV[7] or ARGV[6]) end
return {'ok', generation}
"""

# ARGV: ms to remember that it was erased. Nobody can write it again, and whoever follows it hears of it.
ERASE = """
local meta, events = KEYS[1], KEYS[2]
local generation = tonumber(redis.call('HGET', meta, 'generation') or '0') + 1
redis.call('HSET', meta, 'erased', '1', 'generation', generation)
redis.call('HDEL', meta, 'owner', 'epoch')
redis.call('DEL', events)
redis.call('XADD', events, generation .. '-1', 't', 'erased')
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[1]) end
return {'ok', generation}
"""

# ARGV: epoch. Forgets a stream, unless another process tells it by now.
DISCARD = """
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then redis.call('DEL', KEYS[1], KEYS[2]) end
return {'ok', 0}
"""
