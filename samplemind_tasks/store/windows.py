"""Model windows on their way from the CPU worker to the AI worker: one blob a chunk and lease, deleted after use."""

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

Windows = npt.NDArray[np.float16]
"""Log-mel windows of one sound, float16 [windows, frames, mels]."""
SoundWindows = dict[str, Windows]
"""The windows of one sound by the front-end that cut them."""

_BETWEEN = "/"


def windows_key(job: str, chunk: str = "", token: str = "") -> str:
    """Where the windows lie that a lease has cut; of a whole chunk, or job, where those are left out."""
    return "/".join(filter(None, ("windows", job, chunk, token)))


def pack(windows: dict[str, SoundWindows]) -> bytes:
    """Windows by file hash as one safetensors blob."""
    packed: bytes = save(
        {f"{file_hash}{_BETWEEN}{name}": cut for file_hash, sound in windows.items() for name, cut in sound.items()}
    )
    return packed


def unpack(blob: bytes) -> dict[str, SoundWindows]:
    """What `pack` wrote."""
    unpacked: dict[str, SoundWindows] = {}
    for key, cut in load(blob).items():
        file_hash, _, name = key.partition(_BETWEEN)
        unpacked.setdefault(file_hash, {})[name] = cut
    return unpacked
