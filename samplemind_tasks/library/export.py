"""Exports: a library as one file, written while it is read. Memory holds a stretch of it, however large it is."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from samplemind_tasks.errors import BadRequest, Busy, SampleMindError
from samplemind_tasks.exports import ExportFormat, ExportRow, csv_head, csv_rows, json_lines
from samplemind_tasks.library.disk import Disk
from samplemind_tasks.library.parquet import parquet
from samplemind_tasks.library.samples import shown_path
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.catalog import Catalog, PathTest
from samplemind_tasks.store.collections import Collections
from samplemind_tasks.store.export import ExportReader
from samplemind_tasks.store.pages import SampleFilter, keeps
from samplemind_tasks.store.places import lives_at

STRETCH = 500
"""Numbers of a library read at once: what memory holds, and how long other requests wait for the loop at most."""
PARQUET_PACKAGE = "arro3"
MOST_AT_ONCE = 4
"""Exports under way in a gateway."""


class NotInstalled(SampleMindError):
    """What this needs is not installed where the gateway runs."""

    status = 501
    code = "not_installed"


@dataclass(frozen=True)
class ExportWish:
    """What is to be written, and how."""

    wanted: SampleFilter
    path: str | None = None
    format: ExportFormat = ExportFormat.CSV
    features: bool = False
    vectors: bool = False
    collection: str | None = None
    """The id of one: only its samples, in its order."""


class Exports:
    """Writes libraries."""

    def __init__(
        self, settings: Settings, catalog: Catalog, collections: Collections, reader: ExportReader, disk: Disk
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._collections = collections
        self._reader = reader
        self._disk = disk
        self._under_way = 0

    async def start(self, user_id: str, wish: ExportWish) -> AsyncIterator[bytes]:
        """The pieces of the file. Whatever keeps it from being written at all is raised here, before the first.

        It holds the samples that there are now, each once, in the order of their arrival; one that is deleted or
        changed meanwhile may be gone or changed. If a store goes away on the way, the pieces end with its error.

        Raises
        ------
        BadRequest : vectors as CSV, or a path that is none.
        NotFound : there is no such collection.
        Busy, NotInstalled, StoreUnavailable
        """
        if wish.vectors and wish.format is ExportFormat.CSV:
            message = "vectors are written as jsonl or parquet"
            raise BadRequest(message, detail={"fields": [{"field": "vectors", "message": message}]})
        if wish.format is ExportFormat.PARQUET and importlib.util.find_spec(PARQUET_PACKAGE) is None:
            raise NotInstalled("Parquet needs the extra `parquet`: pip install 'samplemind[parquet]'")
        if self._under_way >= MOST_AT_ONCE:
            raise Busy(f"{MOST_AT_ONCE} exports are under way; ask again when one has ended")
        test = None if wish.path is None else lives_at(shown_path(await self._disk.resolved(wish.path)))
        if wish.collection is None:
            source = self._arrivals(user_id, await self._catalog.newest(user_id))
        else:
            source = self._members(user_id, (await self._collections.one(user_id, wish.collection))["samples"])
        return self._counted(self._pieces(wish, _ahead(self._rows(user_id, wish, test, source))))

    async def _counted(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        self._under_way += 1
        try:
            async for piece in pieces:
                yield piece
        finally:
            self._under_way -= 1

    async def _arrivals(self, user_id: str, last: int) -> AsyncIterator[list[ExportRow]]:
        """The library, in the order of arrival."""
        for first in range(1, last + 1, STRETCH):
            yield await self._reader.stretch(user_id, first, min(first + STRETCH, last + 1))

    async def _members(self, user_id: str, ids: Sequence[str]) -> AsyncIterator[list[ExportRow]]:
        """A collection, in its own order."""
        for start in range(0, len(ids), STRETCH):
            part = ids[start : start + STRETCH]
            there = await self._catalog.samples(user_id, part)
            yield [ExportRow(there[name]) for name in part if name in there]

    async def _rows(
        self, user_id: str, wish: ExportWish, test: PathTest | None, stretches: AsyncIterator[list[ExportRow]]
    ) -> AsyncIterator[list[ExportRow]]:
        async for stretch in stretches:
            rows = [row for row in stretch if keeps(wish.wanted, row.sample)]
            if test is not None:
                there = await self._catalog.living_at(user_id, [row.sample for row in rows], test)
                ids = {sample.id for sample in there}
                rows = [row for row in rows if row.sample.id in ids]
            if wish.features:
                rows = await self._reader.with_features(rows)
            if wish.vectors:
                rows = await self._reader.with_vectors(rows, self._settings.hearing_version)
            if rows:
                yield rows

    async def _pieces(self, wish: ExportWish, stretches: AsyncIterator[list[ExportRow]]) -> AsyncIterator[bytes]:
        card, features = self._settings.model_card, wish.features
        if wish.format is ExportFormat.PARQUET:
            async for piece in parquet(stretches, features=features, card=card if wish.vectors else None):
                yield piece
            return
        if wish.format is ExportFormat.CSV:
            yield csv_head(features=features)
        async for rows in stretches:
            if wish.format is ExportFormat.CSV:
                yield csv_rows(rows, features=features)
            else:
                yield json_lines(rows, features=features, model=card.collection if wish.vectors else None)


async def _ahead(stretches: AsyncIterator[list[ExportRow]]) -> AsyncIterator[list[ExportRow]]:
    """The same, each read from the database while the one before it is written."""
    coming = asyncio.ensure_future(anext(stretches, None))
    try:
        while (rows := await coming) is not None:
            coming = asyncio.ensure_future(anext(stretches, None))
            yield rows
    finally:
        coming.cancel()
