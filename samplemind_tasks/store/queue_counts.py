"""What waits in the queues: messages in the broker, chunks in the jobs."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import orjson
from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.schemas import LISTED_KINDS
from samplemind_tasks.store.chunks import ChunkState, Stage
from samplemind_tasks.store.deliveries import ROUTING_KEY, UNACKED
from samplemind_tasks.store.mongo import Document, batches, translating
from samplemind_tasks.store.progress import waits_no_more


@dataclass(frozen=True)
class OpenJob:
    """A job that is not finished."""

    id: str
    in_a_hurry: bool
    unsent: int
    """Chunks of it that no message was sent for."""


@dataclass(frozen=True)
class ChunkCounts:
    """Chunks by stage and by whether somebody waits for them."""

    waiting: Counter[tuple[Stage, bool]]
    leased: Counter[tuple[Stage, bool]]


class QueueCounts:
    """Counts as the gateway asks for them. All are small: what is in flight is bounded."""

    def __init__(self, db: AsyncDatabase[Document], redis: AsyncRedis) -> None:
        self._db = db
        self._redis = redis

    async def messages(self, queues: Iterable[str]) -> tuple[dict[str, int], Counter[str]]:
        """Messages that wait in each queue, and those that workers hold, in one round trip.

        Raises
        ------
        StoreUnavailable : the broker does not answer.
        """
        names = list(queues)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.llen(name)
                pipe.hvals(UNACKED)
                *lengths, held = await pipe.execute()
        except RedisError as error:
            raise StoreUnavailable("redis", str(error)[:200]) from error
        keys = (orjson.loads(text)[ROUTING_KEY] for text in cast("list[str]", held))
        return dict(zip(names, lengths, strict=True)), Counter(keys)

    async def open_jobs(self) -> list[OpenJob]:
        """Every user's."""
        fields = dict.fromkeys(("kind", "next_seq", "scan.next_seq"), 1)
        with translating():
            rows = await self._db.jobs.find({"open": True}, fields).to_list()
        return [
            OpenJob(row["_id"], row["kind"] not in LISTED_KINDS, row["scan"]["next_seq"] - row["next_seq"])
            for row in rows
        ]

    async def waits_no_more(self, job_id: str, what: str) -> None:
        """Take back that a job waits for something."""
        await waits_no_more(self._redis, job_id, what)

    async def chunks(self, jobs: Iterable[OpenJob]) -> ChunkCounts:
        """The chunks of some jobs: those never sent wait for the first stage."""
        waiting: Counter[tuple[Stage, bool]] = Counter()
        leased: Counter[tuple[Stage, bool]] = Counter()
        jobs = list(jobs)
        for job in jobs:
            waiting[Stage.ANALYZE, job.in_a_hurry] += job.unsent
        for ids in batches([job.id for job in jobs]):
            fields = dict.fromkeys(("stage", "state", "in_a_hurry"), 1)
            with translating():
                rows = await self._db.chunks.find({"flight": {"$in": ids}}, fields).to_list()
            for row in rows:
                counted = leased if row["state"] == ChunkState.LEASED.value else waiting
                counted[Stage(row["stage"]), row["in_a_hurry"]] += 1
        return ChunkCounts(waiting, leased)
