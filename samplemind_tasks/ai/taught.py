"""What a person taught: labels of their own on the vectors of sounds. How it is fitted: teach.py."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SURE = 0.5
"""A label below this probability is not given."""
CLOSE = 0.5
"""Within this part of a lesson's reach a sound is one of a label's, whatever else the model calls it."""
FAR = 1.25
"""Within this many reaches it is, where the model calls it what it calls the label's own sounds.

Lessons of two to five drums of eight kits, tried on other kits and on other sounds: 76 % get their label, and 13 % of
the strangers get one. By distance alone it is 70 % where 15 % of the strangers get one.
"""

Vectors = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Taught:
    """A fitted head."""

    labels: tuple[str, ...]
    weights: Vectors
    """[labels, size], the temperature already in it."""
    bias: Vectors
    """[labels]"""
    centres: Vectors
    """[labels, size]: the mean vector of each label, unit length."""
    reach: float
    """Cosine distance from their label's centre within which nearly all taught sounds lie, each held out."""
    heard_as: tuple[frozenset[str | None], ...]
    """Of each label, what the model calls its sounds; None where it is unsure."""

    def label(self, vectors: Vectors, heard: Sequence[str | None]) -> list[tuple[str | None, float]]:
        """The label of each sound with its probability; None where it is unsure, or like nothing that was taught.

        Parameters
        ----------
        vectors : float32 [n, size], unit length
        heard : n categories, as the model alone calls the sounds
        """
        likely = self.probabilities(vectors)
        best = likely.argmax(axis=1)
        scores = likely[np.arange(len(likely)), best]
        belongs = self.belongs(1 - np.sum(vectors * self.centres[best], axis=1), best, heard)
        return [
            (self.labels[i] if score >= SURE and near else None, float(score))
            for i, score, near in zip(best, scores, belongs, strict=True)
        ]

    def probabilities(self, vectors: Vectors) -> Vectors:
        """Of each label, given that it is one of them: float32 [n, labels] for unit vectors [n, size]."""
        logits = vectors @ self.weights.T + self.bias
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(likely / likely.sum(axis=1, keepdims=True), np.float32)

    def belongs(self, distances: Vectors, labels: NDArray[np.intp], heard: Sequence[str | None]) -> Mask:
        """Whether sounds so far from the centre of a label, and called so by the model, are of its kind: bool [n]."""
        alike = np.array([name in self.heard_as[i] for i, name in zip(labels, heard, strict=True)], np.bool_)
        return np.asarray((distances <= CLOSE * self.reach) | (alike & (distances <= FAR * self.reach)))
