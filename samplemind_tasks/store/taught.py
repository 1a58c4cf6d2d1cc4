"""What each user taught, in MongoDB: one document a user."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from pymongo.database import Database

from samplemind_tasks.store.mongo import Document, translating

Vectors = npt.NDArray[np.float32]

HASH_DIGITS = 16


@dataclass(frozen=True)
class Head:
    """A fitted head as it is stored; ai/taught.py says what the numbers are."""

    labels: tuple[str, ...]
    weights: Vectors
    bias: Vectors
    centres: Vectors
    reach: float
    heard_as: tuple[frozenset[str | None], ...]
    categories: tuple[str | None, ...]
    """The category that each label names; one that names none is a tag."""
    sorted_sounds: dict[int, int]
    """The place of the label by `sound_number`, of the very sounds that were taught."""


def sound_number(file_hash: str) -> int:
    """What stands for some bytes among those of a lesson."""
    return int(file_hash[:HASH_DIGITS], 16)


class TaughtHeads:
    """The heads of all users."""

    def __init__(self, db: Database[Document]) -> None:
        self._taught = db.taught

    def save(self, user_id: str, model: str, head: Head, told: Document) -> None:
        """Replace what the user taught before.

        model : names the vectors the head was fitted on
        told : what is shown of it: folder, accuracy, sounds by label
        """
        document: Document = {
            "model": model,
            "labels": list(head.labels),
            "weights": head.weights.astype("<f4").tobytes(),
            "bias": head.bias.astype("<f4").tobytes(),
            "centres": head.centres.astype("<f4").tobytes(),
            "reach": head.reach,
            "heard_as": [sorted(names, key=str) for names in head.heard_as],
            "categories": list(head.categories),
            "sounds": np.array(list(head.sorted_sounds), "<u8").tobytes(),
            "sound_labels": bytes(head.sorted_sounds.values()),
            "told": told,
            "taught_at": datetime.now(UTC),
        }
        with translating():
            self._taught.replace_one({"_id": user_id}, document, upsert=True)

    def get(self, user_id: str, model: str) -> Head | None:
        """The user's head, if it was fitted on vectors of this model."""
        with translating():
            row = self._taught.find_one({"_id": user_id})
        if row is None or row.get("model") != model or "sounds" not in row:
            return None
        shape = (len(row["labels"]), -1)
        return Head(
            labels=tuple(row["labels"]),
            weights=np.frombuffer(row["weights"], "<f4").reshape(shape),
            bias=np.frombuffer(row["bias"], "<f4"),
            centres=np.frombuffer(row["centres"], "<f4").reshape(shape),
            reach=float(row["reach"]),
            heard_as=tuple(map(frozenset, row["heard_as"])),
            categories=tuple(row["categories"]),
            sorted_sounds=dict(zip(np.frombuffer(row["sounds"], "<u8").tolist(), row["sound_labels"], strict=True)),
        )
