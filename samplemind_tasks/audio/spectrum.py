"""The power spectrum that every analyser shares: computed once, float32, time-major."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from samplemind_tasks.audio.mel import mel_filterbank
from samplemind_tasks.audio.mono import mono

Floats = NDArray[np.float32]
Precision = Literal["float32", "float64"]

RATE_HZ = 22_050
FFT_SAMPLES = 2048
HOP_SAMPLES = 512
MELS = 128
_BLOCK_FRAMES = 256
"""Frames transformed at a time: the working set stays in the processor's cache."""


@dataclass(frozen=True)
class Spectrum:
    """A mono signal and its short-time power spectrum.

    Attributes
    ----------
    signal : float32 [samples], mono at rate_hz
    rate_hz : samples per second of `signal`
    power : float32 [frames, bins], squared magnitude, frame t centred on sample t * hop_samples
    mel_power : float32 [frames, mels], Slaney mel bands of `power`
    bins_hz : float64 [bins], centre frequency of each bin
    """

    signal: Floats
    rate_hz: int
    power: Floats
    mel_power: Floats
    bins_hz: NDArray[np.float64]

    @property
    def duration_s(self) -> float:
        """Length of the signal in seconds."""
        return len(self.signal) / self.rate_hz


def spectrum(samples: Floats, rate_hz: int) -> Spectrum:
    """Mix float32 [frames, channels] down, resample to 22.05 kHz and transform it (2048-point Hann, hop 512)."""
    signal = mono(samples, rate_hz, RATE_HZ)
    power = power_frames(signal, FFT_SAMPLES, HOP_SAMPLES)
    return Spectrum(
        signal=signal,
        rate_hz=RATE_HZ,
        power=power,
        mel_power=power @ mel_filterbank(RATE_HZ, FFT_SAMPLES, MELS),
        bins_hz=np.linspace(0.0, RATE_HZ / 2, FFT_SAMPLES // 2 + 1),
    )


@cache
def hann(fft_samples: int, precision: Precision = "float32") -> NDArray[Any]:
    """Periodic Hann window, [fft_samples], read-only."""
    phase = 2.0 * np.pi * np.arange(fft_samples) / fft_samples
    window = (0.5 - 0.5 * np.cos(phase)).astype(precision)
    window.setflags(write=False)
    return window


def frame_count(sample_count: int, hop_samples: int) -> int:
    """How many centred frames a signal has."""
    return 1 + sample_count // hop_samples


def power_blocks(
    signal: Floats, fft_samples: int, hop_samples: int, precision: Precision = "float32"
) -> Iterator[NDArray[Any]]:
    """Yield the power spectrum a block of frames at a time: [<= 256, fft_samples // 2 + 1], computed in `precision`."""
    padded = np.pad(signal, fft_samples // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, fft_samples)[::hop_samples]
    for start in range(0, len(frames), _BLOCK_FRAMES):
        transform = scipy.fft.rfft(frames[start : start + _BLOCK_FRAMES] * hann(fft_samples, precision), workers=1)
        real, imaginary = transform.real, transform.imag
        power = real * real
        power += imaginary * imaginary
        yield power


def power_frames(signal: Floats, fft_samples: int, hop_samples: int) -> Floats:
    """Squared magnitude of the short-time Fourier transform, frames centred, edges padded with zeros.

    Parameters
    ----------
    signal : float32 [samples], at least one
    fft_samples : even length of the Hann window and of the transform
    hop_samples : samples between frames

    Returns
    -------
    float32 [1 + samples // hop_samples, fft_samples // 2 + 1], as librosa's `abs(stft(y)) ** 2`, transposed
    """
    power = np.empty((frame_count(len(signal), hop_samples), fft_samples // 2 + 1), dtype=np.float32)
    start = 0
    # In double precision: rounding noise 140 dB down, spread over 1000 bins, would widen a pure tone by a tenth.
    for block in power_blocks(signal, fft_samples, hop_samples, "float64"):
        power[start : start + len(block)] = block
        start += len(block)
    return power


def mel_frames(signal: Floats, fft_samples: int, hop_samples: int, filterbank: Floats) -> Floats:
    """Mel power without keeping the spectrum: float32 [1 + samples // hop_samples, mels]."""
    return np.concatenate([block @ filterbank for block in power_blocks(signal, fft_samples, hop_samples)])
