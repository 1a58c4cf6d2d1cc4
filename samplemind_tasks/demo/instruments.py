"""Drums, bass, plucks, keys and pads, from sines, saws and noise.

A sound is float64 [samples] or, in stereo, [samples, 2], roughly from -1 to 1, at 44.1 kHz. `dice` is its own random
generator, so that a sound depends on the seed and its name alone.
"""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

RATE_HZ = 44_100
CYCLE_POINTS = 4096

Sound = NDArray[np.float64]


def midi_hz(midi: float) -> float:
    """Frequency of a MIDI note; 69 is the A of 440 Hz."""
    return float(440 * 2 ** ((midi - 69) / 12))


def clock(duration_s: float) -> Sound:
    """Time of every sample in seconds."""
    return np.arange(round(duration_s * RATE_HZ)) / RATE_HZ


def band(sound: Sound, low_hz: float, high_hz: float) -> Sound:
    """Keep what lies between two frequencies, with slopes of 12 dB an octave."""
    spectrum = np.fft.rfft(sound)
    frequency_hz = np.maximum(np.fft.rfftfreq(len(sound), 1 / RATE_HZ), 1e-3)
    slopes = np.hypot(1, (low_hz / frequency_hz) ** 2) * np.hypot(1, (frequency_hz / high_hz) ** 2)
    return np.fft.irfft(spectrum / slopes, len(sound))


def noise(dice: Generator, t: Sound, low_hz: float, high_hz: float) -> Sound:
    """Hiss between two frequencies, about as loud as a full sine."""
    hiss = band(dice.standard_normal(len(t)), low_hz, high_hz)
    return np.asarray(hiss / (np.std(hiss) * 1.5))


def swell(t: Sound, attack_s: float, release_s: float) -> Sound:
    """Rise at the start and fall at the end, both without a click."""
    nearest = np.minimum(t / attack_s, (t[-1] - t) / release_s)
    return np.asarray(np.square(np.sin(np.pi / 2 * np.clip(nearest, 0, 1))))


def voice(hz: float, t: Sound, bright_hz: float, dark_hz: float, close_s: float, phase: float = 0.0) -> Sound:
    """A saw whose filter closes from one cutoff to another: two cycles without aliases, faded into each other."""
    place = (t * hz + phase) % 1
    points = np.arange(CYCLE_POINTS + 1) / CYCLE_POINTS
    bright, dark = (np.interp(place, points, saw_cycle(hz, cutoff_hz)) for cutoff_hz in (bright_hz, dark_hz))
    opening = np.exp(-t / close_s)
    return np.asarray(bright * opening + dark * (1 - opening))


def saw_cycle(hz: float, cutoff_hz: float) -> Sound:
    """One cycle of a filtered saw, its first point repeated at the end."""
    harmonic = np.arange(1, max(2, min(500, int(16_000 / hz))))
    spectrum = np.zeros(CYCLE_POINTS // 2 + 1, complex)
    spectrum[harmonic] = -1j / harmonic / (1 + (harmonic * hz / cutoff_hz) ** 2)
    cycle = np.fft.irfft(spectrum) * CYCLE_POINTS / 2
    return np.append(cycle, cycle[0])


def room(dice: Generator, sound: Sound, tail_s: float, wet: float) -> Sound:
    """Put a sound into a stereo room that dies away over tail_s."""
    stereo = sound if sound.ndim == 2 else np.stack([sound, sound], 1)
    t = clock(tail_s)
    echo = np.stack([noise(dice, t, 200, 5_000) * np.exp(-6 * t / tail_s) for _ in range(2)], 1)
    size = len(stereo) + len(t)
    heard = np.fft.irfft(
        np.fft.rfft(stereo, size, 0) * np.fft.rfft(echo / np.linalg.norm(echo, axis=0), size, 0), size, 0
    )
    heard[: len(stereo)] += stereo * (1 / wet - 1)
    return heard * wet


def kick(dice: Generator, hz: float, decay_s: float, drop: float, click: float) -> Sound:
    """A sine that falls to hz from `drop` octave-like steps above it, behind a click."""
    t = clock(decay_s * 5)
    body = np.sin(2 * np.pi * np.cumsum(hz * (1 + drop * np.exp(-t / 0.022))) / RATE_HZ)
    tick = noise(dice, t, 1_500, 9_000) * np.exp(-t / 0.004) * click
    return np.tanh(1.7 * (body * np.exp(-t / decay_s) + tick)) * swell(t, 0.0008, 0.02)


def snare(dice: Generator, hz: float, decay_s: float, snap: float) -> Sound:
    """Two modes of a skin under the rattle of the wires."""
    t = clock(decay_s * 6)
    skin = (np.sin(2 * np.pi * hz * t) + 0.6 * np.sin(2 * np.pi * 1.59 * hz * t)) * np.exp(-t / 0.06)
    wires = noise(dice, t, 1_100, 10_000) * np.exp(-t / decay_s) * snap
    return np.tanh(1.3 * (skin * 0.7 + wires)) * swell(t, 0.0005, 0.02)


def clap(dice: Generator, hz: float, decay_s: float) -> Sound:
    """Several hands, a few milliseconds apart, then the room."""
    t = clock(decay_s * 6)
    hands = sum(np.exp(-np.abs(t - at_s) / 0.003) * (t >= at_s) for at_s in (0.001, 0.011, 0.021))
    tail = np.exp(-np.maximum(t - 0.03, 0) / decay_s) * (t >= 0.03)
    return noise(dice, t, hz * 0.6, hz * 2.4) * (hands + 0.8 * tail) * swell(t, 0.0005, 0.02)


def hat(dice: Generator, edge_hz: float, decay_s: float, metal: float) -> Sound:
    """Six squares in no harmony, and hiss, above edge_hz."""
    t = clock(decay_s * 6)
    pitches_hz = edge_hz / 14 * np.array([1, 1.34, 1.61, 1.93, 2.39, 2.83]) * dice.uniform(0.98, 1.02, 6)
    clang = np.sign(np.sin(2 * np.pi * pitches_hz[:, None] * t)).sum(0) / 3 * metal
    return (
        band(clang + noise(dice, t, edge_hz, 15_000), edge_hz, 16_000) * np.exp(-t / decay_s) * swell(t, 0.0005, 0.01)
    )


def bass(dice: Generator, midi: int, duration_s: float, bright_hz: float, drive: float = 1.5) -> Sound:
    """A saw with a closing filter over its own sub."""
    t, hz = clock(duration_s), midi_hz(midi)
    growl = voice(hz, t, bright_hz, hz * 4, 0.22, dice.uniform())
    driven = np.tanh(drive * (0.9 * growl + 0.4 * np.sin(2 * np.pi * hz * t)))
    return band(driven, 20, 18_000) * swell(t, 0.004, 0.06)  # driving a saw leaves an offset


def pluck(dice: Generator, midi: int, duration_s: float, bright_hz: float) -> Sound:
    """A string: the filter closes fast, the level slowly."""
    t, hz = clock(duration_s), midi_hz(midi)
    string = voice(hz, t, bright_hz, hz * 1.2, 0.07) + 0.5 * voice(hz * 1.003, t, bright_hz, hz, 0.09, dice.uniform())
    return string * np.exp(-t / (duration_s / 4)) * swell(t, 0.002, 0.03)


def keys(dice: Generator, chord: Sequence[int], duration_s: float, hardness: float) -> Sound:
    """An electric piano: a tine that rings into its own tone, and a little bell."""
    t = clock(duration_s)
    total = np.zeros((len(t), 2))
    for i, midi in enumerate(chord):
        hz = midi_hz(midi) * dice.uniform(0.9995, 1.0005)
        ring = hardness * np.exp(-t / 0.25) * np.sin(2 * np.pi * hz * t)
        note = np.sin(2 * np.pi * hz * t + ring) + 0.08 * np.exp(-t / 0.05) * np.sin(2 * np.pi * 7 * hz * t)
        balance = 0.5 + 0.3 * np.sin(2 * np.pi * 4.5 * t + i)
        total += (note * np.exp(-t / (duration_s / 3)))[:, None] * np.stack([balance, 1 - balance], 1)
    return total / len(chord) * swell(t, 0.003, 0.08)[:, None]


def pad(dice: Generator, chord: Sequence[int], duration_s: float, cutoff_hz: float) -> Sound:
    """Detuned saws, wide in stereo, rising slowly."""
    t = clock(duration_s)
    sides = [
        sum(
            voice(midi_hz(midi) * detune, t, cutoff_hz, cutoff_hz * 2.2, duration_s / 2, dice.uniform())
            for midi in chord
            for detune in dice.normal(1, 0.003, 3)
        )
        for _ in range(2)
    ]
    return np.stack(sides, 1) / len(chord) / 3 * swell(t, duration_s * 0.25, duration_s * 0.3)[:, None]
