"""One channel out of many, and one rate out of all: what every analyser and the models listen to."""

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE_HZ = 22_050
"""Of the signal that is analysed: what lies above 11 kHz has no pitch and no beat of its own."""
_CANCELLED = 0.1
"""A mix with less than a tenth (-10 dB) of the loudest channel's power has cancelled itself."""
_AUDIBLE = 1e-9
"""Mean power of a block (-90 dBFS) that is worth deciding by."""
_QUALITY = "HQ"
"""Band-limited to 20 bits, as librosa's default."""


class MixDown:
    """Mixes blocks of channels into one, or takes the loudest channel where the mix would cancel.

    A sound whose right channel is its left one turned over is loud to everybody and silent to its own average. The
    first audible block decides for the whole sound.
    """

    def __init__(self, channels: int) -> None:
        self._weights: Floats = np.full(channels, 1.0 / channels, dtype=np.float32)
        self._decided = channels == 1

    def mix(self, block: Floats) -> Floats:
        """Mix float32 [frames, channels] down to float32 [frames]."""
        if block.shape[1] == 1:
            return block[:, 0]
        if not self._decided:
            self._decide(block)
        return np.asarray(block @ self._weights)

    def _decide(self, block: Floats) -> None:
        products = block.T @ block
        channels = len(products)
        loudest = int(np.argmax(np.diagonal(products)))
        if products[loudest, loudest] <= _AUDIBLE * len(block):
            return
        self._decided = True
        if products.sum() / channels**2 < _CANCELLED * products[loudest, loudest]:
            self._weights = np.eye(channels, dtype=np.float32)[loudest]


class Resampler:
    """Brings a signal to another rate, block by block."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        same = from_hz == to_hz
        self._stream = None if same else soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality=_QUALITY)

    def feed(self, block: Floats) -> Floats:
        """The next float32 [samples] at the new rate, as far as they are certain."""
        return block if self._stream is None else self._stream.resample_chunk(np.ascontiguousarray(block))

    def rest(self) -> Floats:
        """What is left at the end of the sound, float32 [samples]."""
        nothing = np.empty(0, dtype=np.float32)
        return nothing if self._stream is None else self._stream.resample_chunk(nothing, last=True)


def resample(signal: Floats, from_hz: int, to_hz: int) -> Floats:
    """Change the rate of a whole float32 [samples]."""
    if from_hz == to_hz:
        return signal
    return np.asarray(soxr.resample(signal, from_hz, to_hz, quality=_QUALITY), dtype=np.float32)
