"""What a worker had begun when it died, and for how long the reconciler has seen something stand still.

Both are hints in the cache: losing them costs time, never a result.
"""

import time
from dataclasses import dataclass
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

_MARK_SECONDS = 3600
_STANDING = "standing"


@dataclass(frozen=True)
class Mark:
    """The file a lease's holder had begun; place is "" between files."""

    token: str
    place: str
    begun_at: float
    limit_s: float

    @property
    def overdue(self) -> bool:
        """Whether the file has had all the time it may take."""
        return bool(self.place) and time.time() - self.begun_at >= self.limit_s


class Marks:
    """Hints in the cache."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def begin(self, chunk_id: str, token: str, place: str = "", limit_s: float = 0.0) -> None:
        """Note which file a worker is about to read; without a place: none at the moment."""
        try:
            self._redis.set(f"started:{chunk_id}", f"{token}|{place}|{time.time()}|{limit_s}", ex=_MARK_SECONDS)
        except RedisError:
            return

    def begun(self, chunk_id: str) -> Mark | None:
        """The last mark, or None when it is lost."""
        try:
            text = cast("str | None", self._redis.get(f"started:{chunk_id}"))
        except RedisError:
            return None
        if not text:
            return None
        token, place, begun_at, limit_s = text.split("|")
        return Mark(token, place, float(begun_at), float(limit_s))

    def clear(self, chunk_id: str) -> None:
        try:
            self._redis.delete(f"started:{chunk_id}")
        except RedisError:
            return

    def looks_unchanged(self, name: str, signature: str) -> int:
        """How many looks in a row this thing has had this signature; 1 for the first."""
        try:
            before = cast("str | None", self._redis.hget(_STANDING, name))
            old, _, looks = (before or "").rpartition("#")
            count = int(looks) + 1 if before and old == signature else 1
            self._redis.hset(_STANDING, name, f"{signature}#{count}")
        except RedisError:
            return 1
        return count

    def is_due(self, name: str, every_s: int) -> bool:
        """Whether something that should happen every so often is due; asking takes it."""
        try:
            return bool(self._redis.set(f"due:{name}", "1", nx=True, ex=every_s))
        except RedisError:
            return False

    def forget(self, names: list[str]) -> None:
        """Stop watching things that are finished."""
        if names:
            try:
                self._redis.hdel(_STANDING, *names)
            except RedisError:
                return
