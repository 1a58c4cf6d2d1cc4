"""Samples as the gateway reads them, on its event loop.

`number` is dense within a user's library, so a page is a closed range of an index, the newest first, and arrivals never
shift it. A filter reads growing ranges and chooses in Python: quick on any server, and bounded for each request.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pymongo
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from samplemind_tasks.aspects import SIZE, Aspects
from samplemind_tasks.schemas import PlaceView, Sample, SamplePage, SampleState
from samplemind_tasks.store.mongo import UPLOAD_ROOT, Document, batches, place_id, sample_id, translating
from samplemind_tasks.store.pages import SampleFilter, decode_cursor, encode_cursor, keeps
from samplemind_tasks.store.places import LAST_KEY, Place, PlaceState, key_of
from samplemind_tasks.store.said import SHOWN, shown_sample

EXAMINED_SAMPLES = 20_000
"""A request with a filter looks at this many samples at most; `next` leads on from there."""
EXAMINED_FOR_PLACES = 2_000
"""The same, where each sample's places are looked at too."""
EXAMINE_S = 1.0
"""Nor does it look further after this long."""
WIDEST_RANGE = 2_000
TOTALS_S = 30.0
"""Counting a library may take this long."""
Vector = npt.NDArray[np.float32]
PathTest = Callable[[Place], bool]


@dataclass(frozen=True)
class Totals:
    """A library in numbers."""

    by_state: dict[str, int]
    by_kind: dict[str, int]
    duration_s: float
    size_bytes: int
    heard: dict[str, int]
    """Ready samples that a model heard something in, by model."""
    silent: int


class Catalog:
    """Sample, place and analysis documents of MongoDB."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db

    # -- pages --------------------------------------------------------------------------------------------------------

    async def page(
        self, user_id: str, wanted: SampleFilter, limit: int, cursor: str | None, lives_at: PathTest | None = None
    ) -> SamplePage:
        """One page, the newest first. `lives_at` keeps the samples with a place that passes."""
        end = int(decode_cursor("samples", cursor, int)[0]) if cursor else await self._newest(user_id) + 1
        bound = EXAMINED_SAMPLES if lives_at is None else EXAMINED_FOR_PLACES
        chooses = lives_at is not None or not wanted.keeps_all
        found: list[Sample] = []
        examined, width, until = 0, limit + 1, time.monotonic() + EXAMINE_S
        while end > 1 and len(found) <= limit and examined < bound and (not examined or time.monotonic() < until):
            start = max(1, end - min(width, bound - examined))
            rows = [row for row in await self._numbered(user_id, start, end) if keeps(wanted, row)]
            found += rows if lives_at is None else await self.living_at(user_id, rows, lives_at)
            examined += end - start
            end, width = start, min(width * 4, WIDEST_RANGE if chooses else limit * 4)
        if len(found) > limit:
            return SamplePage(samples=found[:limit], next=encode_cursor("samples", found[limit - 1].number))
        return SamplePage(samples=found, next=encode_cursor("samples", end) if end > 1 else None)

    async def _newest(self, user_id: str) -> int:
        with translating():
            counter = await self._db.counters.find_one({"_id": f"samples:{user_id}"})
        return int(counter["value"]) if counter else 0

    async def _numbered(self, user_id: str, start: int, end: int) -> list[Sample]:
        """Samples start..end-1, the newest first."""
        with translating():
            rows = await self._db.audio_files.find(
                {"user_id": user_id, "number": {"$gte": start, "$lt": end}}, SHOWN
            ).to_list()
        return sorted(map(shown_sample, rows), key=lambda sample: sample.number, reverse=True)

    async def living_at(self, user_id: str, samples: list[Sample], lives_at: PathTest) -> list[Sample]:
        hashes: set[str | None] = set()
        for batch in batches([sample.file_hash for sample in samples]):
            with translating():
                rows = await self._db.places.find({"user_id": user_id, "file_hash": {"$in": batch}}).to_list()
            hashes |= {place.file_hash for place in map(Place.from_document, rows) if lives_at(place)}
        return [sample for sample in samples if sample.file_hash in hashes]

    # -- one sample, and several --------------------------------------------------------------------------------------

    async def sample(self, user_id: str, sample: str) -> Sample | None:
        """A user's sample."""
        return (await self.samples(user_id, [sample])).get(sample)

    async def samples(self, user_id: str, sample_ids: Sequence[str]) -> dict[str, Sample]:
        """Those of the samples that exist and are the user's, by id."""
        found: dict[str, Sample] = {}
        for batch in batches(sample_ids):
            with translating():
                rows = await self._db.audio_files.find({"_id": {"$in": batch}}, SHOWN).to_list()
            found |= {row["_id"]: shown_sample(row) for row in rows if row["user_id"] == user_id}
        return found

    async def sample_of(self, user_id: str, file_hash: str) -> Sample | None:
        """The sample that some bytes are in a user's library."""
        return await self.sample(user_id, sample_id(user_id, file_hash))

    async def aspects(self, sample_ids: Sequence[str]) -> dict[str, Aspects]:
        """What samples can be compared by besides timbre, by id; those measured by an older version are left out."""
        found: dict[str, Aspects] = {}
        for batch in batches(sample_ids):
            with translating():
                rows = await self._db.audio_files.find({"_id": {"$in": batch}}, {"aspects": 1}).to_list()
            found |= {
                row["_id"]: np.frombuffer(told, np.int8)
                for row in rows
                if len(told := row.get("aspects") or b"") == SIZE
            }
        return found

    async def places(self, user_id: str, file_hash: str) -> list[Place]:
        """Where a sample lives."""
        with translating():
            rows = await self._db.places.find({"user_id": user_id, "file_hash": file_hash}).to_list()
        return sorted(map(Place.from_document, rows), key=lambda place: (place.root, place.key))

    async def place(self, place: str) -> Place | None:
        """A place by its id."""
        with translating():
            row = await self._db.places.find_one({"_id": place})
        return Place.from_document(row) if row else None

    async def lives_below(self, user_id: str, root: Path, folder: Path) -> bool:
        """Whether any place of the user is known below a folder."""
        start = f"{key_of(root, folder)}/".removeprefix("/")
        stretch = {"user_id": user_id, "root": str(root), "key": {"$gt": start, "$lte": start + LAST_KEY}}
        with translating():
            return await self._db.places.find_one(stretch, {"_id": 1}) is not None

    async def place_shown_as(self, user_id: str, root: str, start: str, path: str) -> Place | None:
        """A place by the path it shows. Only those are looked at whose key begins with `start`."""
        stretch = {"user_id": user_id, "root": root, "key": {"$gte": start, "$lte": start + LAST_KEY}, "path": path}
        with translating():
            row = await self._db.places.find_one(stretch)
        return Place.from_document(row) if row else None

    async def missing_uploads(self, user_id: str, place_ids: Sequence[str]) -> list[str]:
        """Those of the ids that are no upload of the user."""
        found: set[str] = set()
        for batch in batches(place_ids):
            with translating():
                rows = await self._db.places.find({"_id": {"$in": batch}}).to_list()
            found |= {row["_id"] for row in rows if row["user_id"] == user_id and row["root"] == UPLOAD_ROOT}
        return [name for name in place_ids if name not in found]

    # -- changes ------------------------------------------------------------------------------------------------------

    async def add_upload(self, user_id: str, file_hash: str, size_bytes: int, name: str) -> Place:
        """The place of an upload. Uploading a deleted sample again brings it back."""
        now_ns = int(datetime.now(UTC).timestamp() * 1e9)
        new = Place(
            id=place_id(user_id, UPLOAD_ROOT, file_hash), user_id=user_id, root=UPLOAD_ROOT, key=file_hash, path=name,
            size_bytes=size_bytes, mtime_ns=now_ns, file_hash=file_hash,
        )  # fmt: skip
        again: Document = {"path": name, "mtime_ns": now_ns, "state": PlaceState.PRESENT.value, "removed": False}
        with translating():
            known = await self._db.places.find_one({"_id": new.id})
            if known is None:
                try:
                    await self._db.places.insert_one(new.to_document())
                except DuplicateKeyError:
                    known = new.to_document()  # the same bytes arrived twice at the same time
            if known is not None:
                if known["removed"]:
                    again["versions"] = None  # so that it is taken up like a new one
                await self._db.places.update_one({"_id": new.id}, {"$set": again})
        return new

    async def lesson(self, user_id: str) -> Document | None:
        """What a user taught, as people see it."""
        with translating():
            row = await self._db.taught.find_one({"_id": user_id}, {"told": 1, "model": 1, "taught_at": 1})
        return None if row is None else {**row["told"], "model": row["model"], "taught_at": row["taught_at"]}

    async def forget_lesson(self, user_id: str) -> None:
        """Take back what a user taught."""
        with translating():
            await self._db.taught.delete_one({"_id": user_id})

    async def newest(self, user_id: str) -> int:
        """The number of a user's last arrival."""
        return await self._newest(user_id)

    async def remove_places(self, user_id: str, file_hash: str) -> None:
        """Remember that a person does not want these bytes, so that a rescan does not bring them back."""
        with translating():
            await self._db.places.update_many({"user_id": user_id, "file_hash": file_hash}, {"$set": {"removed": True}})

    async def delete(self, sample: str) -> None:
        """Delete a sample's document. What was found for its bytes stays: others may own them."""
        with translating():
            await self._db.audio_files.delete_one({"_id": sample})

    # -- the whole ----------------------------------------------------------------------------------------------------

    async def totals(self, user_id: str) -> Totals:
        """Counts and sums over a library. Slow on a large one: cached by the caller."""
        kind = {"$ifNull": ["$user.kind", "$kind"]}
        groups = {"_id": {"state": "$state", "kind": kind, "by": "$heard.by"}, "count": {"$sum": 1}}
        sums: Document = {"duration_s": {"$sum": "$duration_s"}, "size_bytes": {"$sum": "$size_bytes"}}
        sums["silent"] = {"$sum": {"$cond": [{"$eq": ["$heard.timbre", b""]}, 1, 0]}}
        with translating(), pymongo.timeout(TOTALS_S):
            found = await self._db.audio_files.aggregate([{"$match": {"user_id": user_id}}, {"$group": groups | sums}])
            rows = await found.to_list()
        by_state: dict[str, int] = {}
        by_kind: dict[str, int] = {}
        for row in rows:
            state, kind = row["_id"]["state"], row["_id"]["kind"]
            by_state[state] = by_state.get(state, 0) + row["count"]
            by_kind[kind] = by_kind.get(kind, 0) + row["count"]
        ready = [row for row in rows if row["_id"]["state"] == SampleState.READY.value]
        heard: dict[str, int] = {}
        for row in ready:
            if by := row["_id"].get("by"):
                heard[by] = heard.get(by, 0) + row["count"] - row["silent"]
        return Totals(
            by_state=by_state,
            by_kind=by_kind,
            duration_s=sum(row["duration_s"] for row in rows),
            size_bytes=sum(int(row["size_bytes"]) for row in rows),
            heard=heard,
            silent=sum(row["silent"] for row in ready),
        )

    async def beat(self) -> None:
        """Ask whether MongoDB answers."""
        with translating():
            await self._db.command("ping")

    async def close(self) -> None:
        await self._db.client.close()


def place_view(place: Place) -> PlaceView:
    """A place as a sample's details show it."""
    return PlaceView(
        path=None if place.is_upload else place.path,
        upload=place.id if place.is_upload else None,
        size_bytes=place.size_bytes,
        modified_at=datetime.fromtimestamp(place.mtime_ns / 1e9, UTC),
        state=place.state.value,
    )
