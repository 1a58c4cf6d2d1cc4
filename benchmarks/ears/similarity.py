"""Neighbours: is the nearest sound of another kit of the same class, and how many of the ten nearest are?"""

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.ai.course import BANDS, CEPSTRUM
from samplemind_tasks.ai.ears import Part, raw

Floats = NDArray[np.float32]

NEIGHBOURS = 10
_NETWORKS = (slice(0, 512), slice(512, 1265))
_PICTURE = 1265 + 12 * BANDS
_CEPSTRUM = slice(_PICTURE, _PICTURE + 2 * CEPSTRUM)
"""Mean and deviation of the cepstrum in `ears.raw`."""


def neighbours(vectors: Floats, labels: NDArray[np.str_], groups: NDArray[np.str_]) -> tuple[float, float]:
    """Score vectors by the labels of their nearest neighbours in other groups.

    Parameters
    ----------
    vectors : float32 [sounds, size], compared by cosine
    labels, groups : str [sounds]; a sound whose label no other group has is left out

    Returns
    -------
    share of sounds whose nearest neighbour has their label; mean average precision among the ten nearest
    """
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = unit @ unit.T
    first, precision = [], []
    for place, row in enumerate(cosine):
        others = np.flatnonzero(groups != groups[place])
        if not (labels[others] == labels[place]).any():
            continue
        nearest = others[np.argsort(-row[others], kind="stable")][:NEIGHBOURS]
        right = labels[nearest] == labels[place]
        first.append(right[0])
        precision.append(_average_precision(right))
    return float(np.mean(first)), float(np.mean(precision))


def _average_precision(right: NDArray[np.bool_]) -> float:
    shares = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float((shares * right).sum() / max(int(right.sum()), 1))


def baselines(parts: list[dict[str, Part]]) -> dict[str, Floats]:
    """Vectors without training: the cepstrum's mean and deviation; both networks, standardised, of length 1, joined.

    Parameters
    ----------
    parts : of every sound, as `material.parts`
    """
    known = np.stack([raw(one) for one in parts])
    standard = (known - known.mean(axis=0)) / (known.std(axis=0) + 1e-6)
    pair = [standard[:, part] / np.linalg.norm(standard[:, part], axis=1, keepdims=True) for part in _NETWORKS]
    return {"cepstrum": standard[:, _CEPSTRUM], "pair": np.concatenate(pair, axis=1)}
