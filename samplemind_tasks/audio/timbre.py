"""Timbre: how bright, wide, noisy and coloured a sound is. Frame by frame the same numbers as librosa."""

from dataclasses import dataclass, field

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from samplemind_tasks.audio.spectrum import FFT_SAMPLES, HOP_SAMPLES, Spectrum
from samplemind_tasks.schemas import Reason, Spread

Doubles = NDArray[np.float64]

ROLLOFF = 0.85
COEFFICIENTS = 20
_FLOOR = 1e-10
"""Power below this counts as this (librosa's amin)."""
_TOP_DB = 80.0
_ZERO = 1e-10
"""A sample closer to zero has no sign."""
_BLOCK_FRAMES = 512
_HOPS_A_FRAME = FFT_SAMPLES // HOP_SAMPLES
_NAMES = ("centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness", "zero_crossing_rate", "mfcc")


@dataclass(frozen=True)
class Timbre:
    """Field names are those of `Features`; all None, with the reason, for silence."""

    centroid_hz: Spread | None = None
    bandwidth_hz: Spread | None = None
    rolloff_hz: Spread | None = None
    flatness: Spread | None = None
    zero_crossing_rate: Spread | None = None
    mfcc: list[Spread] | None = None
    reasons: dict[str, Reason] = field(default_factory=dict)


def timbre(sound: Spectrum, *, silent: bool) -> Timbre:
    """Mean and deviation over the frames of every timbre feature; nothing for silence."""
    if silent:
        return Timbre(reasons=dict.fromkeys(_NAMES, Reason.SILENT))
    centroid_hz, bandwidth_hz, rolloff_hz, flatness = spectral_shape(sound)
    return Timbre(
        centroid_hz=spread(centroid_hz),
        bandwidth_hz=spread(bandwidth_hz),
        rolloff_hz=spread(rolloff_hz),
        flatness=spread(flatness),
        zero_crossing_rate=spread(zero_crossing_rate(sound)),
        mfcc=[spread(coefficient) for coefficient in mfcc(sound).T],
    )


def spread(values: Doubles) -> Spread:
    """Mean and standard deviation of float [frames]."""
    return Spread(mean=float(values.mean()), deviation=float(values.std()))


def spectral_shape(sound: Spectrum) -> Doubles:
    """Centroid, bandwidth, roll-off and flatness of every frame.

    Centroid and bandwidth are the mean and the standard deviation of frequency weighted by magnitude; roll-off is the
    frequency below which 85 % of the magnitude lies; flatness is the geometric over the arithmetic mean of power
    (Peeters, A large set of audio features for sound description, 2004). A frame of zeros has 0, 0, 0 and 1.

    Returns
    -------
    float64 [4, frames]: Hz, Hz, Hz and 0 to 1
    """
    shape = np.empty((4, len(sound.power)))
    # In blocks: magnitudes in double precision of a whole track would be its largest array.
    for start in range(0, len(sound.power), _BLOCK_FRAMES):
        block = sound.power[start : start + _BLOCK_FRAMES]
        shape[:, start : start + len(block)] = _block_shape(block, sound.bins_hz)
    return shape


def _block_shape(power: NDArray[np.float32], bins_hz: Doubles) -> Doubles:
    magnitude = np.sqrt(power, dtype=np.float64)
    moments = magnitude @ np.stack([np.ones_like(bins_hz), bins_hz, bins_hz**2], axis=1)
    total = np.maximum(moments[:, 0], np.finfo(np.float32).tiny)
    centroid_hz = moments[:, 1] / total
    bandwidth_hz = np.sqrt(np.maximum(moments[:, 2] / total - centroid_hz**2, 0.0))
    cumulated = np.cumsum(magnitude, axis=1)
    rolloff_hz = bins_hz[np.argmax(cumulated >= ROLLOFF * cumulated[:, -1:], axis=1)]
    floored = np.maximum(power, np.float32(_FLOOR))
    flatness = np.exp(np.log(floored).mean(axis=1, dtype=np.float64)) / floored.mean(axis=1, dtype=np.float64)
    return np.stack([centroid_hz, bandwidth_hz, rolloff_hz, np.minimum(flatness, 1.0)])


def zero_crossing_rate(sound: Spectrum) -> Doubles:
    """Sign changes per sample in each frame of 2048 samples, edges repeated: float64 [frames], 0 to 1."""
    frames = len(sound.power)
    padded = np.pad(sound.signal, FFT_SAMPLES // 2, mode="edge")
    negative = padded < -_ZERO
    crosses = np.zeros((frames + _HOPS_A_FRAME - 1) * HOP_SAMPLES, dtype=bool)
    known = min(len(crosses), len(negative) - 1)
    crosses[:known] = negative[1 : known + 1] != negative[:known]
    # A frame is four hops, less the crossing from its last sample into the next frame.
    by_hop = crosses.reshape(-1, HOP_SAMPLES).sum(axis=1)
    crossings = np.lib.stride_tricks.sliding_window_view(by_hop, _HOPS_A_FRAME).sum(axis=1)
    crossings -= crosses[FFT_SAMPLES - 1 :: HOP_SAMPLES]
    return np.asarray(crossings / FFT_SAMPLES)


def mfcc(sound: Spectrum) -> Doubles:
    """Mel-frequency cepstral coefficients: DCT-II of the mel spectrum in dB, 80 dB deep.

    Davis and Mermelstein, Comparison of parametric representations for monosyllabic word recognition, 1980.

    Returns
    -------
    float64 [frames, 20]
    """
    mel_db = 10.0 * np.log10(np.maximum(sound.mel_power, np.float32(_FLOOR)))
    mel_db = np.maximum(mel_db, mel_db.max() - _TOP_DB)
    return np.asarray(scipy.fft.dct(mel_db, type=2, norm="ortho", axis=1)[:, :COEFFICIENTS], dtype=np.float64)
