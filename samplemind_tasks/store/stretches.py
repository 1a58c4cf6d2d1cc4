"""A library as workers walk it: its samples a stretch of numbers at a time, and where each of them lives."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from pymongo.database import Database

from samplemind_tasks.schemas import Sample
from samplemind_tasks.store.mongo import Document, batches, translating
from samplemind_tasks.store.places import Place
from samplemind_tasks.store.said import SHOWN, shown_sample


@dataclass(frozen=True)
class Known:
    """A sample that is in the library."""

    sample: Sample
    heard_by: str | None
    """The model whose hearing it shows."""


class Stretches:
    """Sample and place documents in MongoDB, read by the hundred."""

    def __init__(self, db: Database[Document]) -> None:
        self._db = db

    def last(self, user_id: str) -> int:
        """The number of a user's last arrival."""
        with translating():
            row = self._db.counters.find_one({"_id": f"samples:{user_id}"})
        return int(row["value"]) if row else 0

    def numbered(self, user_id: str, after: int, last: int) -> list[Known]:
        """A user's samples with these numbers, in their order."""
        return self._found({"user_id": user_id, "number": {"$gt": after, "$lte": last}})

    def named(self, user_id: str, ids: Sequence[str]) -> list[Known]:
        """Those of the samples that are there and the user's."""
        return list(
            chain.from_iterable(self._found({"user_id": user_id, "_id": {"$in": batch}}) for batch in batches(ids))
        )

    def places(self, user_id: str, file_hashes: Sequence[str]) -> dict[str, list[Place]]:
        """Where some bytes live, by hash; not where their sample was deleted."""
        found: dict[str, list[Place]] = {file_hash: [] for file_hash in file_hashes}
        for batch in batches(file_hashes):
            with translating():
                rows = list(self._db.places.find({"user_id": user_id, "file_hash": {"$in": batch}}))
            for place in map(Place.from_document, rows):
                if place.file_hash is not None and not place.removed:
                    found[place.file_hash].append(place)
        return found

    def _found(self, query: Document) -> list[Known]:
        with translating():
            rows = list(self._db.audio_files.find(query, {**SHOWN, "heard.by": 1}))
        known = [Known(shown_sample(row), (row.get("heard") or {}).get("by")) for row in rows]
        return sorted(known, key=lambda row: row.sample.number)
