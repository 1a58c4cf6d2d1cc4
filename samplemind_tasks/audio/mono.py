"""One channel out of many, and one rate out of all: what every analyser and the model listen to."""

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_CANCELLED = 0.1
"""A mix with less than a tenth (-10 dB) of the loudest channel's power has cancelled itself."""


def mix_down(samples: Floats) -> Floats:
    """Mix the channels into one, or take the loudest channel where the mix would cancel.

    A sound whose right channel is its left one turned over is loud to everybody and silent to its own average.

    Parameters
    ----------
    samples : float32 [frames, channels]

    Returns
    -------
    float32 [frames]
    """
    channels = samples.shape[1]
    if channels == 1:
        return np.ascontiguousarray(samples[:, 0])
    products = samples.T @ samples
    loudest = int(np.argmax(np.diagonal(products)))
    mix_power = products.sum() / channels**2
    if mix_power < _CANCELLED * products[loudest, loudest]:
        return np.ascontiguousarray(samples[:, loudest])
    return np.asarray(samples @ np.full(channels, 1.0 / channels, dtype=np.float32))


def resample(signal: Floats, from_hz: int, to_hz: int) -> Floats:
    """Change the rate of float32 [frames] with soxr's high-quality band-limited filter (librosa's default)."""
    if from_hz == to_hz:
        return signal
    return np.asarray(soxr.resample(signal, from_hz, to_hz, quality="HQ"), dtype=np.float32)


def mono(samples: Floats, from_hz: int, to_hz: int) -> Floats:
    """Mix down float32 [frames, channels] and resample to float32 [frames at to_hz]; never empty."""
    signal = resample(mix_down(samples), from_hz, to_hz)
    return signal if len(signal) else np.zeros(1, dtype=np.float32)
