"""The scripts that write and read the logs of events (events.py): each in one step."""

MOST_TOPICS = 2_000
"""Of a user's log; beyond, the oldest is forgotten."""
KEPT_SECONDS = 24 * 3600
"""As long as the view of a finished job."""
MOST_AT_ONCE = 200
"""Changes read at a time."""
LIBRARY = "library"
SAMPLE = "sample:"
JOB = "job:"

TELL = f"""
local function next_version(log)
  local now = redis.call("TIME")
  local newest = redis.call("ZREVRANGE", log, 0, 0, "WITHSCORES")[2]
  return math.max(now[1] * 1000000 + now[2], (tonumber(newest) or 0) + 1)
end
local function as_text(version) return string.format("%.0f", version) end
local function tell(user, topic)
  local log = "events:" .. user
  local version = next_version(log)
  if redis.call("EXISTS", log) == 0 then redis.call("ZADD", log, as_text(version - 1), "begin") end
  redis.call("ZADD", log, as_text(version), topic)
  local oldest = as_text(version - {KEPT_SECONDS}000000)
  if redis.call("ZREMRANGEBYSCORE", log, "-inf", oldest) > 0 then redis.call("ZADD", log, oldest, "begin") end
  local extra = redis.call("ZCARD", log) - {MOST_TOPICS}
  if extra > 0 then
    local cut = redis.call("ZRANGE", log, extra, extra, "WITHSCORES")[2]
    redis.call("ZREMRANGEBYRANK", log, 0, extra)
    redis.call("ZADD", log, cut, "begin")
  end
  redis.call("EXPIRE", log, {KEPT_SECONDS})
  return as_text(version)
end
local function tell_of_library(user, count_name, count)
  redis.call("HINCRBY", "library:" .. user, count_name, count)
  redis.call("EXPIRE", "library:" .. user, {KEPT_SECONDS})
  return tell(user, "{LIBRARY}")
end
"""
"""For scripts that change something: `tell(user, topic)` notes the change and answers its version."""

READ = f"""{TELL}
-- KEYS: log.  ARGV: user, the version known.  One script, so that states and versions belong together.
if redis.call("EXISTS", KEYS[1]) == 0 then
  redis.call("ZADD", KEYS[1], as_text(next_version(KEYS[1])), "begin")
  redis.call("EXPIRE", KEYS[1], {KEPT_SECONDS})
end
local found = {{ redis.call("ZSCORE", KEYS[1], "begin"), redis.call("ZREVRANGE", KEYS[1], 0, 0, "WITHSCORES")[2] }}
local rows = redis.call("ZRANGEBYSCORE", KEYS[1], "(" .. ARGV[2], "+inf", "WITHSCORES", "LIMIT", 0, {MOST_AT_ONCE})
for i = 1, #rows, 2 do
  local topic, state = rows[i], {{}}
  if string.sub(topic, 1, {len(JOB)}) == "{JOB}" then state = redis.call("HGETALL", topic) end
  if topic == "{LIBRARY}" then state = redis.call("HGETALL", "library:" .. ARGV[1]) end
  if topic ~= "begin" then found[#found + 1] = {{ topic, rows[i + 1], state }} end
end
return found
"""

NOTE_SAMPLES = f"""{TELL}
-- KEYS: log.  ARGV: user, ids ...
for i = 2, #ARGV do tell(ARGV[1], "{SAMPLE}" .. ARGV[i]) end
"""
NOTE_MANY = f"""{TELL}
-- KEYS: log.  ARGV: user, how many
tell_of_library(ARGV[1], "edits", ARGV[2])
"""
