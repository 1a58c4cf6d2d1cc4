"""The short-time spectrum that every analyser shares: walked once, reduced while in cache, never kept whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from samplemind_tasks.audio import MELS, RATE_HZ
from samplemind_tasks.audio import spectral_shape as shape
from samplemind_tasks.audio.mel import MelBands, mel_bands, sparse

Floats = NDArray[np.float32]

FFT_SAMPLES = 2048
HOP_SAMPLES = 512
BIN_HZ = RATE_HZ / FFT_SAMPLES
# librosa's defaults
CONTRAST_LOWEST_HZ = 200.0
CONTRAST_OCTAVES = 6
CONTRAST_QUANTILE = 0.02
_BLOCK_FRAMES = 64
"""Frames transformed at a time: the working set stays in the processor's second cache."""
_LOUDEST = 1e6
"""Full scale is 1. A signal louder than this is scaled down to it: squares of squares must fit single precision."""
_TOP_DB = 80.0


@dataclass(frozen=True)
class Spectrum:
    """A mono signal and what its short-time spectrum looks like, frame by frame.

    Frame t is the 2048 samples around sample t * 512, zeros beyond the ends.

    Attributes
    ----------
    signal : float32 [samples], mono at rate_hz
    rate_hz : samples per second of `signal`
    mean_power : float32 [1025], power of each bin of 10.77 Hz, mean of the frames
    mel_power : float32 [frames, 128], power in Slaney mel bands from 0 Hz to half the rate
    centroid_hz, bandwidth_hz : float32 [frames], mean and deviation of frequency, weighted by magnitude
    rolloff_hz : float32 [frames], the frequency below which 85 % of the magnitude lies
    flatness : float32 [frames], geometric over arithmetic mean of power: 0 to 1
    contrast_db : float32 [frames, 7], peaks over valleys in octave bands from 200 Hz, as librosa counts them: ten times
        the logarithm of magnitude, which is half of what it is in power
    rms : float32 [frames], root mean square of the samples
    zero_crossing_rate : float32 [frames], sign changes per sample
    """

    signal: Floats
    rate_hz: int
    mean_power: Floats
    mel_power: Floats
    centroid_hz: Floats
    bandwidth_hz: Floats
    rolloff_hz: Floats
    flatness: Floats
    contrast_db: Floats
    rms: Floats
    zero_crossing_rate: Floats

    @property
    def duration_s(self) -> float:
        """Length of the signal in seconds."""
        return len(self.signal) / self.rate_hz


def spectrum(signal: Floats) -> Spectrum:
    """Transform a signal (2048-point periodic Hann, hop 512) and keep what its frames reduce to.

    Frame by frame the numbers of librosa 0.11: `spectral_centroid`, `spectral_bandwidth`, `spectral_rolloff`,
    `spectral_flatness`, `spectral_contrast`, `melspectrogram`, `rms` and `zero_crossing_rate` with their defaults. See
    `spectral_shape.row_shapes` and `contrast_bands` for what they mean and where they come from.

    Parameters
    ----------
    signal : finite float32 [samples], mono at 22,050 Hz, at least one sample

    Returns
    -------
    Spectrum with 1 + samples // 512 frames; every number is finite
    """
    signal = _bounded(signal)
    frames, octaves = frame_count(len(signal), HOP_SAMPLES), len(contrast_bands())
    mel_power, shapes, peaks, valleys, levels = (
        np.empty((frames, columns), np.float32) for columns in (MELS, shape.SHAPES, octaves, octaves, shape.LEVELS)
    )
    total_power = np.zeros(FFT_SAMPLES // 2 + 1)
    bands = mel_bands(RATE_HZ, FFT_SAMPLES, MELS)
    start = 0
    for power in power_blocks(signal, FFT_SAMPLES, HOP_SAMPLES):
        block, magnitude = slice(start, start + len(power)), np.empty_like(power)
        total_power += power.sum(axis=0)
        shape.mel_rows(power, bands.first, bands.count, bands.weights, mel_power[block])
        shape.row_shapes(power, magnitude, shapes[block])
        _extremes(magnitude, peaks[block], valleys[block])
        start = block.stop
    shape.frame_levels(signal, FFT_SAMPLES, HOP_SAMPLES, levels)
    centroid, bandwidth, rolloff, flatness = shapes.T
    return Spectrum(
        signal=signal,
        rate_hz=RATE_HZ,
        mean_power=(total_power / frames).astype(np.float32),
        mel_power=mel_power,
        centroid_hz=centroid * np.float32(BIN_HZ),
        bandwidth_hz=bandwidth * np.float32(BIN_HZ),
        rolloff_hz=rolloff * np.float32(BIN_HZ),
        flatness=flatness,
        contrast_db=decibels(peaks) - decibels(valleys),
        rms=levels[:, 0],
        zero_crossing_rate=levels[:, 1],
    )


def decibels(power: Floats) -> Floats:
    """Ten times the logarithm of power, not below 1e-10 and not more than 80 dB below the loudest: librosa's way."""
    level_db = np.maximum(power, np.float32(shape.POWER_FLOOR))
    np.log(level_db, out=level_db)
    level_db *= np.float32(10.0 / np.log(10.0))
    return np.asarray(np.maximum(level_db, level_db.max() - np.float32(_TOP_DB), out=level_db))


@cache
def contrast_bands() -> NDArray[np.int64]:
    """Bands of the spectral contrast: int64 [7, 3], first bin, bin after the last, bins that are a peak or a valley.

    Jiang et al., Music type classification by spectral contrast feature, 2002: octaves, here from 200 Hz and one band
    below. The edges are librosa's: a band begins one bin early and leaves out its last bin, which is counted all the
    same, and the highest octave goes on to half the rate.
    """
    bins_hz = np.arange(FFT_SAMPLES // 2 + 1) * BIN_HZ
    edges_hz = np.concatenate([[0.0], CONTRAST_LOWEST_HZ * 2.0 ** np.arange(CONTRAST_OCTAVES)])
    first = np.maximum(np.searchsorted(bins_hz, edges_hz) - 1, 0)
    last = np.append(first[1:], len(bins_hz))
    counted = last - first + (np.arange(len(first)) < CONTRAST_OCTAVES)
    extremes = np.maximum(np.rint(CONTRAST_QUANTILE * counted), 1)
    return np.ascontiguousarray(np.stack([first, last, extremes], axis=1), dtype=np.int64)


def _extremes(magnitude: Floats, peaks: Floats, valleys: Floats) -> None:
    """Peaks and valleys of every contrast band of float32 [frames, bins], which is left sorted within each band."""
    for low, high, _ in contrast_bands().tolist():
        magnitude[:, low:high].sort(axis=1)
    shape.edges_of_sorted(magnitude, contrast_bands(), peaks, valleys)


def _bounded(signal: Floats) -> Floats:
    """Scale down what no sound card could play, so that nothing overflows."""
    peak = max(float(signal.max()), -float(signal.min()))
    return signal if peak <= _LOUDEST else np.asarray(signal * np.float64(_LOUDEST / peak), dtype=np.float32)


@cache
def hann(fft_samples: int) -> Floats:
    """Periodic Hann window, float32 [fft_samples], read-only."""
    phase = 2.0 * np.pi * np.arange(fft_samples) / fft_samples
    window = (0.5 - 0.5 * np.cos(phase)).astype(np.float32)
    window.setflags(write=False)
    return window


def frame_count(sample_count: int, hop_samples: int) -> int:
    """How many centred frames a signal has."""
    return 1 + sample_count // hop_samples


def power_blocks(signal: Floats, fft_samples: int, hop_samples: int, *, centred: bool = True) -> Iterator[Floats]:
    """Squared magnitude of the short-time Fourier transform, a block of frames at a time.

    Parameters
    ----------
    signal : float32 [samples], at least one; at least fft_samples where frames are not centred
    fft_samples : even length of the Hann window and of the transform
    hop_samples : samples between frames
    centred : frame t is around sample t * hop_samples, with zeros beyond the ends; else it starts there and ends inside

    Yields
    ------
    float32 [<= 64, fft_samples // 2 + 1], as librosa's `abs(stft(y)) ** 2`, transposed; yours to write to
    """
    window, offset = hann(fft_samples), fft_samples // 2 if centred else 0
    frames = frame_count(len(signal) + 2 * offset - fft_samples, hop_samples)
    windowed = np.empty((min(frames, _BLOCK_FRAMES), fft_samples), np.float32)
    for start in range(0, frames, _BLOCK_FRAMES):
        block = windowed[: frames - start]
        shape.window_frames(signal, start * hop_samples - offset, hop_samples, window, block)
        transform = scipy.fft.rfft(block, workers=1)
        power = np.empty(transform.shape, np.float32)
        shape.powers(transform.view(np.float32), power)
        yield power


def mel_frames(
    signal: Floats, fft_samples: int, hop_samples: int, bands: MelBands | Floats, *, centred: bool = True
) -> Floats:
    """Mel power without keeping the spectrum: float32 [frames, mels].

    Parameters
    ----------
    signal, fft_samples, hop_samples, centred : see `power_blocks`
    bands : of `mel_bands`, or float32 [fft_samples // 2 + 1, mels] of `mel_filterbank`, which takes longer
    """
    if not isinstance(bands, MelBands):
        bands = sparse(bands)
    beyond = 0 if centred else fft_samples
    mel = np.empty((frame_count(len(signal) - beyond, hop_samples), len(bands.first)), np.float32)
    start = 0
    for power in power_blocks(signal, fft_samples, hop_samples, centred=centred):
        shape.mel_rows(power, bands.first, bands.count, bands.weights, mel[start : start + len(power)])
        start += len(power)
    return mel
