"""Tonality: is there a key to be found? What tells music from drums and noise, in ten numbers and one decision."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.chroma import REGISTERS
from samplemind_tasks.audio.partials import Partials

Floats = NDArray[np.float32]

_EPSILON = 1e-20
_WEIGHTS = Path(__file__).parent / "weights" / "key_tonality.npz"


def tonality(found: Partials, magnitudes: Floats, tuning: float, likely: Floats) -> float:
    """How likely a sound has a key, 0 to 1: a network of one hidden layer over `evidence` and `certainty`.

    Trained by `benchmarks/training/key_tonality.py` on music, pads, single notes, drums and noise.
    """
    told = np.concatenate([evidence(found, magnitudes, tuning), certainty(likely)])
    hidden = np.maximum(told @ _NETWORK.listen + _NETWORK.listen_bias, 0)
    return float(1 / (1 + np.exp(-np.clip(hidden @ _NETWORK.tell + _NETWORK.tell_bias, -30, 30))))


def certainty(likely: Floats) -> Floats:
    """How likely the likeliest tonic and the likeliest of the 24 `KEYS` are: float32 [2], 0 to 1."""
    return np.array([likely.reshape(2, 12).sum(axis=0).max(), likely.max()], dtype=np.float32)


def evidence(found: Partials, magnitudes: Floats, tuning: float) -> Floats:
    """What tells music from drums and noise.

    Parameters
    ----------
    found : partials, at least one
    magnitudes : float32 [frames, 5, 12] of `notes`
    tuning : semitones

    Returns
    -------
    float32 [8]: the peaks' share of the power; how near the peaks lie to the notes of the scale (-1 to 1); log of
    peaks a frame; how much each frame resembles the next (0 to 1); contrast of the mean pitch classes; log of frames;
    mean level over the loudest frame; log of how many peaks a frame would need if all were equally strong
    """
    flat = magnitudes.reshape(found.frames, -1)
    length = np.sqrt(np.einsum("fn,fn->f", flat, flat))
    level = length / (length.max() + _EPSILON)
    classes = flat.reshape(-1, REGISTERS, 12).sum(axis=1)
    mean_class = level @ (classes / (classes.max(axis=1, keepdims=True) + _EPSILON)) / (level.sum() + _EPSILON)
    total, square = float(found.magnitude.sum()), float(found.magnitude @ found.magnitude)
    aside = found.pitch - np.float32(tuning)
    aside -= np.rint(aside)
    told = (
        found.share,
        float(found.magnitude @ np.cos(np.float32(2 * np.pi) * aside)) / (total + _EPSILON),
        np.log1p(len(found.pitch) / found.frames),
        _steadiness(flat, length, level),
        mean_class.std(),
        np.log(found.frames),
        level.mean(),
        np.log1p(total * total / (square + _EPSILON) / found.frames),
    )
    return np.array(told, dtype=np.float32)


def _steadiness(flat: Floats, length: Floats, level: Floats) -> float:
    """Cosine between the notes of each frame and the next, weighted by the quieter one's level; 1 for a lone frame."""
    if len(flat) < 2:
        return 1.0
    both = np.minimum(level[1:], level[:-1])
    cosine = np.einsum("fn,fn->f", flat[1:], flat[:-1]) / (length[1:] * length[:-1] + _EPSILON)
    return float((cosine @ both) / (both.sum() + _EPSILON))


@dataclass(frozen=True)
class _Network:
    listen: Floats
    listen_bias: Floats
    tell: Floats
    tell_bias: Floats


def _load(path: Path) -> _Network:
    with np.load(path) as arrays:
        return _Network(**{name: arrays[name].astype(np.float32) for name in arrays.files})


_NETWORK = _load(_WEIGHTS)
