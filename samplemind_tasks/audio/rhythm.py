"""Rhythm: where sounds begin, and how strongly, in the whole sound and in four bands of it."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel
from samplemind_tasks.audio.mel import mel_bands, mel_filterbank
from samplemind_tasks.audio.mono import RATE_HZ
from samplemind_tasks.audio.spectrum import mel_frames

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

FFT_SAMPLES = 1024
HOP_SAMPLES = 256
"""86 frames a second: half the hop of the timbre spectrum, because a 16th at 180 bpm lasts 83 ms."""
FRAME_RATE_HZ = RATE_HZ / HOP_SAMPLES
MELS = 64
BAND_TOPS_HZ = (180.0, 700.0, 3_000.0, 11_025.0)
"""Kick and bass; toms, snare body and voices; snare and chords; hats."""
_FLOOR = 1e-10
_DEPTH_DB = 80.0

_PEAK_S = 0.03
_MEAN_S = 0.10
_WAIT_S = 0.03
_RISE = 0.07
"""An onset rises this far above its surroundings, as a part of the strongest."""
_RISE_DB = 0.7
"""And at least this far in dB, mean over the mel bands."""
_LOUD_START = 0.1
"""A sound that starts within 10 dB of its mean power has an onset at zero."""
_START_S = 0.05
_LEAD_S = 0.011
"""A window begins to hold a sound before its centre reaches it: the flux is early by this, measured on drums."""
_END_FRAMES = 1 + FFT_SAMPLES // 2 // HOP_SAMPLES


@dataclass(frozen=True)
class Onsets:
    """Where sounds begin.

    Attributes
    ----------
    onset_count : how many
    onset_times_s : float64 [onsets], ascending
    strength : float32 [frames], >= 0: how much louder the sound became since the last frame, mean in dB over mel bands
    bands : float32 [4, frames], the same in the bands that end at BAND_TOPS_HZ
    frame_rate_hz : frames a second; `frame_times_s` says when they are
    """

    onset_count: int
    onset_times_s: Doubles
    strength: Floats
    bands: Floats
    frame_rate_hz: float = FRAME_RATE_HZ


def onsets(signal: Floats, *, silent: bool) -> Onsets:
    """Find the onsets of float32 [samples], mono at 22,050 Hz; none in silence.

    Spectral flux over mel bands in dB (Boeck and Widmer, Maximum filter vibrato suppression for onset detection, 2013,
    without the filter), and its peaks.
    """
    if silent or not len(signal):
        return Onsets(0, np.empty(0), np.zeros(1, np.float32), np.zeros((len(BAND_TOPS_HZ), 1), np.float32))
    bands = band_flux(signal)
    strength = np.asarray(band_shares() @ bands, dtype=np.float32)
    times_s = frame_times_s(_peaks(strength))
    if _starts_loud(signal) and not np.any(times_s < _START_S):
        times_s = np.concatenate([[0.0], times_s])
    return Onsets(len(times_s), times_s, strength, bands)


def band_flux(signal: Floats) -> Floats:
    """Rise of the level from frame to frame, mean in dB over the mel bands of each band: float32 [4, frames], >= 0."""
    level_db = mel_frames(signal, FFT_SAMPLES, HOP_SAMPLES, mel_bands(RATE_HZ, FFT_SAMPLES, MELS))
    level_db += np.float32(_FLOOR)
    np.log(level_db, out=level_db)
    level_db *= np.float32(10.0 / np.log(10.0))
    np.maximum(level_db, level_db.max() - np.float32(_DEPTH_DB), out=level_db)
    flux = np.empty((len(BAND_TOPS_HZ), len(level_db)), dtype=np.float32)
    # Nothing is before the first frame: a sound that begins there is louder than it usually is.
    _mean_rise(level_db, level_db.mean(axis=0), _mel_band_ends(), flux)
    return flux


@cache
def _mel_band_ends() -> NDArray[np.int64]:
    """Where each band ends among the mel bands: int64 [4]."""
    filterbank = mel_filterbank(RATE_HZ, FFT_SAMPLES, MELS)
    centres_hz = np.argmax(filterbank, axis=0) * RATE_HZ / FFT_SAMPLES
    return np.searchsorted(centres_hz, BAND_TOPS_HZ, side="right").astype(np.int64)


@cache
def band_shares() -> Floats:
    """Part of the mel bands that each band holds: float32 [4], sum 1."""
    return (np.diff(_mel_band_ends(), prepend=0) / MELS).astype(np.float32)


@kernel("void(float32[:, ::1], float32[::1], int64[::1], float32[:, ::1])")
def _mean_rise(level_db: Floats, first_db: Floats, band_ends: NDArray[np.int64], flux: Floats) -> None:
    """Write into flux [bands, frames] how far the levels [frames, mels] rose, on average over each band.

    `first_db` [mels] stands for the frame before the first.
    """
    for frame in range(len(level_db)):
        before_db = level_db[frame - 1] if frame else first_db
        start = 0
        for band in range(len(band_ends)):
            total = np.float32(0.0)
            for mel in range(start, band_ends[band]):
                total += max(level_db[frame, mel] - before_db[mel], np.float32(0.0))
            flux[band, frame] = total / np.float32(band_ends[band] - start)
            start = band_ends[band]


def _starts_loud(signal: Floats) -> bool:
    """Whether the sound is there from its first sample: an onset that no rise shows, because nothing is before it."""
    first = signal[: FFT_SAMPLES // 2]
    return bool(first @ first / len(first) > _LOUD_START * (signal @ signal) / len(signal))


def frame_times_s(frames: Doubles | NDArray[np.int64]) -> Doubles:
    """When a sound begins whose onset strength peaks in these frames, or between them: float64 like `frames`, >= 0."""
    return np.where(frames < 0.5, 0.0, frames / FRAME_RATE_HZ + _LEAD_S)


def _peaks(strength: Floats) -> NDArray[np.int64]:
    """Peaks of an onset strength [frames] that stand out from their surroundings: int64 [onsets], ascending."""
    if len(strength) <= _END_FRAMES or strength.max() < _RISE_DB:
        return np.empty(0, dtype=np.int64)
    reach = round(_PEAK_S * FRAME_RATE_HZ)
    padded = np.pad(strength, reach)
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    needed = moving_mean(strength, 2 * round(_MEAN_S * FRAME_RATE_HZ) + 1)
    needed += max(_RISE * float(strength.max()), _RISE_DB)
    peaks = np.flatnonzero((strength == highest) & (strength >= needed))
    # The last frames reach beyond the end: a sound that is cut off there clicks, and begins nothing.
    peaks = peaks[peaks < len(strength) - _END_FRAMES]
    apart = np.diff(peaks, prepend=-len(strength)) > _WAIT_S * FRAME_RATE_HZ
    return np.asarray(peaks[apart])


def moving_mean(values: Floats, width: int) -> Doubles:
    """Mean over an odd `width` of frames around each frame of [frames]; beyond the ends counts as zero."""
    reach = width // 2
    sums = np.concatenate([np.zeros(reach + 1), np.cumsum(values, dtype=np.float64)])
    sums = np.pad(sums, (0, reach), mode="edge")
    return np.asarray((sums[width:] - sums[:-width]) / width)
