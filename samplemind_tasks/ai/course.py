"""How a sound goes: its spectrum over time, its fall, its evenness, read from the log-mel windows a network hears.

Networks that keep the maximum over time forget when things happen: a closed and an open hat, a kick and a tom then
differ little. These numbers remember. The cepstrum (a cosine transform of each frame) is that of Davis and Mermelstein,
1980; time slots that widen with the distance from the onset follow how fast drums change.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Windows = NDArray[np.float16]

LOG_GAIN = 10_000.0
LOG_DIVISOR = 9.457798957824707
"""As the front-end aisfx scales its windows: log10(LOG_GAIN * power + 1) / LOG_DIVISOR."""
MELS = 96
FRAMES = 100
BANDS = 16
_SLOT_EDGES = np.array([0, 1, 2, 3, 4, 6, 8, 12, 17, 24, 36, 54, 80])
"""Frames after the onset, 23 ms each."""
CEPSTRUM = 24
_ONSET_SHARE = 0.05
"""Of the loudest frame's power: -13 dB."""
_FALLS_DB = (10.0, 20.0, 30.0, 45.0)
_SHARES = (0.25, 0.5, 0.75, 0.9, 0.98)
_LAGS = (4, 50)
"""Frames between which the loudness is compared with itself: 0.1 to 1.2 s."""
_SPECTRAL_EDGES = (0, 3, 6, 10, 16, 24, 36, 52, 72, 96)
_LEAST = 1e-7
SIZE = 318
"""How many numbers `course` gives."""


@dataclass(frozen=True)
class _Loudness:
    """Power of every frame of a window, float64 [frames], and the frame at which the sound begins."""

    power: NDArray[np.float64]
    onset: int


def course(windows: Windows) -> Floats:
    """Describe how the spectrum of a sound goes over time.

    Parameters
    ----------
    windows : float16 [n, 100, 96], of the front-end aisfx: peak-normalised, not silent

    Returns
    -------
    float32 [SIZE]: BANDS x 12 levels after the onset of the first window; mean, deviation and movement of the
    cepstrum over all windows; and what `_scalars` lists
    """
    heard = windows.astype(np.float32)
    power = (10.0 ** (LOG_DIVISOR * heard.astype(np.float64)) - 1.0) / LOG_GAIN
    loudest = max(range(len(heard)), key=lambda place: float(power[place].sum()))
    first = _Loudness(power[0].sum(axis=1), _onset(power[0].sum(axis=1)))
    parts = [
        _picture(heard[0], first.onset),
        _cepstral(heard, power),
        _scalars(heard, power, first),
        _spectrum(power[loudest]),
    ]
    return np.concatenate(parts).astype(np.float32)


def _onset(power: NDArray[np.float64]) -> int:
    return int(np.argmax(power >= _ONSET_SHARE * power.max()))


def _picture(window: Floats, onset: int) -> Floats:
    """Levels of 16 bands in 12 slots after the onset: [192]."""
    bands = window.reshape(FRAMES, BANDS, MELS // BANDS).mean(axis=2)
    late = np.zeros((_SLOT_EDGES[-1], BANDS), np.float32)
    after = bands[onset : onset + _SLOT_EDGES[-1]]
    late[: len(after)] = after
    sums = np.add.reduceat(late, _SLOT_EDGES[:-1], axis=0)
    return np.asarray(sums / np.diff(_SLOT_EDGES)[:, None], np.float32).ravel()


@cache
def _cosines() -> NDArray[np.float32]:
    """DCT-II, orthonormal: [mels, CEPSTRUM]."""
    places, orders = np.arange(MELS) + 0.5, np.arange(CEPSTRUM)
    return np.asarray(np.cos(np.pi * np.outer(places, orders) / MELS) * np.sqrt(2.0 / MELS), np.float32)


def _cepstral(windows: Floats, power: NDArray[np.float64]) -> Floats:
    """Mean, deviation, mean movement and loudness-weighted mean of the cepstrum over the audible frames: [96]."""
    frames, loudness = windows.reshape(-1, MELS), power.reshape(-1, MELS).sum(axis=1)
    audible = frames.any(axis=1)
    cepstrum, weight = frames[audible] @ _cosines(), loudness[audible]
    movement = np.abs(np.diff(cepstrum, axis=0)).mean(axis=0) if len(cepstrum) > 1 else np.zeros(CEPSTRUM)
    weighted = (weight @ cepstrum) / max(float(weight.sum()), _LEAST)
    return np.concatenate([cepstrum.mean(axis=0), cepstrum.std(axis=0), movement, weighted]).astype(np.float32)


def _spectrum(power: NDArray[np.float64]) -> Floats:
    """Shares of nine bands in the power of the loudest window, as logarithms: [9]."""
    shares = np.add.reduceat(power.sum(axis=0), _SPECTRAL_EDGES[:-1])
    return np.log10(shares / max(float(shares.sum()), _LEAST) + 1e-4).astype(np.float32)


def _scalars(windows: Floats, power: NDArray[np.float64], first: _Loudness) -> Floats:
    """Lengths (of what is audible, to a fall of so many dB, to shares of the power), attack, flatness, repetition."""
    loudness = power.reshape(-1, MELS).sum(axis=1)
    audible = int(windows.reshape(-1, MELS).any(axis=1).sum())
    after = first.power[first.onset :]
    peak = int(after.argmax())
    falling = 10.0 * np.log10(np.maximum(after[peak:] / max(float(after[peak]), 1e-30), _LEAST))
    lengths = [_first(falling < -fall) for fall in _FALLS_DB]
    grown = np.cumsum(after) / max(float(after.sum()), 1e-30)
    lengths += [_first(grown >= share) for share in _SHARES]
    level_db = 10.0 * np.log10(np.maximum(loudness / max(float(loudness.max()), 1e-30), 1e-6))
    numbers = [len(windows), np.log1p(audible), np.log1p(first.onset), np.log1p(peak), *np.log1p(lengths)]
    numbers += [float(level_db.mean()) / 20, float(level_db.std()) / 20, *_flatness(power), *_repetition(level_db)]
    return np.array(numbers, np.float32)


def _first(holds: NDArray[np.bool_]) -> int:
    """The first frame for which it holds, or how many there are."""
    return int(holds.argmax()) if holds.any() else len(holds)


def _flatness(power: NDArray[np.float64]) -> list[float]:
    """Of the mean spectrum, low, middle and high: 0 where all of it is noise, negative for tones."""
    mean = power.reshape(-1, MELS).mean(axis=0) + 1e-12
    return [
        float(np.log10(mean[low:high]).mean() - np.log10(mean[low:high].mean()))
        for low, high in ((0, 32), (32, 64), (64, 96))
    ]


def _repetition(level_db: NDArray[np.float64]) -> list[float]:
    """How alike the loudness is to itself some time later at best, how many peaks it has, and how much it moves."""
    centred = level_db - level_db.mean()
    whole = float(centred @ centred) + 1e-9
    longest = min(_LAGS[1], len(centred) // 2)
    alike = [float(centred[lag:] @ centred[:-lag]) / whole for lag in range(_LAGS[0], longest)]
    rises = np.diff(level_db)
    peaks = np.count_nonzero(rises > 6.0)
    return [max(alike, default=0.0), float(np.log1p(peaks)), float(np.abs(rises).mean())]
