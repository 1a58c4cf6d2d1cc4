"""How samples and analyses look in MongoDB, and what they are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from samplemind_tasks.aspects import aspects, word_scores
from samplemind_tasks.categories import LEAVES
from samplemind_tasks.facets import FULL
from samplemind_tasks.features import Features
from samplemind_tasks.schemas import SampleState, Tag
from samplemind_tasks.store.mongo import Document

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Measurement:
    """What `analyze` found for a file's bytes."""

    file_hash: str
    features: Features
    peaks: bytes
    """int8 [bins, 2]: lowest and highest value."""
    peaks_detail: bytes
    """The same in finer slices."""


@dataclass(frozen=True)
class Hearing:
    """What a model made of a file's bytes."""

    file_hash: str
    vector: Vector
    """float32 [vector_size], unit length; empty where there is nothing to hear: silence is like nothing."""
    tags: tuple[Tag, ...]
    leaves: Vector | None = None
    """float32 [L], probabilities of categories.LEAVES; None where the model does not tell categories."""


def nothing_heard(file_hash: str) -> Hearing:
    """What a model makes of silence."""
    return Hearing(file_hash, np.empty(0, np.float32), ())


@dataclass(frozen=True)
class Arrival:
    """A place whose bytes are known and measured: it becomes, or joins, a sample."""

    file_hash: str
    name: str
    size_bytes: int


@dataclass(frozen=True)
class ReadySample:
    """What is shown of a searchable sample, besides what was measured."""

    file_hash: str
    category: str | None
    """As the model, or a lesson, calls it."""
    is_named_by_person: bool
    """A person gave it another category, which goes before."""
    tags: tuple[str, ...]


def analysis_id(file_hash: str, stage: str, version: str) -> str:
    """The id of what a stage at a version found for some bytes."""
    return f"{file_hash}:{stage}:{version}"


def analysis_document(file_hash: str, stage: str, version: str) -> Document:
    """What every analysis says of itself."""
    return {
        "_id": analysis_id(file_hash, stage, version),
        "file_hash": file_hash,
        "stage": stage,
        "version": version,
        "created_at": datetime.now(UTC),
    }


def measured_fields(features: Features, paths: Sequence[str]) -> Document:
    """What lists, filters and searches need of what was measured, copied beside the sample."""
    return {
        "duration_s": features.duration_s,
        "kind": features.kind.value,
        "tempo_bpm": features.tempo_bpm,
        "tempo_confidence": features.tempo_confidence,
        "key": features.key,
        "key_confidence": features.key_confidence,
        "key_camelot": features.key_camelot,
        "loudness_lufs": features.loudness_lufs,
        "analysis_version": features.analysis_version,
        "pcm_hash": features.pcm_hash,
        "centroid_hz": None if features.centroid_hz is None else features.centroid_hz.mean,
        "pitch_midi": features.pitch_midi,
        "aspects": aspects(features).tobytes(),
        "word_scores": word_scores(features).tobytes(),
        "paths": list(paths),
        "touched": now(),
    }


def leaves_of(embed: Document) -> Vector | None:
    """The leaf probabilities of an embed analysis; None where it has none, or those of other leaves than ours."""
    leaves = embed.get("leaves")
    if leaves is None or len(leaves) != len(LEAVES):
        return None
    return np.frombuffer(leaves, np.uint8).astype(np.float32) / np.float32(FULL)


def now() -> datetime:
    """The time stamp by which the gateway finds what changed since it last looked."""
    return datetime.now(UTC)


def sample_document(name: str, user_id: str, arrival: Arrival, number: int) -> Document:
    """A sample that has just arrived, but for what was measured."""
    return {
        "_id": name,
        "user_id": user_id,
        "file_hash": arrival.file_hash,
        "number": number,
        "created_at": datetime.now(UTC),
        "name": arrival.name,
        "state": SampleState.ANALYZED.value,
        "size_bytes": arrival.size_bytes,
        "tags": [],
        "user": {},
    }
