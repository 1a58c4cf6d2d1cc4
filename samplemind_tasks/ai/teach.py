"""Learn a person's own labels from the vectors of sounds they sorted into folders.

Multinomial logistic regression with an L2 penalty (Bishop, Pattern Recognition and Machine Learning, 2006, 4.3.4) on
unit vectors. Its probabilities are set right by a temperature (Guo et al., On Calibration of Modern Neural Networks,
2017), chosen where each sound was held out. How far from its label's centre a sound may lie is learned too: as far as
nearly all taught sounds lie when they are held out. And so is what the model calls the sounds of a label: those that it
calls something else were not taught about, unless they are very close.
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
REACHED_SHARE = 0.95
"""Of the taught sounds lie within reach of their label's centre."""
LEAST_HEARD_SHARE = 0.2
"""What the model calls fewer of a label's sounds is taken for its error."""


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


def teach(
    vectors: Vectors,
    labels: Sequence[str],
    heard: Sequence[str | None] | None = None,
    named: Mapping[str, str | None] | None = None,
) -> Lesson:
    """Fit a head to labelled sounds.

    Parameters
    ----------
    vectors : float32 [n, size], unit length
    labels : n words
    heard : n categories, what the model alone calls the sounds; None where it tells none
    named : the category that a label itself names

    Raises
    ------
    BadRequest when there are too few or too many labels or sounds.
    """
    every = Counter(labels)
    left_out = {label: count for label, count in every.items() if count < LEAST_SOUNDS}
    kept = [place for place, label in enumerate(labels) if label not in left_out]
    vectors, labels = vectors[kept], [labels[place] for place in kept]
    heard = [None] * len(kept) if heard is None else [heard[place] for place in kept]
    sounds = Counter(labels)
    _check(sounds, left_out)
    names = tuple(sorted(sounds))
    wanted = np.array([names.index(label) for label in labels])
    held_out = np.empty((len(vectors), len(names)), np.float32)
    distances = np.empty((len(vectors), len(names)), np.float32)
    folds = _folds(wanted)
    for fold in range(FOLDS):
        out = folds == fold
        weights, bias = _fit(vectors[~out], wanted[~out], len(names))
        held_out[out] = vectors[out] @ weights.T + bias
        distances[out] = 1 - vectors[out] @ _centres(vectors[~out], wanted[~out], len(names)).T
    temperature = _temperature(held_out, wanted)
    weights, bias = _fit(vectors, wanted, len(names))
    taught = Taught(
        labels=names,
        weights=weights / temperature,
        bias=bias / temperature,
        centres=_centres(vectors, wanted, len(names)),
        reach=float(np.quantile(distances[np.arange(len(wanted)), wanted], REACHED_SHARE)),
        heard_as=tuple(_heard_as(name, labels, heard) | {(named or {}).get(name)} - {None} for name in names),
    )
    best = held_out.argmax(axis=1)
    belongs = taught.belongs(distances[np.arange(len(best)), best], best, heard)
    return Lesson(taught, _accuracy(held_out / temperature, wanted, belongs), dict(sounds), left_out)


def _heard_as(label: str, labels: Sequence[str], heard: Sequence[str | None]) -> frozenset[str | None]:
    """What the model calls the sounds of a label."""
    called = Counter(name for name, of in zip(heard, labels, strict=True) if of == label)
    return frozenset(name for name, count in called.items() if count >= LEAST_HEARD_SHARE * called.total())


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
