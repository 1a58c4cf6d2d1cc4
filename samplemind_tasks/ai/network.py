"""One network on its device: windows of many sounds through it, in batches whose size was measured.

A batch holds windows of about the same audible length (see aisfx.py and musicnn.py: what is silent costs nothing), so
that none pays for a longer neighbour. How many windows share a batch is measured when the network is loaded: a GPU
wants many; on a CPU the first layer's answers to two long windows no longer fit into the caches, and one at a time is
faster.
"""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from samplemind_tasks.cards import NetworkCard
from samplemind_tasks.errors import ModelUnavailable

Windows = NDArray[np.float16]
"""float16 [n, frames, mels] log-mel windows of one sound, cut as the card's front-end says."""
Floats = NDArray[np.float32]

BATCH_SIZES = {"cpu": (1, 2, 4, 8), "cuda": (1, 4, 16, 32, 64, 128)}
LENGTHS = 16
"""Audible lengths are rounded up to sixteenths of a window: few shapes, and little computed in vain."""
MEASURED_LENGTHS = (4, LENGTHS)
"""Sizes are measured for a one-shot, a quarter of a window long, and for a whole window."""
LEAST_GAIN = 0.1
"""A larger batch must be faster by this share: it also waits longer, and holds more memory."""
MEASURED_ROUNDS = 3


class Hearing(Protocol):
    """A module in place on its device."""

    skips_silence: ClassVar[bool]
    """Whether it takes windows without their silent ends."""

    def hear(self, windows: Tensor) -> tuple[Tensor, Tensor | None]:
        """Vectors [n, size] and, where it knows words, their probabilities [n, tags]."""


@dataclass(frozen=True)
class Answers:
    """What a network makes of n windows."""

    vectors: Floats
    """[n, size]"""
    probabilities: Floats
    """[n, tags]"""


class Network:
    """A loaded network. Safe to share between threads."""

    def __init__(
        self, card: NetworkCard, module: Hearing, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> None:
        assert card.front_end is not None  # noqa: S101 - a network that hears
        self.card = card
        self._front_end = card.front_end
        self._module = module
        self._device = device
        self._dtype = dtype
        self.batch_sizes = dict.fromkeys(MEASURED_LENGTHS, 1)
        """Windows in a batch, for lengths up to the key in sixteenths of a window."""

    def answer(self, windows: Windows) -> Answers:
        """Run windows through the network.

        Parameters
        ----------
        windows : float16 [n, frames, mels], of any sounds

        Raises
        ------
        ValueError when windows have another shape than the card's front-end cuts.
        ModelUnavailable when not even one window fits into memory.
        """
        shape = (self._front_end.frames, self._front_end.mels)
        if windows.ndim != 3 or windows.shape[1:] != shape:
            raise ValueError(f"windows are {windows.shape}, not [n, {shape[0]}, {shape[1]}]")
        vectors = np.empty((len(windows), self.card.size), np.float32)
        probabilities = np.empty((len(windows), len(self.card.tags)), np.float32)
        for length, members in self._batches(self._lengths(windows)):
            for part, (heard, likely) in self._hear(windows, length, members):
                vectors[part] = heard.float().cpu().numpy()
                if likely is not None:
                    probabilities[part] = likely.float().cpu().numpy()
        return Answers(vectors, probabilities)

    def measure(self) -> None:
        """Choose the batch sizes by hearing noise on this device."""
        for length in MEASURED_LENGTHS:
            self.batch_sizes[length] = self._fastest(length)

    def _fastest(self, length: int) -> int:
        chosen, least_s = 1, float("inf")
        for size in BATCH_SIZES[self._device.type]:
            try:
                seconds = min(self._seconds(length, size) for _ in range(MEASURED_ROUNDS)) / size
            except ModelUnavailable:
                break
            if seconds < least_s * (1 - LEAST_GAIN):
                chosen, least_s = size, seconds
            elif seconds > least_s * (1 + LEAST_GAIN) and self._device.type == "cpu":
                break  # larger ones only get slower
        return chosen

    def _seconds(self, length: int, size: int) -> float:
        noise = np.random.default_rng(0).uniform(0, 1, (size, self._frames(length), self._front_end.mels))
        began = time.perf_counter()
        self._run(noise.astype(np.float16))[0].cpu()
        return time.perf_counter() - began

    def _frames(self, length: int) -> int:
        return -(-self._front_end.frames * length // LENGTHS)

    def _lengths(self, windows: Windows) -> NDArray[np.int64]:
        """Audible length of every window, 1 to 16 sixteenths of a window."""
        if not self._module.skips_silence:
            return np.full(len(windows), LENGTHS)
        audible: NDArray[np.bool_] = (windows != 0).any(axis=2)
        frames = self._front_end.frames
        heard = np.where(audible.any(axis=1), frames - audible[:, ::-1].argmax(axis=1), 1)
        return np.asarray(-(-heard * LENGTHS // frames))

    def _batches(self, lengths: NDArray[np.int64]) -> Iterator[tuple[int, list[int]]]:
        """Windows of one length that share a batch, the longest first: what does not fit into memory shows at once."""
        by_length = sorted(range(len(lengths)), key=lambda member: -lengths[member])
        for length, members in itertools.groupby(by_length, key=lambda member: int(lengths[member])):
            yield length, list(members)

    def _hear(
        self, windows: Windows, length: int, members: Sequence[int]
    ) -> Iterator[tuple[Sequence[int], tuple[Tensor, Tensor | None]]]:
        """Run the members in batches; when memory runs out, in smaller ones from then on."""
        at = 0
        while at < len(members):
            size = self._size(length)
            part = members[at : at + size]
            try:
                heard = self._run(windows[part, : self._frames(length)])
            except ModelUnavailable:
                if size == 1:
                    raise
                self._shrink(length, size)
                continue
            yield part, heard
            at += size

    def _size(self, length: int) -> int:
        return next(size for longest, size in self.batch_sizes.items() if length <= longest)

    def _shrink(self, length: int, size: int) -> None:
        for longest in self.batch_sizes:
            if length <= longest:
                self.batch_sizes[longest] = max(1, min(self.batch_sizes[longest], size // 2))
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _run(self, windows: Windows) -> tuple[Tensor, Tensor | None]:
        try:
            with torch.inference_mode():
                return self._module.hear(torch.from_numpy(windows).to(self._device).to(self._dtype))
        except torch.OutOfMemoryError as error:
            raise ModelUnavailable(f"{self.card.name} does not fit into the device's memory.") from error
