"""What happens to a sound on its way into a library: another speed, filters, drive, cuts, rooms, lower quality."""

from dataclasses import replace

import numpy as np
import scipy.signal
import soxr

from benchmarks.training.ears_sound import (
    RATE_HZ,
    Doubles,
    Random,
    Sound,
    bandpass,
    clock,
    fading,
    highpass,
    hiss,
    log_uniform,
    lowpass,
    mixed,
    peaking_at,
)

_LONGEST_S = 40.0
_FADE_SAMPLES = 200


def treated(random: Random, sound: Sound, most_octaves: float = 0.35) -> Sound:
    """A variation of a sound that is still what it was.

    Parameters
    ----------
    most_octaves : how far it may be transposed by playing it faster or slower
    """
    signal = peaking_at(sound.signal)
    if random.random() < 0.6:
        signal = _at_speed(signal, 2 ** float(np.clip(random.normal(0, most_octaves / 2), -most_octaves, most_octaves)))
    if random.random() < 0.45:
        signal = _equalised(random, signal)
    if random.random() < 0.3:
        signal = np.tanh(peaking_at(signal) * log_uniform(random, 0.5, 6))
    if random.random() < 0.35:
        signal = _in_a_room(random, signal)
    if random.random() < 0.3:
        signal = _reshaped(random, signal)
    if random.random() < 0.12:
        signal = _lower_quality(random, signal)
    if random.random() < 0.15:
        signal = signal + hiss(random, signal) * log_uniform(random, 1e-4, 6e-3)
    if random.random() < 0.25:
        signal = np.concatenate([np.zeros(int(random.exponential(0.02) * RATE_HZ)), signal])
    if random.random() < 0.2:
        signal = np.concatenate([signal, np.zeros(int(random.exponential(0.5) * RATE_HZ))])
    signal = peaking_at(signal, log_uniform(random, 0.1, 1.0) if random.random() < 0.3 else random.uniform(0.7, 1.0))
    return replace(sound, signal=signal[: int(_LONGEST_S * RATE_HZ)])


def _at_speed(signal: Doubles, factor: float) -> Doubles:
    return np.asarray(soxr.resample(signal, RATE_HZ * factor, RATE_HZ))


def _equalised(random: Random, signal: Doubles) -> Doubles:
    """One to three broad bells, and now and then a filter."""
    for _ in range(int(random.integers(1, 4))):
        low_hz = log_uniform(random, 60, 9000)
        signal = signal + random.uniform(-0.6, 1.5) * bandpass(signal, low_hz, low_hz * random.uniform(1.5, 4))
    if random.random() < 0.2:
        signal = lowpass(signal, log_uniform(random, 2500, 14000), 1)
    return highpass(signal, log_uniform(random, 25, 150), 1) if random.random() < 0.2 else signal


def _in_a_room(random: Random, signal: Doubles) -> Doubles:
    tail = clock(log_uniform(random, 0.1, 1.5))
    echo = lowpass(hiss(random, tail), log_uniform(random, 2000, 12000), 1) * fading(tail, tail[-1] / 6)
    wet = scipy.signal.fftconvolve(signal, echo / np.linalg.norm(echo))
    return mixed(signal, wet * log_uniform(random, 0.02, 0.6))


def _reshaped(random: Random, signal: Doubles) -> Doubles:
    """Cut short with a fade, or made to fall faster."""
    if random.random() < 0.5:
        keep = max(int(len(signal) * random.uniform(0.45, 0.95)), 400)
        signal = np.array(signal[:keep])
        fade = min(int(random.choice([_FADE_SAMPLES, 2000, keep // 3])), keep)
        signal[-fade:] *= np.linspace(1, 0, fade)
        return signal
    t = np.arange(len(signal)) / RATE_HZ
    return signal * np.exp(-t / max(t[-1] * random.uniform(0.3, 1.5), 1e-3))


def _lower_quality(random: Random, signal: Doubles) -> Doubles:
    """Fewer bits, a lower rate: an old sampler."""
    if random.random() < 0.5:
        rate_hz = log_uniform(random, 9000, 30000)
        signal = np.asarray(soxr.resample(soxr.resample(signal, RATE_HZ, rate_hz), rate_hz, RATE_HZ))
    steps = 2 ** random.uniform(6, 11)
    return np.round(peaking_at(signal) * steps) / steps


def layered(random: Random, sound: Sound, other: Sound) -> Sound:
    """A second sound of the same leaf under the first, as producers stack drums."""
    under = peaking_at(other.signal) * random.uniform(0.15, 0.7)
    return replace(sound, signal=mixed(peaking_at(sound.signal), under[: 2 * len(sound.signal)]))
