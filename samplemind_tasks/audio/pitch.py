"""The note of a one-shot: its fundamental frequency, where it has one.

A spectrum of the steady part behind the attack gives candidates; a small network, trained on rendered and synthetic
notes and on drums without pitch (benchmarks/training/pitch_train.py), weighs the evidence for each. Its softmax over
the candidates and "no pitch" is the confidence.
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from samplemind_tasks.audio.envelope import HOP_SAMPLES, SILENCE, Shape
from samplemind_tasks.audio.pitch_candidates import FFT_SAMPLES, LAGS_A_SAMPLE, candidates
from samplemind_tasks.audio.pitch_evidence import describe
from samplemind_tasks.features import Reason

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

A4_HZ, A4_MIDI = 440.0, 69
FRAME_SAMPLES, _FRAME_HOP_SAMPLES, _FRAMES = 4096, 2048, 3
"""186 ms: four periods of 21 Hz; three of them, overlapping, reach over 372 ms."""
_AFTER_LOUDEST_SAMPLES = 330
"""15 ms: the hammer and the pick have spoken."""
SHORTEST_SAMPLES = 256
"""12 ms: below, nothing has had time to repeat."""
_TRUSTED_LAGS = 0.75
"""Of the frame: beyond, hardly anything overlaps."""
_LEAST_CONFIDENCE = 0.2
"""Below, no note is told."""
_LAGS = 4096
"""2048 samples: two periods of 21 Hz."""
_RUMBLE_BINS = 8
"""Below 22 Hz there is rumble and no pitch."""
_WEIGHTS = Path(__file__).parent / "weights" / "pitch.npz"
_NAMES = ("pitch_midi", "pitch_cents", "pitch_confidence")
_WHOLE_SOUND = (0, 1, 22, 30, 23)
"""Columns of the evidence whose greatest value tells a sound with a pitch from one without."""


@dataclass(frozen=True)
class Pitch:
    """The note as it is told: field names are those of `Features`, `reasons` says why a value is None."""

    pitch_midi: int | None = None
    pitch_cents: float | None = None
    pitch_confidence: float | None = None
    reasons: dict[str, Reason] = field(default_factory=dict)

    @classmethod
    def none(cls, reason: Reason) -> "Pitch":
        """No pitch, for this reason; NOT_ONE_SHOT for a loop or a track."""
        return cls(reasons=dict.fromkeys(_NAMES, reason))


def pitch(signal: Floats, shape: Shape) -> Pitch:
    """Find the note of a one-shot.

    Parameters
    ----------
    signal : float32 [samples], at least one, finite, at 22.05 kHz
    shape : the signal's

    Returns
    -------
    Pitch between MIDI 19 and 110; the confidence is how often such a note is right within half a semitone. The reasons
    are SILENT, TOO_SHORT and UNPITCHED.
    """
    loudest = int(np.argmax(shape.amplitude))
    if shape.amplitude[loudest] < SILENCE:
        return Pitch.none(Reason.SILENT)
    if len(signal) < SHORTEST_SAMPLES:
        return Pitch.none(Reason.TOO_SHORT)
    found_hz, evidence = hear(signal, loudest * HOP_SAMPLES)
    if not len(found_hz):
        return Pitch.none(Reason.UNPITCHED)
    chances = _chances(evidence)
    best = int(np.argmax(chances))
    if chances[best] < _LEAST_CONFIDENCE:
        return Pitch.none(Reason.UNPITCHED)
    note = A4_MIDI + 12.0 * np.log2(found_hz[best] / A4_HZ)
    nearest = round(note)
    return Pitch(nearest, float(100.0 * (note - nearest)), float(chances[best]))


def hear(signal: Floats, loudest_sample: int) -> tuple[Doubles, Floats]:
    """Candidates for the fundamental, float64 [n] in Hz, and the evidence for each, float32 [n, 32]; n may be 0."""
    samples = min(len(signal), FRAME_SAMPLES)
    start = max(min(loudest_sample + _AFTER_LOUDEST_SAMPLES, len(signal) - samples), 0)
    power = _power(signal[start : start + FRAME_SAMPLES + (_FRAMES - 1) * _FRAME_HOP_SAMPLES], samples)
    loudest = float(power.max())
    if not loudest > 0.0:
        return np.empty(0), np.empty((0, 0), dtype=np.float32)
    power /= np.float32(loudest)
    magnitude = np.sqrt(power)
    plain = _autocorrelation(power) / _fall(samples)
    compressed = _autocorrelation(np.cbrt(power))
    longest_lag = int(_TRUSTED_LAGS * LAGS_A_SAMPLE * samples)
    found_hz = candidates(magnitude, plain, compressed, longest_lag)
    return found_hz, describe(magnitude, plain, compressed, found_hz)


def _power(steady: Floats, samples: int) -> Floats:
    """Sum of the power spectra of up to three frames, the softer ones raised: float32 [4097]."""
    # a constant has no pitch, and would be the loudest partial of a low note
    frames = np.lib.stride_tricks.sliding_window_view(steady - steady.mean(), samples)[::_FRAME_HOP_SAMPLES]
    spectra = scipy.fft.rfft(frames * _window(samples), FFT_SAMPLES, workers=1)
    power = np.square(spectra.real) + np.square(spectra.imag)
    power[:, :_RUMBLE_BINS] *= np.linspace(0.0, 1.0, _RUMBLE_BINS, endpoint=False, dtype=np.float32) ** 2
    total = power.sum(axis=1)
    return np.asarray(np.where(total > 0.0, 1.0 / np.sqrt(total + np.float32(1e-30)), 0.0) @ power, dtype=np.float32)


def _autocorrelation(power: Floats) -> Floats:
    """Of a signal with this power spectrum, at half samples: float32 [lags], 1 at lag 0."""
    similarity = scipy.fft.irfft(power, LAGS_A_SAMPLE * FFT_SAMPLES, workers=1)
    return np.asarray(similarity[:_LAGS] / similarity[0], dtype=np.float32)


def _window(samples: int) -> Floats:
    """Hann window: float32 [samples]."""
    return _full_window() if samples == FRAME_SAMPLES else _hann(samples)


@cache
def _full_window() -> Floats:
    return _hann(FRAME_SAMPLES)


def _hann(samples: int) -> Floats:
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(samples) + 0.5) / samples)).astype(np.float32)


def _fall(samples: int) -> Floats:
    """How a Hann window falls off from itself, by which a sound's autocorrelation falls too: float32 [lags].

    Boersma, Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled
    sound, 1993, equation 8.
    """
    return _full_fall() if samples == FRAME_SAMPLES else _fall_of(samples)


@cache
def _full_fall() -> Floats:
    return _fall_of(FRAME_SAMPLES)


def _fall_of(samples: int) -> Floats:
    lags = np.arange(_LAGS, dtype=np.float32) / np.float32(LAGS_A_SAMPLE * samples)
    part = np.minimum(lags, np.float32(_TRUSTED_LAGS))
    turn = np.float32(2.0 * np.pi) * part
    return np.asarray((1 - part) * (2 + np.cos(turn)) / 3 + np.sin(turn) / np.float32(2.0 * np.pi), dtype=np.float32)


def _chances(evidence: Floats) -> Doubles:
    """How likely each candidate is the pitch: float64 [candidates], sum below 1, the rest being "no pitch"."""
    weights = _weights()
    hidden = np.tanh((evidence - weights["mean"]) @ weights["hidden"] + weights["hidden_bias"])
    scores = np.append(hidden @ weights["score"], weights["none"] @ whole_sound(evidence))
    chances = np.exp((scores - scores.max()).astype(np.float64))
    return np.asarray(chances[:-1] / chances.sum())


def whole_sound(evidence: Floats) -> Floats:
    """What of the evidence for the candidates speaks for any pitch at all: float32 [6], the last is 1."""
    return np.append(evidence[:, _WHOLE_SOUND].max(axis=0), np.float32(1.0))


@cache
def _weights() -> dict[str, Floats]:
    """mean [32], hidden [32, n], hidden_bias [n], score [n], none [6]."""
    with np.load(_WEIGHTS) as arrays:
        return {name: arrays[name].astype(np.float32) for name in arrays.files}
