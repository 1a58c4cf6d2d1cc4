"""The whole analysis over samples in memory."""

from collections.abc import Sequence

import numpy as np

from audio.sounds import RATE_HZ
from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.decode import Sound
from samplemind_tasks.audio.listen import Heard, listen
from samplemind_tasks.audio.warm import Samples
from samplemind_tasks.cards import FrontEnd
from samplemind_tasks.features import Features

LONGEST_S = 900.0


def heard(signal: np.ndarray, rate_hz: int = RATE_HZ, front_ends: Sequence[FrontEnd] = ()) -> Heard:
    """[frames] or [frames, channels] as `listen` takes it in."""
    samples = np.ascontiguousarray(signal.reshape(len(signal), -1), dtype=np.float32)
    return listen(Sound(Samples(samples, rate_hz), "a sound", LONGEST_S, LONGEST_S), front_ends)


def features(signal: np.ndarray, rate_hz: int = RATE_HZ) -> Features:
    """What is measured of [frames] or [frames, channels]."""
    return analyze(heard(signal, rate_hz)).features
