"""How alike sounds are, over the columns of a shelf. Pure: numbers in, numbers out; to be called in a thread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samplemind_tasks.aspects import Aspect, similarities
from samplemind_tasks.library.shelf import View
from samplemind_tasks.library.sounds import Reference
from samplemind_tasks.queries import Weights

Vector = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]

AWAY = 0.5
"""What a sound is unlike counts half as much as what it is like."""
BLOCK = 8_192
"""Rows compared at a time: they fit the cache."""


@dataclass(frozen=True)
class Wish:
    """What is wanted to be like, and unlike, some sounds."""

    like: Sequence[Reference]
    unlike: Sequence[Reference]
    weights: Weights

    @property
    def samples(self) -> set[str]:
        """Samples that are named: they are not found."""
        return {row.sample for row in (*self.like, *self.unlike) if row.sample is not None}

    @property
    def weight_of(self) -> dict[Aspect, float]:
        """The weight of each aspect that counts."""
        return {aspect: weight for aspect in Aspect if (weight := getattr(self.weights, aspect.value)) > 0}

    def direction(self) -> Vector:
        """Where in the model's space to look: float32 [vector_size], unit length."""
        towards = np.zeros(len((*self.like, *self.unlike)[0].vector), np.float32)
        if self.like:
            towards += np.mean([row.vector for row in self.like], axis=0)
        if self.unlike:
            towards -= AWAY * np.mean([row.vector for row in self.unlike], axis=0)
        return np.asarray(towards / max(float(np.linalg.norm(towards)), 1e-9), np.float32)


def cosines(view: View, rows: Rows, direction: Vector) -> Scores:
    """Cosine of a direction and the timbre of each row, float32 [rows]; -1 where the model has not heard it."""
    found = np.empty(len(rows), np.float32)
    timbre, has_timbre = view["timbre"], view["has_timbre"]
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        vectors = timbre[part].astype(np.float32)
        lengths = np.sqrt(np.einsum("rs,rs->r", vectors, vectors))
        found[start : start + BLOCK] = np.where(has_timbre[part], vectors @ direction / np.maximum(lengths, 1), -1)
    return found


def aspect_scores(view: View, rows: Rows, wish: Wish, aspect: Aspect) -> Scores:
    """How alike each row is in an aspect, float32 [rows], 0 to 1."""
    measured = view["aspects"][rows]
    near = [similarities(row.aspects, measured, aspect) for row in wish.like if row.aspects is not None]
    far = [similarities(row.aspects, measured, aspect) for row in wish.unlike if row.aspects is not None]
    scores = np.mean(near, axis=0) if near else np.full(len(rows), 1.0 if far else 0.0, np.float32)
    if far:
        scores = scores - AWAY * np.mean(far, axis=0)
    return np.asarray(np.clip(scores, 0, 1), np.float32)


def together(parts: dict[str, Scores], weights: dict[str, float]) -> Scores:
    """The weighted mean of parts, float32 [rows]."""
    total = sum(weights[name] for name in parts)
    return np.asarray(sum(weights[name] / total * scores for name, scores in parts.items()), np.float32)
