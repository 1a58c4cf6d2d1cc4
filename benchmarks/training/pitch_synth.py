"""Synthetic one-shots for the pitch network: notes, kicks and chords of known pitch, and noises without one."""

import numpy as np
import scipy.signal
from numpy.typing import NDArray

RATE_HZ = 22_050
Doubles = NDArray[np.float64]
Random = np.random.Generator

WAVES = ("saw", "square", "triangle", "sine", "drawn", "hollow", "organ", "fm", "bar")
_NOTE_S = (0.12, 0.2, 0.4, 0.8, 1.2)
_MOST_PARTIALS = 40
_DRAWBARS = np.array([0.5, 1.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0])
"""Of a tonewheel organ, as multiples of the note that is played."""
_BAR = np.array([1.0, 2.756, 5.404, 8.933])
"""Partials of a free bar (Fletcher and Rossing, The physics of musical instruments, 1998, section 19.1)."""


def note(random: Random) -> tuple[Doubles, float]:
    """One note float64 [samples] and its MIDI pitch, between the keys too."""
    midi = random.uniform(26, 98)
    samples = int(RATE_HZ * random.choice(_NOTE_S))
    wave = str(random.choice(WAVES))
    voices = np.linspace(-1, 1, 3) * random.uniform(3, 15) if random.random() < 0.15 else np.zeros(1)
    signal = sum((tone(random, wave, midi + cents / 100, samples) for cents in voices), np.zeros(samples))
    return _treated(random, signal * _loudness(random, samples)), midi


def tone(random: Random, wave: str, midi: float, samples: int) -> Doubles:
    """A tone without attack or decay: float64 [samples]."""
    hz = 440.0 * 2 ** ((midi - 69) / 12)
    time_s = np.arange(samples) / RATE_HZ
    vibrato = random.uniform(0.001, 0.006) if random.random() < 0.3 else 0.0
    phase = 2 * np.pi * np.cumsum(hz * (1 + vibrato * np.sin(2 * np.pi * random.uniform(4, 7) * time_s))) / RATE_HZ
    if wave == "fm":
        depth = random.uniform(0.3, 5) * np.exp(-time_s / random.uniform(0.05, 1))
        return np.asarray(np.sin(phase + depth * np.sin(random.integers(1, 4) * phase)))
    ratios, levels = _partials(random, wave)
    audible = ratios * hz < 0.47 * RATE_HZ
    signal = np.zeros(samples)
    for ratio, level in zip(ratios[audible], levels[audible], strict=True):
        signal += level * np.sin(ratio * phase + random.uniform(0, 2 * np.pi))
    return signal


def _partials(random: Random, wave: str) -> tuple[Doubles, Doubles]:
    """Frequencies of the partials as multiples of the fundamental, and their levels."""
    if wave == "organ":
        drawn = random.choice([0.0, 0.5, 1.0], len(_DRAWBARS))
        drawn[2] = random.uniform(0.3, 1.0)
        drawn[0] *= random.choice([0.0, 0.3])
        return _DRAWBARS, drawn
    if wave == "bar":
        return _BAR, np.array([random.uniform(0.1, 1), *random.uniform(0, 1, len(_BAR) - 1)])
    order = np.arange(1, _MOST_PARTIALS + 1)
    slope = {"saw": 1.0, "square": 1.0, "triangle": 2.0, "sine": 12.0}.get(wave, random.uniform(0.3, 2.5))
    levels = order**-slope
    if wave in ("square", "triangle"):
        levels[1::2] = 0.0
    if wave in ("drawn", "hollow"):
        levels *= random.uniform(0.05, 1, len(order))
    if wave == "hollow":
        levels[: random.integers(1, 4)] *= random.uniform(0, 0.1)
    if wave != "sine":
        levels /= np.sqrt(1 + (order / random.uniform(1, 30)) ** 4)
    stiffness = 10 ** random.uniform(-5, -3) if random.random() < 0.25 else 0.0
    return order * np.sqrt(1 + stiffness * order**2), levels


def _loudness(random: Random, samples: int) -> Doubles:
    time_s = np.arange(samples) / RATE_HZ
    rise = np.minimum(time_s / random.choice([0.001, 0.005, 0.02, 0.1]), 1)
    loudness = rise * np.exp(-time_s / random.choice([0.05, 0.1, 0.3, 1, 5]))
    release = int(min(samples, random.choice([50, 400, 2000])))
    loudness[-release:] *= np.linspace(1, 0, release)
    return np.asarray(loudness)


def _treated(random: Random, signal: Doubles) -> Doubles:
    """The click of a pick, hiss and distortion, now and then."""
    peak, time_s = np.abs(signal).max(), np.arange(len(signal)) / RATE_HZ
    if random.random() < 0.4:
        click = random.standard_normal(len(signal)) * np.exp(-time_s / random.uniform(0.005, 0.2))
        signal = signal + click * peak * 10 ** random.uniform(-2.5, -0.7)
    if random.random() < 0.3:
        signal = signal + random.standard_normal(len(signal)) * peak * 10 ** random.uniform(-4, -1.8)
    if random.random() < 0.15:
        signal = np.tanh(signal / peak * random.uniform(1, 8))
    return signal


def kick(random: Random) -> tuple[Doubles, float]:
    """A kick of a drum machine that falls to its pitch: float64 [samples], MIDI."""
    midi = random.uniform(25, 48)
    samples = int(RATE_HZ * random.choice([0.3, 0.6, 1.0, 1.8]))
    time_s = np.arange(samples) / RATE_HZ
    fall = (2 ** random.uniform(0.5, 4) - 1) * np.exp(-time_s / random.uniform(0.006, 0.04))
    hz = 440.0 * 2 ** ((midi - 69) / 12) * (1 + fall)
    body = np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ) * np.exp(-time_s / (time_s[-1] * random.uniform(0.15, 0.5)))
    if random.random() < 0.4:
        body = np.tanh(body * random.uniform(1, 6))
    return body + random.standard_normal(samples) * np.exp(-time_s / 0.004) * random.uniform(0, 0.5), midi


def power_chord(random: Random) -> tuple[Doubles, float]:
    """Root, fifth and often the octave, called by its root: float64 [samples], MIDI."""
    midi = random.uniform(36, 72)
    samples = int(RATE_HZ * random.choice(_NOTE_S[2:]))
    wave = str(random.choice(["saw", "drawn", "square"]))
    signal = tone(random, wave, midi, samples) + random.uniform(0.6, 1) * tone(random, wave, midi + 7, samples)
    if random.random() < 0.5:
        signal += 0.7 * tone(random, wave, midi + 12, samples)
    return _treated(random, signal * _loudness(random, samples)), midi


def noise(random: Random) -> Doubles:
    """A snare, hat, cymbal or breath: a band of noise that dies away, often with the metal of six square waves."""
    samples = int(RATE_HZ * random.choice([0.05, 0.1, 0.2, 0.4, 0.8, 1.5]))
    time_s = np.arange(samples) / RATE_HZ
    low_hz = 10 ** random.uniform(1.7, 3.6)
    band_hz = [low_hz, min(low_hz * 2 ** random.uniform(1, 6), 10_500)]
    band = scipy.signal.butter(int(random.integers(1, 4)), band_hz, "band", fs=RATE_HZ, output="sos")
    signal = scipy.signal.sosfilt(band, random.standard_normal(samples))
    if random.random() < 0.3:  # white, pink or brown, down to the lowest notes
        tilt = np.arange(1, samples // 2 + 2) ** -random.choice([0.0, 0.5, 1.0])
        signal = np.fft.irfft(tilt * np.fft.rfft(random.standard_normal(samples)), samples)
    signal *= np.exp(-time_s / random.choice([0.02, 0.05, 0.15, 0.5, 3]))
    if random.random() < 0.35:
        ratios = random.uniform(1, 3.5, 6)
        metal = np.sign(np.sin(2 * np.pi * random.uniform(200, 600) * np.outer(ratios, time_s))).mean(axis=0)
        signal = signal / np.abs(signal).max() * random.uniform(0.1, 1)
        signal += metal * np.exp(-time_s / random.uniform(0.02, 0.6))
        high = scipy.signal.butter(2, random.uniform(1500, 5000), "high", fs=RATE_HZ, output="sos")
        signal = scipy.signal.sosfilt(high, signal)
    return np.asarray(signal)
