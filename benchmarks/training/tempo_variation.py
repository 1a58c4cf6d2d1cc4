"""Play a rendered groove as unevenly as people do: rendered drums repeat twice as well as played ones."""

import numpy as np

from samplemind_tasks.audio.rhythm import FRAME_RATE_HZ, Onsets, band_shares

_BEFORE_FRAMES, _AFTER_FRAMES = 2, 5
"""Of a hit in the onset strength."""
_UNHEARD = 0.05
_MOST_GAIN_LOG, _MOST_BAND_LOG = 0.9, 0.6
"""Deviations of the loudness of a hit, and of each of its bands beside that, as natural logarithms."""
_MOST_DROPPED, _MOST_ADDED = 0.3, 0.3
"""Shares of the hits."""


def varied(onsets: Onsets, rng: np.random.Generator) -> Onsets:
    """The same onsets with some louder, some softer, some left out and some added, all by chance."""
    severity = rng.uniform(0.2, 1.0)
    frames = np.round(onsets.onset_times_s * FRAME_RATE_HZ).astype(int)
    dropped = rng.random(len(frames)) < rng.uniform(0, _MOST_DROPPED) * severity
    bands = onsets.bands * _gains(onsets, frames, dropped, severity, rng)
    count = int(rng.uniform(0, _MOST_ADDED) * severity * len(frames))
    added_s = rng.uniform(0, onsets.bands.shape[1] / FRAME_RATE_HZ, count)
    for time_s in added_s:
        _copy_hit(onsets.bands, bands, int(rng.choice(frames)), int(time_s * FRAME_RATE_HZ), rng.uniform(0.15, 0.9))
    times_s = np.sort(np.concatenate([onsets.onset_times_s[~dropped], added_s]))
    strength = np.asarray(band_shares() @ bands, dtype=np.float32)
    return Onsets(len(times_s), times_s, strength, bands.astype(np.float32))


def _gains(
    onsets: Onsets, frames: np.ndarray, dropped: np.ndarray, severity: float, rng: np.random.Generator
) -> np.ndarray:
    """A gain for every band and frame, constant from each hit to the next: [bands, frames]."""
    bands, length = onsets.bands.shape
    loudness = rng.normal(0, _MOST_GAIN_LOG * severity, (1, len(frames)))
    colour = rng.normal(0, _MOST_BAND_LOG * severity, (bands, len(frames)))
    by_hit = np.where(dropped, _UNHEARD, np.exp(np.minimum(loudness + colour, 1.0)))
    hit = np.clip(np.searchsorted(frames - _BEFORE_FRAMES, np.arange(length), side="right") - 1, 0, None)
    return np.asarray(by_hit[:, hit]) if len(frames) else np.ones((bands, length))


def _copy_hit(bands: np.ndarray, onto: np.ndarray, source: int, target: int, gain: float) -> None:
    """Add a hit's onset strength somewhere else, as far as both lie inside."""
    length = bands.shape[1]
    before = min(_BEFORE_FRAMES, source, target)
    after = min(_AFTER_FRAMES, length - source, length - target)
    if after > 0:
        onto[:, target - before : target + after] += gain * bands[:, source - before : source + after]
