"""How a curve repeats: its autocorrelation, read at candidate periods and sharpened on their multiples."""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_MULTIPLES = 8
_HALF_PERIOD_WEIGHT = 0.3
_REFINE_MULTIPLES = (2, 4, 8, 16, 32)


def autocorrelation(values: Doubles) -> Doubles:
    """Similarity of float64 [frames] with itself at every lag, without its mean: float64 [frames], 1 at lag 0."""
    return correlation(values, values)


def correlation(one: Doubles, other: Doubles) -> Doubles:
    """Similarity of float64 [frames] with another at every lag, either first, without their means: float64 [frames]."""
    count = len(one)
    size = scipy.fft.next_fast_len(2 * count, real=True)
    centred = one - one.mean(), other - other.mean()
    product = scipy.fft.rfft(centred[0], size) * np.conj(scipy.fft.rfft(centred[1], size))
    # The real part of the spectrum is that of the mean over both orders.
    similarity = scipy.fft.irfft(product.real, size)[:count]
    return np.asarray(similarity / (np.linalg.norm(centred[0]) * np.linalg.norm(centred[1]) + 1e-12))


def at(similarity: Doubles, lags: Doubles) -> Doubles:
    """Read a similarity between its frames."""
    return np.interp(lags, np.arange(len(similarity)), similarity)


def comb(similarity: Doubles, periods: Doubles) -> Doubles:
    """Mean similarity at the multiples of each period that the sound is long enough to show, nearer ones weigh more.

    Percival and Tzanetakis, Streamlined tempo estimation, 2014.
    """
    total, weights = np.zeros(len(periods)), np.full(len(periods), 1e-9)
    for multiple in range(1, _MULTIPLES + 1):
        lags = periods * multiple
        weight = np.where(lags < 0.9 * len(similarity) - 1, multiple**-0.5, 0.0)
        total += weight * at(similarity, lags)
        weights += weight
    return np.asarray(total / weights + _HALF_PERIOD_WEIGHT * at(similarity, periods / 2))


def refine(similarity: Doubles, bpm: float, frame_rate_hz: float) -> float:
    """Sharpen a tempo on longer and longer multiples of its period: 32 beats apart a frame is 0.1 %."""
    for multiple in _REFINE_MULTIPLES:
        lag = 60.0 * frame_rate_hz / bpm * multiple
        if lag > 0.8 * len(similarity):
            break
        reach = max(1.0, 0.04 * lag / max(multiple, 2))
        near = np.arange(max(int(lag - reach), 2), min(int(lag + reach) + 2, len(similarity) - 1))
        if len(near) < 3:
            continue
        peak = int(near[np.argmax(similarity[near])])
        exact = peak + _parabolic_offset(similarity[peak - 1 : peak + 2])
        if abs(exact - lag) < reach:
            bpm = 60.0 * frame_rate_hz * multiple / exact
    return float(bpm)


def _parabolic_offset(three: Doubles) -> float:
    """Where, from the middle one, the parabola through three neighbours has its top."""
    before, middle, after = (float(value) for value in three)
    curvature = before - 2 * middle + after
    return 0.5 * (before - after) / curvature if abs(curvature) > 1e-12 else 0.0
