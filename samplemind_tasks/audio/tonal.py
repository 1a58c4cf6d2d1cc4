"""Tonal content: pitch classes, tuning and key."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.chroma import PITCH_CLASSES, chroma, notes, tonnetz, tuning_semitones
from samplemind_tasks.audio.key import KEYS, camelot, key_probabilities
from samplemind_tasks.audio.partials import partials
from samplemind_tasks.audio.timbre import spreads
from samplemind_tasks.audio.tonality import tonality
from samplemind_tasks.features import Reason, Spread

__all__ = ["KEYS", "PITCH_CLASSES", "Tonal", "camelot", "tonal"]

Floats = NDArray[np.float32]

_LEAST_TONALITY = 0.3
_LEAST_TONALITY_OF_ONE_SHOT = 0.6
"""Toms, cowbells and tuned kicks are single events; riffs and pads under drums are not."""


@dataclass(frozen=True)
class Tonal:
    """The key as it is told: field names are those of `Features`, `reasons` says why a value is None."""

    key: str | None = None
    key_confidence: float | None = None
    key_second: str | None = None
    key_camelot: str | None = None
    tuning_cents: float | None = None
    chroma: list[Spread] | None = None
    tonnetz: list[Spread] | None = None
    reasons: dict[str, Reason] = field(default_factory=dict)


_CHROMA_NAMES = ("chroma", "tonnetz")
_KEY_NAMES = ("key", "key_confidence", "key_second", "key_camelot", "tuning_cents")


def tonal(signal: Floats, *, silent: bool, is_one_shot: bool = False) -> Tonal:
    """Find the pitch classes of a sound and the key they make.

    Parameters
    ----------
    signal : float32 [samples], mono at 22,050 Hz, finite
    silent : nothing is told of silence
    is_one_shot : a single event: more is needed to believe that it has a key

    Returns
    -------
    Tonal; drums and noise have pitch classes, but neither key nor tuning (`ATONAL`). A single pitched note has a key of
    low confidence: its tonic, and the mode that sounds without a third are mostly called by.
    """
    if silent or not len(signal):
        return Tonal(reasons=dict.fromkeys((*_KEY_NAMES, *_CHROMA_NAMES), Reason.SILENT))
    found = partials(signal)
    if not len(found.frame):
        return Tonal(reasons=dict.fromkeys((*_KEY_NAMES, *_CHROMA_NAMES), Reason.ATONAL))
    tuning = tuning_semitones(found)
    magnitudes = notes(found, tuning)
    classes = chroma(magnitudes)
    told = Tonal(chroma=spreads(classes), tonnetz=spreads(tonnetz(classes)))
    least = _LEAST_TONALITY_OF_ONE_SHOT if is_one_shot else _LEAST_TONALITY
    likely = key_probabilities(magnitudes)
    if tonality(found, magnitudes, tuning, likely) < least:
        return replace(told, reasons=dict.fromkeys(_KEY_NAMES, Reason.ATONAL))
    best, second = (int(place) for place in np.argsort(likely)[:-3:-1])
    return replace(
        told,
        key=KEYS[best],
        key_confidence=float(likely[best]),
        key_second=KEYS[second],
        key_camelot=camelot(KEYS[best]),
        tuning_cents=100.0 * tuning,
    )
