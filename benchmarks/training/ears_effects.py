"""Risers, impacts, sweeps, zaps, glitches, scratches, noises: what is neither a drum nor a note."""

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
    highpass,
    hiss,
    log_uniform,
    lowpass,
    mixed,
    peaking_at,
    swelling,
)


def _moving_band(random: Random, t: Doubles, hz: Doubles, width: float) -> Doubles:
    """Noise around a frequency that moves: low-passed noise, heterodyned."""
    slow = lowpass(hiss(random, t), 200 * width)
    slower = lowpass(hiss(random, t), 200 * width)
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    return peaking_at(slow * np.cos(phase) + slower * np.sin(phase))


def riser(random: Random) -> Doubles:
    """Up, in pitch, in brightness, in loudness, and often in the rate of its beats."""
    seconds = log_uniform(random, 0.8, 9)
    t = clock(seconds)
    part = t / t[-1]
    octaves, base_hz = random.uniform(1.5, 5), log_uniform(random, 60, 600)
    hz = np.minimum(base_hz * 2 ** (octaves * part ** random.uniform(0.7, 2)), 12000)
    kind = chosen(random, ("noise", "tone", "both", "reversed"))
    noise = _moving_band(random, t, np.minimum(hz * random.uniform(1, 6), 14000), random.uniform(2, 20))
    tone = np.sign(gliding(hz, t)) if random.random() < 0.3 else gliding(hz, t) + 0.4 * gliding(hz * 1.503, t)
    if kind == "reversed":
        metal = highpass(hiss(random, t), log_uniform(random, 500, 4000))
        return np.asarray((metal * fading(t, seconds / random.uniform(3, 7)))[::-1])
    signal = {"noise": noise, "tone": peaking_at(tone), "both": noise + random.uniform(0.2, 1) * peaking_at(tone)}[kind]
    if random.random() < 0.3:
        signal = signal * (0.5 + 0.5 * gliding(random.uniform(2, 6) * 2 ** (2.5 * part), t))
    signal = signal * part ** random.uniform(0.5, 3)
    return _washed(random, signal) if random.random() < 0.3 else signal


def sweep(random: Random) -> Doubles:
    """Down, or up and down: a downlifter, a whoosh."""
    seconds = log_uniform(random, 0.4, 7)
    t = clock(seconds)
    part = t / t[-1]
    if random.random() < 0.5:
        course, loudness = 1 - part, (1 - part) ** random.uniform(0.7, 3)
    else:
        top = random.uniform(0.25, 0.75)
        course = loudness = np.exp(-(((part - top) / random.uniform(0.1, 0.3)) ** 2))
    hz = np.minimum(log_uniform(random, 80, 600) * 2 ** (random.uniform(1.5, 5) * course), 13000)
    noise = _moving_band(random, t, hz * 2, random.uniform(2, 25))
    tone = gliding(hz, t) * random.choice([0, 1]) * random.uniform(0.2, 1)
    return _washed(random, (noise + tone) * loudness)


def impact(random: Random) -> Doubles:
    """A boom with a crash and a long room."""
    seconds = log_uniform(random, 1.2, 6)
    t = clock(seconds)
    boom_hz = log_uniform(random, 32, 75) * (1 + random.uniform(0.5, 5) * np.exp(-t / random.uniform(0.02, 0.15)))
    boom = gliding(boom_hz, t) * fading(t, seconds * random.uniform(0.1, 0.3))
    low_hz = log_uniform(random, 100, 1500)
    burst = bandpass(hiss(random, t), low_hz, low_hz * random.uniform(3, 15)) * fading(
        t, log_uniform(random, 0.03, 0.5)
    )
    signal = random.uniform(0.3, 1) * boom + random.uniform(0.2, 1) * peaking_at(burst)
    return _washed(random, driven(signal, log_uniform(random, 0.5, 6)), random.uniform(0.4, 1.5))


def zap(random: Random) -> Doubles:
    """A laser: a fast fall (or climb) through many octaves."""
    t = clock(log_uniform(random, 0.06, 0.9))
    low_hz, octaves = log_uniform(random, 60, 500), random.uniform(2, 6)
    course = np.exp(-t / (t[-1] * random.uniform(0.05, 0.4)))
    course = course[::-1] if random.random() < 0.2 else course
    tone = gliding(np.minimum(low_hz * 2 ** (octaves * course), 15000), t)
    tone = np.sign(tone) if random.random() < 0.4 else tone
    if random.random() < 0.3:
        tone = tone * np.sign(gliding(log_uniform(random, 20, 200), t))
    return tone * swelling(t, 0.001, t[-1] * random.uniform(0.1, 0.9))


def glitch(random: Random) -> Doubles:
    """Bits of tones and noise, stuttering."""
    total = np.zeros(int(log_uniform(random, 0.08, 1.5) * RATE_HZ))
    for _ in range(int(random.integers(2, 14))):
        bit = clock(log_uniform(random, 0.003, 0.12))
        kind = chosen(random, ("noise", "tone", "click", "held"))
        low_hz = log_uniform(random, 200, 6000)
        grain = {
            "noise": bandpass(hiss(random, bit), low_hz, low_hz * 3),
            "tone": np.sign(np.sin(2 * np.pi * low_hz * bit)),
            "click": fading(bit, 0.0005),
            "held": np.repeat(random.uniform(-1, 1, len(bit) // 40 + 1), 40)[: len(bit)],
        }[kind]
        start, repeats = int(random.uniform(0, len(total) * 0.9)), int(random.choice([1, 1, 3, 6]))
        for repeat in range(repeats):
            place = start + repeat * len(bit)
            fits = max(min(len(grain), len(total) - place), 0)
            total[place : place + fits] += peaking_at(grain)[:fits] * random.uniform(0.2, 1)
    return total


def scratch(random: Random) -> Doubles:
    """A record moved by hand: a texture read at changing speeds, back and forth."""
    seconds = random.uniform(0.12, 1.2)
    t = clock(seconds)
    source_t = clock(1.0)
    source = peaking_at(bandpass(hiss(random, source_t), 300, 4000)) * 0.5
    hz = log_uniform(random, 100, 500)
    source = source + np.sign(np.sin(2 * np.pi * hz * source_t)) * random.uniform(0.2, 1)
    strokes = random.uniform(1, 6)
    place = 0.5 + 0.45 * np.sin(2 * np.pi * strokes * (t / seconds) ** random.uniform(0.7, 1.5) / 2)
    moved = np.interp(place * (len(source) - 1), np.arange(len(source)), source)
    speed = np.abs(np.gradient(place))
    return bandpass(moved * (speed / speed.max()) ** 0.5, 150, 9000)


def soundscape(random: Random) -> Doubles:
    """Machines, wind, rain, something that chirps, beeps or speaks like a robot."""
    t = clock(log_uniform(random, 0.6, 6))
    kind = chosen(random, ("wind", "machine", "chirps", "robot", "beeps"))
    if kind == "wind":
        return _moving_band(random, t, 500 * 2 ** np.sin(2 * np.pi * random.uniform(0.1, 0.6) * t), 10) * swelling(
            t, 0.3, 0.3
        )
    if kind == "machine":
        hum = np.sign(
            gliding(log_uniform(random, 25, 150) * (1 + 0.05 * np.sin(2 * np.pi * random.uniform(0.5, 8) * t)), t)
        )
        return bandpass(hum + 0.5 * hiss(random, t), 80, log_uniform(random, 800, 6000)) * swelling(t, 0.05, 0.1)
    if kind == "robot":
        carrier = np.sign(gliding(log_uniform(random, 60, 300), t))
        steps = np.repeat(random.uniform(300, 3000, int(t[-1] / 0.09) + 2), int(0.09 * RATE_HZ) + 1)[: len(t)]
        return carrier * gliding(steps, t) * (0.3 + 0.7 * (np.sin(2 * np.pi * random.uniform(2, 9) * t) > 0))
    total = np.zeros(len(t))
    for start_s in np.sort(random.uniform(0, t[-1] * 0.9, int(random.integers(1, 12)))):
        bit = clock(random.uniform(0.03, 0.25))
        hz = log_uniform(random, 500, 5000)
        bend = random.uniform(-1.5, 1.5) * bit / bit[-1] if kind == "chirps" else 0.0
        grain = gliding(hz * 2**bend, bit) * np.hanning(len(bit)) ** 0.3
        start = int(start_s * RATE_HZ)
        total[start : start + len(grain)] += grain[: len(total) - start]
    return total


def noise(random: Random) -> Doubles:
    """White, pink, brown or of a band, and it stays."""
    t = clock(log_uniform(random, 0.4, 6))
    tilt = random.choice([0.0, 0.5, 1.0])
    spectrum = np.fft.rfft(hiss(random, t)) * np.arange(1, len(t) // 2 + 2) ** -tilt
    signal = np.fft.irfft(spectrum, len(t))
    if random.random() < 0.5:
        low_hz = log_uniform(random, 60, 5000)
        signal = bandpass(signal, low_hz, low_hz * log_uniform(random, 1.5, 40))
    return signal * swelling(t, log_uniform(random, 0.002, 0.5), log_uniform(random, 0.005, 0.8))


def crackle(random: Random) -> Doubles:
    """Dust on a record, over its hiss."""
    t = clock(log_uniform(random, 0.6, 6))
    clicks = np.zeros(len(t))
    count = int(t[-1] * log_uniform(random, 4, 200)) + 2
    clicks[random.integers(0, len(t), count)] = random.standard_normal(count) * random.pareto(2.5, count)
    dust = bandpass(clicks, log_uniform(random, 300, 2000), log_uniform(random, 3000, 14000))
    surface = bandpass(hiss(random, t), 100, log_uniform(random, 2000, 10000))
    return np.clip(peaking_at(dust) * 2, -1, 1) + peaking_at(surface) * log_uniform(random, 0.01, 0.2)


def _washed(random: Random, signal: Doubles, wet: float | None = None) -> Doubles:
    tail = clock(log_uniform(random, 0.6, 4))
    echo = lowpass(hiss(random, tail), log_uniform(random, 1500, 9000)) * fading(tail, tail[-1] / 5)
    size = len(signal) + len(tail)
    room = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(echo / np.linalg.norm(echo), size), size)
    return mixed(signal, room * (random.uniform(0, 0.8) if wet is None else wet))


EFFECTS: dict[str, Callable[[Random], Doubles]] = {
    "riser": riser, "sweep": sweep, "impact": impact, "zap": zap, "glitch": glitch, "scratch": scratch,
    "soundscape": soundscape, "noise": noise, "crackle": crackle,
}  # fmt: skip
