"""A library to ask the gateway about, written with the workers' own code where it is not about bulk."""

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from redis import Redis

from samplemind_tasks.categories import LEAVES
from samplemind_tasks.errors import FailureCode
from samplemind_tasks.features import Features, Kind
from samplemind_tasks.reindex import ready_facets
from samplemind_tasks.schemas import Failure, JobKind, SampleState, Tag
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.chunks import Chunk, Chunks
from samplemind_tasks.store.documents import nothing_heard
from samplemind_tasks.store.failures import Failures
from samplemind_tasks.store.jobs import JobRecord, Jobs, new_job_document
from samplemind_tasks.store.mongo import connect, place_id, sample_id
from samplemind_tasks.store.places import LAST_KEY, Place, Places, PlaceState, key_of
from samplemind_tasks.store.samples import Arrival, Hearing, Measurement, Samples, Vector
from samplemind_tasks.store.vectors import VectorIndex, collection_name

VERSION = "1"


def features(**changes: Any) -> Features:
    """What analyze might say of a loop."""
    values: dict[str, Any] = dict.fromkeys(Features.model_fields) | {
        "analysis_version": 1, "container": "WAV", "codec": "PCM_16", "rate_hz": 44100, "channels": 2, "bit_depth": 16,
        "duration_s": 2.0, "measured_s": 2.0, "kind": Kind.LOOP, "kind_confidence": 0.9, "tempo_bpm": 124.0,
        "tempo_confidence": 0.8, "tempo_second_bpm": 62.0, "key": "A minor", "key_confidence": 0.7, "key_second": None,
        "key_camelot": "8A", "loudness_lufs": -9.5, "loudness_range_lu": 3.0, "sample_peak_dbfs": -0.1,
        "rms_dbfs": -12.0, "clipped_samples": 0, "dc_offset": 0.0, "silence_start_s": 0.0, "silence_end_s": 0.0,
        "pcm_hash": "0" * 32, "evidence": [], "words": [], "onset_count": 8, "onset_times_s": [0.0], "reasons": {},
        "notes": [],
    }  # fmt: skip
    return Features(**{**values, **changes})


def _leaves(probabilities: dict[str, float]) -> Vector:
    return np.array([probabilities.get(leaf, 0.0) for leaf in LEAVES], np.float32)


def eventually(claim: Callable[[], bool], within_s: float = 10.0) -> bool:
    """Whether a claim comes true."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if claim():
            return True
        time.sleep(0.02)
    return claim()


class World:
    """One user's library, or another's."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.db = connect(settings)
        self.redis: Any = Redis.from_url(settings.redis_url, decode_responses=True)
        self.samples = Samples(self.db)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.db.client.close()
        self.redis.close()

    def sample(
        self, name: str, user: str = "local", vector: list[float] | None = None, tags: dict[str, float] | None = None,
        heard_as: dict[str, float] | None = None, **changes: Any,
    ) -> str:  # fmt: skip
        """A file of the folder as a sample: measured, and heard where a vector is given; an empty one is silence."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((b"the sound of " + os.fsencode(name)) * 100)
        file_hash = hashlib.sha256(path.read_bytes()).hexdigest()
        size_bytes = path.stat().st_size
        place = Place.new(user, str(self.folder), key_of(self.folder, path), size_bytes, path.stat().st_mtime_ns)
        Places(self.db).write([place], [])
        Places(self.db).learned({place.id: file_hash})
        shown = os.fsencode(path.name).decode(errors="replace")
        peaks = np.array([[-100, 90], [-50, 60]], np.int8).tobytes()
        measurement = Measurement(file_hash, features(**changes), peaks, peaks_detail=peaks * 2)
        self.samples.save_measurements([measurement], VERSION, replace=False)
        self.samples.arrive(user, [Arrival(file_hash, shown, size_bytes)], {}, VERSION)
        name_of = sample_id(user, file_hash)
        if vector is not None:
            self._hear(user, name_of, file_hash, vector, tags or {}, None if heard_as is None else _leaves(heard_as))
        return name_of

    def _hear(
        self, user: str, sample: str, file_hash: str, vector: list[float], tags: dict[str, float],
        leaves: Vector | None = None,
    ) -> None:  # fmt: skip
        card = self.settings.model_card
        whole = np.zeros(card.vector_size, np.float32)
        whole[: len(vector)] = vector
        heard = tuple(Tag(name=name, score=score) for name, score in tags.items())
        hearing = Hearing(file_hash, whole, heard, leaves) if vector else nothing_heard(file_hash)
        self.samples.save_hearings([hearing], card.collection, replace=False)
        if vector:
            VectorIndex(self.settings).upsert(collection_name(card.collection, user), [sample], whole[None, :])
        self.samples.ready(*ready_facets(card, {sample: hearing}))

    def copy(self, sample: str, name: str) -> None:
        """Another file with a sample's bytes, as it arrives."""
        row = self.db.audio_files.find_one({"_id": sample})
        assert row is not None
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Path(row["paths"][0]).read_bytes())
        size_bytes = path.stat().st_size
        key = key_of(self.folder, path)
        place = Place.new(row["user_id"], str(self.folder), key, size_bytes, path.stat().st_mtime_ns)
        Places(self.db).write([place], [])
        Places(self.db).learned({place.id: row["file_hash"]})
        self.samples.arrive(row["user_id"], [Arrival(row["file_hash"], path.name, size_bytes)], {}, VERSION)

    def leave(self, sample: str, folder: str) -> None:
        """As a scan notes that a sample's files in a folder are gone."""
        row = self.db.audio_files.find_one({"_id": sample})
        assert row is not None
        first = f"{folder}/"
        Places(self.db).mark_stretch(row["user_id"], str(self.folder), first, first + LAST_KEY, PlaceState.MISSING)
        self.samples.note_places(row["user_id"], [row["file_hash"]])

    def hear_again(self, sample: str, heard_as: dict[str, float]) -> None:
        """As after a rescan: the model has heard the sample anew."""
        row = self.db.audio_files.find_one({"_id": sample})
        assert row is not None
        self.db.analyses.delete_many({"file_hash": row["file_hash"], "stage": "embed"})
        self._hear(row["user_id"], sample, row["file_hash"], [1.0], {}, _leaves(heard_as))

    def crowd(self, count: int, first: int = 1, user: str = "local", **changes: Any) -> list[str]:
        """Many samples at once, numbered from `first`; every tenth is a one-shot. Answers their ids, oldest first."""
        rows = []
        for number in range(first, first + count):
            file_hash = hashlib.sha256(f"{user}{number}".encode()).hexdigest()
            rows.append(
                {
                    "_id": sample_id(user, file_hash),
                    "user_id": user,
                    "file_hash": file_hash,
                    "number": number,
                    "created_at": datetime.now(UTC),
                    "name": f"sound {number}.wav",
                    "state": SampleState.ANALYZED.value,
                    "size_bytes": 10,
                    "duration_s": 1.0,
                    "kind": "one-shot" if number % 10 == 0 else "loop",
                    "tempo_bpm": 100.0 + number % 50,
                    "tempo_confidence": 0.5,
                    "key": None,
                    "key_confidence": None,
                    "key_camelot": None,
                    "loudness_lufs": None,
                    "analysis_version": 1,
                    "tags": [],
                    "user": {},
                    **changes,
                }
            )
        self.db.audio_files.insert_many(rows)
        self.db.counters.replace_one({"_id": f"samples:{user}"}, {"value": first + count - 1}, upsert=True)
        return [row["_id"] for row in rows]

    def job(self, user: str = "local", kind: JobKind = JobKind.FOLDER, **fields: Any) -> str:
        """A job document, open and without a view."""
        document = new_job_document(user_id=user, kind=kind, request={}, path=str(self.folder), root=str(self.folder))
        self.db.jobs.insert_one({**document, **fields})
        return str(fields.get("_id", document["_id"]))

    def record(self, job_id: str) -> JobRecord:
        """A job as MongoDB has it."""
        record = Jobs(self.db).get(job_id)
        assert record is not None
        return record

    def chunk(self, job_id: str, places: int, **fields: Any) -> None:
        """A chunk of a job, as a spin-off: no scan has to vouch for it."""
        names = tuple(secrets.token_hex(12) for _ in range(places))
        Chunks(self.db).insert(
            [Chunk(secrets.token_hex(8), job_id, "local", -1, names, False, {"analyze": VERSION}, **fields)]
        )

    def failures(self, job_id: str, code: FailureCode, count: int) -> list[str]:
        """Failures of a job, told in its scan's counts too. Answers the places' ids."""
        places = [place_id("local", job_id, f"{code}{number}") for number in range(count)]
        rows = [Failure(place=name, path=f"/x/{name}", code=code, message="no") for name in places]
        if count < 50:
            Failures(self.db).record(job_id, "local", f"{job_id}-{code}", rows)
        else:
            self.db.failures.insert_many(
                {
                    "_id": f"{job_id}:{row.place}",
                    "job": job_id,
                    "user_id": "local",
                    "chunk": "c",
                    **row.model_dump(mode="json"),
                }
                for row in rows
            )
        self.db.jobs.update_one({"_id": job_id}, {"$set": {f"scan.failed.{code.value}": count}})
        return sorted(places)

    def queued(self, queue: str) -> list[str]:
        """Messages waiting in a queue."""
        return list(self.redis.lrange(queue, 0, -1))
