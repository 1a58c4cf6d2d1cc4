"""Collections: samples that a person keeps together, in an order."""

from collections.abc import Sequence

from samplemind_tasks.curation import (
    MOST_MEMBERS,
    Collection,
    CollectionList,
    MemberAnswer,
    MemberChange,
    NewCollection,
)
from samplemind_tasks.errors import BadRequest
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.collections import Collections as CollectionStore
from samplemind_tasks.store.collections import collection_view
from samplemind_tasks.store.events import EventLog

LARGE = "samples"
"""The field of a collection's document that a list leaves out."""


class Collections:
    """What can be done with collections."""

    def __init__(self, store: CollectionStore, catalog: Catalog, event_log: EventLog) -> None:
        self._store = store
        self._catalog = catalog
        self._events = event_log

    async def all(self, user_id: str) -> CollectionList:
        """Every collection, by name."""
        rows = await self._store.all(user_id, without=LARGE)
        return CollectionList(collections=[collection_view(row) for row in rows])

    async def one(self, user_id: str, collection: str) -> Collection:
        """One collection."""
        return collection_view(await self._store.one(user_id, collection, without=LARGE))

    async def create(self, user_id: str, new: NewCollection) -> Collection:
        """Make one. Samples it begins with must exist: a typing error here would go unseen.

        Raises
        ------
        BadRequest, Conflict
        """
        ids = list(dict.fromkeys(new.samples))
        there = await self._catalog.samples(user_id, ids)
        if unknown := [name for name in ids if name not in there]:
            message = f"there is no sample {unknown[0]}"
            raise BadRequest(f"samples: {message}", detail={"fields": [{"field": "samples", "message": message}]})
        row = await self._store.add(user_id, new.name, {"samples": ids, "count": len(ids), "revision": 0})
        await self._events.rearranged(user_id)
        return collection_view(row)

    async def rename(self, user_id: str, collection: str, name: str) -> Collection:
        """Give it another name."""
        await self._store.change(user_id, collection, {"name": name})
        await self._events.rearranged(user_id)
        return await self.one(user_id, collection)

    async def change_members(self, user_id: str, collection: str, change: MemberChange) -> MemberAnswer:
        """Take samples in and out; ids of no sample are told, and do not keep the others from it."""
        there = await self._catalog.samples(user_id, change.add)
        come = [name for name in dict.fromkeys(change.add) if name in there]
        go = set(change.remove)
        before, row = await self._store.reorder(
            user_id, collection, lambda samples: reordered(samples, come, go, change.at)
        )
        await self._events.rearranged(user_id)
        had, has = set(before), set(row["samples"])
        return MemberAnswer(
            collection=collection_view(row),
            added=len(has - had),
            removed=len(had - has),
            unknown=[name for name in dict.fromkeys(change.add) if name not in there],
        )

    async def delete(self, user_id: str, collection: str) -> None:
        """Let go of it; its samples stay."""
        await self._store.delete(user_id, collection)
        await self._events.rearranged(user_id)


def reordered(samples: Sequence[str], come: Sequence[str], go: set[str], at: int | None) -> list[str]:
    """The samples of a collection after some came and some went.

    Raises
    ------
    BadRequest : they would be too many.
    """
    if at is None:
        known = set(samples)
        kept = [name for name in samples if name not in go]
        after = [*kept, *(name for name in come if name not in known)]
    else:
        leaving = go.union(come)
        before = [name for name in samples[:at] if name not in leaving]
        after = [*before, *come, *(name for name in samples[at:] if name not in leaving)]
    if len(after) > MOST_MEMBERS:
        message = f"a collection holds {MOST_MEMBERS:,} samples at most"
        raise BadRequest(message, detail={"fields": [{"field": "add", "message": message}]})
    return after
