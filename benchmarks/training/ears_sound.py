"""What all material for the ears is made of: a named sound, and the few ways of making and bending one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.signal
from numpy.typing import NDArray

RATE_HZ = 44_100
Doubles = NDArray[np.float64]
Random = np.random.Generator

_MEMBRANE = np.array([1.0, 1.59, 2.14, 2.30, 2.65, 2.92, 3.16, 3.50, 3.60, 4.06])
"""Modes of an ideal membrane (Fletcher and Rossing, The physics of musical instruments, 1998, section 3.3)."""
_CYCLE_POINTS = 2048
_MOST_PARTIALS = 600
_HIGHEST_HZ = 20_000.0


@dataclass(frozen=True)
class Sound:
    """A sound to learn from.

    Attributes
    ----------
    signal : float64 [samples] at 44.1 kHz
    leaf : of samplemind_tasks.categories.LEAVES
    pack : where it comes from: sounds of one pack resemble each other for reasons that are not what they are
    origin : its variations share this
    """

    signal: Doubles
    leaf: str
    pack: str
    origin: str


def clock(seconds: float) -> Doubles:
    """Time of every sample in seconds."""
    return np.arange(max(int(seconds * RATE_HZ), 8)) / RATE_HZ


def log_uniform(random: Random, low: float, high: float) -> float:
    """Any octave as likely as any other."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def chosen(random: Random, options: Sequence[str], weights: Sequence[float] | None = None) -> str:
    """One of some words."""
    return str(random.choice(list(options), p=None if weights is None else np.asarray(weights) / sum(weights)))


def fading(t: Doubles, fall_s: float, attack_s: float = 0.0) -> Doubles:
    """An exponential fall to 1/e in fall_s behind a straight rise."""
    rise = np.minimum(t / attack_s, 1.0) if attack_s > 0 else 1.0
    return np.asarray(np.exp(-t / fall_s) * rise)


def hiss(random: Random, t: Doubles) -> Doubles:
    """White noise."""
    return random.standard_normal(len(t))


def gliding(hz: Doubles | float, t: Doubles, phase: float = 0.0) -> Doubles:
    """A sine of changing frequency."""
    return np.sin(2 * np.pi * np.cumsum(np.broadcast_to(hz, t.shape)) / RATE_HZ + phase)


def lowpass(signal: Doubles, hz: float, order: int = 2) -> Doubles:
    """Keep what is below."""
    return _filtered(signal, hz, order, "low")


def highpass(signal: Doubles, hz: float, order: int = 2) -> Doubles:
    """Keep what is above."""
    return _filtered(signal, hz, order, "high")


def bandpass(signal: Doubles, low_hz: float, high_hz: float, order: int = 1) -> Doubles:
    """Keep what is between."""
    low_hz = min(low_hz, 0.4 * RATE_HZ)
    high_hz = float(np.clip(high_hz, low_hz * 1.05, 0.48 * RATE_HZ))
    sos = scipy.signal.butter(order, [low_hz, high_hz], "band", fs=RATE_HZ, output="sos")
    return np.asarray(scipy.signal.sosfilt(sos, signal))


def _filtered(signal: Doubles, hz: float, order: int, kind: str) -> Doubles:
    sos = scipy.signal.butter(order, min(hz, 0.48 * RATE_HZ), kind, fs=RATE_HZ, output="sos")
    return np.asarray(scipy.signal.sosfilt(sos, signal))


def ringing(random: Random, t: Doubles, hz: Doubles, levels: Doubles, falls_s: Doubles) -> Doubles:
    """Modes of a struck body, each with its own frequency, level and time to fall to 1/e."""
    signal = np.zeros(len(t))
    for mode_hz, level, fall_s in zip(hz, levels, falls_s, strict=True):
        if mode_hz < _HIGHEST_HZ:
            heard = t[: int(min(8 * fall_s, t[-1]) * RATE_HZ) + 8]
            signal[: len(heard)] += (
                level * np.sin(2 * np.pi * mode_hz * heard + random.uniform(0, 6.283)) * np.exp(-heard / fall_s)
            )
    return signal


def plate(random: Random, t: Doubles, low_hz: float, high_hz: float, modes: int, fall_s: float) -> Doubles:
    """A cymbal's crowd of modes: the higher, the sooner gone."""
    hz = np.exp(random.uniform(np.log(low_hz), np.log(high_hz), modes))
    damping = random.uniform(0.0, 0.8)
    falls_s = fall_s * (hz / low_hz) ** -damping * random.uniform(0.4, 1.3, modes)
    levels = random.uniform(0.1, 1.0, modes) * (hz / low_hz) ** random.uniform(-0.6, 0.4)
    return ringing(random, t, hz, levels, falls_s) / np.sqrt(modes)


def square_cluster(random: Random, t: Doubles, base_hz: float, voices: int = 6) -> Doubles:
    """The metal of an analogue drum machine: square waves in no harmony."""
    hz = base_hz * np.sort(random.uniform(1.0, 3.6, voices))
    return np.asarray(np.sign(np.sin(2 * np.pi * np.outer(hz, t) + random.uniform(0, 6, (voices, 1)))).mean(axis=0))


def cycle(levels: Doubles, phases: Doubles) -> Doubles:
    """One cycle of a wave from the levels of its partials, the first point repeated at the end."""
    spectrum = np.zeros(_CYCLE_POINTS // 2 + 1, complex)
    count = min(len(levels), _CYCLE_POINTS // 2 - 1)
    spectrum[1 : count + 1] = -1j * levels[:count] * np.exp(1j * phases[:count])
    one = np.fft.irfft(spectrum) * _CYCLE_POINTS / 2
    return np.append(one, one[0])


@cache
def wave_levels(wave: str) -> Doubles:
    """Levels of the partials of a saw, square, triangle or sine."""
    order = np.arange(1.0, _MOST_PARTIALS)
    levels = order ** {"saw": -1.0, "square": -1.0, "triangle": -2.0, "sine": -20.0}[wave]
    if wave in ("square", "triangle"):
        levels[1::2] = 0.0
    return levels


def voice(
    random: Random, t: Doubles, hz: Doubles | float, levels: Doubles, bright_hz: float, dark_hz: float, close_s: float
) -> Doubles:
    """A wave whose filter closes (or opens) from one cutoff to another, without aliases."""
    hz = np.broadcast_to(hz, t.shape)
    place = (np.cumsum(hz) / RATE_HZ + random.uniform()) % 1.0
    points = np.arange(_CYCLE_POINTS + 1) / _CYCLE_POINTS
    orders = np.arange(1, len(levels) + 1)
    audible = orders * hz.max() < _HIGHEST_HZ
    phases = np.zeros(len(levels))
    slope = 4.0 if random.random() < 0.5 else 2.0

    def heard(cutoff_hz: float) -> Doubles:
        passed = levels * audible / np.sqrt(1 + (orders * hz[0] / cutoff_hz) ** slope)
        return np.asarray(np.interp(place, points, cycle(passed, phases)))

    opening = np.exp(-t / close_s)
    return heard(bright_hz) * opening + heard(dark_hz) * (1 - opening)


def swelling(t: Doubles, attack_s: float, release_s: float) -> Doubles:
    """Rise at the start and fall at the end."""
    return np.asarray(np.clip(np.minimum(t / attack_s, (t[-1] - t) / release_s), 0.0, 1.0))


def driven(signal: Doubles, drive: float) -> Doubles:
    """Soft saturation, drive 1 hardly heard."""
    peak = float(np.abs(signal).max()) + 1e-9
    return np.asarray(np.tanh(drive * signal / peak))


def peaking_at(signal: Doubles, peak: float = 0.9) -> Doubles:
    """The same, that loud."""
    return signal * (peak / (float(np.abs(signal).max()) + 1e-12))


def mixed(*parts: Doubles) -> Doubles:
    """Sum of sounds of unequal length."""
    total = np.zeros(max(len(part) for part in parts))
    for part in parts:
        total[: len(part)] += part
    return total


def midi_hz(midi: float) -> float:
    """Frequency of a key."""
    return float(440.0 * 2 ** ((midi - 69) / 12))


def drawn_band(random: Random, low_hz: float, high_hz: float) -> tuple[float, float]:
    first, second = sorted((log_uniform(random, low_hz, high_hz), log_uniform(random, low_hz, high_hz)))
    return first, max(second, first * 1.3)


def membrane(random: Random, t: Doubles, hz: float, fall_s: float, modes: int, tilt: float) -> Doubles:
    """A struck membrane whose pitch falls a little."""
    ratios = _MEMBRANE[:modes] * random.normal(1, 0.02, modes)
    levels = random.uniform(0.3, 1, modes) * ratios**-tilt
    levels[0] = 1.0
    falls_s = fall_s * ratios ** -random.uniform(0.3, 1.3)
    bend = random.uniform(0, 0.25) * np.exp(-t / random.uniform(0.01, 0.06))
    signal = np.zeros(len(t))
    for ratio, level, mode_fall_s in zip(ratios, levels, falls_s, strict=True):
        signal += level * gliding(hz * ratio * (1 + bend), t, random.uniform(0, 6)) * fading(t, mode_fall_s)
    return signal


def knock(random: Random, t: Doubles, low_hz: float, high_hz: float) -> Doubles:
    """The knock of what strikes."""
    return peaking_at(bandpass(hiss(random, t), *drawn_band(random, low_hz, high_hz))) * fading(
        t, log_uniform(random, 0.001, 0.012)
    )
