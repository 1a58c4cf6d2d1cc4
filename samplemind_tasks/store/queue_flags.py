"""Which queues are paused. In MongoDB, so that it outlives every restart; read anew whenever work is handed out."""

from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database

from samplemind_tasks.store.mongo import Document, translating


def paused_queue(queue: str) -> str:
    """What a job is said to wait for."""
    return f"queue {queue} (paused)"


@dataclass(frozen=True)
class QueueFlags:
    """The flags as workers see them."""

    db: Database[Document]

    def paused(self) -> frozenset[str]:
        """Names of the paused queues."""
        with translating():
            return frozenset(row["_id"] for row in self.db.paused_queues.find({}, {"_id": 1}))


class QueueSwitches:
    """The flags as the gateway sees and sets them."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db

    async def paused_since(self) -> dict[str, datetime]:
        """Paused queues, and since when."""
        with translating():
            return {row["_id"]: row["since"] for row in await self._db.paused_queues.find({}).to_list()}

    async def pause(self, queue: str) -> None:
        """Pause; a queue that is paused stays so."""
        since = {"$setOnInsert": {"since": datetime.now(UTC)}}
        with translating():
            await self._db.paused_queues.update_one({"_id": queue}, since, upsert=True)

    async def resume(self, queue: str) -> None:
        """Let a queue go on."""
        with translating():
            await self._db.paused_queues.delete_one({"_id": queue})
