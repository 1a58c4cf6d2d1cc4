"""Pitch classes: which of the twelve notes sound in each frame, freed of the tuning and of the octave."""

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.kernels import kernel
from samplemind_tasks.audio.partials import Partials

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

PITCH_CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
REGISTERS = 5
"""Bass below C3, three octaves, and everything from C6."""
_FIRST_OCTAVE = 3
"""Of MIDI pitches 36 to 47; what lies lower belongs to it too."""
_EPSILON = np.float32(1e-12)
# Radius of the circles of fifths, minor thirds and major thirds (Harte et al. 2006).
_CIRCLES = ((1.0, 7 / 6), (1.0, 3 / 2), (0.5, 2 / 3))


def tuning_semitones(found: Partials) -> float:
    """How far the sound is tuned from A = 440 Hz: -0.5 to 0.5 semitones, circular mean weighted by magnitude."""
    angle = found.pitch * np.float32(2 * np.pi)
    return float(np.arctan2(found.magnitude @ np.sin(angle), found.magnitude @ np.cos(angle)) / (2 * np.pi))


def notes(found: Partials, tuning: float) -> Floats:
    """Magnitude of each pitch class in each register and frame: float32 [frames, 5, 12], 12 from C.

    Parameters
    ----------
    found : the partials of a sound
    tuning : semitones, taken off every pitch; a partial halfway between two notes speaks for neither
    """
    return _notes(found.frame, found.pitch, found.magnitude, found.frames, tuning)


@kernel("float32[:, :, ::1](int32[::1], float32[::1], float32[::1], int64, float64)")
def _notes(frame: NDArray[np.int32], pitch: Floats, magnitude: Floats, frames: int, tuning: float) -> Floats:
    found = np.zeros((frames, REGISTERS, 12), np.float32)
    for i in range(len(frame)):
        tuned = pitch[i] - tuning
        nearest = int(np.rint(tuned))
        aside = 2.0 * (tuned - nearest)
        register = min(max(nearest // 12 - _FIRST_OCTAVE, 0), REGISTERS - 1)
        found[frame[i], register, nearest % 12] += magnitude[i] * (1.0 - aside * aside) ** 2
    return found


def chroma(magnitudes: Floats) -> Floats:
    """Pitch classes of each frame, the strongest is 1: float32 [frames, 12] of `notes`; zeros where nothing sounds."""
    classes = magnitudes.sum(axis=1)
    return np.asarray(classes / (classes.max(axis=1, keepdims=True) + _EPSILON))


def tonnetz(classes: Floats) -> Floats:
    """Where the pitch classes of each frame lie on the circles of fifths, minor thirds and major thirds.

    Harte, Sandler and Gasser, Detecting harmonic change in musical audio, 2006; as `librosa.feature.tonnetz` of the
    same chroma.

    Parameters
    ----------
    classes : float32 [frames, 12] from C, >= 0

    Returns
    -------
    float32 [frames, 6], sine and cosine of each circle, -1 to 1; zeros where nothing sounds
    """
    return np.asarray((classes / (classes.sum(axis=1, keepdims=True) + _EPSILON)) @ _TONNETZ.T)


def _tonnetz_basis() -> Floats:
    classes = np.arange(12)
    rows = [radius * turn(np.pi * steps * classes) for radius, steps in _CIRCLES for turn in (np.sin, np.cos)]
    return np.asarray(rows, dtype=np.float32)


_TONNETZ = _tonnetz_basis()
