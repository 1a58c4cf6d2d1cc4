"""Level, clipping, silence and stereo image of a sound that comes piece by piece."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel
from samplemind_tasks.features import Reason

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

SILENCE_EDGE = 1e-3
"""-60 dBFS: what comes before the first and after the last sample at or above this counts as silence."""
CLIPPED = 0.999
"""A hair below full scale: what dither or a change of the bit depth make of it."""
CLIPPED_RUN = 3
"""One or two samples in a row touch full scale in clean music too."""


@dataclass(frozen=True)
class Levels:
    """What a meter shows of a whole sound. Field names are those of `Features`; `reasons` tells why a value is None.

    Attributes
    ----------
    is_silent : no sample rises above -80 dBFS
    """

    is_silent: bool
    loudness_lufs: float | None
    loudness_range_lu: float | None
    loudness_momentary_max_lufs: float | None
    loudness_short_term_max_lufs: float | None
    true_peak_dbtp: float | None
    sample_peak_dbfs: float | None
    rms_dbfs: float | None
    crest_db: float | None
    clipped_samples: int
    dc_offset: float
    silence_start_s: float
    silence_end_s: float
    stereo_width: float | None
    stereo_correlation: float | None
    reasons: dict[str, Reason] = field(default_factory=dict)


@dataclass(frozen=True)
class Stereo:
    """The image of the first two channels; both None where they are silent, correlation also where one of them is."""

    width: float | None
    correlation: float | None


class LevelSums:
    """Sums over all samples of a sound, and the highest magnitude of them, `peak`.

    Parameters
    ----------
    channels : of all pieces
    """

    def __init__(self, channels: int) -> None:
        self.peak = 0.0
        self._frames = 0
        # Of each channel, and in the last row of the difference of the first two: sum and sum of squares.
        self._sums = np.zeros((channels + 1, 2))

    def feed(self, samples: Floats, edges: Integers) -> None:
        """Add float32 [frames, channels], C-contiguous and finite, hop by hop from edges[i] to edges[i + 1]."""
        self._frames += len(samples)
        self.peak = max(self.peak, float(_add_sums(samples, edges, self._sums)))

    def rms(self) -> float:
        """Root of the mean square of all samples, full scale is 1."""
        squares = float(self._sums[:-1, 1].sum())
        return math.sqrt(squares / max(self._frames * (len(self._sums) - 1), 1))

    def dc_offset(self) -> float:
        """Mean of the channel where it is farthest from zero: offsets of two channels can cancel each other."""
        means = self._sums[:-1, 0] / max(self._frames, 1)
        return float(means[np.argmax(np.abs(means))])

    def stereo(self) -> Stereo:
        """Width is the power of (L - R) / 2 over that of (L - R) / 2 and (L + R) / 2 together; correlation is E[LR].

        Of more than two channels the first two count: front left and right in every common layout. Correlation is
        what a studio's correlation meter shows, means not removed.
        """
        left, right, side = (float(self._sums[row, 1]) for row in (0, 1, -1))
        if left + right == 0.0:
            return Stereo(None, None)
        width = min(side / (2.0 * (left + right)), 1.0)
        if left == 0.0 or right == 0.0:
            return Stereo(width, None)
        product = (left + right - side) / 2.0
        return Stereo(width, min(max(product / math.sqrt(left) / math.sqrt(right), -1.0), 1.0))


class Clipping:
    """Counts the samples of every run of three or more in a row of one channel at one end of the scale.

    Parameters
    ----------
    channels : of all pieces
    """

    def __init__(self, channels: int) -> None:
        self.samples = 0
        self._runs = np.zeros(channels, dtype=np.int64)

    def feed(self, samples: Floats, peak: float) -> None:
        """Look for runs in float32 [frames, channels] of a sound that reached this peak so far."""
        if peak >= CLIPPED:
            self.samples += _clipped(samples, self._runs)


class LoudSpan:
    """First and last frame that are no silence."""

    def __init__(self) -> None:
        self._frames = 0
        self._first, self._last = -1, -1

    def feed(self, samples: Floats, peak: float) -> None:
        """Look at the next float32 [frames, channels] of a sound that reached this peak so far."""
        if peak >= SILENCE_EDGE:
            if self._first < 0:
                self._first = self._frames + _first_loud(samples)
            last = _last_loud(samples)
            if last >= 0:
                self._last = self._frames + last
        self._frames += len(samples)

    def silence_frames(self) -> tuple[int, int]:
        """Silent frames at the start and at the end: all of them at both if nothing is loud."""
        if self._first < 0:
            return self._frames, self._frames
        return self._first, self._frames - 1 - self._last


@kernel("float32(Array(float32, 2, 'C', readonly=True), int64[::1], float64[:, ::1])")
def _add_sums(samples: Floats, edges: Integers, sums: Doubles) -> np.float32:
    """Add to (sum, sum of squares) of each channel and, in the last row, of the difference of the first two.

    Returns the highest magnitude, found by its bits: floats that are not negative compare like them, and maxima of
    integers can be vectorised.

    Each hop is summed by itself, so that sums in any order (fastmath) are the same however a sound is cut into pieces.
    Channels are copied out of the frames, side by side, where the compiler can vectorise.
    """
    channels = samples.shape[1]
    loudest = np.int32(0)
    columns = np.empty((2, np.max(edges[1:] - edges[:-1])), dtype=np.float32)
    for hop in range(len(edges) - 1):
        frames = samples[edges[hop] : edges[hop + 1]]
        for channel in range(channels):
            column = columns[min(channel, 1)]
            for frame in range(len(frames)):
                column[frame] = frames[frame, channel]
            total = square = difference = 0.0
            for frame in range(len(frames)):
                total += np.float64(column[frame])
                square += np.float64(column[frame]) ** 2
                loudest = max(loudest, np.float32(abs(column[frame])).view(np.int32))
            sums[channel, 0] += total
            sums[channel, 1] += square
            if channel == 1:
                for frame in range(len(frames)):
                    difference += (np.float64(columns[0, frame]) - np.float64(column[frame])) ** 2
                sums[channels, 1] += difference
    return np.int32(loudest).view(np.float32)


@kernel("int64(Array(float32, 2, 'C', readonly=True), int64[::1])")
def _clipped(samples: Floats, runs: Integers) -> int:
    """Count clipped samples; `runs` [channels] is how many are clipped in a row so far, negative at the lower end."""
    count = 0
    for channel in range(samples.shape[1]):
        run = runs[channel]
        for frame in range(len(samples)):
            sample = samples[frame, channel]
            if abs(sample) < CLIPPED:
                run = 0
                continue
            run = max(run, 0) + 1 if sample > 0 else min(run, 0) - 1
            if abs(run) >= CLIPPED_RUN:
                count += CLIPPED_RUN if abs(run) == CLIPPED_RUN else 1
        runs[channel] = run
    return count


@kernel("int64(Array(float32, 2, 'C', readonly=True))")
def _first_loud(samples: Floats) -> int:
    for frame in range(len(samples)):
        for channel in range(samples.shape[1]):
            if abs(samples[frame, channel]) >= SILENCE_EDGE:
                return frame
    return -1


@kernel("int64(Array(float32, 2, 'C', readonly=True))")
def _last_loud(samples: Floats) -> int:
    for frame in range(len(samples) - 1, -1, -1):
        for channel in range(samples.shape[1]):
            if abs(samples[frame, channel]) >= SILENCE_EDGE:
                return frame
    return -1
