"""Run every analyser once on synthetic sound, so that the first real file of a process is not the slow one."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import Sound
from samplemind_tasks.audio.listen import listen
from samplemind_tasks.audio.stream import Format
from samplemind_tasks.cards import FrontEnd

_RATE_HZ = 44_100
_SECONDS = 0.5


class Samples:
    """Samples in memory as if they were decoded from a file; see `Decoder`."""

    def __init__(self, samples: NDArray[np.float32], rate_hz: int) -> None:
        """Take float32 [frames, channels], C-contiguous."""
        self.format = Format(rate_hz, samples.shape[1], "WAV", "FLOAT", 32, len(samples))
        self._samples = samples

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """See `Decoder.blocks`."""
        for start in range(0, len(self._samples), self.format.block_frames):
            yield self._samples[start : start + self.format.block_frames]


def warm(front_ends: Sequence[FrontEnd] = ()) -> None:
    """Compile or load every kernel, and make every table that analysis needs.

    A launcher runs it in one process before its worker pool forks, so that no two children fill numba's cache together.

    Parameters
    ----------
    front_ends : the models', to prepare their mel filters too
    """
    time_s = np.arange(int(_RATE_HZ * _SECONDS)) / _RATE_HZ
    noise = np.random.default_rng(0).standard_normal(len(time_s))
    clicks = np.exp(-((time_s * 8) % 1.0) * 20) * noise
    for signal in (np.sin(2 * np.pi * 440 * time_s), noise, clicks):
        samples = np.repeat(0.5 * signal[:, None], 2, axis=1).astype(np.float32)
        sound = Sound(Samples(samples, _RATE_HZ), "warming up", _SECONDS, _SECONDS)
        analyze(listen(sound, front_ends))
