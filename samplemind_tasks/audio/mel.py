"""Mel filterbanks, in numpy alone: the query worker uses them beside torch."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SLANEY_BREAK_HZ = 1_000.0
_SLANEY_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_BREAK_MEL = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_LOG_STEP = np.log(6.4) / 27.0


def hz_to_mel(frequency_hz: NDArray[np.float64], scale: Literal["slaney", "htk"]) -> NDArray[np.float64]:
    """Pitch in mel: linear below 1 kHz and logarithmic above (Slaney 1998), or one logarithm (HTK)."""
    if scale == "htk":
        return np.asarray(2595.0 * np.log10(1.0 + frequency_hz / 700.0))
    above = _SLANEY_BREAK_MEL + np.log(np.maximum(frequency_hz, 1e-9) / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    return np.where(frequency_hz < _SLANEY_BREAK_HZ, frequency_hz / _SLANEY_HZ_PER_MEL, above)


def mel_to_hz(mel: NDArray[np.float64], scale: Literal["slaney", "htk"]) -> NDArray[np.float64]:
    """Inverse of `hz_to_mel`."""
    if scale == "htk":
        return np.asarray(700.0 * (10.0 ** (mel / 2595.0) - 1.0))
    above = _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * (mel - _SLANEY_BREAK_MEL))
    return np.where(mel < _SLANEY_BREAK_MEL, mel * _SLANEY_HZ_PER_MEL, above)


@cache
def mel_filterbank(
    rate_hz: int,
    fft_samples: int,
    mels: int,
    scale: Literal["slaney", "htk"] = "slaney",
    lowest_hz: float = 0.0,
    highest_hz: float | None = None,
) -> Floats:
    """Triangular mel filters of equal area.

    Parameters
    ----------
    rate_hz : samples per second of the signal
    fft_samples : length of the Fourier transform
    mels : number of filters
    scale : "slaney" as in the Auditory Toolbox, or "htk"
    lowest_hz, highest_hz : where the first filter begins and the last one ends; None is half the rate

    Returns
    -------
    float32 [fft_samples // 2 + 1, mels], read-only: `power @ filterbank` is the mel power. The transpose of librosa's
    `filters.mel` with its default norm, so that power stays time-major.
    """
    ends_hz = np.array([lowest_hz, rate_hz / 2 if highest_hz is None else highest_hz])
    low_mel, high_mel = hz_to_mel(ends_hz, scale)
    corners_hz = mel_to_hz(np.linspace(low_mel, high_mel, mels + 2), scale)
    bins_hz = np.linspace(0.0, rate_hz / 2, fft_samples // 2 + 1)[:, None]
    low_hz, centre_hz, high_hz = corners_hz[:-2], corners_hz[1:-1], corners_hz[2:]
    rising = (bins_hz - low_hz) / (centre_hz - low_hz)
    falling = (high_hz - bins_hz) / (high_hz - centre_hz)
    area = 2.0 / (high_hz - low_hz)
    filterbank = (np.maximum(0.0, np.minimum(rising, falling)) * area).astype(np.float32)
    filterbank.setflags(write=False)
    return filterbank


@dataclass(frozen=True)
class MelBands:
    """The same filters without their zeros, of which a filterbank is nearly all.

    Attributes
    ----------
    first, count : int64 [mels], the first bin a filter hears, and how many
    weights : float32 [sum of count], the weights of all filters in one row
    """

    first: NDArray[np.int64]
    count: NDArray[np.int64]
    weights: Floats


def sparse(filterbank: Floats) -> MelBands:
    """Leave out the zeros around each filter of float32 [bins, mels]; one that is all zeros hears no bin."""
    heard = filterbank.T > 0
    return MelBands(first=heard.argmax(axis=1), count=heard.sum(axis=1), weights=filterbank.T[heard])


@cache
def mel_bands(rate_hz: int, fft_samples: int, mels: int, scale: Literal["slaney", "htk"] = "slaney") -> MelBands:
    """`mel_filterbank` without its zeros."""
    return sparse(mel_filterbank(rate_hz, fft_samples, mels, scale))
