"""What sounds can be compared by besides their timbre: pitch, rhythm, envelope and spectrum, as in Sononym.

Each aspect is a row of numbers made from `Features`, standardised with fixed constants so that a difference of 1 is as
much as two sounds of a library differ by chance, and kept as int8. A number that does not exist (a drum has no note) is
marked, and counts only where one of two sounds has it. Pure: numbers in, numbers out.
"""

import math
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from samplemind_tasks.features import Features, Spread

Aspects = npt.NDArray[np.int8]
Scores = npt.NDArray[np.float32]

DESCRIPTORS = (
    "bright", "dark", "warm", "thin", "boomy", "deep", "nasal", "harsh", "crisp", "noisy", "tonal", "punchy", "soft",
    "short", "sustained", "hollow",
)  # fmt: skip
"""Every word of `Features.words`, in the order of a sample's `word_scores`."""
SAID = 127
"""A descriptor with this score or more holds."""


class Aspect(StrEnum):
    """What two sounds can be alike in."""

    TIMBRE = "timbre"
    """The model's own vector."""
    PITCH = "pitch"
    RHYTHM = "rhythm"
    ENVELOPE = "envelope"
    SPECTRUM = "spectrum"


STEPS = 32.0
"""Steps of int8 in one standard deviation: 127 is four of them."""
MISSING = -128
"""This sound has no such number."""
ONE_SIDED = 1.5
"""Standard deviations between a sound with a number and one without."""

_NOTES = 12
_SLICES = 32
_CONTRASTS = 7
_MFCCS = slice(1, 13)
_LEAST = 1e-4
"""Added before a logarithm: a tenth of a millisecond, a flatness of nothing."""

_SIZES = {
    Aspect.PITCH: 3 + _NOTES,
    Aspect.RHYTHM: 5,
    Aspect.ENVELOPE: 3 + _SLICES,
    Aspect.SPECTRUM: 4 + _CONTRASTS + 12,
}
SIZE = sum(_SIZES.values())
"""Numbers of all aspects of one sound."""
_ENDS = np.cumsum(list(_SIZES.values())).tolist()
COLUMNS = {aspect: slice(end - _SIZES[aspect], end) for aspect, end in zip(_SIZES, _ENDS, strict=True)}
"""Where each aspect's numbers lie."""


def _row(*parts: tuple[float, int]) -> npt.NDArray[np.float32]:
    return np.concatenate([np.full(count, value, np.float32) for value, count in parts])


# Means and deviations of 400 one-shots and loops of four packs, rounded.
_CENTRES = np.concatenate([
    _row((46, 1), (0, 2), (0.38, _NOTES)),
    _row((0, 2), (0.8, 1), (1.3, 1), (-1.4, 1)),
    _row((-7.5, 1), (-2.2, 1), (-0.5, 1)), 0.75 * np.exp(-np.arange(_SLICES) / 17),
    _row((10.5, 1), (10.7, 1), (11.3, 1), (-7.4, 1), (17, _CONTRASTS - 1), (41, 1)),
    [70, 6, 20, 4, 9, 1, 4, 0, 3, 0, 2, -1],
])  # fmt: skip
_SPREADS = np.concatenate([
    _row((18, 1), (0.7, 2), (0.28, _NOTES)),
    _row((0.7, 2), (0.25, 1), (1.2, 1), (1.9, 1)),
    _row((4, 1), (1.9, 1), (2.2, 1), (0.28, _SLICES)),
    _row((1.5, 1), (0.9, 1), (1.8, 1), (3.6, 1), (6.2, _CONTRASTS - 1), (9.5, 1)),
    [66, 40, 23, 20, 15, 15, 14, 13, 11, 10, 9, 9],
])  # fmt: skip
_WEIGHTS = np.concatenate([
    _row((6, 1), (1.5, 2), (0.25, _NOTES)),
    _row((1, 5)),
    _row((3, 3), (0.2, _SLICES)),
    _row((2, 1), (1, 2), (2, 1), (0.3, _CONTRASTS), (0.4, 12)),
])  # fmt: skip
"""Set by hand: the note says more than twelve numbers of chroma together, an attack more than one of 32 slices."""


def aspects(features: Features) -> Aspects:
    """The aspects of one sound, int8 [SIZE]."""
    values = np.array([*_pitch(features), *_rhythm(features), *_envelope(features), *_spectrum(features)], np.float64)
    steps = np.rint((values - _CENTRES) / _SPREADS * STEPS)
    kept = np.clip(np.nan_to_num(steps), -127, 127)
    return np.where(np.isnan(values), MISSING, kept).astype(np.int8)


def similarities(one: Aspects, others: Aspects, aspect: Aspect) -> Scores:
    """How alike one sound and others are in an aspect.

    Parameters
    ----------
    one : int8 [SIZE]
    others : int8 [n, SIZE]
    aspect : any but timbre

    Returns
    -------
    float32 [n], 1 for the same numbers, falling towards 0; two sounds at random have about 0.3
    """
    columns = COLUMNS[aspect]
    left, right = one[columns], others[:, columns]
    has_left, has_right = left != MISSING, right != MISSING
    apart = (right.astype(np.float32) - left.astype(np.float32)) / np.float32(STEPS)
    apart[has_left[None, :] != has_right] = ONE_SIDED
    apart[:, ~has_left] = np.where(has_right[:, ~has_left], np.float32(ONE_SIDED), np.float32(0))
    weights = _WEIGHTS[columns]
    distance = np.square(apart) @ weights / weights.sum()
    return np.asarray(np.exp(-distance / 2), np.float32)


def word_scores(features: Features) -> npt.NDArray[np.uint8]:
    """The descriptors of one sound, uint8 [len(DESCRIPTORS)]; 255 is 1, and 0 is not said."""
    said = {word.name: word.score for word in features.words}
    return np.array([round(255 * said.get(name, 0.0)) for name in DESCRIPTORS], np.uint8)


def said_words(scores: bytes) -> list[str]:
    """The descriptors that hold, of a sample's `word_scores`."""
    return [word for word, score in zip(DESCRIPTORS, scores, strict=False) if score >= SAID]


def _pitch(features: Features) -> list[float]:
    """The note on the piano and around its circle, then the chroma."""
    note = _or_nan(features.pitch_midi)
    angle = 2 * math.pi * note / _NOTES
    return [note, math.cos(angle), math.sin(angle), *_means(features.chroma, slice(0, _NOTES), _NOTES)]


def _rhythm(features: Features) -> list[float]:
    """Tempo around its octave, so that 70 and 140 bpm are alike; events a second; how much the spectrum rises."""
    octave = 2 * math.pi * _log2(features.tempo_bpm)
    density = math.log2(features.onset_count / max(features.measured_s, 0.25) + 0.25)
    flux = math.nan if features.flux is None else math.log2(features.flux.mean + 0.01)
    return [math.cos(octave), math.sin(octave), _or_nan(features.tempo_confidence), density, flux]


def _envelope(features: Features) -> list[float]:
    """Attack, decay, length, and the amplitude of 32 slices."""
    slices = features.envelope or [math.nan] * _SLICES
    return [_log2(features.attack_s), _log2(features.decay_s), _log2(features.duration_s), *slices]


def _spectrum(features: Features) -> list[float]:
    """Centre, width, top and noisiness, contrast of the octaves, and the shape of the spectrum as cepstrum."""
    shape = [_log2(_mean(spread)) for spread in (features.centroid_hz, features.bandwidth_hz, features.rolloff_hz)]
    return [
        *shape,
        _log2(_mean(features.flatness)),
        *_means(features.contrast_db, slice(0, _CONTRASTS), _CONTRASTS),
        *_means(features.mfcc, _MFCCS, 12),
    ]


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _mean(spread: Spread | None) -> float | None:
    return None if spread is None else spread.mean


def _log2(value: float | None) -> float:
    return math.nan if value is None else math.log2(max(value, 0.0) + _LEAST)


def _means(spreads: Sequence[Spread] | None, which: slice, count: int) -> list[float]:
    return [math.nan] * count if spreads is None else [spread.mean for spread in spreads[which]]
