"""How far every feature shared with librosa is from librosa's, frame by frame."""

import warnings
from collections.abc import Callable, Iterable

import librosa
import numpy as np
from numpy.typing import NDArray

from benchmarks.audio.material import HYDROGEN, SONIC_PI, sounds, tracks
from benchmarks.audio.peers import mono
from benchmarks.figures import Figure
from samplemind_tasks.audio import RATE_HZ
from samplemind_tasks.audio.spectrum import Spectrum, decibels, spectrum
from samplemind_tasks.audio.timbre import flux, mfcc

Floats = NDArray[np.float32]

_LONGEST_S = 60
_ZERO = 1e-9
"""What is smaller is compared as if it were this: a silent frame has no relative difference."""
_OURS: dict[str, Callable[[Spectrum], Floats]] = {
    "centroid_hz": lambda sound: sound.centroid_hz,
    "bandwidth_hz": lambda sound: sound.bandwidth_hz,
    "rolloff_hz": lambda sound: sound.rolloff_hz,
    "flatness": lambda sound: sound.flatness,
    "contrast_db": lambda sound: sound.contrast_db,
    "flux": lambda sound: flux(decibels(sound.mel_power)),
    "zero_crossing_rate": lambda sound: sound.zero_crossing_rate,
    "mfcc": lambda sound: mfcc(decibels(sound.mel_power)),
    "rms": lambda sound: sound.rms,
    "mel_power": lambda sound: sound.mel_power,
}


def shared(quick: bool) -> list[Figure]:
    """The features both have, over music, loops and one-shots."""
    paths = [
        *tracks(2 if quick else 8),
        *sounds(SONIC_PI, "sonic-pi-samples", 10 if quick else 40),
        *sounds(HYDROGEN, "hydrogen-drumkits", 10 if quick else 40),
    ]
    found = differences(mono(path, RATE_HZ)[: _LONGEST_S * RATE_HZ] for path in paths)
    worst = max(found, key=lambda name: found[name])
    return [
        Figure(
            "features shared with librosa",
            f"largest median relative difference of {len(found)} features over {len(paths)} sounds",
            f"{found[worst]:.0e} ({worst})",
            "< 1e-03",
            found[worst] < 1e-3,
            {"median_relative_difference": found},
        )
    ]


def differences(signals: Iterable[Floats]) -> dict[str, float]:
    """Compare ours with librosa's defaults.

    Parameters
    ----------
    signals : float32 [samples] each, mono at 22,050 Hz

    Returns
    -------
    Feature name to the median over the signals of the median relative difference over all its numbers
    """
    warnings.filterwarnings("ignore", message="n_fft=.* is too large")  # one-shots are shorter than a frame
    medians: dict[str, list[float]] = {name: [] for name in _OURS}
    for signal in signals:
        sound, theirs = spectrum(signal), _theirs(signal)
        for name, feature in _OURS.items():
            difference = np.abs(feature(sound) - theirs[name]) / np.maximum(np.abs(theirs[name]), _ZERO)
            medians[name].append(float(np.median(difference)))
    return {name: float(np.median(found)) for name, found in medians.items()}


def _theirs(signal: Floats) -> dict[str, Floats]:
    """librosa's numbers, time-major, all from one spectrum."""
    magnitude = np.abs(librosa.stft(signal))
    mel_power = librosa.feature.melspectrogram(S=magnitude**2, sr=RATE_HZ)
    mel_db = librosa.power_to_db(mel_power)
    found = {
        "centroid_hz": librosa.feature.spectral_centroid(S=magnitude, sr=RATE_HZ),
        "bandwidth_hz": librosa.feature.spectral_bandwidth(S=magnitude, sr=RATE_HZ),
        "rolloff_hz": librosa.feature.spectral_rolloff(S=magnitude, sr=RATE_HZ),
        "flatness": librosa.feature.spectral_flatness(S=magnitude),
        "contrast_db": librosa.feature.spectral_contrast(S=magnitude, sr=RATE_HZ),
        "flux": librosa.onset.onset_strength(S=mel_db, sr=RATE_HZ, center=False)[None],
        "zero_crossing_rate": librosa.feature.zero_crossing_rate(signal),
        "mfcc": librosa.feature.mfcc(S=mel_db, sr=RATE_HZ, n_mfcc=20),
        "rms": librosa.feature.rms(y=signal),
        "mel_power": mel_power,
    }
    return {name: values.T if len(values) > 1 else values[0] for name, values in found.items()}
