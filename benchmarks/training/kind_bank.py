"""Notes and drum hits of a sound font to build loops and one-shots from, and what is done to a mix."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from benchmarks.audio.notes import DRUM_CHANNEL, HIGHEST_MIDI, LOWEST_MIDI, PROGRAMS, rendered

RATE_HZ = 22_050
Doubles = NDArray[np.float64]
Random = np.random.Generator

KITS = (0, 8, 16, 24, 25, 32, 40)
_DRUM_KEYS = range(27, 88)
_KEY_STEP = 6
_AUDIBLE = 1e-3
_FADE_SAMPLES = 300


class Bank:
    """What a font plays, by program or kit and key."""

    def __init__(self, font: Path) -> None:
        self._notes: dict[int, dict[int, NDArray[np.float32]]] = {}
        self._hits: dict[int, dict[int, NDArray[np.float32]]] = {}
        for played in rendered(font, PROGRAMS, range(LOWEST_MIDI, HIGHEST_MIDI + 1, _KEY_STEP), held_s=1.0):
            self._notes.setdefault(played.program, {})[played.midi] = played.signal
        for played in rendered(font, KITS, _DRUM_KEYS, channel=DRUM_CHANNEL):
            loud = np.flatnonzero(np.abs(played.signal) > _AUDIBLE)
            self._hits.setdefault(played.program, {})[played.midi] = played.signal[: loud[-1] + 200]

    def note(self, program: int, midi: float, seconds: float | None = None) -> Doubles:
        """A note, the nearest key played faster or slower; cut after so many seconds."""
        keys = self._notes[program]
        nearest = min(keys, key=lambda key: abs(key - midi))
        signal = keys[nearest]
        steps = np.arange(0, len(signal) - 1, 2 ** ((midi - nearest) / 12))
        shifted = np.interp(steps, np.arange(len(signal)), signal)
        if seconds is not None:
            shifted = shifted[: max(int(seconds * RATE_HZ), 2)]
            fade = min(len(shifted), _FADE_SAMPLES)
            shifted[-fade:] *= np.linspace(1, 0, fade)
        return np.asarray(shifted)

    def hit(self, kit: int, key: int) -> Doubles:
        """A drum; another one where the kit has nothing on this key."""
        hits = self._hits[kit]
        return np.asarray(hits[key] if key in hits else list(hits.values())[key % len(hits)], dtype=np.float64)


def put(mix: Doubles, sound: Doubles, start_s: float, gain: float = 1.0, *, wraps: bool = False) -> None:
    """Add a sound to a mix, cut at its end or going on at its beginning as in a loop."""
    start = int(start_s * RATE_HZ)
    if start >= len(mix):
        return
    fits = min(len(sound), len(mix) - start)
    mix[start : start + fits] += gain * sound[:fits]
    if wraps:
        rest = sound[fits : fits + len(mix)]
        mix[: len(rest)] += gain * rest


def drawn(random: Random, keys: Sequence[int]) -> int:
    """One of some numbers."""
    return int(keys[random.integers(len(keys))])


def noise_band(random: Random, samples: int) -> Doubles:
    """Noise between two frequencies: float64 [samples]."""
    low_hz = 10 ** random.uniform(1.5, 3.2)
    band_hz = [low_hz, min(low_hz * 2 ** random.uniform(1, 6), 10_500)]
    band = scipy.signal.butter(1, band_hz, "band", fs=RATE_HZ, output="sos")
    return np.asarray(scipy.signal.sosfilt(band, random.standard_normal(samples)))


def in_a_room(random: Random, signal: Doubles, *, rings_out: bool = True) -> Doubles:
    """With reverberation, which is cut where the sound ends unless it rings out."""
    seconds = random.uniform(0.2, 2.5)
    samples = int(seconds * RATE_HZ)
    echo = random.standard_normal(samples) * np.exp(-6.9 * np.arange(samples) / samples)
    wet = scipy.signal.fftconvolve(signal, echo / np.linalg.norm(echo)) * random.uniform(0.1, 0.7)
    wet[: len(signal)] += signal
    return np.asarray(wet if rings_out else wet[: len(signal)])


def mastered(random: Random, signal: Doubles) -> Doubles:
    """Perhaps filtered, distorted or noisy; peak 0.9."""
    if random.random() < 0.25:
        low = scipy.signal.butter(2, random.uniform(300, 6000), "low", fs=RATE_HZ, output="sos")
        signal = scipy.signal.sosfilt(low, signal)
    if random.random() < 0.2:
        high = scipy.signal.butter(2, random.uniform(80, 1500), "high", fs=RATE_HZ, output="sos")
        signal = scipy.signal.sosfilt(high, signal)
    peak = np.abs(signal).max() + 1e-9
    if random.random() < 0.2:
        signal = np.tanh(signal / peak * random.uniform(1, 5))
    if random.random() < 0.2:
        signal = signal + random.standard_normal(len(signal)) * np.abs(signal).max() * 10 ** random.uniform(-4, -2)
    return np.asarray(0.9 * signal / (np.abs(signal).max() + 1e-9))


def held_chord(random: Random, notes: Sequence[float], seconds: float) -> Doubles:
    """A pad: detuned saws of a few notes, at the same loudness throughout."""
    samples = max(int(seconds * RATE_HZ), 2)
    time_s = np.arange(samples) / RATE_HZ
    signal = np.zeros(samples)
    for midi in notes:
        for order in range(1, 6):
            for detuned in (0.997, 1.0, 1.004):
                hz = 440.0 * 2 ** ((midi - 69) / 12) * order * detuned
                signal += np.sin(2 * np.pi * hz * time_s + random.uniform(0, 2 * np.pi)) / order**1.5
    edge = min(int(0.02 * RATE_HZ), samples // 2)
    signal[:edge] *= np.linspace(0, 1, edge)
    signal[samples - edge :] *= np.linspace(1, 0, edge)
    return signal / 6
