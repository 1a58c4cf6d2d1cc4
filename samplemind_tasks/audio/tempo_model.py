"""Which of the periods in a sound is its beat: candidates, what is measured of each, a small network that weighs it.

The network was trained on rendered scores and drum patterns of known tempo (benchmarks/training/tempo_train.py). It
sees how alike the onsets of four bands are at fractions and multiples of the candidate's period, how usual the tempo
is, and whether the file lasts whole bars of it; a softmax over the candidates and "no tempo" gives probabilities. To
choose among related periods with a trained classifier is an idea of Percival and Tzanetakis, Streamlined tempo
estimation based on autocorrelation and cross-correlation with pulses, 2014.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.periodicity import autocorrelation, comb, correlation, refine
from samplemind_tasks.audio.rhythm import FRAME_RATE_HZ, Onsets, moving_mean

Doubles = NDArray[np.float64]

MIN_BPM, MAX_BPM = 38.0, 260.0
_STEP_LOG = 0.004
"""Grid tempi lie 0.4 % apart."""
CANDIDATES = 16
FEWEST_ONSETS = 4
"""Three onsets may be anything."""
_WEIGHTS = Path(__file__).parent / "weights" / "tempo.npz"
_CLIP = 5.0
"""Deviations beyond which a feature says no more; as in training."""
_SAME_LOG = 0.03
_LOCAL_MEAN_S = 1.0
RATIOS = np.array(
    [1 / 8, 1 / 6, 1 / 4, 1 / 3, 3 / 8, 1 / 2, 5 / 8, 2 / 3, 3 / 4, 1, 5 / 4, 3 / 2, 2, 5 / 2, 3, 4, 6, 8, 12, 16]
)
"""Lags, in periods of the candidate, at which every similarity is read."""
_LONGEST_PART = 0.9
"""Of the sound that a lag may take: beyond, hardly anything is left to compare."""
_PAIRS = ((0, 2), (0, 3))
"""Bands whose cross-correlation is read too: a snare answers a kick one beat later, a hat half a beat later."""
_TEMPO_CENTRES_LOG = np.log(np.array([45.0, 60.0, 75.0, 90.0, 110.0, 130.0, 155.0, 185.0, 220.0]))
_TEMPO_WIDTH_LOG = 0.17
_WHOLE_BEATS = (1, 2, 4, 8, 3, 6)
_FIT_S = (0.015, 0.06)
_LONGEST_LOOP_S = 30.0
"""Longer sounds are not cut to bars, and all count as this long."""


@dataclass(frozen=True)
class Candidates:
    """Tempi that the onsets may have.

    Attributes
    ----------
    bpm : float64 [candidates], the most periodic first
    features : float64 [candidates, features]
    whole : float64 [features of the whole sound]
    periodicity : float64 [candidates], how well the onsets repeat at the multiples of each period
    similarity_of_three, similarity_of_four : float64 [candidates], how alike they are three and four beats apart; both
        0 where the sound is too short to tell
    """

    bpm: Doubles
    features: Doubles
    whole: Doubles
    periodicity: Doubles
    similarity_of_three: Doubles
    similarity_of_four: Doubles


def candidates(onsets: Onsets, duration_s: float) -> Candidates | None:
    """Find the tempi at which the onsets repeat, and measure what tells the beat from its relatives.

    Parameters
    ----------
    onsets : of the sound
    duration_s : of the whole sound

    Returns
    -------
    At most 16; None where nothing repeats
    """
    curves = [_above_mean(curve) for curve in (onsets.strength, *onsets.bands)]
    similarities = np.stack(
        [autocorrelation(curve) for curve in curves]
        + [correlation(curves[1 + one], curves[1 + other]) for one, other in _PAIRS]
    )
    bpm, periodicity = _periods(similarities[0])
    if not len(bpm):
        return None
    period = 60.0 * FRAME_RATE_HZ / bpm
    whole = _whole_features(onsets, curves, similarities, periodicity, duration_s)
    at_ratios = _at_ratios(similarities, period)
    features = np.column_stack(
        [
            np.tile(whole, (len(bpm), 1)),
            at_ratios,
            periodicity,
            periodicity / max(float(periodicity.max()), 1e-9),
            _length_features(bpm, duration_s),
            _density_features(onsets, period, duration_s),
            tempo_features(bpm),
        ]
    )
    of_three, of_four = (_whole_similarity(at_ratios, period, beats, similarities.shape[1]) for beats in (3, 4))
    return Candidates(bpm, features, whole, periodicity, of_three, of_four)


def probabilities(found: Candidates) -> tuple[Doubles, float]:
    """How likely each candidate is the tempo, float64 [candidates], and how likely there is none; all sum to 1."""
    weights = _weights()
    scores = _network(found.features, weights, "", "candidate", layers=3)
    nothing = _network(found.whole[None, :], weights, "whole_", "nothing", layers=2)
    logits = np.concatenate([scores, nothing], axis=1)
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances = (chances / chances.sum(axis=1, keepdims=True)).mean(axis=0)
    return chances[:-1], float(chances[-1])


@cache
def _weights() -> dict[str, NDArray[np.float32]]:
    with np.load(_WEIGHTS) as arrays:
        return {name: arrays[name].astype(np.float32) for name in arrays.files}


def _network(features: Doubles, weights: dict[str, NDArray[np.float32]], scale: str, part: str, layers: int) -> Doubles:
    """Scores of [rows, features] by every member of the ensemble: [members, rows]."""
    mean, deviation = weights[f"{scale}mean"][:, None, :], weights[f"{scale}deviation"][:, None, :]
    values = np.clip((features.astype(np.float32) - mean) / deviation, -_CLIP, _CLIP)
    for layer in range(layers):
        values = values @ weights[f"{part}_weight_{layer}"] + weights[f"{part}_bias_{layer}"][:, None, :]
        if layer < layers - 1:
            values = np.maximum(values, 0.0)
    return np.asarray(values[:, :, 0], dtype=np.float64)


def _above_mean(strength: NDArray[np.float32]) -> Doubles:
    """Onset strength above its mean over the second around it, so that loud passages do not count more."""
    return np.maximum(strength - moving_mean(strength, int(_LOCAL_MEAN_S * FRAME_RATE_HZ) | 1), 0.0)


def _periods(similarity: Doubles) -> tuple[Doubles, Doubles]:
    """Tempi at the peaks of the comb of a similarity, sharpened, and the comb there; the highest first."""
    grid_bpm = np.exp(np.arange(np.log(MIN_BPM), np.log(MAX_BPM), _STEP_LOG))
    score = comb(similarity, 60.0 * FRAME_RATE_HZ / grid_bpm)
    peaks = np.flatnonzero((score[1:-1] > score[:-2]) & (score[1:-1] >= score[2:]) & (score[1:-1] > 0.0)) + 1
    peaks = peaks[np.argsort(-score[peaks], kind="stable")][: 2 * CANDIDATES]
    bpm: list[float] = []
    kept: list[int] = []
    for peak in peaks:
        sharp = refine(similarity, float(grid_bpm[peak]), FRAME_RATE_HZ)
        if all(abs(np.log(sharp / other)) > _SAME_LOG for other in bpm):
            bpm.append(sharp)
            kept.append(int(peak))
    return np.array(bpm[:CANDIDATES]), score[kept[:CANDIDATES]]


def _at_ratios(similarities: Doubles, period: Doubles) -> Doubles:
    """Every similarity at every ratio of every period: [candidates, similarities * ratios]."""
    lags = period[:, None] * RATIOS
    frames = similarities.shape[1]
    within = lags < _LONGEST_PART * frames
    blurred = similarities.copy()
    np.maximum(blurred[:, 1:], similarities[:, :-1], out=blurred[:, 1:])
    np.maximum(blurred[:, :-1], similarities[:, 1:], out=blurred[:, :-1])
    read = [np.where(within, np.interp(lags, np.arange(frames), similarity), 0.0) for similarity in blurred]
    return np.concatenate(read, axis=1)


def _whole_similarity(at_ratios: Doubles, period: Doubles, beats: int, frames: int) -> Doubles:
    """Similarity of the whole sound some beats apart, as if it went on: [candidates]; 0 where a bar is too long."""
    overlap = 1.0 - beats * period / frames
    similarity = at_ratios[:, int(np.flatnonzero(beats == RATIOS)[0])]
    return np.where(4 * period < _LONGEST_PART * frames, similarity / np.maximum(overlap, 1.0 - _LONGEST_PART), 0.0)


def tempo_features(bpm: Doubles) -> Doubles:
    """How near each tempo [...] is to each of nine: [..., 9]. The last of the features."""
    return np.asarray(np.exp(-0.5 * ((np.log(bpm)[..., None] - _TEMPO_CENTRES_LOG) / _TEMPO_WIDTH_LOG) ** 2))


def _length_features(bpm: Doubles, duration_s: float) -> Doubles:
    """Whether the file lasts a whole number of beats, of two, of bars of four or three: [candidates, features]."""
    is_long = duration_s > _LONGEST_LOOP_S
    beats = bpm * min(duration_s, _LONGEST_LOOP_S) / 60.0
    columns = [np.log2(beats) / 4.0]
    for whole in _WHOLE_BEATS:
        count = np.maximum(np.round(beats / whole), 1.0) * whole
        off_s = np.abs(beats - count) * 60.0 / bpm
        columns += [np.exp(-0.5 * (off_s / width_s) ** 2) * (not is_long) for width_s in _FIT_S]
    power = 2.0 ** np.maximum(np.round(np.log2(beats)), 0.0)
    off_s = np.abs(beats - power) * 60.0 / bpm
    is_power = np.exp(-0.5 * (off_s / _FIT_S[1]) ** 2) * (not is_long)
    columns += [is_power * (np.abs(np.log2(power) - exponent) < 0.5) for exponent in range(1, 6)]
    return np.column_stack(columns)


def _density_features(onsets: Onsets, period: Doubles, duration_s: float) -> Doubles:
    """Onsets for each beat: [candidates, features]."""
    per_beat = onsets.onset_count / duration_s * period / FRAME_RATE_HZ
    return np.column_stack([np.log2(per_beat + 0.1) / 3.0, np.minimum(per_beat, 8.0) / 8.0, per_beat < 0.9])


def _whole_features(
    onsets: Onsets, curves: list[Doubles], similarities: Doubles, periodicity: Doubles, duration_s: float
) -> Doubles:
    """What tells a sound with a pulse from one without: [features]."""
    crests = [np.log(curve.max() / (curve.mean() + 1e-9) + 1.0) / 4.0 for curve in curves]
    shortest = int(0.15 * FRAME_RATE_HZ)
    longest = max(shortest + 1, int(0.6 * similarities.shape[1]))
    tops = similarities[:5, shortest:longest].max(axis=1) if similarities.shape[1] > shortest else np.zeros(5)
    best = np.sort(periodicity)[::-1]
    return np.array(
        [
            np.log2(min(duration_s, _LONGEST_LOOP_S)) / 4.0,
            np.log2(1 + onsets.onset_count * min(1.0, _LONGEST_LOOP_S / duration_s)) / 6.0,
            np.log2(1 + onsets.onset_count / duration_s) / 3.0,
            np.log2(1.0 + onsets.strength.max()) / 5.0,
            np.log2(1.0 + onsets.strength.mean()) / 2.0,
            best[0],
            best[min(1, len(best) - 1)],
            best.mean(),
            *crests,
            *tops,
        ]
    )
