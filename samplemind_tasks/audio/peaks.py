"""The waveform as a picture: lowest and highest value of each slice, in two resolutions."""

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]

OVERVIEW_BINS = 1000
DETAIL_BINS_A_SECOND = 100
FEWEST_DETAIL_BINS, MOST_DETAIL_BINS = 4 * OVERVIEW_BINS, 16_000
FULL_SCALE = 127
_MOST_CELLS = 1 << 16
"""Merged when they are this many, there are always twice as many cells as bins, or a cell is a single frame."""
_LIMIT = np.finfo(np.float32).max


class Peaks:
    """Extremes over all channels of a sound of unknown length, and pictures of it in two resolutions.

    Cells of one frame are filled, and merged two by two whenever they become too many. The bins of a picture share the
    cells out evenly: they are equal to within one frame, or one cell of a long sound.

    Parameters
    ----------
    rate_hz : frames per second
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._frames = 0
        self._cells = np.empty((2, _MOST_CELLS), dtype=np.int8)
        self._counts = np.array([1, 0, 0])
        self._open = np.array([_LIMIT, -_LIMIT], dtype=np.float32)

    def feed(self, samples: Floats) -> None:
        """Add the next float32 [frames, channels], C-contiguous and finite, any number of frames."""
        self._frames += len(samples)
        _collect(samples, self._cells, self._counts, self._open)

    def overview(self) -> Bytes:
        """The whole sound at a glance.

        Returns
        -------
        int8 [bins, 2] of (lowest, highest), 127 is full scale and louder is cut; bins is 1000, or one a frame if the
        sound is shorter
        """
        return self._picture(OVERVIEW_BINS)

    def detail(self) -> Bytes:
        """The sound for looking at closely.

        Returns
        -------
        int8 [bins, 2] as for `overview`; bins is 100 a second, but at least 4000 and at most 16000, or one a frame if
        the sound is shorter
        """
        bins = round(DETAIL_BINS_A_SECOND * self._frames / self._rate_hz)
        return self._picture(min(max(bins, FEWEST_DETAIL_BINS), MOST_DETAIL_BINS))

    def _picture(self, most_bins: int) -> Bytes:
        _, cells, open_frames = self._counts
        if open_frames:  # there is always room for one more
            self._cells[:, cells] = [_byte(value) for value in self._open]
            cells += 1
        bins = np.empty((min(most_bins, cells), 2), dtype=np.int8)
        _share_out(self._cells, cells, bins)
        return bins


@kernel("int8(float32)")
def _byte(value: float) -> np.int8:
    return np.int8(np.rint(max(min(value, 1.0), -1.0) * FULL_SCALE))


@kernel("void(int8[:, ::1], int64, int8[:, ::1])")
def _share_out(cells: Bytes, count: int, bins: Bytes) -> None:
    """Lowest and highest of the cells that fall to each bin; there are no fewer cells than bins."""
    for place in range(len(bins)):
        first, end = place * count // len(bins), (place + 1) * count // len(bins)
        lowest, highest = cells[0, first], cells[1, first]
        for cell in range(first + 1, end):
            lowest, highest = min(lowest, cells[0, cell]), max(highest, cells[1, cell])
        bins[place, 0], bins[place, 1] = lowest, highest


@kernel("void(Array(float32, 2, 'C', readonly=True), int8[:, ::1], int64[::1], float32[::1])")
def _collect(samples: Floats, cells: Bytes, counts: NDArray[np.int64], extremes: Floats) -> None:
    """Fill the open cell, whose lowest and highest value are `extremes`, and the ones after it.

    `counts` are the frames of a cell, the number of full cells and the frames in the open one.
    """
    cell_frames, full, open_frames = counts[0], counts[1], counts[2]
    lowest, highest = extremes[0], extremes[1]
    frame = 0
    while frame < len(samples):
        stop = min(frame + cell_frames - open_frames, len(samples))
        for place in range(frame, stop):
            for channel in range(samples.shape[1]):
                lowest = min(lowest, samples[place, channel])
                highest = max(highest, samples[place, channel])
        open_frames += stop - frame
        frame = stop
        if open_frames == cell_frames:
            cells[0, full], cells[1, full] = _byte(lowest), _byte(highest)
            full, open_frames, lowest, highest = full + 1, 0, np.float32(_LIMIT), np.float32(-_LIMIT)
        if full == cells.shape[1]:
            full, cell_frames = full // 2, cell_frames * 2
            for cell in range(full):
                cells[0, cell] = min(cells[0, 2 * cell], cells[0, 2 * cell + 1])
                cells[1, cell] = max(cells[1, 2 * cell], cells[1, 2 * cell + 1])
    counts[0], counts[1], counts[2] = cell_frames, full, open_frames
    extremes[0], extremes[1] = lowest, highest
