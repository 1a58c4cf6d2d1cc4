"""The scripts that change a job's view in Redis: each in one step, together with the note in the log of events."""

from samplemind_tasks.store.event_scripts import TELL

REPORT = f"""{TELL}
-- KEYS: view, parts.  ARGV: now, "rebuild" or "", base fields as JSON or "", then (part, rev, contribution as JSON) ...
local view, parts = KEYS[1], KEYS[2]
local is_new = redis.call("EXISTS", view) == 0
if ARGV[2] == "" and is_new then
  return 0  -- lost: the caller rebuilds it whole
end
local has_changed, indexed = is_new, 0
local function add(name, count)
  if count ~= 0 then
    redis.call("HINCRBY", view, name, count)
    has_changed = true
    if name == "indexed" then indexed = indexed + count end
  end
end
local function get(name) return redis.call("HGET", view, name) or "" end
local function count(name) return tonumber(get(name)) or 0 end
if ARGV[3] ~= "" then
  local base = cjson.decode(ARGV[3])
  -- a job that has ended stays ended, however late somebody reports what he read before
  if base["finished_at"] ~= "" or get("finished_at") == "" then
    for name, value in pairs(base) do
      if is_new or get(name) ~= value then
        redis.call("HSET", view, name, value)
        has_changed = true
      end
    end
  end
end
for i = 4, #ARGV, 3 do
  local part, rev, new = ARGV[i], tonumber(ARGV[i + 1]), cjson.decode(ARGV[i + 2])
  local known = redis.call("HGET", parts, part)
  local old, old_rev = {{}}, -1
  if known then
    local bar = string.find(known, "|", 1, true)
    old_rev, old = tonumber(string.sub(known, 1, bar - 1)), cjson.decode(string.sub(known, bar + 1))
  end
  if rev > old_rev then
    for name, value in pairs(new) do add(name, value - (old[name] or 0)) end
    for name, value in pairs(old) do
      if new[name] == nil then add(name, -value) end
    end
    redis.call("HSET", parts, part, rev .. "|" .. ARGV[i + 2])
  end
end
local finished = count("done") + count("failed")
local since = tonumber(get("mark_at"))
if since == nil or tonumber(ARGV[1]) - since >= 10 then
  local before = since and count("mark_finished") or finished
  has_changed = has_changed or finished ~= before or before ~= count("before_finished")  -- another rate
  redis.call("HSET", view, "before_at", since or ARGV[1], "before_finished", before,
             "mark_at", ARGV[1], "mark_finished", finished)
end
if get("waiting_until") ~= "" and tonumber(get("waiting_until")) < tonumber(ARGV[1]) then
  redis.call("HDEL", view, "waiting_for", "waiting_until")
  has_changed = true
end
if has_changed then
  local user = get("user_id")
  if indexed > 0 and not is_new then tell_of_library(user, "ready", indexed) end
  redis.call("HSET", view, "version", tell(user, view))
end
return 1
"""
"""Replaces what the parts of a job contributed before by what they contribute now."""

NOTE = f"""{TELL}
-- KEYS: view.  ARGV: what is waited for or "", until when, and perhaps: only in place of what
if redis.call("EXISTS", KEYS[1]) == 0 then return end
local before = redis.call("HGET", KEYS[1], "waiting_for") or ""
if ARGV[3] and ARGV[3] ~= before then return end
local is_news = before ~= ARGV[1]
redis.call("HSET", KEYS[1], "waiting_for", ARGV[1], "waiting_until", ARGV[2])
if is_news then redis.call("HSET", KEYS[1], "version", tell(redis.call("HGET", KEYS[1], "user_id"), KEYS[1])) end
"""
"""Notes what a job waits for."""
