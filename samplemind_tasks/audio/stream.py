"""What a decoder says of a file, what it hands over, and the bounds that hold for all decoders."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.errors import AudioError, FailureCode

Floats = NDArray[np.float32]

MAX_CHANNELS = 32
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 768_000
_BLOCK_SAMPLES = 1 << 17
"""512 kB of float32: a block stays in the processor's cache while everything that needs it looks at it."""


@dataclass(frozen=True)
class Format:
    """What a file claims to hold.

    Attributes
    ----------
    rate_hz, channels : within the bounds
    container, codec : as the decoder names them
    bit_depth : bits a sample, or None where the codec has no such thing
    claimed_frames : length by the header; None where it does not say
    """

    rate_hz: int
    channels: int
    container: str
    codec: str
    bit_depth: int | None
    claimed_frames: int | None

    @property
    def block_frames(self) -> int:
        """Frames to read at a time."""
        return max(1, _BLOCK_SAMPLES // self.channels)


class Decoder(Protocol):
    """One open file of one format."""

    @property
    def format(self) -> Format:
        """What it claims to hold."""

    def blocks(self) -> Iterator[Floats]:
        """The samples from the first on, again at each call.

        Yields
        ------
        float32 [frames, channels], C-contiguous, never empty, may hold NaN; only good until the next one is asked for

        Raises
        ------
        Damaged
            where the bytes cannot be decoded any further
        """


class Damaged(Exception):
    """The rest of the file cannot be decoded."""


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
