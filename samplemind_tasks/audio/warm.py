"""Run every analyser once on synthetic sound, so that the first real file of a process is not the slow one."""

import numpy as np

from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import Audio
from samplemind_tasks.audio.windows import windows
from samplemind_tasks.schemas import FrontEnd

_RATE_HZ = 44_100
_SECONDS = 0.5


def warm(front_end: FrontEnd | None = None) -> None:
    """Load every library and table that analysis needs; a launcher runs it before its worker pool forks.

    Nothing here compiles at run time: this only moves lazy imports and filter tables out of the first file.

    Parameters
    ----------
    front_end : the model's, to prepare its mel filters too
    """
    time_s = np.arange(int(_RATE_HZ * _SECONDS)) / _RATE_HZ
    noise = np.random.default_rng(0).standard_normal(len(time_s))
    clicks = np.exp(-((time_s * 8) % 1.0) * 20) * noise
    for signal in (np.sin(2 * np.pi * 440 * time_s), noise, clicks):
        audio = _audio(signal)
        analyze(audio)
        if front_end is not None:
            windows(audio, front_end)


def _audio(signal: np.ndarray) -> Audio:
    samples = np.repeat(0.5 * signal[:, None], 2, axis=1).astype(np.float32)
    return Audio(samples, _RATE_HZ, "WAV", "FLOAT", 32, _SECONDS, _SECONDS, ())
