"""How far a rebuilding of the index is, and what it changed, as the gateway reads it."""

from dataclasses import dataclass

from pymongo.asynchronous.database import AsyncDatabase

from samplemind_tasks.store.mongo import Document, translating


@dataclass(frozen=True)
class Rebuild:
    """The writing of an index: the one that is under way, or the last one."""

    written: int | None
    """The number of the last sample written; None where it is whole."""
    changed: int
    """Samples that have another category since."""
    tagged: int
    """Samples that have other tags since."""


class Rebuilds:
    """Reads what the control worker notes (samples.py)."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._counters = db.counters

    async def of(self, model: str, user_id: str) -> Rebuild | None:
        """The rebuilding of a user's index of a model; None where it was never written anew."""
        with translating():
            row = await self._counters.find_one({"_id": f"reindex:{model}:{user_id}"})
            last = row or await self._counters.find_one({"_id": f"relabelled:{model}:{user_id}"})
        if last is None:
            return None
        written = None if row is None else int(row["value"])
        return Rebuild(written, int(last.get("changed", 0)), int(last.get("tagged", 0)))
