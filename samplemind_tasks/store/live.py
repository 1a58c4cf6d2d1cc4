"""What the gateway asks of Redis: job views, a live task's answer, who is at work, a cache of slow answers."""

import asyncio
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import cast

import orjson
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.store.chunks import Chunk
from samplemind_tasks.store.jobs import JobRecord
from samplemind_tasks.store.progress import View, read_view, rebuild_view

POLL_S = 0.025
_FIRST_WORD = re.compile(r"[a-z_]+")


def open_redis(url: str, pool_max: int, timeout_s: float) -> AsyncRedis:
    """A Redis client for the event loop. Callers wait for a connection rather than fail when all are busy."""
    pool: BlockingConnectionPool = BlockingConnectionPool.from_url(
        url, max_connections=pool_max, timeout=timeout_s, socket_connect_timeout=timeout_s, socket_timeout=timeout_s,
        # the client's own default waits seconds between attempts; once more at once is enough for a stale connection
        retry=Retry(NoBackoff(), 1), decode_responses=True, health_check_interval=15,
    )  # fmt: skip
    return AsyncRedis.from_pool(pool)


class Views:
    """The views of jobs."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis
        self._reading: dict[str, asyncio.Task[View | None]] = {}

    async def read(self, job_id: str) -> View | None:
        """A job's view in one round trip, shared by all who ask at the same moment; None when it is lost."""
        reading = self._reading.get(job_id)
        if reading is None:
            reading = asyncio.create_task(read_view(self._redis, job_id))
            self._reading[job_id] = reading
            reading.add_done_callback(lambda _: self._reading.pop(job_id, None))
        return await asyncio.shield(reading)

    async def rebuild(self, record: JobRecord, chunks: Iterable[Chunk]) -> None:
        """Write a view from the documents."""
        await rebuild_view(self._redis, record, chunks)

    async def close(self) -> None:
        await self._redis.aclose()


class LiveAnswers:
    """Answers of tasks somebody waits for, read from Celery's result backend."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis

    async def wait(self, task_id: str, timeout_s: float) -> dict[str, object] | None:
        """What a task answered; None when it has not within the time.

        Raises
        ------
        StoreUnavailable : Redis does not answer, or the task failed in a way it should not.
        """
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            try:
                found = await self._redis.get(f"celery-task-meta-{task_id}")
            except RedisError as error:
                raise StoreUnavailable("redis", str(error)[:200]) from error
            answer = orjson.loads(found) if found else {"status": "PENDING"}
            if answer["status"] == "SUCCESS":
                return cast("dict[str, object]", answer["result"])
            if answer["status"] in ("FAILURE", "REVOKED"):
                raise StoreUnavailable("workers", "the query worker failed; its log has the whole story")
            await asyncio.sleep(POLL_S)
        return None


class Workers:
    """Who is at work, told by the keys that living workers keep fresh."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis

    async def by_role(self) -> dict[str, list[dict[str, object]]]:
        """What every living process of each role tells of itself."""
        told: dict[str, list[dict[str, object]]] = {}
        try:
            keys = [str(key) async for key in self._redis.scan_iter(match="worker:*", count=1_000)]
            for key, text in zip(keys, await self._redis.mget(keys) if keys else [], strict=True):
                if text is not None:  # it may have expired meanwhile
                    told.setdefault(key.split(":")[1], []).append(_facts(text))
        except RedisError as error:
            raise StoreUnavailable("redis", str(error)[:200]) from error
        return told

    async def beat(self) -> None:
        """Ask whether Redis answers."""
        await ping(self._redis, "redis")


def _facts(text: str | bytes) -> dict[str, object]:
    """What a worker tells; nothing where a worker of another version tells something else."""
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


class Cache:
    """Answers that may be a little old. A cache that is away costs nothing but the cache."""

    def __init__(self, redis: AsyncRedis) -> None:
        self._redis = redis
        self.reads: Counter[tuple[str, str]] = Counter()
        """Reads of this process by what was read, the word its key begins with, and how: hit, miss or error."""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        """What they took together."""

    async def get(self, key: str) -> str | None:
        began = time.perf_counter()
        try:
            found = cast("str | None", await self._redis.get(f"cache:{key}"))
        except RedisError:
            self._count(key, "error", began)
            return None
        self._count(key, "miss" if found is None else "hit", began)
        return found

    def _count(self, key: str, how: str, began: float) -> None:
        """By the first word alone: what follows names people and sounds."""
        first = _FIRST_WORD.match(key)
        what = first.group() if first else "other"
        self.reads[what, how] += 1
        self.seconds[what] += time.perf_counter() - began

    async def put(self, key: str, text: str, expires_s: float) -> None:
        try:
            await self._redis.set(f"cache:{key}", text, px=max(1, int(expires_s * 1000)))
        except RedisError:
            return

    async def beat(self) -> None:
        """Ask whether the cache answers."""
        await ping(self._redis, "cache")

    async def close(self) -> None:
        await self._redis.aclose()


async def ping(redis: AsyncRedis, name: str) -> None:
    try:
        await redis.ping()
    except RedisError as error:
        raise StoreUnavailable(name, str(error)[:200]) from error
