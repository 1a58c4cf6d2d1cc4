"""What each user taught, in MongoDB: one document a user."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from pymongo.database import Database

from samplemind_tasks.store.mongo import Document, translating

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """A fitted head as it is stored; ai/taught.py says what the numbers are."""

    labels: tuple[str, ...]
    weights: Vectors
    bias: Vectors
    centres: Vectors
    nearest_least: float


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
            "nearest_least": head.nearest_least,
            "told": told,
            "taught_at": datetime.now(UTC),
        }
        with translating():
            self._taught.replace_one({"_id": user_id}, document, upsert=True)

    def get(self, user_id: str, model: str) -> Head | None:
        """The user's head, if it was fitted on vectors of this model."""
        with translating():
            row = self._taught.find_one({"_id": user_id})
        if row is None or row.get("model") != model:
            return None
        shape = (len(row["labels"]), -1)
        return Head(
            tuple(row["labels"]),
            np.frombuffer(row["weights"], "<f4").reshape(shape),
            np.frombuffer(row["bias"], "<f4"),
            np.frombuffer(row["centres"], "<f4").reshape(shape),
            float(row["nearest_least"]),
        )
