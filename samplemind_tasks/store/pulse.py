"""How the work stands at this moment: jobs that are not finished, leases, and what has been counted."""

from collections import Counter
from dataclasses import dataclass

from pymongo.asynchronous.database import AsyncDatabase
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.schemas import JobState
from samplemind_tasks.store.chunks import ChunkState
from samplemind_tasks.store.jobs import shown_state
from samplemind_tasks.store.mongo import Document, batches, translating
from samplemind_tasks.store.tally import Tallied, read_tally


@dataclass(frozen=True)
class OpenWork:
    """Everybody's jobs that are not finished."""

    jobs: Counter[JobState]
    oldest_lease_at: float | None
    """When the lease was taken that has been held longest, in Unix seconds; None: no chunk is leased."""


class Pulse:
    """Read for metrics. All is small: what is in flight is bounded."""

    def __init__(self, db: AsyncDatabase[Document], redis: AsyncRedis) -> None:
        self._db = db
        self._redis = redis

    async def open_work(self) -> OpenWork:
        """Jobs by state, and their leases."""
        fields = dict.fromkeys(("state", "pause", "cancel"), 1)
        with translating():
            rows = await self._db.jobs.find({"open": True}, fields).to_list()
        states = [shown_state(JobState(row["state"]), pause=row["pause"], cancel=row["cancel"]) for row in rows]
        return OpenWork(Counter(states), await self._oldest_lease_at([row["_id"] for row in rows]))

    async def _oldest_lease_at(self, jobs: list[str]) -> float | None:
        taken: list[float] = []
        for ids in batches(jobs):
            with translating():
                rows = await self._db.chunks.find({"flight": {"$in": ids}}, {"state": 1, "lease": 1}).to_list()
            leases = [row["lease"] for row in rows if row["state"] == ChunkState.LEASED.value]
            taken += [lease["taken_at"] for lease in leases if "taken_at" in lease]
        return min(taken, default=None)

    async def tallied(self) -> Tallied:
        """What all workers together have done.

        Raises
        ------
        StoreUnavailable : Redis does not answer.
        """
        try:
            return await read_tally(self._redis)
        except RedisError as error:
            raise StoreUnavailable("redis", str(error)[:200]) from error
