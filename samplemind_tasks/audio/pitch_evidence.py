"""What is measured of each candidate for the fundamental: 32 numbers, the columns of what the network weighs."""

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel
from samplemind_tasks.audio.mono import RATE_HZ
from samplemind_tasks.audio.pitch_candidates import FFT_SAMPLES, LAGS_A_SAMPLE, curve_at, loudest_near

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

FEATURES = 32
_BIN_HZ = RATE_HZ / FFT_SAMPLES
_LAG_RATE_HZ = float(RATE_HZ * LAGS_A_SAMPLE)
_NYQUIST_HZ = 0.49 * RATE_HZ
_NEAR = 0.02
"""A partial may lie 2 % off a multiple: strings are stiff, singers waver."""
_PARTIALS = 12
_LEVELS = 7
_MIDDLE_C_HZ = 261.6
_SILENT = 1e-3
_BELOW = 0.8
"""Of the fundamental: what lies lower is not its partial."""
_FIRST_BIN = 8
# The second and third partial of a free bar, as in a glockenspiel (Fletcher and Rossing, The physics of musical
# instruments, 1998, section 19.1).
_BAR_RATIOS = (2.756, 5.404)


@kernel("float64(float64)")
def _level(magnitude: float) -> float:
    """Decades above 1/30: -1.5 for silence, 1.5 for the loudest partial."""
    return float(np.log10(magnitude + _SILENT) + 1.5)


@kernel("void(float32[::1], float64, float32[::1])")
def _describe_partials(magnitude: Floats, hz: float, features: Floats) -> None:
    """Write how loud the first partials are, and what lies halfway and at thirds between them: features 10 to 21."""
    odd, total, power, halfway, thirds, fundamental = 0.0, 1e-9, 0.0, 0.0, 0.0, 0.0
    for order in range(1, _PARTIALS + 1):
        here = loudest_near(magnitude, order * hz, _NEAR) if order * hz < _NYQUIST_HZ else 0.0
        total += here
        power += here * here
        odd += here * (order % 2)
        if order <= _LEVELS:
            features[9 + order] = _level(here)
        if order == 1:
            fundamental = here
        if (order - 0.5) * hz < _NYQUIST_HZ:
            halfway += loudest_near(magnitude, (order - 0.5) * hz, _NEAR)
        if order <= 8 and (order - 1 / 3) * hz < _NYQUIST_HZ:
            thirds += loudest_near(magnitude, (order - 2 / 3) * hz, _NEAR)
            thirds += loudest_near(magnitude, (order - 1 / 3) * hz, _NEAR)
    features[17] = odd / total
    features[18] = _level(fundamental / total)
    features[19] = min(halfway / total, 3.0)
    features[20] = _level(halfway / _PARTIALS)
    features[21] = min(thirds / total, 4.0)
    features[22] = total
    features[23] = power


@kernel("void(float32[::1], float32[::1], float64, float32[::1])")
def _describe_similarity(plain: Floats, compressed: Floats, hz: float, features: Floats) -> None:
    """Write how alike the sound is to itself after the period, parts of it and several of it: features 0 to 7."""
    lag = _LAG_RATE_HZ / hz
    features[0] = curve_at(plain, lag)
    features[1] = curve_at(compressed, lag)
    features[2] = curve_at(plain, lag / 2)
    features[3] = curve_at(plain, lag * 2)
    features[4] = curve_at(compressed, lag / 2)
    features[5] = curve_at(compressed, lag / 3)
    features[6] = curve_at(compressed, lag * 2)
    features[7] = curve_at(compressed, lag * 3)


@kernel("void(float32[::1], float64[::1], float64, float32[::1])")
def _describe_place(magnitude: Floats, power_up_to: Doubles, hz: float, features: Floats) -> None:
    """Write where the candidate lies, and what lies below it: features 8, 9 and 24 to 29."""
    height = np.log2(hz / _MIDDLE_C_HZ)
    features[8], features[9] = height / 2, height * height / 8
    edge = int(_BELOW * hz / _BIN_HZ)
    features[24] = np.log10(power_up_to[edge] / power_up_to[-1] + 1e-4)
    loudest = np.float32(0.0)
    for position in range(_FIRST_BIN, edge):
        loudest = max(loudest, magnitude[position])
    features[25] = _level(float(loudest))
    features[26] = _level(loudest_near(magnitude, hz / 2, _NEAR))
    features[27] = _level(loudest_near(magnitude, _BAR_RATIOS[0] * hz, _NEAR))
    features[28] = _level(loudest_near(magnitude, _BAR_RATIOS[1] * hz, _NEAR))


@kernel("UniTuple(float64, 3)(float32[::1], float64[::1])")
def _summary(magnitude: Floats, power_up_to: Doubles) -> tuple[float, float, float]:
    """Sum and centroid in Hz of float32 [bins], and its flatness, 0 to 1; writes the cumulated power."""
    total, moment, logarithm, power = 1e-9, 0.0, 0.0, 1e-12
    for position in range(len(magnitude)):
        here = float(magnitude[position])
        total += here
        moment += here * position
        logarithm += np.log(here * here + 1e-8)
        power += here * here
        power_up_to[position] = power
    bins = len(magnitude)
    return total, moment / total * _BIN_HZ, np.exp(logarithm / bins) / (power / bins)


@kernel("float32[:, ::1](float32[::1], float32[::1], float32[::1], float64[::1])")
def describe(magnitude: Floats, plain: Floats, compressed: Floats, found_hz: Doubles) -> Floats:
    """Measure what speaks for each candidate.

    Parameters
    ----------
    magnitude : float32 [4097], the spectrum, its loudest partial 1
    plain, compressed : float32 [lags], autocorrelations at half samples, 1 at lag 0
    found_hz : float64 [candidates]

    Returns
    -------
    float32 [candidates, 32]
    """
    features = np.zeros((len(found_hz), FEATURES), dtype=np.float32)
    power_up_to = np.empty(len(magnitude))
    total, centroid_hz, flatness = _summary(magnitude, power_up_to)
    best = np.float32(0.0)
    for candidate in range(len(found_hz)):
        hz, row = found_hz[candidate], features[candidate]
        _describe_similarity(plain, compressed, hz, row)
        _describe_partials(magnitude, hz, row)
        _describe_place(magnitude, power_up_to, hz, row)
        row[22] *= 5 / total
        row[23] = min(4 * row[23] / power_up_to[-1], 1.5)
        row[29] = np.log2(centroid_hz / hz + 1e-3)
        row[30] = flatness
        best = max(best, row[1])
    for candidate in range(len(found_hz)):
        features[candidate, 31] = best - features[candidate, 1]
    return features
