"""What tells a loop from a one-shot: how its loudness is spread over time, and whether what begins in it keeps time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.envelope import HOP_SAMPLES
from samplemind_tasks.audio.kernels import kernel
from samplemind_tasks.audio.mono import RATE_HZ

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

FRAME_S = HOP_SAMPLES / RATE_HZ
_BLOCK_FRAMES = 8
"""23 ms: the ripple of a low note is gone, the dip between two hits is not."""
_SILENT = 1e-3
"""-60 dB of the loudest."""
_FLOOR_DB = -30.0
"""How deep a dip between two events counts."""
_AFTER_FRAMES, _BEFORE_FRAMES = 20, 14
"""58 ms after an onset and 41 ms before it."""
_STRONG_DB, _STRONG_RISE_DB = -14.0, 5.0
_ACTIVE_DB = -20.0
_ALONE_DB = -30.0
"""What stands for the level of a second event where there is none."""
_FEWEST_ON_GRID = 3
"""Two events lie on some grid always."""
_DIVISIONS = (4, 6, 8, 12, 16, 24, 32, 48, 64)
"""Into how many equal steps a loop may be divided."""
_SHORTEST_STEP_S = 0.09
_END_BLOCKS = 3


@dataclass(frozen=True)
class Evidence:
    """Every number speaks for a loop or for a one-shot; decibels are in tens.

    Attributes
    ----------
    duration, shortness : octaves from 1 s; shortness is 0 above
    onsets : octaves, of one more than there are
    onset_rate : a fifth of the onsets a second
    last_event : place of the last strong onset, 0 to 1
    later_events, final_event : level of the loudest strong onset but the first against the first, and of the last
        against the loudest
    grid : how exactly strong onsets lie on equal steps of the whole, 0 to 1
    centre, spread : mean place of the loudness, 0 to 1, and three times its deviation
    end, tail, last_third : level of the last 70 ms, of the last tenth, and the highest in the last third
    halves : power of the second half against the first
    active : part of the time within 20 dB of the loudest
    loudest : place of the loudest block, 0 to 1
    dips : how far the level lies below what is still to come
    """

    duration: float
    shortness: float
    onsets: float
    onset_rate: float
    last_event: float
    later_events: float
    final_event: float
    grid: float
    centre: float
    spread: float
    end: float
    tail: float
    last_third: float
    halves: float
    active: float
    loudest: float
    dips: float


def evidence(amplitude: Floats, onset_times_s: Doubles) -> Evidence:
    """Measure the evidence.

    Parameters
    ----------
    amplitude : float32 [frames], of the envelope, louder than 0 somewhere
    onset_times_s : float64 [onsets], ascending

    Returns
    -------
    Evidence; every number is finite
    """
    relative = amplitude / amplitude.max()
    duration_s = len(amplitude) * FRAME_S
    onset_frames = (onset_times_s / FRAME_S).astype(np.int64)
    levels_db = _onset_levels_db(relative, onset_frames[onset_frames < len(relative)])
    is_strong = (levels_db[:, 0] > _STRONG_DB) & (levels_db[:, 1] > _STRONG_RISE_DB)
    places = levels_db[is_strong, 2] / len(relative)
    events_db = levels_db[is_strong, 0]
    several = len(places) > 1
    power = _block_power(relative)
    power /= power.max()
    level_db = 20.0 * np.log10(np.sqrt(power) + _SILENT)
    loudest = int(np.argmax(power))
    centre, spread = _moments(relative)
    return Evidence(
        duration=float(np.log2(duration_s + 0.02)),
        shortness=float(min(np.log2(duration_s + 0.02), 0.0)),
        onsets=float(np.log2(1 + len(levels_db))),
        onset_rate=len(levels_db) / (duration_s + 0.1) / 5.0,
        last_event=float(places[-1]) if len(places) else 0.0,
        later_events=float(events_db[1:].max() - events_db[0] if several else _ALONE_DB) / 10.0,
        final_event=float(events_db[-1] - events_db.max() if several else _ALONE_DB) / 10.0,
        grid=_on_grid(places, duration_s) if len(places) >= _FEWEST_ON_GRID else 0.0,
        centre=centre,
        spread=3.0 * spread,
        end=_mean_db(power[-_END_BLOCKS:]) / 10.0,
        tail=_mean_db(power[-max(len(power) // 10, 1) :]) / 10.0,
        last_third=float(level_db[2 * len(power) // 3 :].max()) / 10.0,
        halves=_halves_db(power) / 10.0,
        active=float(np.count_nonzero(level_db > _ACTIVE_DB)) / len(power),
        loudest=loudest / len(power),
        dips=_dips_db(level_db[loudest:]) / 10.0,
    )


def _block_power(relative: Floats) -> Doubles:
    """Mean power of every block of frames: float64 [blocks]."""
    starts = np.arange(0, len(relative), _BLOCK_FRAMES)
    frames = np.minimum(len(relative) - starts, _BLOCK_FRAMES)
    return np.asarray(np.add.reduceat(np.square(relative, dtype=np.float64), starts) / frames)


def _moments(relative: Floats) -> tuple[float, float]:
    """Mean place of the loudness, and its deviation: 0 to 1."""
    places = np.arange(len(relative), dtype=np.float64) / len(relative)
    weights = relative / relative.sum(dtype=np.float64)
    centre = float(weights @ places)
    return centre, float(np.sqrt(max(weights @ (places - centre) ** 2, 0.0)))


def _mean_db(power: Doubles) -> float:
    return float(20.0 * np.log10(np.sqrt(power.mean()) + _SILENT))


def _halves_db(power: Doubles) -> float:
    """Power of the second half against the first, -30 to 10 dB; a lone block has no second half."""
    half = len(power) // 2
    if half == 0:
        return _ALONE_DB
    ratio = (power[half:].sum() + _SILENT**2) / (power[:half].sum() + _SILENT**2)
    return float(np.clip(10.0 * np.log10(ratio), -30.0, 10.0))


def _dips_db(level_db: Doubles) -> float:
    """Mean distance below what is still to come: 0 for a sound that dies away evenly."""
    audible = np.maximum(level_db, _FLOOR_DB)
    to_come = np.maximum.accumulate(audible[::-1])[::-1]
    return float((to_come - audible).mean())


def _on_grid(places: Doubles, duration_s: float) -> float:
    """How exactly events lie on equal steps of the sound, from the first one on: 1 exactly, 0 as by chance."""
    best = 0.0
    from_first = places[1:] - places[0]
    for division in _DIVISIONS:
        if duration_s / division < _SHORTEST_STEP_S:
            break
        steps = from_first * division
        # by chance an event lies a quarter step off
        best = max(best, 1.0 - 4.0 * float(np.abs(steps - np.round(steps)).mean()))
    return best


@kernel("float64[:, ::1](float32[::1], int64[::1])")
def _onset_levels_db(relative: Floats, onset_frames: NDArray[np.int64]) -> Doubles:
    """The level each onset reaches, how far that is above what was before, and its frame: float64 [onsets, 3]."""
    levels = np.empty((len(onset_frames), 3))
    for onset in range(len(onset_frames)):
        frame = onset_frames[onset]
        after, before = np.float32(0.0), np.float32(0.0 if frame <= 3 else 1.0)
        for near in range(frame, min(frame + _AFTER_FRAMES, len(relative))):
            after = max(after, relative[near])
        for near in range(max(frame - _BEFORE_FRAMES, 0), frame + 1):
            before = min(before, relative[near])
        levels[onset, 0] = 20.0 * np.log10(after + _SILENT)
        levels[onset, 1] = levels[onset, 0] - 20.0 * np.log10(before + _SILENT)
        levels[onset, 2] = frame
    return levels
