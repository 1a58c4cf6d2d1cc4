"""Tonal content: chroma and key."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.audio.spectrum import Spectrum, power_blocks
from samplemind_tasks.schemas import Reason

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

FFT_SAMPLES = 8192
HOP_SAMPLES = 4096
"""372 ms: neighbouring semitones stay apart down to 50 Hz."""
LOWEST_HZ, HIGHEST_HZ = 50.0, 3500.0
_QUIETEST = 1e-3
"""A peak below -60 dB of its frame is not heard."""
_SUBHARMONICS = 6
_SUBHARMONIC_DECAY = 0.8
_LOWEST_PITCH = 28
_QUIET_FRAME = 0.02
_EDGE_FRAMES = 3
_EDGE_WEIGHT = 5.0
"""Music begins and ends at home: the first and the last half second speak this much louder."""
_LONE_NOTE = 0.9
"""A pitch class with this part of the magnitude sounds alone."""

# Drums and noise miss at least one of these three; music passes all.
_LEAST_SHARE = 0.5
_LEAST_CONTRAST = 0.15
_LEAST_CORRELATION = 0.68
A4_HZ, A4_PITCH = 440.0, 69

PITCH_CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
# How much each degree from the tonic sounds, in three bodies of music; a key is judged by the mean of all three.
_PROFILES_BY_SOURCE = {
    # Albrecht and Shanahan, The use of large corpora to train a new type of key-finding algorithm, 2013: scores.
    "albrecht": (
        (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
        (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
    ),
    # Faraldo et al., Key estimation in electronic dance music, 2016: recordings, learnt.
    "edma": (
        (0.165, 0.047, 0.083, 0.067, 0.100, 0.093, 0.053, 0.132, 0.052, 0.074, 0.069, 0.064),
        (0.172, 0.040, 0.076, 0.120, 0.056, 0.085, 0.050, 0.135, 0.075, 0.050, 0.092, 0.055),
    ),
    # The same authors, 2017: recordings, simplified.
    "bgate": (
        (1.00, 0.00, 0.42, 0.00, 0.53, 0.37, 0.00, 0.77, 0.00, 0.38, 0.21, 0.30),
        (1.00, 0.00, 0.36, 0.39, 0.00, 0.38, 0.00, 0.74, 0.27, 0.00, 0.42, 0.23),
    ),
}


@dataclass(frozen=True)
class Peaks:
    """Peaks of the spectrum of every frame.

    Attributes
    ----------
    frame : int64 [peaks], the frame each peak is in, of `frames`
    pitch : float64 [peaks], semitones where 69 is A = 440 Hz
    magnitude : float32 [peaks]
    share : 0 to 1, the part of the power between 50 and 3500 Hz that lies in the peaks
    """

    frame: NDArray[np.int64]
    pitch: Doubles
    magnitude: Floats
    frames: int
    share: float


@dataclass(frozen=True)
class Tonal:
    """The key as it is told: field names are those of `Features`, `reasons` says why a value is None."""

    key: str | None = None
    key_confidence: float | None = None
    key_second: str | None = None
    key_camelot: str | None = None
    chroma: list[float] | None = None
    reasons: dict[str, Reason] = field(default_factory=dict)


_KEY_NAMES = ("key", "key_confidence", "key_second", "key_camelot")


def tonal(sound: Spectrum, *, silent: bool) -> Tonal:
    """Find the pitch classes of a sound and the key they make."""
    if silent:
        return Tonal(reasons=dict.fromkeys((*_KEY_NAMES, "chroma"), Reason.SILENT))
    peaks = spectral_peaks(sound)
    classes = pitch_classes(peaks)
    if classes is None:
        return Tonal(reasons=dict.fromkeys((*_KEY_NAMES, "chroma"), Reason.ATONAL))
    chroma = [float(part) for part in classes / classes.max()]
    correlations = key_correlations(classes)
    best, second = np.argsort(correlations)[:-3:-1]
    contrast = float(np.std(chroma))
    if peaks.share < _LEAST_SHARE or contrast < _LEAST_CONTRAST or correlations[best] < _LEAST_CORRELATION:
        return Tonal(chroma=chroma, reasons=dict.fromkeys(_KEY_NAMES, Reason.ATONAL))
    return Tonal(
        key=KEYS[best],
        key_confidence=key_confidence(correlations[best], correlations[best] - correlations[second]),
        key_second=KEYS[second],
        key_camelot=camelot(KEYS[best]),
        chroma=chroma,
    )


def key_confidence(correlation: float, margin: float) -> float:
    """How often a key that correlates this well, and this much better than the next, is right: 0 to 1.

    A logistic model fitted to 232 scores, riffs, pads and progressions of known key; the scores are the benchmark's.
    """
    return float(1.0 / (1.0 + np.exp(8.4 - 9.8 * correlation - 9.5 * margin)))


def spectral_peaks(sound: Spectrum) -> Peaks:
    """Local maxima of a fine spectrum (8192 points, hop 4096), their frequency by a parabola through three bins."""
    low = int(LOWEST_HZ * FFT_SAMPLES / sound.rate_hz)
    high = int(HIGHEST_HZ * FFT_SAMPLES / sound.rate_hz)
    found: list[tuple[NDArray[np.int64], Doubles, Floats]] = []
    frames, total_power, peak_power = 0, 0.0, 0.0
    for power in power_blocks(sound.signal, FFT_SAMPLES, HOP_SAMPLES):
        magnitude = np.sqrt(power[:, low - 1 : high + 2])
        middle, below, above = magnitude[:, 1:-1], magnitude[:, :-2], magnitude[:, 2:]
        heard = _QUIETEST * np.sqrt(power.max(axis=1, keepdims=True)) + 1e-9
        frame, index = np.nonzero((middle > below) & (middle >= above) & (middle > heard))
        top, left, right = middle[frame, index], below[frame, index], above[frame, index]
        offset = 0.5 * (left - right) / (left - 2 * top + right - 1e-12)
        frequency_hz = (index + low + offset) * (sound.rate_hz / FFT_SAMPLES)
        found.append((frame + frames, A4_PITCH + 12.0 * np.log2(frequency_hz / A4_HZ), top))
        frames += len(power)
        total_power += float(np.square(middle, dtype=np.float64).sum())
        peak_power += float((np.square(top) + np.square(left) + np.square(right)).sum())
    frame, pitch, magnitude = (np.concatenate(column) for column in zip(*found, strict=True))
    return Peaks(frame, pitch, magnitude, frames, min(peak_power / (total_power + 1e-20), 1.0))


def tuning_semitones(peaks: Peaks) -> float:
    """How far the sound is tuned from A = 440 Hz: -0.5 to 0.5 semitones, circular mean weighted by magnitude."""
    angle = 2 * np.pi * peaks.pitch
    return float(np.arctan2(peaks.magnitude @ np.sin(angle), peaks.magnitude @ np.cos(angle)) / (2 * np.pi))


def pitch_classes(peaks: Peaks) -> Doubles | None:
    """How much of each pitch class sounds, with the tuning removed.

    Each peak speaks for itself and, more softly, for the five notes whose overtone it could be (Gomez, Tonal
    description of polyphonic audio for music content processing, 2006). Every frame counts the same, unless quiet.

    Returns
    -------
    float64 [12] from C; None where there is no peak
    """
    if not len(peaks.frame):
        return None
    chroma = _chroma_by_frame(peaks)
    strongest = chroma.max(axis=1)
    audible = strongest > _QUIET_FRAME * strongest.max()
    if not audible.any():
        return None
    weight = np.ones(np.count_nonzero(audible))
    weight[:_EDGE_FRAMES] = _EDGE_WEIGHT
    weight[-_EDGE_FRAMES:] = _EDGE_WEIGHT
    return np.asarray((weight / strongest[audible]) @ chroma[audible] / weight.sum())


def _chroma_by_frame(peaks: Peaks) -> Doubles:
    """Pitch classes of each frame, float64 [frames, 12]."""
    pitch = peaks.pitch - tuning_semitones(peaks)
    # Below a lone sine there are no notes whose overtone it could be.
    harmonics = 1 if _is_lone_note(pitch, peaks.magnitude) else _SUBHARMONICS
    chroma = np.zeros(peaks.frames * 12)
    for harmonic in range(1, harmonics + 1):
        fundamental = pitch - 12.0 * np.log2(harmonic)
        nearest = np.rint(fundamental)
        # Halfway between two notes speaks for neither.
        weight = peaks.magnitude * np.cos(np.pi * (fundamental - nearest).astype(np.float32)) ** 2
        weight *= _SUBHARMONIC_DECAY ** (harmonic - 1) * (fundamental > _LOWEST_PITCH)
        cells = peaks.frame * 12 + nearest.astype(np.int64) % 12
        chroma += np.bincount(cells, weight, len(chroma))
    return chroma.reshape(-1, 12)


def _is_lone_note(pitch: Doubles, magnitude: Floats) -> bool:
    by_class = np.bincount(np.rint(pitch).astype(np.int64) % 12, magnitude, 12)
    return bool(by_class.max() > _LONE_NOTE * by_class.sum())


def _key_profiles() -> Doubles:
    """Mean profile of each of the 24 keys of `KEYS`, every source without its mean and of length 1: [24, 12]."""
    total = np.zeros((24, 12))
    for modes in _PROFILES_BY_SOURCE.values():
        profiles = np.array([np.roll(mode, tonic) for mode in modes for tonic in range(12)])
        profiles -= profiles.mean(axis=1, keepdims=True)
        total += profiles / np.linalg.norm(profiles, axis=1, keepdims=True)
    return total / len(_PROFILES_BY_SOURCE)


KEYS = tuple(f"{tonic} {mode}" for mode in ("major", "minor") for tonic in PITCH_CLASSES)
_PROFILES = _key_profiles()


def key_correlations(classes: Doubles) -> Doubles:
    """Correlation of float64 [12] with the profile of each of the 24 `KEYS`: float64 [24], -1 to 1."""
    centred = classes - classes.mean()
    return np.asarray(_PROFILES @ centred / (np.linalg.norm(centred) + 1e-12))


def camelot(key: str) -> str:
    """A key's place on the Camelot wheel, where neighbours mix well: "A minor" is "8A", "C major" is "8B"."""
    tonic, mode = key.split()
    pitch_class = PITCH_CLASSES.index(tonic)
    relative_major = pitch_class if mode == "major" else pitch_class + 3
    return f"{(7 * relative_major + 7) % 12 + 1}{'B' if mode == 'major' else 'A'}"
