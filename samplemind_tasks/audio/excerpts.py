"""Parts of a sound kept at its own rate for the models, while the rest of it streams by."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Interval(NamedTuple):
    """Frames from `start` up to, not including, `end`; either may lie outside the sound."""

    start: int
    end: int


class Excerpts:
    """Keeps some intervals of a mono signal that arrives in blocks."""

    def __init__(self, wanted: Iterable[Interval]) -> None:
        self._kept = [(kept, np.zeros(kept.end - kept.start, dtype=np.float32)) for kept in _merged(wanted)]
        self._position = 0
        self.peak = 0.0
        """Largest magnitude of all that went by."""

    def take(self, block: Floats) -> None:
        """Keep what is wanted of the next float32 [frames]."""
        start, end = self._position, self._position + len(block)
        self._position = end
        for kept, samples in self._kept:
            first, last = max(kept.start, start), min(kept.end, end)
            if first < last:
                samples[first - kept.start : last - kept.start] = block[first - start : last - start]
        if self._kept and len(block):
            self.peak = max(self.peak, float(block.max()), -float(block.min()))

    def covers(self, wanted: Iterable[Interval]) -> bool:
        """Whether all of these intervals were kept, as far as they lie inside the sound."""
        inside = (Interval(max(part.start, 0), min(part.end, self._position)) for part in wanted)
        return all(part.start >= part.end or self._holding(part) is not None for part in inside)

    def cut(self, wanted: Interval) -> Floats:
        """One interval that was kept, float32 [end - start], zeros outside the sound."""
        cut = np.zeros(wanted.end - wanted.start, dtype=np.float32)
        inside = Interval(max(wanted.start, 0), min(wanted.end, self._position))
        if inside.start < inside.end:
            holding = self._holding(inside)
            assert holding is not None, "an interval that nobody asked to keep"  # noqa: S101 - see `covers`
            kept, samples = holding
            cut[inside.start - wanted.start : inside.end - wanted.start] = samples[
                inside.start - kept.start : inside.end - kept.start
            ]
        return cut

    def _holding(self, part: Interval) -> tuple[Interval, Floats] | None:
        return next((held for held in self._kept if held[0].start <= part.start and part.end <= held[0].end), None)


def _merged(wanted: Iterable[Interval]) -> list[Interval]:
    """The same frames as intervals that neither overlap nor touch, none before the start of the sound."""
    merged: list[Interval] = []
    for part in sorted(Interval(max(part.start, 0), part.end) for part in wanted):
        if part.start >= part.end:
            continue
        if merged and part.start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, part.end))
        else:
            merged.append(part)
    return merged
