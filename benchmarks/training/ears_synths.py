"""Notes, chords, textures and effects of synthesisers that do not exist, with everything drawn anew."""

from collections.abc import Callable

import numpy as np

from benchmarks.training.ears_sound import (
    RATE_HZ,
    Doubles,
    Random,
    bandpass,
    chosen,
    clock,
    driven,
    fading,
    gliding,
    hiss,
    log_uniform,
    lowpass,
    midi_hz,
    mixed,
    peaking_at,
    swelling,
    voice,
    wave_levels,
)

CHORDS = ((0,), (0,), (0, 12), (0, 7), (0, 3, 7), (0, 4, 7), (0, 3, 7, 10), (0, 4, 7, 11), (0, 5, 7), (0, 7, 12, 16))


def _levels(random: Random) -> Doubles:
    """The partials of some oscillator."""
    wave = chosen(random, ("saw", "square", "triangle", "drawn"), (0.45, 0.3, 0.1, 0.15))
    if wave != "drawn":
        return wave_levels(wave)
    order = np.arange(1.0, 120.0)
    return np.asarray(random.uniform(0, 1, len(order)) * order ** -random.uniform(0.3, 1.8))


def oscillators(
    random: Random, t: Doubles, hz: Doubles | float, bright_hz: float, dark_hz: float, close_s: float, voices: int = 0
) -> Doubles:
    """One to seven detuned oscillators behind one filter."""
    levels, detune = _levels(random), log_uniform(random, 0.0005, 0.01)
    count = voices or int(random.choice([1, 1, 2, 3, 5]))
    return sum(
        (
            voice(random, t, hz * random.normal(1, detune if count > 1 else 1e-6), levels, bright_hz, dark_hz, close_s)
            for _ in range(count)
        ),
        np.zeros(len(t)),
    )


def _fm(random: Random, t: Doubles, hz: float, most: float, fall_s: float) -> Doubles:
    """Two operators."""
    depth = random.uniform(0.3, most) * (fading(t, fall_s) + random.uniform(0, 0.3))
    ratio = float(random.choice([0.5, 1, 1, 2, 3, 4, 1.41, 3.5, 7]))
    return np.sin(2 * np.pi * hz * t + depth * np.sin(2 * np.pi * ratio * hz * t))


def synth_bass(random: Random) -> Doubles:
    """A low note whose filter closes."""
    t, hz = clock(random.uniform(0.2, 1.6)), midi_hz(random.uniform(26, 50))
    bright_hz = log_uniform(random, 300, 6000)
    if random.random() < 0.2:
        tone = _fm(random, t, hz, 4, log_uniform(random, 0.05, 0.5))
    else:
        tone = oscillators(random, t, hz, bright_hz, hz * random.uniform(1.5, 8), log_uniform(random, 0.03, 0.6))
    tone = peaking_at(tone) + random.uniform(0, 0.8) * np.sin(2 * np.pi * hz * random.choice([0.5, 1, 1]) * t)
    shape = swelling(t, log_uniform(random, 0.001, 0.02), 0.04) * (
        fading(t, log_uniform(random, 0.15, 3)) if random.random() < 0.6 else 1
    )
    return driven(tone * shape, log_uniform(random, 0.3, 4))


def growl_bass(random: Random) -> Doubles:
    """Detuned, distorted, moving."""
    t, hz = clock(random.uniform(0.4, 3)), midi_hz(random.uniform(25, 48))
    tone = oscillators(random, t, hz, 9000, 9000, 1.0, voices=int(random.integers(2, 6)))
    if random.random() < 0.3:
        tone = _fm(random, t, hz, 8, 3.0)
    wobble = 0.5 - 0.5 * np.cos(2 * np.pi * log_uniform(random, 0.3, 12) * t + random.uniform(0, 6))
    dark, open_ = lowpass(tone, log_uniform(random, 90, 500)), lowpass(tone, log_uniform(random, 800, 6000))
    moving = peaking_at(dark) * (1 - wobble) + peaking_at(open_) * wobble
    return driven(moving, log_uniform(random, 1.5, 12)) * swelling(t, 0.005, 0.05)


def sub(random: Random) -> Doubles:
    """Almost a sine, far down."""
    t, hz = clock(random.uniform(0.3, 3)), midi_hz(random.uniform(22, 40))
    tone = gliding(hz, t) + random.uniform(0, 0.12) * gliding(2 * hz, t) + random.uniform(0, 0.06) * gliding(3 * hz, t)
    return driven(tone * swelling(t, log_uniform(random, 0.003, 0.05), 0.05), log_uniform(random, 0.1, 1.2))


def bass_808(random: Random) -> Doubles:
    """The long kick that is played as a bass."""
    fall_s, hz = log_uniform(random, 0.5, 1.5), midi_hz(random.uniform(24, 42))
    t = clock(min(random.uniform(1.5, 4) * fall_s, 4))
    tone = gliding(hz * (1 + random.uniform(0, 3) * np.exp(-t / 0.015)), t) * fading(t, fall_s, 0.001)
    return driven(tone, log_uniform(random, 0.3, 8)) * swelling(t, 1e-4, 0.03)


def synth_lead(random: Random) -> Doubles:
    """A bright single line, held."""
    t, hz = clock(random.uniform(0.3, 2.5)), midi_hz(random.uniform(55, 90))
    vibrato = random.choice([0, 1]) * random.uniform(0.001, 0.012) * np.sin(2 * np.pi * random.uniform(4, 7) * t)
    slide = 2 ** (random.choice([0, 0, 0, 1]) * random.uniform(-0.5, 0.5) * np.exp(-t / 0.06))
    bright_hz = log_uniform(random, 2000, 16000)
    if random.random() < 0.15:
        tone = _fm(random, t, hz, 6, 1.0)
    else:
        tone = oscillators(random, t, hz * slide * (1 + vibrato), bright_hz, bright_hz * random.uniform(0.2, 1), 0.5)
    tone = driven(tone, log_uniform(random, 0.3, 5)) * swelling(t, log_uniform(random, 0.002, 0.05), 0.06)
    return perhaps_echoed(random, tone)


def stab(random: Random) -> Doubles:
    """A short synthetic chord."""
    t, chord = clock(random.uniform(0.15, 0.7)), CHORDS[int(random.integers(4, len(CHORDS)))]
    root, bright_hz = random.uniform(48, 72), log_uniform(random, 1000, 12000)
    close_s = log_uniform(random, 0.03, 0.4)
    notes = [oscillators(random, t, midi_hz(root + step), bright_hz, bright_hz / 6, close_s, 2) for step in chord]
    return perhaps_echoed(random, mixed(*notes) * swelling(t, 0.002, 0.06) * fading(t, log_uniform(random, 0.1, 1)))


def pad(random: Random) -> Doubles:
    """A chord that rises slowly and stays."""
    seconds = log_uniform(random, 1.5, 9)
    t, chord = clock(seconds), CHORDS[int(random.integers(len(CHORDS)))]
    root, cutoff_hz = random.uniform(40, 72), log_uniform(random, 400, 7000)
    parts = [
        oscillators(random, t, midi_hz(root + step), cutoff_hz, cutoff_hz * log_uniform(random, 0.3, 3), seconds / 2, 3)
        for step in chord
    ]
    air = bandpass(hiss(random, t), 2000, 9000) * random.uniform(0, 0.05)
    shape = swelling(t, seconds * random.uniform(0.03, 0.45), seconds * random.uniform(0.05, 0.4))
    return perhaps_echoed(random, (peaking_at(mixed(*parts)) + air) * shape, likely=0.6)


def ambience(random: Random) -> Doubles:
    """A dark drone: a few slow partials, noise far away, a room."""
    seconds = log_uniform(random, 3, 12)
    t = clock(seconds)
    total, root_hz = np.zeros(len(t)), log_uniform(random, 40, 220)
    for _ in range(int(random.integers(3, 9))):
        hz = root_hz * random.choice([1, 1.5, 2, 2.01, 3, 4, random.uniform(1, 8)])
        drift = 1 + random.uniform(0, 0.01) * np.sin(2 * np.pi * random.uniform(0.05, 0.5) * t + random.uniform(0, 6))
        beating = 0.5 + 0.5 * np.sin(2 * np.pi * random.uniform(0.05, 0.7) * t + random.uniform(0, 6))
        total += gliding(hz * drift, t) * beating * random.uniform(0.2, 1)
    low_hz = log_uniform(random, 60, 2000)
    wind = bandpass(hiss(random, t), low_hz, low_hz * random.uniform(1.3, 6)) * random.uniform(0, 1)
    moving = 0.6 + 0.4 * np.sin(2 * np.pi * random.uniform(0.1, 0.6) * t)
    shape = swelling(t, seconds * random.uniform(0.02, 0.5), seconds * random.uniform(0.05, 0.5))
    return roomy(random, (peaking_at(total) + peaking_at(wind) * random.uniform(0, 0.8) * moving) * shape)


def synth_pluck(random: Random) -> Doubles:
    """A note that is over when the filter closes."""
    fall_s = log_uniform(random, 0.05, 0.35)
    t, hz = clock(min(6 * fall_s, 1.8)), midi_hz(random.uniform(48, 90))
    steps = CHORDS[int(random.integers(len(CHORDS)))] if random.random() < 0.3 else (0,)
    bright_hz = log_uniform(random, 1500, 14000)
    notes = [
        _fm(random, t, hz * 2 ** (step / 12), 4, fall_s / 2) if random.random() < 0.25
        else oscillators(random, t, hz * 2 ** (step / 12), bright_hz, hz * 1.5, fall_s * random.uniform(0.2, 0.8))
        for step in steps
    ]  # fmt: skip
    return perhaps_echoed(random, mixed(*notes) * fading(t, fall_s, 0.001))


def perhaps_echoed(random: Random, signal: Doubles, likely: float = 0.25) -> Doubles:
    return roomy(random, signal) if random.random() < likely else signal


def roomy(random: Random, signal: Doubles) -> Doubles:
    """In a room, or repeated by a delay."""
    if random.random() < 0.3:
        apart = int(random.uniform(0.1, 0.4) * RATE_HZ)
        return mixed(*(np.concatenate([np.zeros(n * apart), signal * random.uniform(0.3, 0.6) ** n]) for n in range(4)))
    tail = clock(log_uniform(random, 0.4, 4))
    echo = lowpass(hiss(random, tail), log_uniform(random, 2000, 10000)) * fading(tail, tail[-1] / 5)
    size = len(signal) + len(tail)
    wet = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(echo / np.linalg.norm(echo), size), size)
    return mixed(signal, wet * random.uniform(0.1, 0.9))


SYNTHS: dict[str, Callable[[Random], Doubles]] = {
    "synth bass": synth_bass,
    "growl bass": growl_bass,
    "sub": sub,
    "808 bass": bass_808,
    "synth lead": synth_lead,
    "stab": stab,
    "pad": pad,
    "ambience": ambience,
    "synth pluck": synth_pluck,
}
