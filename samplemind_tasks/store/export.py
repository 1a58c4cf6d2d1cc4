"""Reading a library from its first arrival to its last, a stretch of numbers at a time: what exports are made of."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pymongo.asynchronous.database import AsyncDatabase

from samplemind_tasks.exports import ExportRow
from samplemind_tasks.store.documents import analysis_id
from samplemind_tasks.store.mongo import Document, batches, translating
from samplemind_tasks.store.said import SHOWN, shown_sample

READ_AT_ONCE = 3
"""Batches that all exports of a process together wait for."""


class ExportReader:
    """Samples with what was found of them, in the order of their numbers."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db
        self._readers = asyncio.Semaphore(READ_AT_ONCE)

    async def stretch(self, user_id: str, first: int, end: int) -> list[ExportRow]:
        """The samples numbered first..end-1 that are still there."""
        numbered = {"user_id": user_id, "number": {"$gte": first, "$lt": end}}
        with translating():
            rows = await self._db.audio_files.find(numbered, SHOWN).to_list()
        found = [ExportRow(shown_sample(row)) for row in rows]
        return sorted(found, key=lambda row: row.sample.number)

    async def with_features(self, rows: Sequence[ExportRow]) -> list[ExportRow]:
        """The same rows with what was measured, at the version each sample shows."""
        ids = [analysis_id(row.sample.file_hash, "analyze", str(row.sample.analysis_version)) for row in rows]
        found = {row["_id"]: row["features"] for row in await self._analyses(ids, {"features": 1})}
        return [replace(row, features=found.get(name)) for name, row in zip(ids, rows, strict=True)]

    async def with_vectors(self, rows: Sequence[ExportRow], version: str) -> list[ExportRow]:
        """The same rows with the vectors that a model at a version gave them; silence has none."""
        ids = [analysis_id(row.sample.file_hash, "embed", version) for row in rows]
        found = {row["_id"]: row["vector"] for row in await self._analyses(ids, {"vector": 1}) if row["vector"]}
        return [
            replace(row, vector=np.frombuffer(found[name], "<f4") if name in found else None)
            for name, row in zip(ids, rows, strict=True)
        ]

    async def _analyses(self, ids: Sequence[str], fields: Document) -> list[Document]:
        """In batches, some of them asked for at the same time: the embedded server answers while others wait for it."""

        async def read(batch: Sequence[str]) -> list[Document]:
            async with self._readers:
                return await self._db.analyses.find({"_id": {"$in": batch}}, fields).to_list()

        with translating():
            found = await asyncio.gather(*map(read, batches(ids)))
        return [row for rows in found for row in rows]
