"""What a person taught: labels of their own on the vectors of sounds. How it is fitted: teach.py."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SURE = 0.5
"""A label below this probability is not given."""

Vectors = NDArray[np.float32]


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
    nearest_least: float
    """Cosine to the nearest centre below which a sound is like nothing that was taught."""

    def probabilities(self, vectors: Vectors) -> Vectors:
        """Of each label: float32 [n, labels] for unit vectors [n, size]; all zero where nothing taught is near."""
        logits = vectors @ self.weights.T + self.bias
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        near = (vectors @ self.centres.T).max(axis=1) >= self.nearest_least
        return np.asarray(likely * near[:, None], np.float32)

    def label(self, vectors: Vectors) -> list[tuple[str | None, float]]:
        """The label of each vector with its probability; None where it is unsure."""
        likely = self.probabilities(vectors)
        best = likely.argmax(axis=1)
        scores = likely[np.arange(len(likely)), best]
        return [
            (self.labels[i] if score >= SURE else None, float(score)) for i, score in zip(best, scores, strict=True)
        ]
