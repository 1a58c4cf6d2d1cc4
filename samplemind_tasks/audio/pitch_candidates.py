"""Which fundamental frequencies a spectrum may have, and what speaks for each of them.

Candidates come from three sides, because none is enough: the strongest partials (a bell's fundamental is only a
partial), the peaks of the autocorrelation (a bass whose fundamental is missing still repeats) and those of the
autocorrelation of a compressed spectrum, in which a loud formant hides nothing (Tolonen and Karjalainen, A
computationally efficient multipitch analysis model, 2000).
"""

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel
from samplemind_tasks.audio.mono import RATE_HZ

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

FFT_SAMPLES = 8192
LAGS_A_SAMPLE = 2
"""Autocorrelations are read at half samples: at 4 kHz a period is only 5.5 samples."""
LOWEST_HZ, HIGHEST_HZ = 25.0, 4700.0
_BIN_HZ = RATE_HZ / FFT_SAMPLES
_LAG_RATE_HZ = float(RATE_HZ * LAGS_A_SAMPLE)
_FROM_EACH = 5
MOST_CANDIDATES = 3 * _FROM_EACH
_SAME_OCTAVES = 0.0375
"""45 cents: nearer candidates are one."""
_PULL, _PULL_PARTIALS = 0.035, 0.015
"""A rough fundamental moves this part at most to a partial nearby."""
_HEARD = 0.003
"""-50 dB from the loudest partial."""
_SURE_FUNDAMENTAL = 0.03
"""-30 dB: louder, it is where the pitch is, whatever the stiffer partials above say."""


@kernel("float64(float32[::1], float64)")
def curve_at(curve: Floats, place: float) -> float:
    """A curve float32 [points] between its points, by the parabola through the nearest three; 0 beyond its ends."""
    nearest = int(place + 0.5)
    if nearest < 1 or nearest + 1 >= len(curve):
        return 0.0
    offset = place - nearest
    before, middle, after = curve[nearest - 1], curve[nearest], curve[nearest + 1]
    return float(middle + 0.5 * offset * (after - before) + 0.5 * offset * offset * (before - 2 * middle + after))


@kernel("float64(float32[::1], float64, float64)")
def loudest_near(magnitude: Floats, hz: float, reach: float) -> float:
    """The greatest of float32 [bins] within a part `reach` of a frequency and a bin and a half."""
    first = max(int(hz * (1 - reach) / _BIN_HZ - 0.5), 1)
    last = min(int(hz * (1 + reach) / _BIN_HZ + 1.5), len(magnitude) - 1)
    loudest = np.float32(0.0)
    for position in range(first, last + 1):
        loudest = max(loudest, magnitude[position])
    return float(loudest)


@kernel("float64(float32[::1], int64)")
def _top_offset(curve: Floats, peak: int) -> float:
    """Where, from a peak, the parabola through it and its neighbours has its top: -0.5 to 0.5."""
    before, top, after = float(curve[peak - 1]), float(curve[peak]), float(curve[peak + 1])
    curvature = before - 2 * top + after
    return min(max(0.5 * (before - after) / curvature, -0.5), 0.5) if curvature < -1e-12 else 0.0


@kernel("UniTuple(float64, 2)(float32[::1], float64, float64)")
def _partial_near(magnitude: Floats, hz: float, reach: float) -> tuple[float, float]:
    """Frequency and magnitude of the loudest peak within a part `reach` of a frequency; 0 and 0 where there is none."""
    first = max(int(hz * (1 - reach) / _BIN_HZ - 0.5), 1)
    last = min(int(hz * (1 + reach) / _BIN_HZ + 1.5), len(magnitude) - 2)
    peak, loudest = 0, np.float32(0.0)
    for position in range(first, last + 1):
        here = magnitude[position]
        if here > loudest and here >= magnitude[position - 1] and here >= magnitude[position + 1]:
            peak, loudest = position, here
    return ((peak + _top_offset(magnitude, peak)) * _BIN_HZ, float(loudest)) if peak else (0.0, 0.0)


@kernel("int64(float32[::1], int64, int64, float64[::1])")
def _highest_peaks(curve: Floats, first: int, last: int, places: Doubles) -> int:
    """Write where the highest peaks of float32 [points] are into float64 [n], highest first; how many there are."""
    heights = np.zeros(len(places), dtype=np.float32)
    found = 0
    for position in range(max(first, 1), min(last, len(curve) - 1)):
        here = curve[position]
        if here > heights[-1] and here > curve[position - 1] and here >= curve[position + 1]:
            rank = len(places) - 1
            while rank > 0 and heights[rank - 1] < here:
                heights[rank], places[rank] = heights[rank - 1], places[rank - 1]
                rank -= 1
            heights[rank], places[rank] = here, position + _top_offset(curve, position)
            found = min(found + 1, len(places))
    return found


@kernel("float64(float32[::1], float64)")
def _sharpened(magnitude: Floats, hz: float) -> float:
    """Move a rough fundamental onto its lowest partials, the louder ones weighing more."""
    near_hz, loudness = _partial_near(magnitude, hz, _PULL)
    if loudness > _SURE_FUNDAMENTAL:
        hz = near_hz
    total, weights = 0.0, 0.0
    for order in range(1, 5):
        near_hz, loudness = _partial_near(magnitude, hz * order, _PULL_PARTIALS)
        if loudness > _HEARD:
            weight = loudness * loudness / (order * order)
            total += weight * near_hz / order
            weights += weight
    if weights > 0.0 and abs(np.log2(total / weights / hz)) < _SAME_OCTAVES:
        return total / weights
    return hz


@kernel("int64(float64[::1], int64, float64)")
def _add(found_hz: Doubles, count: int, hz: float) -> int:
    """Append a candidate unless it is out of range or already there; how many there are now."""
    if hz < LOWEST_HZ or hz > HIGHEST_HZ:
        return count
    for other in range(count):
        if abs(np.log2(found_hz[other] / hz)) < _SAME_OCTAVES:
            return count
    found_hz[count] = hz
    return count + 1


@kernel("float64[::1](float32[::1], float32[::1], float32[::1], int64)")
def candidates(magnitude: Floats, plain: Floats, compressed: Floats, longest_lag: int) -> Doubles:
    """Frequencies that may be the fundamental.

    Parameters
    ----------
    magnitude : float32 [4097], the spectrum, its loudest partial 1
    plain, compressed : float32 [lags], autocorrelations at half samples, 1 at lag 0
    longest_lag : that can be trusted

    Returns
    -------
    float64 [0 to 15], Hz, within 25 and 4700 and at least 45 cents apart
    """
    found_hz, places = np.empty(MOST_CANDIDATES), np.empty(_FROM_EACH)
    count = 0
    peaks = _highest_peaks(magnitude, int(LOWEST_HZ / _BIN_HZ), int(HIGHEST_HZ / _BIN_HZ), places)
    for rank in range(peaks):
        count = _add(found_hz, count, _sharpened(magnitude, places[rank] * _BIN_HZ))
    for similarity in (plain, compressed):
        last = min(int(_LAG_RATE_HZ / LOWEST_HZ), longest_lag)
        peaks = _highest_peaks(similarity, int(_LAG_RATE_HZ / HIGHEST_HZ), last, places)
        for rank in range(peaks):
            count = _add(found_hz, count, _sharpened(magnitude, _LAG_RATE_HZ / places[rank]))
    return found_hz[:count].copy()
