"""What was found for a sample's bytes, as the gateway reads it: features, vectors, tags, fingerprints."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError
from pymongo.asynchronous.database import AsyncDatabase

from samplemind_tasks.features import Features
from samplemind_tasks.schemas import Sample, Tag
from samplemind_tasks.store.documents import analysis_id, leaves_of
from samplemind_tasks.store.mongo import Document, batches, translating

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Hearing:
    """What a model made of a sample's bytes."""

    vector: Vector
    tags: list[Tag]
    leaves: Vector | None
    """float32 [len(LEAVES)]; None where the model does not tell categories."""


class Analyses:
    """Analysis documents of MongoDB."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db

    async def measured(self, sample: Sample) -> Features | None:
        """What was measured of a sample, at the version its list entry shows; None where that is too old to be read."""
        row = await self._measured(sample, "features")
        try:
            return Features.model_validate(row["features"]) if row else None
        except ValidationError:
            return None

    async def peaks(self, sample: Sample, *, detail: bool) -> bytes | None:
        """Its waveform at that version, int8 [bins, 2]: lowest and highest value; in detail, in finer slices."""
        name = "peaks_detail" if detail else "peaks"
        row = await self._measured(sample, name)
        return bytes(row[name]) if row else None

    async def _measured(self, sample: Sample, field: str) -> Document | None:
        with translating():
            return await self._db.analyses.find_one({"_id": _measured_id(sample)}, {field: 1})

    async def hearing(self, file_hash: str, collection: str) -> Hearing | None:
        """The vector and tags a model gave some bytes; None while it has not heard them."""
        with translating():
            row = await self._db.analyses.find_one({"_id": f"{file_hash}:embed:{collection}"})
        if row is None:
            return None
        return _hearing(row)

    async def hearings(self, file_hashes: Sequence[str], collection: str) -> dict[str, Hearing]:
        """The same for several, by hash; those it has not heard are left out."""
        found: dict[str, Hearing] = {}
        for batch in batches([f"{file_hash}:embed:{collection}" for file_hash in file_hashes]):
            with translating():
                rows = await self._db.analyses.find({"_id": {"$in": batch}}).to_list()
            found |= {row["file_hash"]: _hearing(row) for row in rows}
        return found

    async def fingerprints(self, samples: Sequence[Sample]) -> dict[str, str]:
        """The fingerprint of each sample's sound by file hash, at the version its list entry shows."""
        found: dict[str, str] = {}
        versions = {_measured_id(sample): sample.file_hash for sample in samples}
        for batch in batches(list(versions)):
            with translating():
                rows = await self._db.analyses.find({"_id": {"$in": batch}}, {"features.fingerprint": 1}).to_list()
            found |= {versions[row["_id"]]: told for row in rows if (told := row["features"].get("fingerprint"))}
        return found


def _measured_id(sample: Sample) -> str:
    return analysis_id(sample.file_hash, "analyze", str(sample.analysis_version))


def _hearing(row: Document) -> Hearing:
    tags = [Tag.model_validate(tag) for tag in row["tags"]]
    return Hearing(np.frombuffer(row["vector"], "<f4"), tags, leaves_of(row))
