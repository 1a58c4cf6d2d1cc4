"""Beats: where a listener would tap, and a guess at which taps begin a bar."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel
from samplemind_tasks.audio.rhythm import Floats, Onsets, frame_times_s

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]

_TIGHTNESS = 600.0
"""Cost of a step that is not the period, times its log ratio squared, in deviations of the onset strength."""
_BLUR_PERIODS = 1.0 / 32.0
"""Deviation of the bell that lets a beat a little off count too."""
_REACH_FRAMES = 2
"""The accent of a beat is the strongest onset this near to it."""
_LATE_S = 0.007
"""The top of the smoothed strength lies behind the onset by this, measured on drums."""
_METERS = (4, 3)
_WHOLE_BEATS = 0.1
"""A loop that misses whole bars by less, in beats, has whole bars."""
_USUAL_METER_BONUS = 0.05
_START_BONUS = 1.0
_END_S = 0.04
_START_S = 0.08
"""A loop begins with its bar: a first beat this near to zero is likely a downbeat."""


@dataclass(frozen=True)
class Beats:
    """Beats of a sound.

    Attributes
    ----------
    beat_times_s : float64 [beats], ascending
    downbeat_times_s : float64 [bars], those of the beats that begin a bar
    beats_per_bar : 3 or 4
    """

    beat_times_s: Doubles
    downbeat_times_s: Doubles
    beats_per_bar: int


def track_beats(onsets: Onsets, bpm: float, duration_s: float, *, is_loop: bool) -> Beats:
    """Find the beats of a known tempo, by dynamic programming (Ellis, Beat tracking by dynamic programming, 2007).

    Parameters
    ----------
    onsets : of the sound
    bpm : its tempo
    duration_s : of the sound; no beat lies beyond
    is_loop : whether it likely begins with a bar

    Returns
    -------
    At least one beat
    """
    period = 60.0 * onsets.frame_rate_hz / bpm
    strength = _blurred(_accent(onsets, starts_on_beat=is_loop), period)
    frames = _best_path(strength, period, _TIGHTNESS)
    times_s = np.maximum(frame_times_s(_between_frames(strength, frames)) - _LATE_S, 0.0)
    # A beat that falls on the end is the first of what follows; one beat there is always.
    is_inside = times_s < duration_s - _END_S
    is_inside[0] = True
    frames, times_s = frames[is_inside], np.minimum(times_s[is_inside], duration_s)
    meters = _whole_meters(bpm * duration_s / 60.0) if is_loop else _METERS
    starts_bar = is_loop and bool(times_s[0] < _START_S)
    beats_per_bar, first = _bar(_accents(onsets.bands, frames), meters, starts_bar=starts_bar)
    return Beats(times_s, times_s[first::beats_per_bar], beats_per_bar)


def _whole_meters(beats: float) -> tuple[int, ...]:
    """The meters in which a loop of so many beats is whole bars; all where it is in none."""
    whole = tuple(meter for meter in _METERS if abs(beats / meter - round(beats / meter)) * meter < _WHOLE_BEATS)
    return whole if whole and round(beats) >= min(_METERS) else _METERS


def _accent(onsets: Onsets, *, starts_on_beat: bool) -> Floats:
    """Onset strength in which every band counts the same and loud onsets not much more: float32 [frames]."""
    level = np.sqrt(onsets.bands)
    deviation = level.std(axis=1, keepdims=True)
    accent: Floats = (level / np.where(deviation > 0.0, deviation, 1.0)).sum(axis=0)
    if starts_on_beat:
        # A loop begins on a beat, also where nothing sounds there.
        accent[0] += accent.max()
    return accent


def _blurred(strength: Floats, period: float) -> Doubles:
    """Onset strength in deviations, smoothed: float64 [frames]."""
    deviation = float(strength.std()) or 1.0
    reach = max(1, round(3 * period * _BLUR_PERIODS))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (period * _BLUR_PERIODS)) ** 2)
    return np.convolve(strength / deviation, bell)[reach:][: len(strength)]


@kernel("int64[::1](float64[::1], float64, float64)")
def _best_path(strength: Doubles, period: float, tightness: float) -> Integers:
    """Frames whose strengths are high and whose steps are near the period: int64 [beats], ascending, not empty."""
    count = len(strength)
    shortest, longest = max(1, round(period / 2)), max(2, round(period * 2))
    cost = np.empty(longest + 1)
    for step in range(shortest, longest + 1):
        cost[step] = tightness * np.log(step / period) ** 2
    score, before = np.empty(count), np.full(count, -1)
    for frame in range(count):
        best = 0.0
        for step in range(shortest, min(longest, frame) + 1):
            reached = score[frame - step] - cost[step]
            if reached > best:
                best = reached
                before[frame] = frame - step
        score[frame] = strength[frame] + best
    tail = max(count - max(1, round(period)), 0)
    last = tail + int(np.argmax(score[tail:]))
    beats = np.empty(count, dtype=np.int64)
    found = 0
    while last >= 0:
        beats[found] = last
        found += 1
        last = before[last]
    return beats[:found][::-1].copy()


def _between_frames(strength: Doubles, frames: Integers) -> Doubles:
    """Move each beat to the top of the parabola through the strengths around it, at most half a frame."""
    inner = np.clip(frames, 1, max(len(strength) - 2, 1))
    if len(strength) < 3:
        return frames.astype(np.float64)
    before, middle, after = strength[inner - 1], strength[inner], strength[inner + 1]
    curvature = before - 2 * middle + after
    offset = np.where(curvature < -1e-9, 0.5 * (before - after) / np.minimum(curvature, -1e-9), 0.0)
    return np.where(inner == frames, frames + np.clip(offset, -0.5, 0.5), frames.astype(np.float64))


def _accents(bands: Floats, frames: Integers) -> Floats:
    """Strongest onset around each beat in each band: float32 [bands, beats]."""
    near = np.clip(frames[:, None] + np.arange(-_REACH_FRAMES, _REACH_FRAMES + 1), 0, bands.shape[1] - 1)
    return np.asarray(bands[:, near].max(axis=2))


def _bar(accents: Floats, meters: tuple[int, ...], *, starts_bar: bool) -> tuple[int, int]:
    """Guess beats per bar, and which beat begins the first whole bar, from the onset strength of bands at the beats.

    Bars repeat, and begin with a kick or bass note more often than with a snare.

    Parameters
    ----------
    accents : float32 [bands, beats]
    meters : to choose from, the usual one first
    starts_bar : whether the first beat likely begins a bar
    """
    beats = accents.shape[1]
    if beats < 2 * max(meters):
        return meters[0], 0
    deviation = accents.std(axis=1, keepdims=True)
    accents = (accents - accents.mean(axis=1, keepdims=True)) / np.where(deviation > 0, deviation, 1.0)
    repeats = [float((accents[:, meter:] * accents[:, :-meter]).mean()) for meter in meters]
    repeats[0] += _USUAL_METER_BONUS
    meter = meters[int(np.argmax(repeats))]
    weight = accents[0] - 0.5 * accents[2]
    phases = np.array([weight[phase::meter].mean() for phase in range(meter)])
    phases[0] += _START_BONUS * starts_bar
    return meter, int(np.argmax(phases))
