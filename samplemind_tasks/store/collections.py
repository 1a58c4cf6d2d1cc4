"""Collections: named sets of samples in an order, one document each."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pymongo.asynchronous.database import AsyncDatabase

from samplemind_tasks.curation import MOST_COLLECTIONS, Collection
from samplemind_tasks.errors import Conflict
from samplemind_tasks.schemas import Sample, SamplePage
from samplemind_tasks.store.catalog import EXAMINE_S, Catalog, PathTest
from samplemind_tasks.store.mongo import Document, translating
from samplemind_tasks.store.named import Named
from samplemind_tasks.store.pages import SampleFilter, decode_cursor, encode_cursor, keeps

TRIES = 16
"""So often a change is tried again that another one overtook."""
READ_AT_ONCE = 256

Order = Callable[[Sequence[str]], list[str]]
"""From the samples that are in a collection to those that shall be."""


class Collections(Named):
    """Every user's collections."""

    def __init__(self, db: AsyncDatabase[Document], catalog: Catalog) -> None:
        super().__init__(db.collections, "collection", MOST_COLLECTIONS)
        self._catalog = catalog

    async def reorder(self, user_id: str, collection: str, order: Order) -> tuple[list[str], Document]:
        """Change what is in a collection, by compare-and-set; answers what was in it, and how it is now.

        Raises
        ------
        NotFound; Conflict where others change it all the time.
        """
        for _ in range(TRIES):
            row = await self.one(user_id, collection)
            samples = order(row["samples"])
            new = {"samples": samples, "count": len(samples), "changed_at": datetime.now(UTC)}
            with translating():
                done = await self._documents.update_one(
                    {"_id": collection, "revision": row["revision"]}, {"$set": new, "$inc": {"revision": 1}}
                )
            if done.matched_count:
                return row["samples"], row | new
        raise Conflict(f"collection {collection} is being changed by others: ask again")

    async def drop_sample(self, user_id: str, sample: str) -> None:
        """Take a sample out of every collection of a user: it was deleted."""
        with translating():
            await self._documents.update_many(
                {"user_id": user_id, "samples": sample},
                {"$pull": {"samples": sample}, "$inc": {"count": -1, "revision": 1}},
            )

    async def page(
        self, user_id: str, collection: str, wanted: SampleFilter, limit: int, cursor: str | None,
        lives_at: PathTest | None = None,
    ) -> SamplePage:  # fmt: skip
        """The samples of a collection that a filter keeps, in the collection's order."""
        ids: list[str] = (await self.one(user_id, collection))["samples"]
        begun = start = _after(ids, cursor) if cursor else 0
        found: list[Sample] = []
        until = time.monotonic() + EXAMINE_S
        while start < len(ids) and len(found) <= limit and (start == begun or time.monotonic() < until):
            part = ids[start : start + min(limit + 1, READ_AT_ONCE)]
            there = await self._catalog.samples(user_id, part)
            rows = [there[name] for name in part if name in there and keeps(wanted, there[name])]
            found += rows if lives_at is None else await self._catalog.living_at(user_id, rows, lives_at)
            start += len(part)
        if len(found) > limit:
            last = found[limit - 1].id
            return SamplePage(samples=found[:limit], next=encode_cursor("collection", ids.index(last), last))
        if start < len(ids):
            return SamplePage(samples=found, next=encode_cursor("collection", start - 1, ids[start - 1]))
        return SamplePage(samples=found, next=None)


def collection_view(row: Document) -> Collection:
    """A collection as people see it."""
    return Collection(
        id=row["_id"],
        name=row["name"],
        samples=row["count"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
    )


def _after(ids: Sequence[str], cursor: str) -> int:
    """Where a page goes on: after the sample at which the last one ended, wherever that is now."""
    place, last = decode_cursor("collection", cursor, int, str)
    if last in ids:
        return ids.index(str(last)) + 1
    return min(max(int(place), 0), len(ids))
