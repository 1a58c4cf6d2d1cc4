"""Seeded synthetic sounds with known answers."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE_HZ = 44_100
MAJOR_TRIAD, MINOR_TRIAD = (0, 4, 7), (0, 3, 7)


def times(seconds: float, rate_hz: int = RATE_HZ) -> NDArray[np.float64]:
    return np.arange(round(seconds * rate_hz)) / rate_hz


def sine(frequency_hz: float, seconds: float, rate_hz: int = RATE_HZ, peak: float = 0.5) -> Floats:
    return (peak * np.sin(2 * np.pi * frequency_hz * times(seconds, rate_hz))).astype(np.float32)


def noise(seconds: float, rate_hz: int = RATE_HZ, peak: float = 0.1, seed: int = 0) -> Floats:
    count = round(seconds * rate_hz)
    return (peak * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)


def kick(rate_hz: int = RATE_HZ) -> Floats:
    time_s = times(0.3, rate_hz)
    return (0.8 * np.exp(-time_s * 18) * np.sin(2 * np.pi * (50 * time_s + 8 * (1 - np.exp(-time_s * 30))))).astype(
        np.float32
    )


def hat(rate_hz: int = RATE_HZ, seed: int = 1) -> Floats:
    time_s = times(0.06, rate_hz)
    return (noise(0.06, rate_hz, 0.15, seed) * np.exp(-time_s * 70)).astype(np.float32)


def drum_loop(bpm: float, bars: int, rate_hz: int = RATE_HZ) -> Floats:
    """Kick on one and three, snare on two and four, hats on eighths, cut to whole bars."""
    beat_s = 60.0 / bpm
    loop = np.zeros(round(bars * 4 * beat_s * rate_hz) + rate_hz, dtype=np.float32)
    snare = (noise(0.15, rate_hz, 0.3, 2) * np.exp(-times(0.15, rate_hz) * 25)).astype(np.float32)
    for beat in range(bars * 4):
        _add(loop, kick(rate_hz) if beat % 2 == 0 else snare, beat * beat_s, rate_hz)
        _add(loop, hat(rate_hz), beat * beat_s, rate_hz)
        _add(loop, hat(rate_hz), (beat + 0.5) * beat_s, rate_hz)
    return loop[: round(bars * 4 * beat_s * rate_hz)]


def cadence(tonic: int, minor: bool, rate_hz: int = RATE_HZ, tuning_cents: float = 0.0) -> Floats:
    """I-IV-V-I (i-iv-V-i) of notes with five overtones, half a second each; tonic 0 is C."""
    home = MINOR_TRIAD if minor else MAJOR_TRIAD
    chords = [(0, home), (5, home), (7, MAJOR_TRIAD), (0, home)]
    time_s = times(0.5, rate_hz)
    envelope = np.exp(-time_s * 3)
    parts = []
    for root, triad in chords:
        chord = np.zeros(len(time_s))
        for step in triad:
            pitch_hz = 440.0 * 2 ** ((tonic + root + step - 21) / 12 + tuning_cents / 1200)
            for overtone in range(1, 6):
                chord += np.sin(2 * np.pi * overtone * pitch_hz * time_s) / overtone**1.5
        parts.append(0.1 * chord * envelope)
    return np.concatenate(parts).astype(np.float32)


def _add(onto: Floats, sound: Floats, start_s: float, rate_hz: int) -> None:
    start = round(start_s * rate_hz)
    onto[start : start + len(sound)] += sound
