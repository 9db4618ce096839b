"""What Redis does atomically for a topic's log, and the keys it uses.

A topic's keys share a hash tag, so that a cluster keeps them together:

    lc:{<topic>}:head           hash: epoch, reign, seq (the last), stored (all up to here are in
                                the database), all_facts (whether :facts knows every fact there is)
    lc:{<topic>}:log:<epoch>    stream: ids `<seq>-0`, one field with the entry as JSON
    lc:{<topic>}:facts:<epoch>  sorted set: the newest fact ids by seq
    lc:{<topic>}:gone:<epoch>   sorted set: the seqs that were removed
    lc:{<topic>}:keeper         who stores this topic, expiring
    lc:{<topic>}:beginning      who begins a new epoch, expiring

and two keys belong to no topic: `lc:server` (the reign) and `lc:dirty` (topics that may have
entries to store, by the time of their last append).

A Redis that is full refuses whatever needs memory, but not in a script that has written already.
So leases, marks and beginnings, without which nothing could be stored and trimmed, write something
first that needs none (DEL, PERSIST). Declaring it (`#!lua flags=allow-oom`) takes Redis 7.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

REIGN_KEY = "lc:server"
DIRTY_KEY = "lc:dirty"

KEPT_ENTRIES = 5_000
KEPT_FACTS = 20_000
QUIET_FOR_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one topic in one epoch."""

    head: str
    log: str
    facts: str
    gone: str
    keeper: str
    beginning: str

    @classmethod
    def of(cls, topic: str, epoch: str) -> Keys:
        tag = f"lc:{{{topic}}}"
        return cls(
            f"{tag}:head",
            f"{tag}:log:{epoch}",
            f"{tag}:facts:{epoch}",
            f"{tag}:gone:{epoch}",
            f"{tag}:keeper",
            f"{tag}:beginning",
        )


class Script:
    """A Lua script and the name by which a server that has loaded it knows it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


REIGN = Script("""
-- KEYS: lc:server  ARGV: the run_id of this server, a name for a new reign
local known = redis.call('HMGET', KEYS[1], 'run_id', 'reign')
if known[1] == ARGV[1] then return known[2] end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'run_id', ARGV[1], 'reign', ARGV[2])
return ARGV[2]
""")

BEGIN = Script("""
-- KEYS: head  ARGV: epoch, reign, all_facts
-- Epochs sort in the order in which they began: a late call never brings an older one back.
if redis.call('TYPE', KEYS[1]).ok == 'hash' then
  local epoch = redis.call('HGET', KEYS[1], 'epoch')
  if epoch and epoch >= ARGV[1] then return 0 end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'reign', ARGV[2], 'seq', 0, 'stored', 0,
           'all_facts', ARGV[3])
return 1
""")

APPEND = Script(f"""
-- KEYS: head, log, facts, gone
-- ARGV: reign, epoch, seen, looked (1: no fact here is in the database), then of each entry its
--       JSON, its fact id or '', the seq it removes or ''
-- Answers {{'ok', end before, seqs, the JSON of repeats}} or what is the matter: 'look', 'epoch'.
local head = redis.call('HMGET', KEYS[1], 'reign', 'epoch', 'seq', 'all_facts')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return {{'epoch'}} end
local last = tonumber(head[3])
if last < tonumber(ARGV[3]) then return {{'epoch'}} end
if ARGV[4] == '0' and head[4] == '0' then
  for i = 5, #ARGV, 3 do
    if ARGV[i + 1] ~= '' and not redis.call('ZSCORE', KEYS[3], ARGV[i + 1]) then
      return {{'look'}}
    end
  end
end
local seq, seqs, repeats, facts = last, {{}}, {{}}, false
for i = 5, #ARGV, 3 do
  local fact = ARGV[i + 1]
  local known = fact ~= '' and redis.call('ZSCORE', KEYS[3], fact)
  if known then
    local found = redis.call('XRANGE', KEYS[2], known .. '-0', known .. '-0')
    seqs[#seqs + 1] = tonumber(known)
    repeats[#repeats + 1] = found[1] and found[1][2][2] or ''
  else
    seq = seq + 1
    redis.call('XADD', KEYS[2], string.format('%d-0', seq), 'e', ARGV[i])
    if fact ~= '' then
      redis.call('ZADD', KEYS[3], seq, fact)
      facts = true
    end
    local removes = tonumber(ARGV[i + 2])
    if removes and removes < seq then redis.call('ZADD', KEYS[4], removes, ARGV[i + 2]) end
    seqs[#seqs + 1] = seq
    repeats[#repeats + 1] = false
  end
end
if seq > last then
  redis.call('HSET', KEYS[1], 'seq', seq)
  -- What is not stored does not expire.
  for _, key in ipairs(KEYS) do redis.call('PERSIST', key) end
end
if facts then
  local many = redis.call('ZCARD', KEYS[3]) - {KEPT_FACTS}
  if many > 0 then
    redis.call('ZREMRANGEBYRANK', KEYS[3], 0, many - 1)
    redis.call('HSET', KEYS[1], 'all_facts', 0)
  end
end
return {{'ok', last, seqs, repeats}}
""")

READ = Script("""
-- KEYS: head, log, gone  ARGV: reign, epoch, after, limit (of what may be missing)
-- Answers {'ok', last, [[id, [e, JSON]], ...], removed seqs}, 'epoch', or {'far', last}.
local head = redis.call('HMGET', KEYS[1], 'reign', 'epoch', 'seq')
if head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then return {'epoch'} end
local last, after = tonumber(head[3]), tonumber(ARGV[3])
if after < 0 or after > last or last - after > tonumber(ARGV[4]) then return {'far', last} end
if after == last then return {'ok', last, {}, {}} end
local first = string.format('%d', after + 1)
return {'ok', last,
        redis.call('XRANGE', KEYS[2], first .. '-0', string.format('%d-0', last)),
        redis.call('ZRANGEBYSCORE', KEYS[3], first, '+inf')}
""")

STORED = Script(f"""
-- KEYS: head, log, facts, gone, keeper  ARGV: keeper, epoch, the seq up to which all is stored
-- Only who still holds the lease moves the mark, and only what is stored may be trimmed. Who has
-- stored everything gives the lease back: the next to append may be another process.
-- Answers the mark and the last seq, or nothing.
if redis.call('GET', KEYS[5]) ~= ARGV[1] then return false end
local head = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'stored')
if head[1] ~= ARGV[2] then return false end
local last, stored = tonumber(head[2]), math.max(tonumber(head[3]), tonumber(ARGV[3]))
redis.call('PERSIST', KEYS[1])
redis.call('HSET', KEYS[1], 'stored', stored)
local trim = math.min(stored, last - {KEPT_ENTRIES})
if trim > 0 then
  redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%d-0', trim + 1))
end
if stored == last then
  for i = 1, 4 do redis.call('EXPIRE', KEYS[i], {QUIET_FOR_S}) end
  redis.call('DEL', KEYS[5])
end
return {{stored, last}}
""")

LEASE = Script("""
-- KEYS: a lease  ARGV: who asks, for how many milliseconds.  Answers 1 if it is theirs now.
local is_held = redis.call('TYPE', KEYS[1]).ok == 'string'
if is_held and redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
""")

RELEASE = Script("""
-- KEYS: a lease  ARGV: who gives it back
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
""")

CLEAN = Script("""
-- KEYS: lc:dirty  ARGV: topic, the mark it had.  Only if nobody appended since.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0
""")

SCRIPTS = (REIGN, BEGIN, APPEND, READ, STORED, LEASE, RELEASE, CLEAN)
