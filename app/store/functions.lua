#!lua name=freshet_3

-- The server's side of the store. Every function is idempotent: a call that timed out may be sent again.
-- A change of this file needs a new number in the library's name and in each function's name, so that two
-- releases can work on one server. It is loaded under the earlier numbers too (functions.py): what a worker of an
-- earlier release calls does what is written here.

local SLICE = 1000 -- values per command; Lua's stack holds 8,000

-- Runs command(key, values[first], ..., values[last]) in slices.
local function call_in_slices(command, key, values, first, last)
  for from = first, last, SLICE do
    redis.call(command, key, unpack(values, from, math.min(from + SLICE - 1, last)))
  end
end

-- Whether a reply is an error other than that of a key of another type, which is overwritten: a user who may not read
-- would let older lists pass.
local function is_refused(reply)
  return type(reply) == 'table' and reply.err and not string.find(reply.err, 'WRONGTYPE', 1, true)
end

-- The revision behind epoch and offset, with its dash; empty: none, which is revision 0.
local function revision_of(version)
  return string.match(version, '^%-%d%d%d%d%d%d%d%d', 24) or ''
end

-- Whether a stored version is above another; each is the bytes where a version with a revision lies. What is stored
-- and is no version is not.
local function is_newer(stored, version)
  local head, other = string.sub(stored, 1, 23), string.sub(version, 1, 23)
  if head == other then
    return revision_of(stored) > revision_of(version)
  end
  return #head == 23 and head > other and string.match(head, '^%d+%-%d+$')
end

-- KEYS: lists. ARGV: seconds to live, one payload per key.
-- Writes each list unless the stored one is newer; returns how many were written.
-- Epoch and offset lie in bytes 18 to 40 of every payload, a revision in bytes 41 to 49; versions are compared as
-- strings, because a Lua number cannot hold offsets above 2^53. What is stored there and is no list is overwritten.
local function publish_lists(keys, args)
  local written = 0
  for i, key in ipairs(keys) do
    local payload = args[i + 1]
    local stored = redis.pcall('GETRANGE', key, 18, 49)
    if is_refused(stored) then
      return stored
    end
    if not (type(stored) == 'string' and is_newer(stored, string.sub(payload, 19, 50))) then
      redis.call('SET', key, payload, 'EX', args[1])
      written = written + 1
    end
  end
  return written
end

-- KEYS: sorted sets. ARGV: seconds to live, then for each key: n, and n times score, member.
-- Each set becomes exactly its members; without members the key is removed.
local function replace_sorted_sets(keys, args)
  local at = 2
  for _, key in ipairs(keys) do
    local last = at + 2 * tonumber(args[at])
    redis.call('DEL', key)
    if last > at then
      call_in_slices('ZADD', key, args, at + 1, last)
      redis.call('EXPIRE', key, args[1])
    end
    at = last + 1
  end
  return #keys
end

-- KEYS: hashes. ARGV: seconds to live, then for each key: expected, n_set, n_gone, n_set times field, value, and
-- n_gone fields. `expected` is the `updated_at_ms` that the writer wrote last; empty: replace the whole hash.
-- Returns for each key 1, or 0 where the hash is not the one the writer knows (expired, emptied, another's);
-- such a hash is left alone, and the writer sends it whole.
local function write_hashes(keys, args)
  local at = 2
  local applied = {}
  for i, key in ipairs(keys) do
    local expected = args[at]
    local last_set = at + 2 + 2 * tonumber(args[at + 1])
    local last_gone = last_set + tonumber(args[at + 2])
    local whole = expected == ''
    if whole then
      redis.call('DEL', key)
    end
    local stored = whole or redis.pcall('HGET', key, 'updated_at_ms')
    if is_refused(stored) then
      return stored
    end
    if whole or stored == expected then
      call_in_slices('HSET', key, args, at + 3, last_set)
      call_in_slices('HDEL', key, args, last_set + 1, last_gone)
      redis.call('EXPIRE', key, args[1])
      applied[i] = 1
    else
      applied[i] = 0
    end
    at = last_gone + 1
  end
  return applied
end

-- KEYS: the sentinel. ARGV: the server's run id, a token of the caller's own.
-- Returns the sentinel as it stands; where it is missing or was set before a restart, first sets it anew.
local function look_at_sentinel(keys, args)
  local stored = redis.call('GET', keys[1])
  if stored and string.sub(stored, 1, #args[1] + 1) == args[1] .. ' ' then
    return stored
  end
  stored = args[1] .. ' ' .. args[2]
  redis.call('SET', keys[1], stored)
  return stored
end

redis.register_function('freshet_3_publish_lists', publish_lists)
redis.register_function('freshet_3_replace_sorted_sets', replace_sorted_sets)
redis.register_function('freshet_3_write_hashes', write_hashes)
redis.register_function('freshet_3_look_at_sentinel', look_at_sentinel)
