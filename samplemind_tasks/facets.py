"""What a search needs to know of a sample, small enough to hold for every sample in memory: a byte for each score.

Measured facets come with the analysis, heard ones with a model's hearing; the two are stored and refreshed apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samplemind_tasks.cards import ModelCard
from samplemind_tasks.categories import CATEGORY_NUMBERS, UNSURE_BELOW, Category
from samplemind_tasks.schemas import Tag

Bytes = npt.NDArray[np.uint8]
Steps = npt.NDArray[np.int8]
Vector = npt.NDArray[np.float32]

FULL = 255
TIMBRE_FULL = 127
_CATEGORIES = tuple(Category)


@dataclass(frozen=True)
class Heard:
    """What a model's hearing says of a sample, as bytes."""

    by: str
    """The model and revision."""
    timbre: bytes
    """int8 [vector_size]: the vector's direction; its longest number is 127."""
    leaf_scores: bytes
    """uint8 [len(LEAVES)], empty where the model tells no categories."""
    tag_scores: bytes
    """uint8 [tags of the model]."""
    category: str | None
    category_confidence: float | None
    category_source: str = "model"
    """`model`, or `taught` where a head that the user taught decided."""


def heard(card: ModelCard, vector: Vector, tags: Sequence[Tag], leaves: Vector | None) -> Heard:
    """The facets of one hearing.

    Parameters
    ----------
    card : the model that heard it
    vector : float32 [card.vector_size], unit length; empty for silence
    tags : words of the card with their scores
    leaves : float32 [len(LEAVES)], probabilities; None where the model does not tell categories
    """
    if not len(vector):
        return Heard(card.collection, b"", b"", b"", None, None)
    score_of = {tag.name: tag.score for tag in tags}
    category, confidence = likely_category(leaves) if leaves is not None else (None, None)
    return Heard(
        by=card.collection,
        timbre=timbre_steps(vector).tobytes(),
        leaf_scores=b"" if leaves is None else as_bytes(leaves).tobytes(),
        tag_scores=as_bytes(np.array([score_of.get(name, 0.0) for name in card.tags], np.float32)).tobytes(),
        category=category.value if category and confidence is not None and confidence >= UNSURE_BELOW else None,
        category_confidence=confidence,
    )


def category_scores(leaves: Vector) -> Vector:
    """Probability of each `Category` in its order, float32 [..., categories], from float32 [..., len(LEAVES)]."""
    scores = np.zeros((*leaves.shape[:-1], len(_CATEGORIES)), np.float32)
    np.add.at(scores.T, np.array(CATEGORY_NUMBERS), leaves.T)
    return scores


def likely_category(leaves: Vector) -> tuple[Category, float]:
    """The most probable category and its probability."""
    scores = category_scores(leaves)
    best = int(scores.argmax())
    return _CATEGORIES[best], round(min(float(scores[best]), 1.0), 3)


def as_bytes(scores: Vector) -> Bytes:
    """Scores from 0 to 1 as uint8, 255 being 1."""
    return np.asarray(np.rint(np.clip(scores, 0, 1) * FULL), np.uint8)


def timbre_steps(vector: Vector) -> Steps:
    """A vector's direction as int8: cosines of two come out right to about 0.005."""
    longest = max(float(np.abs(vector).max()), 1e-9)
    return np.asarray(np.rint(vector / longest * TIMBRE_FULL), np.int8)
