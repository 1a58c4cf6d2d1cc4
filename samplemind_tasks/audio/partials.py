"""Partials: the peaks of a fine spectrum, frame by frame, each with its pitch."""

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel

Floats = NDArray[np.float32]

RATE_HZ = 22_050
FFT_SAMPLES = 8192
HOP_SAMPLES = 4096
"""372 ms windows: neighbouring semitones stay apart down to 50 Hz."""
LOWEST_HZ, HIGHEST_HZ = 27.5, 3500.0
A4_HZ, A4_PITCH = 440.0, 69
_HANN = np.hanning(FFT_SAMPLES + 1)[:-1].astype(np.float32)
_LOW_BIN = int(LOWEST_HZ * FFT_SAMPLES / RATE_HZ)
_HIGH_BIN = int(HIGHEST_HZ * FFT_SAMPLES / RATE_HZ)
_BLOCK_FRAMES = 32
"""Frames transformed at a time: 1 MB, which stays in the processor's cache."""
_QUIETEST = 1e-3
"""A peak below -60 dB of its frame is not heard."""


@dataclass(frozen=True)
class Partials:
    """Peaks of the spectrum of every frame, in order of time, then of pitch.

    Attributes
    ----------
    frame : int32 [partials], the frame each is in, of `frames`
    pitch : float32 [partials], semitones where 69 is A = 440 Hz
    magnitude : float32 [partials], > 0
    frames : 1 + samples // 4096, centred, 186 ms apart
    share : 0 to 1, the part of the power between 27.5 and 3500 Hz that lies in the peaks
    """

    frame: NDArray[np.int32]
    pitch: Floats
    magnitude: Floats
    frames: int
    share: float


def partials(signal: Floats) -> Partials:
    """Find the local maxima of a fine spectrum (8192-point Hann, hop 4096), each placed by a parabola through its bins.

    Parameters
    ----------
    signal : float32 [samples], at least one, mono at 22,050 Hz, finite

    Returns
    -------
    Partials between 27.5 and 3500 Hz, no quieter than -60 dB of their frame

    Notes
    -----
    Smith and Serra, PARSHL: an analysis/synthesis program for non-harmonic sounds, 1987.
    """
    frames = 1 + len(signal) // HOP_SAMPLES
    most = frames * (_HIGH_BIN - _LOW_BIN + 2) // 2
    frame, pitch, magnitude = np.empty(most, np.int32), np.empty(most, np.float32), np.empty(most, np.float32)
    found, power, peak_power = 0, 0.0, 0.0
    for start in range(0, frames, _BLOCK_FRAMES):
        windows = _windows(signal, start, min(_BLOCK_FRAMES, frames - start))
        spectrum = scipy.fft.rfft(windows * _HANN, workers=1)
        count, of_block, of_peaks = _find(spectrum, start, frame[found:], pitch[found:], magnitude[found:])
        found, power, peak_power = found + count, power + of_block, peak_power + of_peaks
    share = min(peak_power / (power + 1e-20), 1.0)
    return Partials(frame[:found], pitch[:found], magnitude[:found], frames, share)


def _windows(signal: Floats, start: int, count: int) -> Floats:
    """Frames `start` to `start + count`, centred on multiples of the hop, zeros beyond the ends: [count, 8192], a view.

    A copy of the whole signal with zeros at its ends would be the analysis' largest array.
    """
    first = start * HOP_SAMPLES - FFT_SAMPLES // 2
    last = first + (count - 1) * HOP_SAMPLES + FFT_SAMPLES
    piece = signal[max(first, 0) : last]
    if first < 0 or last > len(signal):
        piece = np.pad(piece, (max(-first, 0), max(last - len(signal), 0)))
    return np.lib.stride_tricks.sliding_window_view(piece, FFT_SAMPLES)[::HOP_SAMPLES]


@kernel("Tuple((int64, float64, float64))(complex64[:, ::1], int64, int32[::1], float32[::1], float32[::1])")
def _find(
    spectrum: NDArray[np.complex64], first_frame: int, frame: NDArray[np.int32], pitch: Floats, magnitude: Floats
) -> tuple[int, float, float]:
    """Write the peaks of [frames, bins] into the three arrays; their number, the power and the peaks' power."""
    found, total, in_peaks = 0, 0.0, 0.0
    height = np.empty(_HIGH_BIN + 2, np.float32)
    for row in range(spectrum.shape[0]):
        highest = np.float32(0.0)
        for b in range(_LOW_BIN - 1, _HIGH_BIN + 2):
            value = spectrum[row, b]
            power = value.real * value.real + value.imag * value.imag
            height[b] = power
            highest = max(highest, power)
            total += power
        heard = _QUIETEST * _QUIETEST * highest + 1e-18
        for b in range(_LOW_BIN, _HIGH_BIN + 1):
            top = height[b]
            if top > heard and top > height[b - 1] and top >= height[b + 1]:
                in_peaks += top + height[b - 1] + height[b + 1]
                left, middle, right = np.sqrt(height[b - 1]), np.sqrt(top), np.sqrt(height[b + 1])
                offset = 0.5 * (left - right) / (left - 2.0 * middle + right - 1e-12)
                frequency_hz = (b + offset) * (RATE_HZ / FFT_SAMPLES)
                frame[found] = first_frame + row
                pitch[found] = A4_PITCH + 12.0 * np.log2(frequency_hz / A4_HZ)
                magnitude[found] = middle
                found += 1
    return found, total, in_peaks
