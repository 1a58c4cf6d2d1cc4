"""Timbre: how bright, wide, noisy and coloured a sound is, over its whole length; frame by frame librosa's numbers."""

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from samplemind_tasks.audio import MELS
from samplemind_tasks.audio.kernels import kernel
from samplemind_tasks.audio.rounding import rounded
from samplemind_tasks.audio.spectrum import Spectrum, decibels
from samplemind_tasks.features import Reason, Spread

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

COEFFICIENTS = 20
_PERCENTILES = np.array([0.1, 0.5, 0.9])
_NAMES = (
    "centroid_hz",
    "bandwidth_hz",
    "rolloff_hz",
    "flatness",
    "contrast_db",
    "flux",
    "zero_crossing_rate",
    "mfcc",
)


@dataclass(frozen=True)
class Timbre:
    """Field names are those of `Features`; all None, with the reason, for silence."""

    centroid_hz: Spread | None = None
    bandwidth_hz: Spread | None = None
    rolloff_hz: Spread | None = None
    flatness: Spread | None = None
    contrast_db: list[Spread] | None = None
    flux: Spread | None = None
    zero_crossing_rate: Spread | None = None
    mfcc: list[Spread] | None = None
    reasons: dict[str, Reason] = field(default_factory=dict)


def timbre(sound: Spectrum, *, silent: bool) -> Timbre:
    """Mean, deviation and percentiles over the frames of every timbre feature; nothing for silence."""
    if silent:
        return Timbre(reasons=dict.fromkeys(_NAMES, Reason.SILENT))
    mel_db = decibels(sound.mel_power)
    alone = (
        sound.centroid_hz,
        sound.bandwidth_hz,
        sound.rolloff_hz,
        sound.flatness,
        flux(mel_db),
        sound.zero_crossing_rate,
    )
    found = spreads(np.column_stack([*alone, sound.contrast_db, mfcc(mel_db)]))
    centroid_hz, bandwidth_hz, rolloff_hz, flatness, rises, zero_crossing_rate = found[: len(alone)]
    return Timbre(
        centroid_hz=centroid_hz,
        bandwidth_hz=bandwidth_hz,
        rolloff_hz=rolloff_hz,
        flatness=flatness,
        contrast_db=found[len(alone) : -COEFFICIENTS],
        flux=rises,
        zero_crossing_rate=zero_crossing_rate,
        mfcc=found[-COEFFICIENTS:],
    )


def mfcc(mel_db: Floats) -> Floats:
    """Mel-frequency cepstral coefficients: the first terms of the DCT-II of the mel spectrum in dB, 80 dB deep.

    Davis and Mermelstein, Comparison of parametric representations for monosyllabic word recognition, 1980.

    Parameters
    ----------
    mel_db : float32 [frames, 128], see `spectrum.decibels`

    Returns
    -------
    float32 [frames, 20]
    """
    return np.asarray(mel_db @ _cosines())


def flux(mel_db: Floats) -> Floats:
    """Rise of the mel spectrum: how many dB each band grew since the last frame, falls counting 0, mean over the bands.

    Böck and Widmer, Maximum filter vibrato suppression for onset detection, 2013, without the filter: librosa's
    `onset_strength` with neither lag nor centring.

    Parameters
    ----------
    mel_db : float32 [frames, mels]

    Returns
    -------
    float32 [frames], >= 0; the first is 0
    """
    rises = np.zeros(len(mel_db), np.float32)
    _rises(mel_db, rises)
    return rises


def spread(values: Floats) -> Spread:
    """Mean, standard deviation and percentiles of float [frames]."""
    return spreads(values[:, None])[0]


def spreads(matrix: Floats) -> list[Spread]:
    """Mean, standard deviation, 10th, 50th and 90th percentile of every column of finite float [frames, columns].

    Percentiles between two frames are interpolated, as numpy does.
    """
    ordered = np.array(matrix.T, dtype=np.float32, order="C")
    ordered.sort(axis=1)
    summary = np.empty((len(ordered), 2 + len(_PERCENTILES)))
    _summarise(ordered, _PERCENTILES, summary)
    return [
        Spread(mean=mean, deviation=deviation, p10=p10, p50=p50, p90=p90)
        for mean, deviation, p10, p50, p90 in rounded(summary).tolist()
    ]


@cache
def _cosines() -> Floats:
    """Columns of the orthonormal DCT-II: float32 [128, 20]."""
    every = scipy.fft.dct(np.eye(MELS), type=2, norm="ortho", axis=1)
    return np.ascontiguousarray(every[:, :COEFFICIENTS], dtype=np.float32)


@kernel("void(float32[:, ::1], float32[::1])")
def _rises(levels_db: Floats, rises: Floats) -> None:
    """Write to `rises` the mean rise over the columns of `levels_db` from each row to the next."""
    for index in range(1, levels_db.shape[0]):
        before, now, total = levels_db[index - 1], levels_db[index], np.float32(0.0)
        for band in range(len(now)):
            total += max(now[band] - before[band], np.float32(0.0))
        rises[index] = total / np.float32(len(now))


@kernel("void(float32[:, ::1], float64[::1], float64[:, ::1])")
def _summarise(ordered: Floats, percentiles: Doubles, summary: Doubles) -> None:
    """Mean, deviation and percentiles of each row, which is sorted upwards."""
    last = ordered.shape[1] - 1
    for index in range(ordered.shape[0]):
        row, total, squares = ordered[index], 0.0, 0.0
        for place in range(len(row)):
            total += row[place]
        mean = total / len(row)
        for place in range(len(row)):
            squares += (row[place] - mean) ** 2
        summary[index, 0] = mean
        summary[index, 1] = math.sqrt(squares / len(row))
        for column in range(len(percentiles)):
            place = percentiles[column] * last
            below = int(place)
            above = min(below + 1, last)
            summary[index, 2 + column] = row[below] + (place - below) * (row[above] - row[below])
