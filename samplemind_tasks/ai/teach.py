"""Learn a person's own labels from the vectors of sounds they sorted into folders.

Multinomial logistic regression with an L2 penalty (Bishop, Pattern Recognition and Machine Learning, 2006, 4.3.4) on
unit vectors. Its probabilities are set right by a temperature (Guo et al., On Calibration of Modern Neural Networks,
2017), chosen where each sound was held out. A sound that is farther from everything taught than nearly all taught
sounds are from each other belongs to no label: it was not taught about.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from samplemind_tasks.ai.taught import SURE, Taught, Vectors
from samplemind_tasks.errors import BadRequest

LEAST_LABELS = 2
MOST_LABELS = 64
LEAST_SOUNDS = 5
"""Of each label."""
MOST_SOUNDS = 20_000
FOLDS = 5
PENALTY = 1e-3
LOGIT_SCALE = 10.0
"""Unit vectors are short: without it the penalty would keep every answer near chance."""
STEPS = 60
FARTHEST_SHARE = 0.98
FARTHER = 1.25
"""A sound is strange that is farther from every label, by this factor, than this share of the taught ones held out."""


@dataclass(frozen=True)
class Lesson:
    """A head, and how well it does on sounds it was not shown."""

    taught: Taught
    accuracy: float
    """Share of the sounds whose label was right when they were held out; unsure counts as wrong."""
    sounds: dict[str, int]
    """How many sounds of each label were learned from."""
    left_out: dict[str, int]
    """Labels with too few sounds to learn from."""


def teach(vectors: Vectors, labels: Sequence[str]) -> Lesson:
    """Fit a head to labelled sounds.

    Parameters
    ----------
    vectors : float32 [n, size], unit length
    labels : n words

    Raises
    ------
    BadRequest when there are too few or too many labels or sounds.
    """
    every = Counter(labels)
    left_out = {label: count for label, count in every.items() if count < LEAST_SOUNDS}
    kept = [place for place, label in enumerate(labels) if label not in left_out]
    vectors, labels = vectors[kept], [labels[place] for place in kept]
    sounds = Counter(labels)
    _check(sounds, left_out)
    names = tuple(sorted(sounds))
    wanted = np.array([names.index(label) for label in labels])
    held_out = np.empty((len(vectors), len(names)), np.float32)
    nearest = np.empty(len(vectors), np.float32)
    folds = _folds(wanted)
    for fold in range(FOLDS):
        out = folds == fold
        weights, bias = _fit(vectors[~out], wanted[~out], len(names))
        held_out[out] = vectors[out] @ weights.T + bias
        nearest[out] = (vectors[out] @ _centres(vectors[~out], wanted[~out], len(names)).T).max(axis=1)
    temperature = _temperature(held_out, wanted)
    weights, bias = _fit(vectors, wanted, len(names))
    nearest_least = 1.0 - FARTHER * float(np.quantile(1.0 - nearest, FARTHEST_SHARE))
    taught = Taught(
        names, weights / temperature, bias / temperature, _centres(vectors, wanted, len(names)), nearest_least
    )
    return Lesson(taught, _accuracy(held_out / temperature, wanted, nearest >= nearest_least), dict(sounds), left_out)


def _check(sounds: Mapping[str, int], left_out: Mapping[str, int]) -> None:
    if not LEAST_LABELS <= len(sounds) <= MOST_LABELS:
        few = f"; too few sounds of {', '.join(sorted(left_out)[:5])}" if left_out else ""
        raise BadRequest(
            f"{len(sounds)} labels: teach {LEAST_LABELS} to {MOST_LABELS}, each a subfolder with {LEAST_SOUNDS} sounds "
            f"or more{few}"
        )
    if sum(sounds.values()) > MOST_SOUNDS:
        raise BadRequest(f"{sum(sounds.values()):,} sounds: {MOST_SOUNDS:,} are the most that are learned from")


def _folds(wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """A fold for each sound, those of a label spread evenly: every fold leaves some of each label to learn from."""
    folds = np.empty(len(wanted), np.int64)
    dice = np.random.default_rng(0)
    for label in np.unique(wanted):
        members = dice.permutation(np.flatnonzero(wanted == label))
        folds[members] = np.arange(len(members)) % FOLDS
    return folds


def _fit(vectors: Vectors, wanted: NDArray[np.int64], labels: int) -> tuple[Vectors, Vectors]:
    """Weights [labels, size] and bias [labels] of the logistic regression; every label weighs the same."""
    x, y = torch.from_numpy(vectors) * LOGIT_SCALE, torch.from_numpy(wanted)
    weights = torch.zeros(labels, vectors.shape[1], requires_grad=True)
    bias = torch.zeros(labels, requires_grad=True)
    share = 1.0 / torch.bincount(y, minlength=labels).clamp(min=1).float()
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        cost = functional.cross_entropy(x @ weights.T + bias, y, share) + PENALTY * weights.square().sum()
        cost.backward()  # type: ignore[no-untyped-call]
        return cost

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return weights.detach().numpy() * np.float32(LOGIT_SCALE), bias.detach().numpy()


def _centres(vectors: Vectors, wanted: NDArray[np.int64], labels: int) -> Vectors:
    means = np.stack([vectors[wanted == label].mean(axis=0) for label in range(labels)])
    return np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9), np.float32)


def _temperature(logits: Vectors, wanted: NDArray[np.int64]) -> float:
    """The temperature at which the held-out answers are most likely."""
    tried = np.geomspace(0.2, 5.0, 60)
    rows = np.arange(len(wanted))

    def cost(temperature: float) -> float:
        scaled = logits / temperature
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        return float((np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, wanted]).mean())

    return float(min(tried, key=cost))


def _accuracy(logits: Vectors, wanted: NDArray[np.int64], near: NDArray[np.bool_]) -> float:
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    sure = likely.max(axis=1) / likely.sum(axis=1) >= SURE
    return float(((logits.argmax(axis=1) == wanted) & sure & near).mean())
