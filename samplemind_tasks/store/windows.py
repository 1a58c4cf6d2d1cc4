"""Model windows on their way from the CPU worker to the AI worker: one blob a chunk, deleted after use."""

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

Windows = npt.NDArray[np.float16]
"""Log-mel windows of one sound, float16 [windows, frames, mels]."""


def pack(windows: dict[str, Windows]) -> bytes:
    """Windows by file hash as one safetensors blob."""
    packed: bytes = save(windows)
    return packed


def unpack(blob: bytes) -> dict[str, Windows]:
    """What `pack` wrote."""
    unpacked: dict[str, Windows] = load(blob)
    return unpacked
