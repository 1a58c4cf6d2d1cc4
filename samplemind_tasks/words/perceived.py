"""How far samples are as a text describes them: the words of audio/words.py, and what is measured outright."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.aspects import DESCRIPTORS
from samplemind_tasks.words.understood import Descriptor

Floats = NDArray[np.float32]

MEASURED = {
    "long": ("duration_s", math.log2(0.7), math.log2(4.0)),
    "short": ("duration_s", math.log2(1.5), math.log2(0.25)),
    "high": ("brightness_hz", math.log2(600.0), math.log2(6_000.0)),
    "low": ("brightness_hz", math.log2(2_000.0), math.log2(200.0)),
    "fast": ("tempo_bpm", math.log2(100.0), math.log2(140.0)),
    "slow": ("tempo_bpm", math.log2(110.0), math.log2(75.0)),
    "loud": ("loudness_lufs", -20.0, -8.0),
    "quiet": ("loudness_lufs", -18.0, -35.0),
}
"""Column, where nobody would say the word and where everybody would; all but loudness by its logarithm."""
MORE_OF = {
    "dark": ("brightness_hz", -1), "bright": ("brightness_hz", 1), "low": ("brightness_hz", -1),
    "high": ("brightness_hz", 1), "long": ("duration_s", 1), "short": ("duration_s", -1), "loud": ("loudness_lufs", 1),
    "quiet": ("loudness_lufs", -1), "fast": ("tempo_bpm", 1), "slow": ("tempo_bpm", -1),
}  # fmt: skip
"""Column, and which way it goes, where sounds of one sort are compared: a dark hat is brighter than a bright kick."""
MOST_BESIDE = 0.6
"""How far the one of its sort that is most so is so, though nobody would call it that by itself."""
FEWEST_BESIDE = 3
_DECIBELS = frozenset({"loudness_lufs"})


class _Columns(Protocol):
    def __getitem__(self, column: str, /) -> NDArray[Any]: ...


def perceived(descriptors: Sequence[Descriptor], columns: _Columns, rows: NDArray[np.intp]) -> list[tuple[str, Floats]]:
    """For each descriptor its words, and how far each row is so, or is not where it should not: float32 [rows]."""
    return [(one.words, _met(one, columns, rows)) for one in descriptors]


def beside(
    descriptor: Descriptor, columns: _Columns, rows: NDArray[np.intp], alike: NDArray[np.bool_]
) -> NDArray[np.floating[Any]] | None:
    """How far each row is more so than half of those of its sort, float [rows]; None where that cannot be said.

    Parameters
    ----------
    alike : bool [rows], those of one sort
    """
    if descriptor.name not in MORE_OF or np.count_nonzero(alike) < FEWEST_BESIDE:
        return None
    column, way = MORE_OF[descriptor.name]
    values = columns[column][rows] * (way if descriptor.wanted else -way)
    sort = np.sort(values[alike & ~np.isnan(values)])
    if not len(sort):
        return None
    share = (np.searchsorted(sort, values, "left") + np.searchsorted(sort, values, "right")) / (2 * len(sort))
    more = np.where(alike & ~np.isnan(values), np.clip(2 * share - 1, 0, 1), 0)
    return np.asarray(MOST_BESIDE * more)


def _met(descriptor: Descriptor, columns: _Columns, rows: NDArray[np.intp]) -> Floats:
    met = np.zeros(len(rows), np.float32)
    if descriptor.name in DESCRIPTORS:
        met = columns["word_scores"][rows, DESCRIPTORS.index(descriptor.name)].astype(np.float32) / np.float32(255)
    if descriptor.name in MEASURED:
        column, none, full = MEASURED[descriptor.name]
        values = columns[column][rows]
        if column not in _DECIBELS:
            values = np.log2(np.maximum(values, 1e-3))
        ramp = np.clip((values - none) / (full - none), 0, 1)
        met = np.maximum(met, np.nan_to_num(ramp, nan=0.0).astype(np.float32))
    return met if descriptor.wanted else np.asarray(1 - met, np.float32)
