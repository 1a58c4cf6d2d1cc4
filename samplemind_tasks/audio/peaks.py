"""The waveform as a picture: lowest and highest value of each slice."""

import numpy as np
from numpy.typing import NDArray

MAX_BINS = 1000
_FULL_SCALE = 127


def waveform_peaks(samples: NDArray[np.float32]) -> NDArray[np.int8]:
    """Lowest and highest sample over all channels in equal slices of the sound.

    Parameters
    ----------
    samples : float32 [frames, channels], C-contiguous, at least one frame

    Returns
    -------
    int8 [bins, 2] of (lowest, highest), 127 is full scale and louder is cut; bins is 1000, or one a frame if shorter
    """
    frames, channels = samples.shape
    bins = min(MAX_BINS, frames)
    starts = np.arange(bins, dtype=np.int64) * frames // bins * channels
    flat = samples.reshape(-1)
    extremes = np.stack([np.minimum.reduceat(flat, starts), np.maximum.reduceat(flat, starts)], axis=1)
    return np.asarray(np.rint(np.clip(extremes, -1.0, 1.0) * _FULL_SCALE), dtype=np.int8)
