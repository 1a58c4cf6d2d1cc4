"""Tempo: what was heard, and what is told once the file's own words and its length have been weighed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.beats import track_beats
from samplemind_tasks.audio.rhythm import Onsets
from samplemind_tasks.audio.tempo_model import FEWEST_ONSETS, candidates, probabilities
from samplemind_tasks.audio.tempo_usage import as_counted
from samplemind_tasks.features import LEAST_BPM, MOST_BPM, Evidence, Kind, Reason

Doubles = NDArray[np.float64]
Range = tuple[float, float]
Source = Literal["chunk", "tag", "name", "length", "sound"]

_STEADY = 1.58
"""In stationary noise the strongest fiftieth of the onset strength is less than this times its median; of a thousand
rendered pieces and grooves one is as even."""
_EVEN_DB = 0.05
_NO_PULSE = 0.8
"""Probability of "no tempo" from which on none is told."""
_AGREES = 0.04
"""Two tempi within 4 % are the same (Gouyon et al., A comparison of audio tempo induction algorithms, 2006)."""
_LENGTH_SLACK_S = 0.04
_LENGTH_LEAST, _LENGTH_MOST = 0.002, 0.012
"""A loop's length may differ this much from whole bars at the heard tempo, as a part of it."""
_BEATS_A_BAR = 4
_SOURCES: dict[str, Source] = {
    "acid": "chunk",
    "smpl": "chunk",
    "basc": "chunk",
    "tag": "tag",
    "name": "name",
    "folder": "name",
}
"""In the order they are believed."""
_PULSE_FIELDS = (
    "tempo_bpm",
    "tempo_confidence",
    "tempo_second_bpm",
    "tempo_source",
    "tempo_heard_bpm",
    "beat_times_s",
    "downbeat_times_s",
    "beats_per_bar",
    "bars",
)


@dataclass(frozen=True)
class HeardTempo:
    """What the sound alone says.

    Attributes
    ----------
    candidates_bpm : float64 [candidates], the most likely first
    probabilities : float64 [candidates], each the probability of being the tempo, their sum is at most 1
    """

    candidates_bpm: Doubles
    probabilities: Doubles


@dataclass(frozen=True)
class Pulse:
    """The tempo and the beats as they are told: field names are those of `Features`, `reasons` says why one is None."""

    tempo_bpm: float | None = None
    tempo_confidence: float | None = None
    tempo_second_bpm: float | None = None
    tempo_source: Source | None = None
    tempo_heard_bpm: float | None = None
    beat_times_s: list[float] | None = None
    downbeat_times_s: list[float] | None = None
    beats_per_bar: int | None = None
    bars: float | None = None
    reasons: dict[str, Reason] = field(default_factory=dict)


def hear_tempo(onsets: Onsets, duration_s: float, *, drums_alone: bool = False) -> HeardTempo | None:
    """Estimate the tempo of onsets that repeat; `tempo_model.py` and `tempo_usage.py` say how.

    Parameters
    ----------
    onsets : of the sound
    duration_s : of the whole sound: a loop is cut to whole bars
    drums_alone : nothing in it has a pitch

    Returns
    -------
    Candidates with their probabilities; None where the sound is too short to repeat anything, or nothing does
    """
    if onsets.onset_count < FEWEST_ONSETS or _is_steady(onsets):
        return None
    found = candidates(onsets, duration_s)
    if found is None:
        return None
    chances, nothing = probabilities(found)
    if nothing > _NO_PULSE:
        return None
    chances = as_counted(found, chances, duration_s, drums_alone=drums_alone)
    order = np.argsort(-chances, kind="stable")
    return HeardTempo(found.bpm[order], chances[order])


def _is_steady(onsets: Onsets) -> bool:
    """Whether the sound rises by chance alone, as noise does."""
    median, top = np.quantile(onsets.strength, (0.5, 0.98))
    return bool(top < _STEADY * (median + _EVEN_DB))


def fold(heard: HeardTempo, tempo_range_bpm: Range) -> HeardTempo:
    """Double or halve every candidate into a range, and put the probabilities of those that meet there together."""
    folded = [_into(float(bpm), tempo_range_bpm) for bpm in heard.candidates_bpm]
    kept: dict[float, float] = {}
    for bpm, probability in zip(folded, heard.probabilities, strict=True):
        same = next((other for other in kept if _agrees(other, bpm)), bpm)
        kept[same] = kept.get(same, 0.0) + float(probability)
    order = sorted(kept, key=lambda bpm: -kept[bpm])
    return HeardTempo(np.array(order), np.array([kept[bpm] for bpm in order]))


def _into(bpm: float, tempo_range_bpm: Range) -> float:
    """The octave of a tempo that lies in a range, or nearest to it; of several the one nearest to what was heard."""
    low_bpm, high_bpm = tempo_range_bpm
    octaves = bpm * 2.0 ** np.array([0, 1, -1, 2, -2, 3, -3])
    octaves = octaves[(octaves > LEAST_BPM) & (octaves < MOST_BPM)]
    outside = np.maximum(np.maximum(np.log2(low_bpm / octaves), np.log2(octaves / high_bpm)), 0.0)
    return float(octaves[np.argmin(outside)])


# ---------------------------------------------------------------------------------------------------- what is told


def pulse(
    heard: HeardTempo | None,
    onsets: Onsets,
    kind: Kind,
    duration_s: float,
    evidence: Sequence[Evidence],
    *,
    silent: bool,
    tempo_range_bpm: Range | None = None,
) -> Pulse:
    """Tell the tempo and the beats where there are any, else why there are none.

    What the file says of its tempo counts where the sound agrees within 4 % or an octave: a chunk before a tag before
    the name. Else a loop that lasts whole bars at the heard tempo has exactly the tempo of its length.

    Parameters
    ----------
    heard : by `hear_tempo`
    onsets : of the sound
    kind : of the sound: one-shots have no tempo, only loops a number of bars
    duration_s : of the whole file
    evidence : what the file says of itself
    silent : whether it is
    tempo_range_bpm : lowest and highest tempo to tell: a candidate outside is doubled or halved into it, what the file
        says outside of it does not count
    """
    if silent:
        return _none(Reason.SILENT)
    if kind is Kind.ONE_SHOT:
        return _none(Reason.ONE_SHOT)
    if heard is None:
        return _none(Reason.NO_PULSE)
    allowed = heard if tempo_range_bpm is None else fold(heard, tempo_range_bpm)
    bpm, source = decide(allowed, kind, duration_s, evidence, tempo_range_bpm)
    beats = track_beats(onsets, bpm, duration_s, is_loop=kind is Kind.LOOP)
    second_bpm = _second(allowed, bpm)
    reasons = {} if second_bpm is not None else {"tempo_second_bpm": Reason.NO_PULSE}
    return Pulse(
        tempo_bpm=bpm,
        tempo_confidence=_confidence(allowed, bpm),
        tempo_second_bpm=second_bpm,
        tempo_source=source,
        tempo_heard_bpm=float(heard.candidates_bpm[0]),
        beat_times_s=beats.beat_times_s.tolist(),
        downbeat_times_s=beats.downbeat_times_s.tolist(),
        beats_per_bar=beats.beats_per_bar,
        bars=bpm * duration_s / 60.0 / beats.beats_per_bar if kind is Kind.LOOP else None,
        reasons=reasons if kind is Kind.LOOP else reasons | {"bars": Reason.NOT_LOOP},
    )


def _none(reason: Reason) -> Pulse:
    return Pulse(reasons=dict.fromkeys(_PULSE_FIELDS, reason))


def decide(
    heard: HeardTempo, kind: Kind, duration_s: float, evidence: Sequence[Evidence], tempo_range_bpm: Range | None
) -> tuple[float, Source]:
    """The tempo to tell, and where it comes from."""
    heard_bpm = float(heard.candidates_bpm[0])
    for written_bpm, source in _written(evidence, duration_s):
        allowed = tempo_range_bpm is None or tempo_range_bpm[0] <= written_bpm <= tempo_range_bpm[1]
        if allowed and any(_agrees(written_bpm, heard_bpm * octave) for octave in (1.0, 0.5, 2.0)):
            return written_bpm, source
    by_length_bpm = length_bpm(heard_bpm, duration_s) if kind is Kind.LOOP else None
    return (heard_bpm, "sound") if by_length_bpm is None else (by_length_bpm, "length")


def _written(evidence: Sequence[Evidence], duration_s: float) -> list[tuple[float, Source]]:
    """Tempi that the file states, the most trusted first; a number of beats is a tempo too."""
    tempi: list[tuple[float, Source]] = []
    for said in sorted(evidence, key=lambda said: list(_SOURCES).index(said.source)):
        if said.about not in ("tempo_bpm", "beats") or isinstance(said.value, str):
            continue
        bpm = said.value if said.about == "tempo_bpm" else 60.0 * said.value / duration_s
        if LEAST_BPM < bpm < MOST_BPM:
            tempi.append((float(bpm), _SOURCES[said.source]))
    return tempi


def length_bpm(heard_bpm: float, duration_s: float) -> float | None:
    """The tempo at which a loop lasts whole bars, if that is the heard one but for what is inaudible; else None."""
    beats = heard_bpm * duration_s / 60.0
    whole_beats = _BEATS_A_BAR * round(beats / _BEATS_A_BAR)
    slack = np.clip(_LENGTH_SLACK_S / duration_s, _LENGTH_LEAST, _LENGTH_MOST)
    if whole_beats < _BEATS_A_BAR or abs(beats / whole_beats - 1.0) > slack:
        return None
    return 60.0 * whole_beats / duration_s


def _agrees(one_bpm: float, other_bpm: float) -> bool:
    return abs(one_bpm / other_bpm - 1.0) <= _AGREES


def _confidence(heard: HeardTempo, bpm: float) -> float:
    """Probability of the candidates that are this tempo."""
    same = np.abs(heard.candidates_bpm / bpm - 1.0) <= _AGREES
    return float(np.clip(heard.probabilities[same].sum(), 0.0, 1.0))


def _second(heard: HeardTempo, bpm: float) -> float | None:
    """The most likely candidate that is another tempo."""
    other = heard.candidates_bpm[np.abs(heard.candidates_bpm / bpm - 1.0) > _AGREES]
    return float(other[0]) if len(other) else None
