"""One-shot, loop or track."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.envelope import SILENCE, Shape
from samplemind_tasks.audio.kind_evidence import Evidence, evidence
from samplemind_tasks.audio.tempo import HeardTempo, length_bpm
from samplemind_tasks.features import Kind

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

TRACK_S = 42.0
"""Sixteen bars at 92 bpm."""
_TRACK_STEEPNESS = 8.0
"""Per octave of duration: 30 s is 2 % a track, 50 s is 88 %."""

_SURE, _MANY_ONSETS, _PULSE = 0.85, 8, 0.7
"""A one-shot less sure than this, of so many onsets, is looked at again; it takes this probability of any tempo."""

# A logistic model, fitted by benchmarks/training/kind_train.py: log odds of a loop are the bias and the weighted sum.
_BIAS = -12.644
_WEIGHTS = Evidence(
    duration=1.322, shortness=3.032, onsets=0.304, onset_rate=-1.791, last_event=1.035, later_events=-0.531,
    final_event=1.043, grid=3.518, centre=5.502, spread=8.010, end=0.470, tail=-0.596, last_third=-0.605,
    halves=0.210, active=-0.151, loudest=2.068, dips=2.944,
)  # fmt: skip
_NAMES = tuple(vars(_WEIGHTS))


@dataclass(frozen=True)
class KindGuess:
    """What a sound is for, and how sure that is: 0.5 to 1."""

    kind: Kind
    confidence: float


def kind(signal: Floats, onset_times_s: Doubles, shape: Shape, duration_s: float) -> KindGuess:
    """Tell a one-shot from a loop from a track.

    A track is told by its length alone. A one-shot begins and dies away, whether it is one hit or the four of a clap. A
    loop goes on to its end, and what begins in it divides its length into equal steps. A tone that is held for many
    seconds, up to the end of the file, is a loop.

    Parameters
    ----------
    signal : float32 [samples], at least one, finite, at 22.05 kHz
    onset_times_s : float64 [onsets], ascending
    shape : the signal's
    duration_s : of the whole file

    Returns
    -------
    KindGuess; its confidence is how often such a guess is right. Silence shorter than a track is a one-shot.
    """
    track = _logistic(_TRACK_STEEPNESS * float(np.log2(duration_s / TRACK_S)))
    if track >= 0.5:
        return KindGuess(Kind.TRACK, track)
    if len(signal) == 0 or shape.amplitude.max() < SILENCE:
        return KindGuess(Kind.ONE_SHOT, 0.5)
    loop = _logistic(_loop_log_odds(evidence(shape.amplitude, onset_times_s)))
    if loop >= 0.5:
        return KindGuess(Kind.LOOP, max(min(loop, 1.0 - track), 0.5))
    return KindGuess(Kind.ONE_SHOT, max(min(1.0 - loop, 1.0 - track), 0.5))


def is_unsure(guess: KindGuess, onset_count: int) -> bool:
    """Whether a one-shot of many onsets might be a loop after all, so that its tempo is worth a look."""
    return guess.kind is Kind.ONE_SHOT and guess.confidence < _SURE and onset_count >= _MANY_ONSETS


def reconsidered(guess: KindGuess, onset_count: int, tempo: HeardTempo | None, duration_s: float) -> KindGuess:
    """A loop instead of an unsure one-shot that lasts exactly whole bars of its own pulse.

    Parameters
    ----------
    guess : by `kind`
    onset_count, duration_s : of the sound
    tempo : what was heard of it; None where nothing repeats
    """
    if tempo is None or not is_unsure(guess, onset_count):
        return guess
    pulse = float(tempo.probabilities.sum())
    if pulse < _PULSE or length_bpm(float(tempo.candidates_bpm[0]), duration_s) is None:
        return guess
    return KindGuess(Kind.LOOP, 0.5)


def _loop_log_odds(found: Evidence) -> float:
    """Log odds that a sound is a loop and not a one-shot."""
    return float(_BIAS + sum(getattr(_WEIGHTS, name) * getattr(found, name) for name in _NAMES))


def _logistic(log_odds: float) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(log_odds, -50.0, 50.0))))
