"""What Redis does in one step about leases. KEYS: the stream of all running turns."""

from __future__ import annotations

# ARGV: group, process id; then of each turn the id of its entry, empty for a new one, and what the entry says.
# An entry that is not there any more was ended by somebody else, or forgotten by Redis: then it is made anew.
# Answers whether Redis takes new entries at all, then the entry of each turn.
RENEW = """
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
local probe = redis.pcall('XADD', KEYS[1], '*', 'probe', '')
local is_full = type(probe) == 'table'
if not is_full then redis.call('XDEL', KEYS[1], probe) end
local answers = {is_full and 'full' or 'ok'}
for i = 3, #ARGV, 2 do
    local id = ARGV[i]
    local pending = id ~= '' and redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1) or {}
    if #pending > 0 and pending[1][2] ~= ARGV[2] then
        id = 'lost'
    elseif #pending > 0 then
        redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'JUSTID')
    else
        -- A Redis that is full takes no new one, and must renew the others all the same.
        id = redis.pcall('XADD', KEYS[1], '*', 't', ARGV[i + 1])
        if type(id) == 'table' then
            id = ''
        else
            redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'FORCE', 'JUSTID')
        end
    end
    table.insert(answers, id)
end
return answers
"""

# ARGV: group, process id, ms after which a lease is over. The id of each entry that is claimed, what it says, and how
# many processes have had it. What nobody has, for whatever reason, is idle at once: it would never be claimed else, and
# its turn would seem to run for ever.
CLAIM = """
local answers = {}
if redis.call('XLEN', KEYS[1]) > redis.call('XPENDING', KEYS[1], ARGV[1])[1] then
    for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
        if #redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1) == 0 then
            redis.call('XCLAIM', KEYS[1], ARGV[1], 'nobody', 0, entry[1], 'IDLE', ARGV[3], 'FORCE', 'JUSTID')
        end
    end
end
local idle = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], ARGV[3], '0-0', 'COUNT', 16)[2]
for _, entry in ipairs(idle) do
    local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)
    table.insert(answers, {entry[1], entry[2][2], pending[1][4]})
end
return answers
"""

# ARGV: group, process id, stream, what its entry says, how many processes have had it. The id of its entry; empty when
# it has one already, because another process was faster. A Redis that was emptied just now has no group yet.
ADOPT = """
redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
    if cjson.decode(entry[2][2]).stream == ARGV[3] then return '' end
end
local id = redis.call('XADD', KEYS[1], '*', 't', ARGV[4])
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'RETRYCOUNT', ARGV[5], 'FORCE', 'JUSTID')
return id
"""
