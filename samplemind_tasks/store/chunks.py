"""Chunk documents: the unit of work, of lease and of a Celery message.

Every change is one compare-and-set on one document: the filter names the revision that was read, and `modified_count`
says whether the change was ours. Whoever loses has been overtaken and does nothing.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

from pymongo.database import Database

from samplemind_tasks.schemas import Failure
from samplemind_tasks.store.jobs import ScanProgress
from samplemind_tasks.store.mongo import BATCH, Document, insert_new, translating


class Stage(StrEnum):
    """The steps of the trip, in order. `finished` is where a chunk ends."""

    ANALYZE = "analyze"
    EMBED = "embed"
    INDEX = "index"
    FINISHED = "finished"


class ChunkState(StrEnum):
    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Lease:
    """Who works on a chunk, and a counter that moves while they live."""

    token: str
    beat: int = 0
    taken_at: float = 0.0
    """Unix seconds, by the clock of who took it."""


@dataclass(frozen=True)
class ChunkSample:
    """A place of the chunk whose bytes were read."""

    place: str
    sample: str
    file_hash: str


@dataclass(frozen=True)
class SpinOff:
    """Places on their way into a chunk of their own. Recorded in the parent first, so that none is ever in neither."""

    id: str
    places: tuple[str, ...]
    attempts: int


@dataclass(frozen=True)
class Chunk:
    """A few hundred places at most, and how far they have come together."""

    id: str
    job: str
    user_id: str
    seq: int
    """Place in the job's order of sending; -1 for a spin-off, which is sent at once."""
    places: tuple[str, ...]
    in_a_hurry: bool
    versions: dict[str, str]
    """The stage versions it wants. A worker that cannot give them leaves it alone."""
    everything: bool = False
    """Measure and hear again, even where the results exist."""
    tempo_range_bpm: tuple[float, float] | None = None
    """Lowest and highest tempo the job expects; None leaves it to the settings."""
    scan: str = ""
    """The scanner that made it; a chunk whose scanner was overtaken is a stray and never counts."""
    request_id: str | None = None
    """The request that asked for its job, for logs."""
    rev: int = 0
    stage: Stage = Stage.ANALYZE
    state: ChunkState = ChunkState.WAITING
    lease: Lease | None = None
    samples: tuple[ChunkSample, ...] = ()
    failures: tuple[Failure, ...] = ()
    dropped: int = 0
    """Places whose sample was deleted on the way."""
    windows: str | None = None
    """Blob key of the model windows, between analyze and embed."""
    flight: str | None = None
    """The job's id while the chunk is sent and not finished; the reconciler looks at these."""
    attempts: int = 0
    """Deaths counted against the only place of a chunk of one."""
    faults: int = 0
    """Times a stage failed as a whole by a fault of ours."""
    spin_offs: tuple[SpinOff, ...] = ()
    only: Stage | None = None
    """The stage a reprocessing is about. With `everything` it alone is done anew, and a stage before it stands."""

    def redoes(self, stage: Stage) -> bool:
        """Whether a stage is done anew, over what is known at its version."""
        return self.everything and self.only in (None, stage)

    def spares(self, stage: Stage) -> bool:
        """Whether a stage is left as it is, also where it is out of date."""
        return stage is Stage.ANALYZE and self.only is Stage.EMBED

    @classmethod
    def from_document(cls, document: Document) -> "Chunk":
        """What a newer version wrote besides is passed over: while workers are replaced, both are at work."""
        return cls(
            **{
                **{name: document[name] for name in _FIELDS if name in document},
                "id": document["_id"],
                "places": tuple(document["places"]),
                "stage": Stage(document["stage"]),
                "state": ChunkState(document["state"]),
                "lease": Lease(**_known(document["lease"])) if document["lease"] else None,
                "samples": tuple(ChunkSample(**row) for row in document["samples"]),
                "failures": tuple(Failure.model_validate(row) for row in document["failures"]),
                "flight": document.get("flight"),
                "only": Stage(only) if (only := document.get("only")) else None,
                "tempo_range_bpm": tuple(bounds) if (bounds := document.get("tempo_range_bpm")) else None,
                "spin_offs": tuple(
                    SpinOff(row["id"], tuple(row["places"]), row["attempts"]) for row in document["spin_offs"]
                ),
            }
        )

    def to_document(self) -> Document:
        document: Document = {
            **vars(self),
            "_id": self.id,
            "places": list(self.places),
            "stage": self.stage.value,
            "state": self.state.value,
            "lease": vars(self.lease) if self.lease else None,
            "only": self.only.value if self.only else None,
            "samples": [vars(row) for row in self.samples],
            "failures": [row.model_dump(mode="json") for row in self.failures],
            "spin_offs": [
                {"id": row.id, "places": list(row.places), "attempts": row.attempts} for row in self.spin_offs
            ],
        }
        del document["id"]
        if self.flight is None:  # the index over `flight` is sparse: an absent field costs nothing
            del document["flight"]
        return document


_FIELDS = [field.name for field in fields(Chunk)]


def _known(lease: Document) -> Document:
    return {field.name: lease[field.name] for field in fields(Lease) if field.name in lease}


def belongs(chunk: Chunk, scan: ScanProgress) -> bool:
    """Whether the job's scan vouches for the chunk: a spin-off, or made by the scanner its number belongs to."""
    return chunk.seq < 0 or (chunk.seq < scan.next_seq and chunk.scan == scan.scanner_of(chunk.seq))


@dataclass(frozen=True)
class Chunks:
    """Chunk documents in MongoDB."""

    db: Database[Document]

    def insert(self, chunks: list[Chunk]) -> None:
        """Insert; a chunk that is there already (this call is a repetition) stays as it is."""
        if not chunks:
            return
        with translating():
            insert_new(self.db.chunks, [chunk.to_document() for chunk in chunks])

    def get(self, chunk_id: str) -> Chunk | None:
        with translating():
            document = self.db.chunks.find_one({"_id": chunk_id})
        return Chunk.from_document(document) if document else None

    def change(self, chunk: Chunk, **changes: Any) -> Chunk | None:
        """The chunk after the change, or None when somebody else changed it since it was read."""
        changed = replace(chunk, rev=chunk.rev + 1, **changes)
        old, new = chunk.to_document(), changed.to_document()
        update: Document = {"$set": {name: new[name] for name in new if new[name] != old.get(name)}}
        if chunk.flight is not None and changed.flight is None:
            update["$unset"] = {"flight": ""}
        with translating():
            result = self.db.chunks.update_one({"_id": chunk.id, "rev": chunk.rev}, update)
        return changed if result.modified_count == 1 else None

    def lease(self, chunk: Chunk, token: str) -> Chunk | None:
        """Take a waiting chunk; None when somebody else did."""
        return self.change(chunk, state=ChunkState.LEASED, lease=Lease(token, taken_at=time.time()))

    def cancel_range(self, job_id: str, first_seq: int, end_seq: int) -> None:
        """Cancel the waiting chunks of a range of numbers."""
        cancelled = {"$set": {"state": ChunkState.CANCELLED.value}, "$unset": {"flight": ""}, "$inc": {"rev": 1}}
        self._change_waiting(self.numbered(job_id, first_seq, end_seq), cancelled)

    def beat(self, chunk_id: str, token: str) -> bool:
        """Renew a lease; False when it was taken away."""
        with translating():
            result = self.db.chunks.update_one({"_id": chunk_id, "lease.token": token}, {"$inc": {"lease.beat": 1}})
        return result.modified_count == 1

    def put_in_flight(self, job_id: str, first_seq: int, end_seq: int) -> list[Chunk]:
        """Mark the waiting chunks of a range as sent, and answer them."""
        self._change_waiting(self.numbered(job_id, first_seq, end_seq), {"$set": {"flight": job_id}})
        return [chunk for chunk in self.numbered(job_id, first_seq, end_seq) if chunk.flight]

    def _change_waiting(self, chunks: Sequence[Chunk], change: Document) -> None:
        """Change those that wait, by their ids: the embedded server uses an index for a range of numbers alone, and
        looks at all chunks of a job where the range comes with a state."""
        waiting = [chunk.id for chunk in chunks if chunk.state is ChunkState.WAITING]
        with translating():
            for start in range(0, len(waiting), BATCH):
                part = {"$in": waiting[start : start + BATCH]}
                self.db.chunks.update_many({"_id": part, "state": ChunkState.WAITING.value}, change)

    def in_flight(self, job_id: str) -> list[Chunk]:
        """Chunks sent and not finished. A small set: dispatch is bounded."""
        with translating():
            return [Chunk.from_document(row) for row in self.db.chunks.find({"flight": job_id})]

    def count_in_flight(self, job_id: str) -> int:
        """How many those are, without reading them."""
        with translating():
            return sum(1 for _ in self.db.chunks.find({"flight": job_id}, {"_id": 1}))

    def of_job(self, job_id: str, scan: ScanProgress) -> list[Chunk]:
        """All chunks of a job, without strays: for recounts, not for the common path."""
        with translating():
            found = [Chunk.from_document(row) for row in self.db.chunks.find({"job": job_id})]
        return [chunk for chunk in found if belongs(chunk, scan)]

    def discard(self, chunk_ids: list[str]) -> None:
        """Delete strays."""
        if chunk_ids:
            with translating():
                self.db.chunks.delete_many({"_id": {"$in": chunk_ids}})

    def numbered(self, job_id: str, first_seq: int, end_seq: int) -> list[Chunk]:
        """The chunks of a closed range of numbers."""
        with translating():
            found = self.db.chunks.find({"job": job_id, "seq": {"$gte": first_seq, "$lt": end_seq}})
            return [Chunk.from_document(row) for row in found]
