"""Loudness: EBU R128 integrated loudness and range, sample peak, RMS."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from samplemind_tasks.schemas import Reason

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

HOP_S = 0.1
_BLOCK_HOPS = 4
"""Gating blocks of 400 ms overlap by three quarters (ITU-R BS.1770-4)."""
_SHORT_TERM_HOPS = 30
"""Loudness range is taken over windows of 3 s (EBU Tech 3342)."""
_ABSOLUTE_GATE_LUFS = -70.0
_INTEGRATED_GATE_LU = -10.0
_RANGE_GATE_LU = -20.0
_OFFSET_LU = -0.691
_SILENCE = 1e-5
"""A peak below -100 dBFS is silence."""
_FILTER_MEMORY_S = 0.06
"""The K filter's response has died down to 1e-5 by then."""
_HOPS_AT_A_TIME = 6
_SURROUND_51_WEIGHTS = (1.0, 1.0, 1.0, 0.0, 1.41, 1.41)
"""Left, right, centre, low frequencies (not counted), left and right surround."""


@dataclass(frozen=True)
class Loudness:
    """Field names are those of `Features`; `reasons` tells why a value is None."""

    loudness_lufs: float | None
    loudness_range_lu: float | None
    sample_peak_dbfs: float | None
    rms_dbfs: float | None
    reasons: dict[str, Reason] = field(default_factory=dict)


def is_silent(samples: Floats) -> bool:
    """Whether no sample of float32 [frames, channels] rises above -100 dBFS."""
    return bool(max(samples.max(), -samples.min()) < _SILENCE)


def loudness(samples: Floats, rate_hz: int) -> Loudness:
    """Measure how loud a sound is.

    A sound shorter than one gating block (400 ms) is measured as if silence followed, which is what a meter shows.

    Parameters
    ----------
    samples : float32 [frames, channels], full scale is 1; six channels are taken as 5.1
    rate_hz : frames per second

    Returns
    -------
    Loudness; integrated loudness is None (SILENT) where no block passes the gate at -70 LUFS, range also where the
    sound is shorter than 3 s (TOO_SHORT)
    """
    if is_silent(samples):
        names = ("loudness_lufs", "loudness_range_lu", "sample_peak_dbfs", "rms_dbfs")
        return Loudness(None, None, None, None, dict.fromkeys(names, Reason.SILENT))
    energy = weighted_energy(samples, rate_hz)
    integrated, range_lu = integrated_lufs(energy), loudness_range_lu(energy)
    reasons = {}
    if integrated is None:
        reasons["loudness_lufs"] = Reason.SILENT
    if range_lu is None:
        reasons["loudness_range_lu"] = Reason.TOO_SHORT if len(energy) < _SHORT_TERM_HOPS else Reason.SILENT
    flat = samples.reshape(-1)
    return Loudness(
        loudness_lufs=integrated,
        loudness_range_lu=range_lu,
        sample_peak_dbfs=20.0 * float(np.log10(max(flat.max(), -flat.min()))),
        rms_dbfs=10.0 * float(np.log10(max(np.dot(flat, flat) / len(flat), 1e-20))),
        reasons=reasons,
    )


def integrated_lufs(energy: Doubles) -> float | None:
    """Integrated loudness with both gates of BS.1770-4.

    Parameters
    ----------
    energy : float64 [hops], K-weighted mean square of each 100 ms, summed over channels

    Returns
    -------
    LUFS, or None where everything is below -70 LUFS
    """
    gated = _gated(_moving_mean(energy, _BLOCK_HOPS), _INTEGRATED_GATE_LU)
    return float(_lufs(gated.mean())) if len(gated) else None


def loudness_range_lu(energy: Doubles) -> float | None:
    """Loudness range (EBU Tech 3342): from the 10th to the 95th percentile of 3 s loudness above the gates.

    Parameters
    ----------
    energy : float64 [hops], as for `integrated_lufs`

    Returns
    -------
    LU, or None where the sound is shorter than 3 s or below the gate
    """
    if len(energy) < _SHORT_TERM_HOPS:
        return None
    gated = _gated(_moving_mean(energy, _SHORT_TERM_HOPS), _RANGE_GATE_LU)
    if not len(gated):
        return None
    low, high = np.percentile(_lufs(gated), [10, 95], method="nearest")
    return round(float(high - low), 4)


def weighted_energy(samples: Floats, rate_hz: int) -> Doubles:
    """K-weighted mean square of each 100 ms, summed over channels: float64 [hops], at least one gating block.

    The K filter is applied in the frequency domain to 600 ms at a time, with the 60 ms before them as its memory: the
    response of the recursive filter to six digits, several times faster in numpy.
    """
    hop = max(round(rate_hz * HOP_S), 1)
    memory = int(np.ceil(rate_hz * _FILTER_MEMORY_S))
    hops = max(len(samples) // hop, _BLOCK_HOPS)
    # Lengths that are fast for real signals have factors 2, 3 and 5 only: those are the fastest for complex ones too.
    fft_samples = scipy.fft.next_fast_len(memory + _HOPS_AT_A_TIME * hop, real=True)
    response = k_response(rate_hz, fft_samples)
    pairs = _channel_pairs(samples)
    energy = np.empty(hops, dtype=np.float64)
    for first in range(0, hops, _HOPS_AT_A_TIME):
        count = min(_HOPS_AT_A_TIME, hops - first)
        spectrum = scipy.fft.fft(_segment(pairs, first * hop - memory, (first + count) * hop), fft_samples)
        spectrum *= response
        filtered = scipy.fft.ifft(spectrum, overwrite_x=True)[:, memory : memory + count * hop]
        flat = np.ascontiguousarray(filtered).view(np.float32).reshape(len(pairs), count, -1)
        energy[first : first + count] = np.einsum("pht,pht->h", flat, flat) / hop
    return energy


def _channel_pairs(samples: Floats) -> NDArray[np.complex64]:
    """Weighted channels, two by two as real and imaginary part (half the transforms): complex64 [pairs, frames]."""
    channels = samples.shape[1]
    if channels == 6:
        samples = samples * np.sqrt(np.array(_SURROUND_51_WEIGHTS, dtype=np.float32))
    if channels % 2:
        samples = np.pad(samples, ((0, 0), (0, 1)))
    return np.ascontiguousarray(samples).view(np.complex64).T


def _segment(pairs: NDArray[np.complex64], first: int, last: int) -> NDArray[np.complex64]:
    """Frames first to last of complex64 [pairs, frames], zeros outside the sound."""
    before = max(-first, 0)
    inside = pairs[:, first + before : last]
    after = last - first - before - inside.shape[1]
    return np.pad(inside, ((0, 0), (before, after))) if before or after else inside


@lru_cache(maxsize=16)
def k_response(rate_hz: int, fft_samples: int) -> NDArray[np.complex64]:
    """Frequency response of the K weighting, complex64 [fft_samples], negative frequencies last; read-only.

    BS.1770-4 gives the two biquads (a shelf for the head, a high pass) at 48 kHz; these are the analogue prototypes
    behind them, carried to any rate by the bilinear transform (De Man, Evaluation of implementations of the EBU R128
    loudness measurement, AES 145, 2018).
    """
    delay = np.exp(-2j * np.pi * np.arange(fft_samples) / fft_samples)
    shelf_k, shelf_q, shelf_gain = np.tan(np.pi * 1681.974450955533 / rate_hz), 0.7071752369554196, 1.584864701130855
    middle_gain = shelf_gain**0.4996667741545416
    shelf = (
        (shelf_gain + middle_gain * shelf_k / shelf_q + shelf_k**2)
        + 2 * (shelf_k**2 - shelf_gain) * delay
        + (shelf_gain - middle_gain * shelf_k / shelf_q + shelf_k**2) * delay**2
    ) / _denominator(shelf_k, shelf_q, delay)
    pass_k, pass_q = np.tan(np.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    # BS.1770's high pass has an unscaled numerator 1, -2, 1 over a denominator normalised to begin with 1.
    high_pass = (1 - delay) ** 2 * (1 + pass_k / pass_q + pass_k**2) / _denominator(pass_k, pass_q, delay)
    response = np.asarray(shelf * high_pass, dtype=np.complex64)
    response.setflags(write=False)
    return response


def _denominator(k: float, q: float, delay: NDArray[np.complex128]) -> NDArray[np.complex128]:
    return np.asarray((1 + k / q + k**2) + 2 * (k**2 - 1) * delay + (1 - k / q + k**2) * delay**2)


def _moving_mean(energy: Doubles, hops: int) -> Doubles:
    total = np.concatenate([[0.0], np.cumsum(energy)])
    return np.asarray(np.maximum((total[hops:] - total[:-hops]) / hops, 0.0))


def _gated(energy: Doubles, relative_gate_lu: float) -> Doubles:
    """The blocks above the absolute gate and then above the relative one."""
    audible = energy[_lufs(energy) > _ABSOLUTE_GATE_LUFS]
    if not len(audible):
        return audible
    return audible[_lufs(audible) > _lufs(audible.mean()) + relative_gate_lu]


def _lufs(energy: Doubles) -> Doubles:
    return np.asarray(_OFFSET_LU + 10.0 * np.log10(np.maximum(energy, 1e-30)))
