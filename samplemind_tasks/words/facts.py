"""What a text states outright: kind, key, tempo, note, frequency, length. A sample meets it or does not."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.features import Kind
from samplemind_tasks.keynames import key_name, tonic_of, wheel_place
from samplemind_tasks.words.understood import Bounds, Understood

_KINDS = tuple(Kind)


class _Columns(Protocol):
    def __getitem__(self, column: str, /) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Fact:
    """A column and what its value may be: one of some, or between two bounds."""

    words: str
    column: str
    values: tuple[int, ...] = ()
    bounds: tuple[float, float] = (-math.inf, math.inf)
    tonic: int | None = None
    """Of a key, semitones above C: a single note of this pitch is in the key too."""

    def holds(self, columns: _Columns, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """bool [rows]; a sample without such a value does not meet it."""
        found = columns[self.column][rows]
        if self.tonic is not None:
            is_single = columns["kind"][rows] == _KINDS.index(Kind.ONE_SHOT)
            is_tonic = is_single & (columns["pitch_midi"][rows] % 12 == self.tonic)
            return np.asarray(np.isin(found, self.values) | is_tonic)
        if self.values:
            return np.isin(found, self.values)
        return np.asarray((found >= self.bounds[0]) & (found <= self.bounds[1]))


def facts(understood: Understood) -> list[Fact]:
    """Every fact of a text."""
    found = []
    if understood.kinds:
        found.append(Fact(understood.kind_words, "kind", tuple(_KINDS.index(kind) for kind in understood.kinds)))
    if understood.key is not None:
        places = (wheel_place(understood.key),)
        found.append(Fact(understood.key_words, "key", places, tonic=tonic_of(understood.key)))
    if understood.tonic is not None:
        both = tuple(wheel_place(key_name(understood.tonic, minor=minor)) for minor in (True, False))
        found.append(Fact(understood.key_words, "key", both, tonic=understood.tonic))
    if understood.mode is not None:
        every = (wheel_place(key_name(tonic, minor=understood.mode == "minor")) for tonic in range(12))
        found.append(Fact(understood.key_words, "key", tuple(every)))
    found += _bounded(understood.tempo_bpm, "tempo_bpm")
    found += _bounded(understood.pitch_midi, "pitch_midi")
    found += _bounded(understood.duration_s, "duration_s")
    if understood.pitch_hz is not None:
        notes = [_midi(hz) for hz in (understood.pitch_hz.least, understood.pitch_hz.most)]
        found.append(Fact(understood.pitch_hz.words, "pitch_midi", bounds=(notes[0], notes[1])))
    return found


def _bounded(bounds: Bounds | None, column: str) -> Sequence[Fact]:
    return [] if bounds is None else [Fact(bounds.words, column, bounds=(bounds.least, bounds.most))]


def _midi(hz: float) -> float:
    return 69.0 + 12.0 * math.log2(max(hz, 1e-3) / 440.0)
