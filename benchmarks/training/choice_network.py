"""A small network that chooses among candidates, or none, trained by gradient descent in numpy.

One hidden layer scores every candidate; a linear score stands for "none"; a softmax over both gives probabilities.
Several answers may be right. Adam (Kingma and Ba, 2015) with a cosine schedule.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_BATCH = 256
_FIRST_STEP = 3e-3
_WEIGHT_DECAY = 1e-4
_NEVER = np.float32(-1e9)


@dataclass(frozen=True)
class Choices:
    """Items to choose in.

    Attributes
    ----------
    features : float32 [items, candidates, features], zero where there is no candidate
    exists : bool [items, candidates]
    whole : float32 [items, whole features], of the item as such
    right : bool [items, candidates + 1], the last for "none"
    weight : float32 [items]
    """

    features: Floats
    exists: Bools
    whole: Floats
    right: Bools
    weight: Floats

    def of(self, chosen: Bools | NDArray[np.int64]) -> "Choices":
        """The chosen items alone."""
        return Choices(*(array[chosen] for array in vars(self).values()))


@dataclass(frozen=True)
class Network:
    """hidden [features, n], hidden_bias [n], score [n], none [whole features]."""

    hidden: Floats
    hidden_bias: Floats
    score: Floats
    none: Floats

    def probabilities(self, choices: Choices) -> tuple[Floats, Floats]:
        """Probabilities [items, candidates + 1], and the hidden values [items, candidates, n]."""
        hidden = np.tanh(choices.features @ self.hidden + self.hidden_bias)
        scores = np.where(choices.exists, hidden @ self.score, _NEVER)
        scores = np.concatenate([scores, (choices.whole @ self.none)[:, None]], axis=1)
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        return chances / chances.sum(axis=1, keepdims=True), hidden


def train(choices: Choices, hidden: int, epochs: int, seed: int) -> Network:
    """Fit a network to the right answers, by the likelihood of any of them."""
    random = np.random.default_rng(seed)
    features = choices.features.shape[2]
    parameters = [
        random.normal(0, features**-0.5, (features, hidden)).astype(np.float32),
        np.zeros(hidden, dtype=np.float32),
        random.normal(0, 0.3, hidden).astype(np.float32),
        np.zeros(choices.whole.shape[1], dtype=np.float32),
    ]
    mean = [np.zeros_like(parameter) for parameter in parameters]
    square = [np.zeros_like(parameter) for parameter in parameters]
    step = 0
    for epoch in range(epochs):
        rate = 0.5 * _FIRST_STEP * (1 + np.cos(np.pi * epoch / epochs))
        order = random.permutation(len(choices.weight))
        for start in range(0, len(order), _BATCH):
            batch = choices.of(order[start : start + _BATCH])
            step += 1
            for index, gradient in enumerate(_gradients(Network(*parameters), batch)):
                gradient = gradient + _WEIGHT_DECAY * parameters[index]
                mean[index] = 0.9 * mean[index] + 0.1 * gradient
                square[index] = 0.999 * square[index] + 0.001 * gradient**2
                scale = np.sqrt(square[index] / (1 - 0.999**step)) + 1e-8
                parameters[index] = np.float32(parameters[index] - rate * mean[index] / (1 - 0.9**step) / scale)
    return Network(*parameters)


def _gradients(network: Network, batch: Choices) -> tuple[Floats, Floats, Floats, Floats]:
    """Of the mean negative log likelihood, for every parameter."""
    chances, hidden = network.probabilities(batch)
    wanted = chances * batch.right
    wanted /= wanted.sum(axis=1, keepdims=True) + 1e-9
    error = (chances - wanted) * batch.weight[:, None] / len(batch.weight)
    by_hidden = error[:, :-1, None] * network.score * (1 - hidden**2)
    return (
        np.tensordot(batch.features, by_hidden, axes=([0, 1], [0, 1])),
        by_hidden.sum(axis=(0, 1)),
        np.tensordot(error[:, :-1], hidden, axes=([0, 1], [0, 1])),
        error[:, -1] @ batch.whole,
    )
