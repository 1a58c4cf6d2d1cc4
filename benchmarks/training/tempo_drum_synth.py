"""Synthesised drum kits with drawn parameters: kicks, snares, claps, hats, toms and bells of no sound font."""

import numpy as np
import scipy.signal

from benchmarks.training import tempo_patterns as patterns

_METAL = {
    patterns.HAT: 0.03,
    patterns.PEDAL_HAT: 0.03,
    patterns.OPEN_HAT: 0.25,
    patterns.CRASH: 0.9,
    patterns.RIDE: 0.35,
}
_SHAKEN = {patterns.SHAKER: 0.04, patterns.TAMBOURINE: 0.08}
_KICKS = {patterns.KICK, patterns.SURDO, patterns.MUTE_SURDO}
_SNARES = {patterns.SNARE, patterns.SNARE_2, patterns.TIMBALE}


class SynthKit:
    """One drawn kit."""

    def __init__(self, random: np.random.Generator, rate_hz: int) -> None:
        self._random, self._rate_hz = random, rate_hz
        self._sounds: dict[int, np.ndarray] = {}
        self._levels: dict[int, float] = {}

    def render(self, hits: list[patterns.Hit], seconds: float) -> np.ndarray:
        """Float [samples] of the hits."""
        signal = np.zeros(round(seconds * self._rate_hz))
        for hit in hits:
            if hit.drum not in self._sounds:
                self._sounds[hit.drum] = self._sound(hit.drum)
                self._levels[hit.drum] = 10 ** self._random.uniform(-0.5, 0.0)
            start = round(hit.time_s * self._rate_hz)
            sound = self._sounds[hit.drum][: max(len(signal) - start, 0)]
            signal[start : start + len(sound)] += sound * self._levels[hit.drum] * (hit.velocity / 127) ** 1.5
        return signal

    def _sound(self, drum: int) -> np.ndarray:
        if drum in _METAL:
            return 0.3 * self._noise(_METAL[drum] * self._random.uniform(0.6, 2.0), self._random.uniform(3000, 7000))
        if drum in _SHAKEN:
            return 0.25 * self._noise(_SHAKEN[drum] * self._random.uniform(0.6, 2.0), self._random.uniform(2000, 5000))
        if drum in _KICKS:
            return self._drum(
                self._random.uniform(40, 65), self._random.uniform(0.06, 0.35), self._random.uniform(1.5, 5.0)
            )
        if drum in _SNARES:
            tone = self._drum(self._random.uniform(150, 240), self._random.uniform(0.04, 0.12), 1.3)
            noise = self._noise(self._random.uniform(0.05, 0.2), self._random.uniform(600, 2500))
            return _sum(0.6 * tone, self._random.uniform(0.3, 0.9) * noise)
        if drum == patterns.CLAP:
            burst = self._noise(0.01, 900)
            gap = round(0.011 * self._rate_hz)
            late = [np.concatenate([np.zeros(gap * turn), burst]) for turn in range(3)]
            return 0.6 * _sum(*late, np.concatenate([np.zeros(3 * gap), self._noise(0.1, 900)]))
        if drum in patterns.TOMS:
            return self._drum(80.0 + 30.0 * patterns.TOMS[::-1].index(drum), self._random.uniform(0.1, 0.3), 1.4)
        return 0.6 * self._drum(self._random.uniform(250, 2500), self._random.uniform(0.015, 0.1), 1.05)

    def _noise(self, decay_s: float, high_pass_hz: float) -> np.ndarray:
        count = round(5 * decay_s * self._rate_hz)
        noise = self._random.standard_normal(count) * np.exp(-np.arange(count) / (decay_s * self._rate_hz))
        filters = scipy.signal.butter(2, high_pass_hz, "highpass", fs=self._rate_hz, output="sos")
        return np.asarray(scipy.signal.sosfilt(filters, noise))

    def _drum(self, pitch_hz: float, decay_s: float, drop: float) -> np.ndarray:
        """A sine whose pitch falls from `drop` times its end."""
        time_s = np.arange(round(5 * decay_s * self._rate_hz)) / self._rate_hz
        cycles = pitch_hz * (time_s + (drop - 1) * 0.02 * (1 - np.exp(-time_s / 0.02)))
        return np.asarray(np.sin(2 * np.pi * cycles) * np.exp(-time_s / decay_s))


def _sum(*sounds: np.ndarray) -> np.ndarray:
    total = np.zeros(max(len(sound) for sound in sounds))
    for sound in sounds:
        total[: len(sound)] += sound
    return total
