"""The writing of an index anew: who asked for it, how far it is, and what it changed."""

import secrets
from dataclasses import dataclass

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.database import Database

from samplemind_tasks.store.mongo import Document, translating


@dataclass(frozen=True)
class UnderWay:
    """A writing that has not ended."""

    asked: str | None
    """Of which asking it is. Whoever asks again meanwhile has it begin again: what was written may be out of date."""
    written: int
    """The number of the last sample written."""


@dataclass(frozen=True)
class Rebuild:
    """The writing of an index: the one that is under way, or the last one."""

    written: int | None
    """The number of the last sample written; None where it is whole."""
    changed: int
    """Samples that have another category since."""
    tagged: int
    """Samples that have other tags since."""


class RebuildLog:
    """What the control worker notes of the writings, by model and user."""

    def __init__(self, db: Database[Document]) -> None:
        self._counters = db.counters

    def under_way(self) -> dict[tuple[str, str], UnderWay]:
        """All that have not ended, by model and user."""
        with translating():
            rows = list(self._counters.find({"_id": {"$gte": "reindex:", "$lt": "reindex;"}}))
        found = {}
        for row in rows:
            _, model, user_id = row["_id"].split(":", 2)
            found[model, user_id] = UnderWay(row.get("asked"), int(row["value"]))
        return found

    def begin(self, model: str, user_id: str) -> None:
        """Ask for a writing from the first sample on."""
        with translating():
            self._counters.replace_one({"_id": _name(model, user_id)}, _asking(), upsert=True)

    def count(self, model: str, user_id: str, of: UnderWay, changed: int, tagged: int) -> None:
        """Count samples that got another category, or other tags."""
        if changed or tagged:
            with translating():
                self._counters.update_one(
                    {"_id": _name(model, user_id), "asked": of.asked}, {"$inc": {"changed": changed, "tagged": tagged}}
                )

    def advance(self, model: str, user_id: str, of: UnderWay, written: int) -> None:
        """Note how far it is, unless it was asked for again."""
        with translating():
            self._counters.update_one({"_id": _name(model, user_id), "asked": of.asked}, {"$set": {"value": written}})

    def end(self, model: str, user_id: str, of: UnderWay) -> bool:
        """It is whole, and what it changed stays to be told. False when it was asked for again, and has to go on."""
        this = {"_id": _name(model, user_id), "asked": of.asked}
        with translating():
            row = self._counters.find_one(this)
            if row is not None:
                told = {"changed": row.get("changed", 0), "tagged": row.get("tagged", 0)}
                self._counters.replace_one({"_id": _name(model, user_id, "relabelled")}, told, upsert=True)
            return self._counters.delete_one(this).deleted_count == 1


class Rebuilds:
    """Asks for writings and reads how far they are, for the gateway."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._counters = db.counters

    async def begin(self, model: str, user_id: str) -> None:
        """Ask for a writing from the first sample on."""
        with translating():
            await self._counters.replace_one({"_id": _name(model, user_id)}, _asking(), upsert=True)

    async def of(self, model: str, user_id: str) -> Rebuild | None:
        """The writing of a user's index of a model; None where it was never written anew."""
        with translating():
            row = await self._counters.find_one({"_id": _name(model, user_id)})
            last = row or await self._counters.find_one({"_id": _name(model, user_id, "relabelled")})
        if last is None:
            return None
        written = None if row is None else int(row["value"])
        return Rebuild(written, int(last.get("changed", 0)), int(last.get("tagged", 0)))


def _name(model: str, user_id: str, kind: str = "reindex") -> str:
    return f"{kind}:{model}:{user_id}"


def _asking() -> Document:
    return {"value": 0, "changed": 0, "tagged": 0, "asked": secrets.token_hex(8)}
