"""Loudness by EBU R128, from the K-weighted energy of each 100 ms: integrated, range, and the highest of short windows.

Conventions: `energy` is float64 [hops], the K-weighted mean square of each 100 ms, summed over the weighted channels.
"""

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

HOPS_A_SECOND = 10
MOMENTARY_HOPS = 4
"""Momentary loudness and the blocks of the gate are 400 ms, overlapping by three quarters (ITU-R BS.1770-4)."""
SHORT_TERM_HOPS = 30
"""Short-term loudness, and the windows of loudness range, are 3 s (EBU Tech 3341 and 3342)."""
_ABSOLUTE_GATE_LUFS = -70.0
_INTEGRATED_GATE_LU = -10.0
_RANGE_GATE_LU = -20.0
_RANGE_SHARES = (0.10, 0.95)
_OFFSET_LU = -0.691
_LEAST_ENERGY = 1e-30


def integrated_lufs(energy: Doubles) -> float | None:
    """Integrated loudness with both gates of BS.1770-4; None where no block of 400 ms is above -70 LUFS."""
    gated = _gated(_moving_mean(energy, MOMENTARY_HOPS), _INTEGRATED_GATE_LU)
    return float(_lufs(gated.mean())) if len(gated) else None


def loudness_range_lu(energy: Doubles) -> float | None:
    """Loudness range: from the 10th to the 95th percentile of 3 s loudness above the gates (EBU Tech 3342).

    A percentile is the value that this share of all values, rounded, does not exceed, as in ffmpeg; with the example
    code of Tech 3342 it may be the next one.

    Returns
    -------
    LU, or None where the sound is shorter than 3 s or all of it is below -70 LUFS
    """
    gated = _gated(_moving_mean(energy, SHORT_TERM_HOPS), _RANGE_GATE_LU)
    if not len(gated):
        return None
    levels = np.sort(_lufs(gated))
    low, high = (max(int(share * len(levels) + 0.5) - 1, 0) for share in _RANGE_SHARES)
    return float(levels[high] - levels[low])


def highest_lufs(energy: Doubles, hops: int) -> float | None:
    """The highest loudness of this many hops in a row; None for shorter sounds, and where there is no energy at all."""
    mean = _moving_mean(energy, hops)
    return float(_lufs(mean.max())) if len(mean) and mean.max() > _LEAST_ENERGY else None


def _moving_mean(energy: Doubles, hops: int) -> Doubles:
    """Mean of every `hops` hops in a row, without differences of large sums: silence after a bang is silent."""
    if len(energy) < hops:
        return np.empty(0)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(energy, hops).mean(axis=1))


def _gated(energy: Doubles, relative_gate_lu: float) -> Doubles:
    """The blocks above the absolute gate and then above the relative one."""
    audible = energy[_lufs(energy) > _ABSOLUTE_GATE_LUFS]
    if not len(audible):
        return audible
    return audible[_lufs(audible) > _lufs(audible.mean()) + relative_gate_lu]


def _lufs(energy: Doubles) -> Doubles:
    return np.asarray(_OFFSET_LU + 10.0 * np.log10(np.maximum(energy, _LEAST_ENERGY)))
