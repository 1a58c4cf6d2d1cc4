"""A drum machine with a tone, a noise and a metal behind each button, and buttons set differently in every machine.

What a table of ranges says of a drum is all that the machine knows; within them all is drawn. This is how sounds differ
between makers: analogue, FM, ring modulation, early samples of few bits.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.training.ears_sound import (
    Doubles,
    Random,
    bandpass,
    clock,
    driven,
    gliding,
    highpass,
    hiss,
    log_uniform,
    lowpass,
    peaking_at,
    square_cluster,
)

Range = tuple[float, float]


@dataclass(frozen=True)
class Button:
    """Ranges of one drum: levels 0 to 1, frequencies in Hz, times to fall to 1/e in s."""

    fall_s: Range
    tone: Range = (0.0, 0.0)
    tone_hz: Range = (100.0, 100.0)
    drop_octaves: Range = (0.0, 0.0)
    noise: Range = (0.0, 0.0)
    noise_low_hz: Range = (500.0, 500.0)
    noise_octaves: Range = (1.0, 4.0)
    metal: Range = (0.0, 0.0)
    metal_hz: Range = (300.0, 1000.0)
    metal_low_hz: Range = (500.0, 5000.0)
    metal_octaves: Range = (8.0, 8.0)
    bursts: tuple[int, int] = (1, 1)
    attack_s: Range = (0.0003, 0.002)


BUTTONS = {
    "electronic kick": Button((0.02, 0.3), (1, 1), (36, 80), (0.3, 4), (0, 0.3), (200, 4000)),
    "808 kick": Button((0.2, 0.6), (1, 1), (40, 62), (0.1, 1.5), (0, 0.05), (200, 3000)),
    "electronic snare": Button(
        (0.018, 0.2), (0.05, 0.9), (120, 340), (0, 1.2), (0.3, 1), (200, 6000), (1.5, 6), (0, 0.2)
    ),
    "rim": Button(
        (0.003, 0.03), (0.2, 1), (350, 2300), (0, 0.6), (0.1, 1), (600, 5000), (1, 4), (0, 0.5), (300, 1500),
        (300, 2500),
    ),
    "clap": Button((0.012, 0.15), noise=(1, 1), noise_low_hz=(400, 2000), noise_octaves=(0.8, 4), bursts=(2, 5)),
    "closed hat": Button(
        (0.006, 0.045), noise=(0, 1), noise_low_hz=(3000, 11000), metal=(0, 1), metal_hz=(200, 2000),
        metal_low_hz=(3000, 11000),
    ),
    "open hat": Button(
        (0.05, 0.4), noise=(0, 1), noise_low_hz=(4000, 11000), metal=(0, 1), metal_hz=(200, 2000),
        metal_low_hz=(4000, 11000),
    ),
    "crash": Button(
        (0.07, 1.2), noise=(0.2, 1), noise_low_hz=(600, 9000), noise_octaves=(1.5, 5), metal=(0, 0.9),
        metal_hz=(150, 1200), metal_low_hz=(400, 9000), attack_s=(0.0003, 0.02),
    ),
    "ride": Button(
        (0.08, 1.3), noise=(0, 0.4), noise_low_hz=(3000, 10000), metal=(0.5, 1), metal_hz=(250, 2000),
        metal_low_hz=(1500, 10000), tone=(0, 0.25), tone_hz=(1000, 7000),
    ),
    "electronic tom": Button((0.02, 0.4), (1, 1), (70, 380), (0.02, 1.5), (0, 0.5), (200, 3000)),
    "cowbell": Button(
        (0.012, 0.2), tone=(0, 0.6), tone_hz=(450, 1100), metal=(0.8, 1), metal_hz=(380, 800), metal_low_hz=(300, 700),
        metal_octaves=(1, 3.5),
    ),
    "shaker": Button(
        (0.015, 0.07), noise=(1, 1), noise_low_hz=(2500, 10000), noise_octaves=(0.7, 3), attack_s=(0.006, 0.05)
    ),
    "maracas": Button(
        (0.006, 0.03), noise=(1, 1), noise_low_hz=(3000, 10000), noise_octaves=(0.7, 3), attack_s=(0.003, 0.02)
    ),
    "tambourine": Button(
        (0.015, 0.15), noise=(0.2, 1), noise_low_hz=(4000, 9500), metal=(0.3, 1), metal_hz=(1200, 5000),
        metal_low_hz=(4000, 8500), bursts=(1, 4),
    ),
    "conga": Button((0.015, 0.2), (1, 1), (140, 420), (0, 0.25), (0, 0.15), (500, 2500)),
    "bongo": Button((0.007, 0.1), (1, 1), (300, 800), (0, 0.25), (0, 0.15), (800, 3000)),
    "clave": Button((0.008, 0.05), (1, 1), (1700, 3000), (0, 0.05)),
    "woodblock": Button((0.006, 0.05), (1, 1), (500, 1600), (0, 0.2), (0, 0.15), (800, 3000), metal=(0, 0.2)),
}  # fmt: skip


def pressed(random: Random, leaf: str) -> Doubles:
    """One hit of a machine that was made for it."""
    button = BUTTONS[leaf]
    fall_s = log_uniform(random, *button.fall_s)
    t = clock(float(np.clip(6 * fall_s, 0.06, 3.5)))
    signal = np.zeros(len(t))
    if button.tone[1] and (level := random.uniform(*button.tone)):
        signal += level * _tone(random, t, button, fall_s)
    noise, metal = random.uniform(*button.noise), random.uniform(*button.metal)
    if button.noise[1] and button.metal[1] and random.random() < 0.5:  # many machines have only one of them
        noise, metal = (noise, 0.0) if noise > metal else (0.0, metal)
    if noise:
        low_hz = log_uniform(random, *button.noise_low_hz)
        band = bandpass(hiss(random, t), low_hz, low_hz * 2 ** random.uniform(*button.noise_octaves))
        signal += noise * peaking_at(band) * _falling(random, t, fall_s * random.uniform(0.5, 1), button.attack_s)
    if metal:
        signal += metal * peaking_at(_metal(random, t, button)) * _falling(random, t, fall_s, button.attack_s)
    if random.random() < 0.3:
        signal += random.uniform(0, 0.5) * peaking_at(hiss(random, t)) * np.exp(-t / 0.0015)
    signal = _in_bursts(random, signal, int(random.integers(button.bursts[0], button.bursts[1] + 1)))
    return driven(signal, log_uniform(random, 0.2, 3)) if random.random() < 0.5 else signal


def _tone(random: Random, t: Doubles, button: Button, fall_s: float) -> Doubles:
    glide_s = log_uniform(random, 0.006, max(fall_s, 0.01))
    hz = log_uniform(random, *button.tone_hz) * 2 ** (random.uniform(*button.drop_octaves) * np.exp(-t / glide_s))
    kind = random.random()
    if kind < 0.2:  # FM
        depth = random.uniform(0.2, 3) * np.exp(-t / (fall_s * random.uniform(0.1, 0.8)))
        tone = np.sin(2 * np.pi * np.cumsum(hz) / 44_100 + depth * gliding(hz * random.uniform(0.5, 3), t))
    elif kind < 0.35:
        tone = 2 / np.pi * np.arcsin(gliding(hz, t))
    else:
        tone = gliding(hz, t) + random.choice([0, 0, 0.4]) * gliding(hz * random.uniform(1.4, 2.1), t)
    return np.asarray(tone * _falling(random, t, fall_s, (0.0003, 0.001)))


def _metal(random: Random, t: Doubles, button: Button) -> Doubles:
    hz = log_uniform(random, *button.metal_hz)
    kind = random.random()
    if kind < 0.45:
        metal = square_cluster(random, t, hz, int(random.integers(2, 7)))
    elif kind < 0.7:  # ring modulation
        metal = np.sign(gliding(hz, t)) * np.sign(gliding(hz * random.uniform(1.3, 9), t))
    else:  # FM far beyond a tone
        metal = np.sin(2 * np.pi * hz * t + random.uniform(2, 12) * gliding(hz * random.uniform(1.3, 9), t))
    low_hz = log_uniform(random, *button.metal_low_hz)
    metal = highpass(metal, low_hz, int(random.integers(1, 4)))
    high_hz = low_hz * 2 ** random.uniform(*button.metal_octaves)
    return lowpass(metal, high_hz, 1) if high_hz < 20_000 else metal


def _falling(random: Random, t: Doubles, fall_s: float, attack_s: Range) -> Doubles:
    """Exponential, straight, held and let go, or first fast and then slow."""
    rise = np.minimum(t / log_uniform(random, *attack_s), 1.0)
    kind = random.random()
    if kind < 0.4:
        return np.asarray(rise * np.exp(-t / fall_s))
    if kind < 0.65:
        first = random.uniform(0.4, 0.9)
        fast = np.exp(-t / (fall_s * random.uniform(0.05, 0.3)))
        return np.asarray(rise * (first * fast + (1 - first) * np.exp(-t / fall_s)))
    if kind < 0.85:
        return np.asarray(rise * np.clip(1 - t / (random.uniform(2, 4) * fall_s), 0, 1) ** random.uniform(1, 3))
    return np.asarray(rise / (1 + np.exp((t - random.uniform(0.8, 1.8) * fall_s) / (0.2 * fall_s))))


def _in_bursts(random: Random, signal: Doubles, count: int) -> Doubles:
    """The same again a few milliseconds later, the last one longest."""
    if count == 1:
        return signal
    apart = int(random.uniform(0.006, 0.02) * 44_100)
    total = np.zeros(len(signal) + apart * count)
    for place in range(count):
        cut = signal if place == count - 1 else signal[:apart] * np.linspace(1, 0.1, apart)
        total[place * apart : place * apart + len(cut)] += cut * random.uniform(0.6, 1)
    return total
