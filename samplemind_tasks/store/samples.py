"""Samples and analyses as workers write them. Every write may be repeated; none brings a deleted sample back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict

import numpy as np
from pymongo import ReplaceOne, UpdateOne
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from samplemind_tasks.facets import Heard, as_bytes
from samplemind_tasks.features import Features
from samplemind_tasks.schemas import SampleState, Tag
from samplemind_tasks.store.documents import (
    Arrival,
    Hearing,
    Measurement,
    ReadySample,
    Vector,
    analysis_document,
    analysis_id,
    leaves_of,
    measured_fields,
    now,
    sample_document,
)
from samplemind_tasks.store.mongo import Document, insert_new, sample_id, translating, value_by_id
from samplemind_tasks.store.whereabouts import note_whereabouts, whereabouts

__all__ = ["Arrival", "Hearing", "Measurement", "Samples", "Vector"]


class Samples:
    """Sample and analysis documents in MongoDB."""

    def __init__(self, db: Database[Document]) -> None:
        self._db = db

    # -- analyses: shared by all who own the bytes --------------------------------------------------------------------

    def known_stages(self, file_hashes: Iterable[str], versions: dict[str, str]) -> dict[str, set[str]]:
        """By hash, the stages whose analysis of these bytes exists at these versions."""
        known: dict[str, set[str]] = {file_hash: set() for file_hash in file_hashes}
        ids = {
            analysis_id(file_hash, stage, version): (file_hash, stage)
            for file_hash in known
            for stage, version in versions.items()
        }
        with translating():
            for row in self._db.analyses.find({"_id": {"$in": list(ids)}}, {"_id": 1}):
                file_hash, stage = ids[row["_id"]]
                known[file_hash].add(stage)
        return known

    def save_measurements(self, rows: Sequence[Measurement], version: str, *, replace: bool) -> None:
        """Store features and peaks; with replace, also over an analysis of the same version."""
        self._save_analyses(
            [
                analysis_document(row.file_hash, "analyze", version)
                | {"features": row.features.model_dump(mode="json")}
                | {"peaks": row.peaks, "peaks_detail": row.peaks_detail}
                for row in rows
            ],
            replace=replace,
        )

    def save_hearings(self, rows: Sequence[Hearing], version: str, *, replace: bool) -> None:
        """Store vectors, tags and categories."""
        self._save_analyses(
            [
                analysis_document(row.file_hash, "embed", version)
                | {"tags": [tag.model_dump() for tag in row.tags], "vector": row.vector.astype("<f4").tobytes()}
                | {"leaves": None if row.leaves is None else as_bytes(row.leaves).tobytes()}
                for row in rows
            ],
            replace=replace,
        )

    def features(self, file_hashes: Collection[str], version: str) -> dict[str, Features]:
        """Features by hash, where they exist at this version."""
        if not file_hashes:
            return {}
        ids = [analysis_id(file_hash, "analyze", version) for file_hash in file_hashes]
        with translating():
            found = self._db.analyses.find({"_id": {"$in": ids}}, {"file_hash": 1, "features": 1})
            return {row["file_hash"]: Features.model_validate(row["features"]) for row in found}

    def hearings(self, file_hashes: Iterable[str], version: str) -> dict[str, Hearing]:
        """Vectors and tags by hash, where they exist at this version."""
        ids = [analysis_id(file_hash, "embed", version) for file_hash in file_hashes]
        with translating():
            found = list(self._db.analyses.find({"_id": {"$in": ids}}))
        return {
            row["file_hash"]: Hearing(
                row["file_hash"],
                np.frombuffer(row["vector"], "<f4"),
                tuple(Tag(**tag) for tag in row["tags"]),
                leaves_of(row),
            )
            for row in found
        }

    def _save_analyses(self, documents: list[Document], *, replace: bool) -> None:
        if not documents:
            return
        with translating():
            if replace:
                self._db.analyses.bulk_write(
                    [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in documents], ordered=False
                )
            else:
                insert_new(self._db.analyses, documents)

    # -- samples: one user's ------------------------------------------------------------------------------------------

    def arrive(self, user_id: str, arrivals: Sequence[Arrival], measured: dict[str, Features], version: str) -> None:
        """Make the samples that do not exist yet, and refresh those measured at an older version.

        `measured` holds what was just measured, by hash; what somebody measured earlier is looked up.
        """
        by_id = {sample_id(user_id, row.file_hash): row for row in arrivals}
        if not by_id:
            return
        hashes = {row.file_hash for row in by_id.values()}
        features = {**measured, **self.features(hashes - set(measured), version)}
        with translating():
            found = self._db.audio_files.find({"_id": {"$in": list(by_id)}}, {"_id": 1})
            there = {row["_id"] for row in found}
            at = whereabouts(self._db, user_id, hashes)
            paths = {file_hash: found.kept for file_hash, found in at.items()}
            stale = [
                UpdateOne({"_id": name}, {"$set": measured_fields(features[file_hash], paths.get(file_hash, []))})
                for name in there
                if (file_hash := by_id[name].file_hash) in features
            ]
            if stale:
                self._db.audio_files.bulk_write(stale, ordered=False)
            new = [name for name in by_id if name not in there and by_id[name].file_hash in features]
            numbers = self._numbers(user_id, len(new))
            overtaken = insert_new(
                self._db.audio_files,
                [
                    sample_document(name, user_id, by_id[name], number)
                    | measured_fields(features[by_id[name].file_hash], paths.get(by_id[name].file_hash, []))
                    for name, number in zip(new, numbers, strict=True)
                ],
            )
        self.note_places(user_id, [by_id[name].file_hash for name in there | overtaken])

    def note_places(self, user_id: str, hashes: Iterable[str]) -> None:
        """Samples of these bytes know where they live now: a copy has arrived, or a file is gone."""
        note_whereabouts(self._db, user_id, hashes)

    def living(self, sample_ids: Sequence[str]) -> set[str]:
        """Those of the samples that exist."""
        with translating():
            return {row["_id"] for row in self._db.audio_files.find({"_id": {"$in": list(sample_ids)}}, {"_id": 1})}

    def ready(self, tags: Mapping[str, list[str]], heard: Mapping[str, Heard] | None = None) -> None:
        """Searchable from now on, with these tags, and these facets, by sample id. Updates living documents only."""
        if tags:
            ready: Document = {"state": SampleState.READY.value, "tags": value_by_id(tags), "touched": now()}
            if heard is not None:
                ready["heard"] = value_by_id({name: asdict(heard[name]) for name in tags})
            with translating():
                self._db.audio_files.update_many({"_id": {"$in": list(tags)}}, [{"$set": ready}])

    def users(self) -> dict[str, int]:
        """Everybody with a library, and the number of their last arrival."""
        with translating():
            rows = self._db.counters.find({"_id": {"$gte": "samples:", "$lt": "samples;"}})
            return {row["_id"].removeprefix("samples:"): int(row["value"]) for row in rows}

    def ready_between(self, user_id: str, after: int, last: int) -> dict[str, ReadySample]:
        """The user's ready samples with these numbers, by id."""
        stretch = {"user_id": user_id, "number": {"$gt": after, "$lte": last}}
        fields = {"file_hash": 1, "state": 1, "tags": 1, "heard.category": 1, "user.category": 1}
        with translating():
            rows = list(self._db.audio_files.find(stretch, fields))
        return {
            row["_id"]: ReadySample(
                file_hash=row["file_hash"],
                category=(row.get("heard") or {}).get("category"),
                is_named_by_person=bool((row.get("user") or {}).get("category")),
                tags=tuple(row["tags"]),
            )
            for row in rows
            if row["state"] == SampleState.READY.value
        }

    def heard_between(self, user_id: str, after: int, last: int, model: str) -> int:
        """How many of the user's ready samples with these numbers have a vector of this model."""
        stretch = {"user_id": user_id, "number": {"$gt": after, "$lte": last}}
        with translating():
            rows = list(self._db.audio_files.find(stretch, {"state": 1, "heard.by": 1, "heard.timbre": 1}))
        heard = [row.get("heard") or {} for row in rows if row["state"] == SampleState.READY.value]
        return sum(row.get("by") == model and bool(row.get("timbre")) for row in heard)

    def heard_by_another(self, user_id: str, after: int, last: int, model: str) -> list[str]:
        """Hashes of the user's ready samples with these numbers that show what another model heard."""
        stretch = {"user_id": user_id, "number": {"$gt": after, "$lte": last}}
        with translating():
            rows = list(self._db.audio_files.find(stretch, {"file_hash": 1, "state": 1, "heard.by": 1}))
        return [
            row["file_hash"]
            for row in rows
            if row["state"] == SampleState.READY.value and (row.get("heard") or {}).get("by") != model
        ]

    def bury(self, sample_ids: Sequence[str]) -> None:
        """Delete samples whose deletion was asked for while they were being made."""
        if sample_ids:
            with translating():
                self._db.audio_files.delete_many({"_id": {"$in": list(sample_ids)}})

    def _numbers(self, user_id: str, count: int) -> range:
        """The next numbers of a user's library, by compare-and-set: the embedded server's find-and-modify is slow."""
        if not count:
            return range(0)
        name = f"samples:{user_id}"
        while True:
            row = self._db.counters.find_one({"_id": name})
            if row is None:
                try:
                    self._db.counters.insert_one({"_id": name, "value": count})
                except DuplicateKeyError:
                    continue
                return range(1, count + 1)
            old = int(row["value"])
            moved = self._db.counters.update_one({"_id": name, "value": old}, {"$set": {"value": old + count}})
            if moved.modified_count == 1:
                return range(old + 1, old + count + 1)
