"""How people count: what a tempo's chances owe to habit and to the length of the file, beside how it sounds.

The network of `tempo_model.py` heard rendered music, where every genre is played as the book says. Three habits of
people are laid over its answer, each as a factor: the plain comb that picks a usual tempo for any music, drums alone
that are hardly ever in three, and short files, which are loops, cut to a number of bars that is a power of two.
"""

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.tempo_model import Candidates

Doubles = NDArray[np.float64]

_COMB_EXPONENT = 0.5
"""Weight of the comb beside the network; at 1 rendered grooves suffer."""
_USUAL_BPM, _USUAL_OCTAVES = 135.0, 0.95
_FEWEST_BEATS = 3.5
_LONGEST_LOOP_S = 16.0
"""Longer files are cut anywhere."""
_WHOLE_BARS, _WHOLE_BARS_OFF, _LONGEST_BARS_S = 1.3, 0.012, 25.0
_POWER_OF_TWO, _OTHER_BARS = 50.0, 25.0
_OTHER_BEATS = (3, 6, 9, 12, 24, 48)
_OFF_S, _OFF = 0.03, 0.006
"""A file may miss its bars by this much: silence that a codec added, a cut by hand."""
_SLOW_BPM, _SLOW = 60.0, 0.5
_FAST_BPM, _FAST, _FAST_LOOP = 185.0, 0.3, 0.1
_FASTEST_BPM, _FASTEST = 215.0, 0.2
"""What is faster is mostly counted at half."""
_IN_THREE, _CLEARLY = 0.1, 0.05
"""Drums that repeat better after three beats than after four."""


def as_counted(found: Candidates, chances: Doubles, duration_s: float, *, drums_alone: bool) -> Doubles:
    """Weigh chances by how people count.

    Parameters
    ----------
    found : the candidates
    chances : float64 [candidates], by the network
    duration_s : of the whole file
    drums_alone : nothing in it has a pitch

    Returns
    -------
    float64 [candidates] with the same sum
    """
    is_loop = duration_s <= _LONGEST_LOOP_S
    weight = _comb(found, duration_s) ** _COMB_EXPONENT * _speed(found.bpm, is_loop)
    if is_loop:
        weight *= _length(found.bpm, duration_s)
    if drums_alone:
        weight *= np.where(found.similarity_of_three > found.similarity_of_four + _CLEARLY, _IN_THREE, 1.0)
    counted = chances * weight
    return np.asarray(counted * (chances.sum() / max(float(counted.sum()), 1e-300)))


def _comb(found: Candidates, duration_s: float) -> Doubles:
    """The periodicity of every candidate under a log-normal prior, with a bonus for whole bars; the highest is 1."""
    score = np.maximum(found.periodicity, 1e-3)
    score *= np.exp(-0.5 * (np.log2(found.bpm / _USUAL_BPM) / _USUAL_OCTAVES) ** 2)
    beats = found.bpm * duration_s / 60.0
    off = np.abs(beats / 4 - np.round(beats / 4)) * 4 / beats
    is_whole = (off < _WHOLE_BARS_OFF) & (beats >= _FEWEST_BEATS) & (duration_s < _LONGEST_BARS_S)
    score *= np.where(is_whole, _WHOLE_BARS, 1.0)
    return np.asarray(score / score.max())


def _speed(bpm: Doubles, is_loop: bool) -> Doubles:
    weight = np.where(bpm > _FAST_BPM, _FAST_LOOP if is_loop else _FAST, 1.0)
    weight *= np.where(bpm > _FASTEST_BPM, _FASTEST, 1.0)
    return np.asarray(weight * np.where(bpm < _SLOW_BPM, _SLOW, 1.0))


def _length(bpm: Doubles, duration_s: float) -> Doubles:
    """High where the file lasts 4, 8, 16, ... beats, less so for bars of three and three or six bars, else 1."""
    beats = bpm * duration_s / 60.0
    off = max(_OFF_S / duration_s, _OFF)
    weight = np.ones(len(bpm))
    for whole in _OTHER_BEATS:
        weight[np.abs(beats / whole - 1.0) < off] = _OTHER_BARS
    power = 2.0 ** np.round(np.log2(beats))
    weight[(np.abs(beats / power - 1.0) < off) & (power >= 4)] = _POWER_OF_TWO
    return weight
