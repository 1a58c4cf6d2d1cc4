"""What a decoder hands over, and the bounds that hold for all decoders."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.errors import AudioError, FailureCode

MAX_CHANNELS = 32
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 768_000
_MAX_SAMPLES = 32 << 20
"""At most this many float32 samples are kept: 5 minutes of stereo at 48 kHz fit."""
_BLOCK_SAMPLES = 1 << 18


@dataclass(frozen=True)
class Stream:
    """Samples as a decoder gave them, and what the file claims to be.

    Attributes
    ----------
    samples : float32 [frames, channels], C-contiguous, may hold NaN
    claimed_s : length by the header; None where it does not say
    ended : the file ended within the limit, so the samples are all of it
    broken : decoding stopped at an error
    """

    samples: NDArray[np.float32]
    rate_hz: int
    container: str
    codec: str
    bit_depth: int | None
    claimed_s: float | None
    ended: bool
    broken: bool


def check_format(channels: int, rate_hz: int) -> None:
    """Refuse what no sound has.

    Raises
    ------
    AudioError
        NOT_AUDIO, TOO_MANY_CHANNELS, BAD_RATE
    """
    if channels < 1:
        raise AudioError(FailureCode.NOT_AUDIO, "The header makes no sense: it names no possible number of channels.")
    if channels > MAX_CHANNELS:
        limit = f"{channels} channels, the limit is {MAX_CHANNELS}"
        raise AudioError(FailureCode.TOO_MANY_CHANNELS, f"The file has too many channels: {limit}.")
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        limit = f"{rate_hz} Hz, allowed are {MIN_RATE_HZ} to {MAX_RATE_HZ} Hz"
        raise AudioError(FailureCode.BAD_RATE, f"The sample rate makes no sense: {limit}.")


def wanted_frames(max_seconds: float, rate_hz: int, channels: int) -> int:
    """Frames to read at most: the limit in seconds and the limit in memory, whichever is less, and at least one."""
    return max(1, min(int(max_seconds * rate_hz), _MAX_SAMPLES // channels))


def block_frames(channels: int) -> int:
    """Frames to read at a time."""
    return max(1, _BLOCK_SAMPLES // channels)
