"""Samples: list them, look at one, hear it, take it out."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from samplemind_tasks.categories import Category
from samplemind_tasks.errors import NotFound
from samplemind_tasks.facets import category_scores
from samplemind_tasks.library.disk import Disk
from samplemind_tasks.said import SampleChange
from samplemind_tasks.schemas import Peaks, Sample, SampleDetail, SamplePage, Tag
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.analyses import Analyses
from samplemind_tasks.store.blobs import Blobs, blob_key
from samplemind_tasks.store.catalog import Catalog, place_view
from samplemind_tasks.store.collections import Collections
from samplemind_tasks.store.events import EventLog
from samplemind_tasks.store.mongo import place_id
from samplemind_tasks.store.pages import SampleFilter, keeps
from samplemind_tasks.store.places import Place, PlaceState, key_of, lives_at
from samplemind_tasks.store.said import Said
from samplemind_tasks.store.search import VectorSearch, collection_name

AUDIO_TYPES = {
    ".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".oga": "audio/ogg",
    ".opus": "audio/ogg", ".aif": "audio/aiff", ".aiff": "audio/aiff", ".aifc": "audio/aiff", ".m4a": "audio/mp4",
    ".mp4": "audio/mp4", ".aac": "audio/aac", ".wma": "audio/x-ms-wma", ".caf": "audio/x-caf",
}  # fmt: skip
"""What a browser is told by the name's ending. Never anything a browser would run."""

SHOWN_CATEGORIES = 5
LEAST_SHOWN = 0.02
Vector = npt.NDArray[np.float32]

AGAIN = "ask in a moment, or add its folder again"
UNDECODABLE_KEY = "\ufffd".encode().decode("latin-1")
"""What a place's `path` shows for bytes that are no text, as it is written in a key."""


@dataclass(frozen=True)
class Sound:
    """A sample's bytes, ready to be sent. `pieces` is called once."""

    name: str
    media_type: str
    size_bytes: int
    file_hash: str
    _file: BinaryIO | None
    _disk: Disk
    _blobs: Blobs

    def pieces(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes start..end-1."""
        if self._file is not None:
            return self._disk.pieces(self._file, start, end)
        return self._blobs.stream(blob_key(self.file_hash), start, end)

    def close(self) -> None:
        """Let go of it unheard."""
        if self._file is not None:
            self._file.close()


class Samples:
    """What can be done with samples."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        analyses: Analyses,
        vectors: VectorSearch,
        blobs: Blobs,
        disk: Disk,
        said: Said,
        collections: Collections,
        event_log: EventLog,
    ) -> None:
        self._settings = settings
        self._catalog = catalog
        self._analyses = analyses
        self._vectors = vectors
        self._blobs = blobs
        self._disk = disk
        self._said = said
        self._collections = collections
        self._events = event_log

    async def page(
        self,
        user_id: str,
        wanted: SampleFilter,
        path: str | None,
        limit: int,
        cursor: str | None,
        collection: str | None = None,
    ) -> SamplePage:
        """A page of samples, the newest first; with a path, those that live in that folder, or are that file.

        Those of a collection come in its order.
        """
        if collection is not None:
            test = None if path is None else lives_at(shown_path(await self._disk.resolved(path)))
            return await self._collections.page(user_id, collection, wanted, limit, cursor, test)
        if path is None:
            return await self._catalog.page(user_id, wanted, limit, cursor)
        target = await self._disk.resolved(path)
        if not await self._disk.is_folder(target):
            sample = await self._at(user_id, target)
            if sample is not None or await self._disk.is_file(target):
                return SamplePage(samples=[sample] if sample and keeps(wanted, sample) else [], next=None)
        return await self._catalog.page(user_id, wanted, limit, cursor, lives_at(shown_path(target)))

    async def _at(self, user_id: str, path: Path) -> Sample | None:
        """The sample of a file, which may be gone by now."""
        for root in self._settings.roots:
            top = await self._disk.resolved(str(root.absolute()))
            if path.is_relative_to(top):
                place = await self._place(user_id, top, path)
                if place is not None and place.file_hash is not None and not place.removed:
                    return await self._catalog.sample_of(user_id, place.file_hash)
        return None

    async def _place(self, user_id: str, top: Path, path: Path) -> Place | None:
        """The place of a path, which may be written as places show it: with U+FFFD for bytes that are no text."""
        key = key_of(top, path)
        place = await self._catalog.place(place_id(user_id, str(top), key))
        start, undecodable, _ = key.partition(UNDECODABLE_KEY)
        if place is None and undecodable:
            return await self._catalog.place_shown_as(user_id, str(top), start, shown_path(path))
        return place

    async def detail(self, user_id: str, sample_id: str) -> SampleDetail:
        """Everything about a sample."""
        told = await self._said.of(user_id, sample_id)
        if told is None:
            raise _unknown(sample_id)
        file_hash, model = told.sample.file_hash, self._settings.model_card.collection
        features, hearing, places = await asyncio.gather(
            self._analyses.measured(told.sample),
            self._analyses.hearing(file_hash, self._settings.hearing_version),
            self._catalog.places(user_id, file_hash),
        )
        if features is None:
            raise _not_measured(sample_id)
        return SampleDetail(
            sample=told.sample,
            features=features,
            tags=hearing.tags if hearing else [],
            model=model if hearing else None,
            places=[place_view(place) for place in places],
            heard_as=heard_as(hearing.leaves) if hearing and hearing.leaves is not None else [],
            note=told.note,
            own_tags=told.own_tags,
            hidden_tags=told.hidden_tags,
            found=told.found,
        )

    async def change(self, user_id: str, sample_id: str, change: SampleChange) -> Sample:
        """Keep what a person says of a sample. Nothing that is measured or heard later goes over it."""
        if change.said and not await self._said.say(user_id, [sample_id], change.said):
            raise _unknown(sample_id)
        await self._events.edited(user_id, [sample_id])
        return await self._sample(user_id, sample_id)

    async def peaks(self, user_id: str, sample_id: str, *, detail: bool) -> Peaks:
        """The waveform to draw, in at most 1000 bins or in detail."""
        peaks = await self._analyses.peaks(await self._sample(user_id, sample_id), detail=detail)
        if peaks is None:
            raise _not_measured(sample_id)
        bins = np.frombuffer(peaks, np.int8).reshape(-1, 2)
        return Peaks(bins=len(bins), minimum=bins[:, 0].tolist(), maximum=bins[:, 1].tolist())

    async def sound(self, user_id: str, sample_id: str) -> Sound:
        """The sample's bytes, from the first place that still has them."""
        sample = await self._sample(user_id, sample_id)
        places = await self._catalog.places(user_id, sample.file_hash)
        for place in places:
            if place.state is PlaceState.PRESENT and place.size_bytes == sample.size_bytes:
                sound = await self._sound_at(sample, place)
                if sound is not None:
                    return sound
        raise NotFound(f"no file of {sample.name} can be read any more", code="audio_gone")

    async def _sound_at(self, sample: Sample, place: Place) -> Sound | None:
        name = Path(place.path).name  # a person may call the sample as they like
        media_type = AUDIO_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
        if place.is_upload:
            if not await self._blobs.exists_async(blob_key(sample.file_hash)):
                return None
            return Sound(name, media_type, sample.size_bytes, sample.file_hash, None, self._disk, self._blobs)
        file = await self._disk.open(place.location, sample.size_bytes)
        if file is None:
            return None
        return Sound(name, media_type, sample.size_bytes, sample.file_hash, file, self._disk, self._blobs)

    async def delete(self, user_id: str, sample_id: str) -> None:
        """Take a sample out of the library. Its document goes last, so that a delete that broke off can be repeated."""
        sample = await self._sample(user_id, sample_id)
        await self._catalog.remove_places(user_id, sample.file_hash)
        await self._vectors.delete(collection_name(self._settings.model_card.collection, user_id), [sample_id])
        await self._collections.drop_sample(user_id, sample_id)
        await self._catalog.delete(sample_id)
        await self._events.edited(user_id, [sample_id])

    async def _sample(self, user_id: str, sample_id: str) -> Sample:
        sample = await self._catalog.sample(user_id, sample_id)
        if sample is None:
            raise _unknown(sample_id)
        return sample


def _unknown(sample_id: str) -> NotFound:
    return NotFound(f"there is no sample {sample_id}")


def _not_measured(sample_id: str) -> NotFound:
    return NotFound(f"sample {sample_id} waits to be measured by this version: {AGAIN}", code="not_measured")


def heard_as(leaves: Vector) -> list[Tag]:
    """The most probable categories of leaf probabilities."""
    scores = np.minimum(category_scores(leaves), 1)
    best = [number for number in np.argsort(-scores)[:SHOWN_CATEGORIES] if scores[number] >= LEAST_SHOWN]
    return [Tag(name=list(Category)[number].value, score=round(float(scores[number]), 3)) for number in best]


def shown_path(path: Path) -> str:
    """A path as places show it."""
    return os.fsencode(path).decode(errors="replace")
