"""The inner loops over one block of frames: windows, powers, and what a row of bins looks like as numbers.

Conventions: every array is float32 and C-contiguous, time-major: [frames, bins]. Each loop makes short passes over one
row, which stays in the processor's first cache and is read 16 bins at a time; sums are reordered (fastmath). Rows are
indexed, not iterated: numba's iterators are not vectorised.
"""

import math

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel

Floats = NDArray[np.float32]

ROLLOFF = 0.85
POWER_FLOOR = 1e-10
"""Power below this counts as this (librosa's amin)."""
SHAPES, LEVELS = 4, 2
"""Columns that `row_shapes` and `frame_levels` write."""
_INPUT = "Array(float32, 1, 'C', readonly=True)"
"""A float32 array that is only read; one that may be written to is welcome too."""
_ZERO = np.float32(1e-10)
"""A sample closer to zero than this has no sign (librosa's threshold)."""
_ROUNDING = np.float32(1e-14)
"""Rounding noise of a single-precision transform in one bin, over the mean power of all: measured on noise and tones.
140 dB down, but over 1000 bins it would make a pure tone look a tenth too wide."""
_SILENCE = np.float32(1e-30)
"""Magnitudes that sum to less have no centre."""
_RUN = 32
"""Bins summed at once on the way to the roll-off."""
_LANES = 64
"""Powers multiplied in so many products before a logarithm is taken of each: 16 factors from 1e-10 to 1e18 fit."""


@kernel(f"void({_INPUT}, int64, int64, {_INPUT}, float32[:, ::1])")
def window_frames(signal: Floats, first: int, hop_samples: int, window: Floats, frames: Floats) -> None:
    """Fill `frames` with windowed pieces of the signal, zeros where it has not begun or has ended.

    Parameters
    ----------
    signal : float32 [samples]
    first : sample where the first frame starts; may be negative
    hop_samples : from the start of a frame to the start of the next
    window : float32 [fft_samples]
    frames : float32 [frames, fft_samples], written
    """
    for index in range(frames.shape[0]):
        start = first + index * hop_samples
        low = min(max(0, -start), len(window))
        high = max(low, min(len(window), len(signal) - start))
        frames[index, :low] = 0.0
        frames[index, high:] = 0.0
        heard, weight, frame = signal[start + low : start + high], window[low:high], frames[index, low:high]
        for sample in range(len(frame)):
            frame[sample] = heard[sample] * weight[sample]


@kernel("void(float32[:, ::1], float32[:, ::1])")
def powers(transform: Floats, power: Floats) -> None:
    """Squared magnitudes of a transform given as real, imaginary, real, ...: [frames, 2 * bins] -> [frames, bins]."""
    for index in range(power.shape[0]):
        parts, row = transform[index], power[index]
        for one_bin in range(len(row)):
            row[one_bin] = parts[2 * one_bin] ** 2 + parts[2 * one_bin + 1] ** 2


@kernel("void(float32[::1], float32[::1], float32[::1])")
def _roots(power: Floats, magnitude: Floats, clean: Floats) -> None:
    """Square roots of one row, as they are and without the transform's rounding noise."""
    total = np.float32(0.0)
    for one_bin in range(len(power)):
        total += power[one_bin]
    noise = total * _ROUNDING / np.float32(len(power))
    for one_bin in range(len(power)):
        magnitude[one_bin] = math.sqrt(power[one_bin])
        clean[one_bin] = math.sqrt(max(power[one_bin] - noise, np.float32(0.0)))


@kernel("UniTuple(float32, 3)(float32[::1])")
def _moments(magnitude: Floats) -> tuple[float, float, float]:
    """Sum, mean and standard deviation of the bins of one row, weighted by magnitude; 0, 0, 0 for silence."""
    total, first = np.float32(0.0), np.float32(0.0)
    for one_bin in range(len(magnitude)):
        total += magnitude[one_bin]
        first += magnitude[one_bin] * np.float32(one_bin)
    if total < _SILENCE:
        return 0.0, 0.0, 0.0
    centre = first / total
    second = np.float32(0.0)
    for one_bin in range(len(magnitude)):
        distance = np.float32(one_bin) - centre
        second += magnitude[one_bin] * distance * distance
    return float(total), float(centre), math.sqrt(second / total)


@kernel("int64(float32[::1], float32)")
def _rolloff(magnitude: Floats, total: float) -> int:
    """First bin at which the sum of one row from its start reaches its share of the total."""
    threshold, below, first = np.float32(ROLLOFF) * total, np.float32(0.0), 0
    while first + _RUN < len(magnitude):
        run = np.float32(0.0)
        bins = magnitude[first : first + _RUN]
        for one_bin in range(_RUN):
            run += bins[one_bin]
        if below + run >= threshold:
            break
        below += run
        first += _RUN
    for one_bin in range(first, len(magnitude)):
        below += magnitude[one_bin]
        if below >= threshold:
            return one_bin
    return len(magnitude) - 1


@kernel("float32(float32[::1], float64[::1])")
def _flatness(power: Floats, products: NDArray[np.float64]) -> float:
    """Geometric over arithmetic mean of one row; `products` is room for `_LANES` of them."""
    floor = np.float32(POWER_FLOOR)
    total, logarithms = np.float32(0.0), 0.0
    for one_bin in range(len(power)):
        total += max(power[one_bin], floor)
    products[:] = 1.0
    whole = len(power) - len(power) % _LANES
    for start in range(0, whole, _LANES):
        factors = power[start : start + _LANES]
        for lane in range(_LANES):
            products[lane] *= max(factors[lane], floor)
    for product in products:
        logarithms += math.log(product)
    for value in power[whole:]:
        logarithms += math.log(max(value, floor))
    count = len(power)
    return min(math.exp(logarithms / count) * count / float(total), 1.0)


@kernel("void(float32[:, ::1], float32[:, ::1], float32[:, ::1])")
def row_shapes(power: Floats, magnitude: Floats, shapes: Floats) -> None:
    """Magnitude of each row, and its centroid, bandwidth, roll-off, all in bins, and flatness.

    Centroid and bandwidth are the mean and the standard deviation of frequency weighted by magnitude; roll-off is the
    frequency below which 85 % of the magnitude lies; flatness is the geometric over the arithmetic mean of power
    (Peeters, A large set of audio features for sound description, 2004). A row of zeros has 0, 0, 0 and 1.

    Parameters
    ----------
    power : float32 [frames, bins]
    magnitude : float32 [frames, bins], written
    shapes : float32 [frames, 4], written: centroid, bandwidth, roll-off, flatness
    """
    products, clean = np.empty(_LANES, np.float64), np.empty(power.shape[1], np.float32)
    for index in range(power.shape[0]):
        _roots(power[index], magnitude[index], clean)
        total, centre, width = _moments(clean)
        shapes[index, 0] = centre
        shapes[index, 1] = width
        shapes[index, 2] = _rolloff(clean, total)
        shapes[index, 3] = _flatness(power[index], products)


@kernel("void(float32[:, ::1], int64[:, ::1], float32[:, ::1], float32[:, ::1])")
def edges_of_sorted(magnitude: Floats, bands: NDArray[np.int64], peaks: Floats, valleys: Floats) -> None:
    """Mean of the largest and of the smallest magnitudes of each band, which is sorted upwards.

    Parameters
    ----------
    magnitude : float32 [frames, bins]
    bands : int64 [bands, 3]: first bin, bin after the last, and how many bins are a peak or a valley
    peaks, valleys : float32 [frames, bands], written
    """
    for index in range(magnitude.shape[0]):
        for band in range(bands.shape[0]):
            low, high, count = bands[band]
            valley, peak = np.float32(0.0), np.float32(0.0)
            for one_bin in range(count):
                valley += magnitude[index, low + one_bin]
                peak += magnitude[index, high - 1 - one_bin]
            valleys[index, band] = valley / np.float32(count)
            peaks[index, band] = peak / np.float32(count)


@kernel("void(float32[:, ::1], int64[::1], int64[::1], float32[::1], float32[:, ::1])")
def mel_rows(
    power: Floats, first: NDArray[np.int64], count: NDArray[np.int64], weights: Floats, mel_power: Floats
) -> None:
    """Multiply every row of power with sparse filters: see `mel.MelBands`; writes float32 [frames, mels]."""
    for index in range(power.shape[0]):
        row, used = power[index], 0
        for band in range(len(first)):
            heard, weight = row[first[band] : first[band] + count[band]], weights[used : used + count[band]]
            total = np.float32(0.0)
            for one_bin in range(len(heard)):
                total += heard[one_bin] * weight[one_bin]
            mel_power[index, band] = total
            used += count[band]


@kernel(f"void({_INPUT}, int64, int64, float32[:, ::1])")
def frame_levels(signal: Floats, frame_samples: int, hop_samples: int, levels: Floats) -> None:
    """Root mean square and sign changes per sample of centred frames, with nothing outside the signal.

    Parameters
    ----------
    signal : float32 [samples]
    frame_samples, hop_samples : length of a frame and the distance to the next
    levels : float32 [frames, 2], written
    """
    half = frame_samples // 2
    for index in range(levels.shape[0]):
        start = max(index * hop_samples - half, 0)
        heard = signal[start : min(index * hop_samples + half, len(signal))]
        following = heard[1:]
        squares, crossings = np.float32(0.0), 0
        for sample in range(len(heard)):
            squares += heard[sample] * heard[sample]
        for sample in range(len(following)):
            crossings += (heard[sample] < -_ZERO) != (following[sample] < -_ZERO)
        levels[index, 0] = math.sqrt(squares / np.float32(frame_samples))
        levels[index, 1] = crossings / frame_samples
