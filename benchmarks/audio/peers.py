"""What a user could pick instead. librosa always; Essentia and aubio where `pip install -e '.[peers]'` brought them.

Their licences (AGPL, GPL) differ from ours: they are measured, never shipped.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile

HAS_ESSENTIA = importlib.util.find_spec("essentia") is not None
HAS_AUBIO = importlib.util.find_spec("aubio") is not None
if HAS_ESSENTIA:
    import essentia
    import essentia.standard as es

    essentia.log.infoActive = essentia.log.warningActive = False
if HAS_AUBIO:
    import aubio

_ESSENTIA_HZ = 44_100
_LIBROSA_HZ = 22_050
_AUBIO_WINDOW, _AUBIO_HOP = 1024, 512


@dataclass(frozen=True)
class Peer:
    """Another analyser of the same quantity."""

    name: str
    answer: Callable[[Path], Any]


def mono(path: Path, rate_hz: int) -> np.ndarray:
    """A file as float32 [samples]."""
    samples, own_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return librosa.resample(samples.mean(axis=1), orig_sr=own_hz, target_sr=rate_hz, res_type="soxr_hq")


# --------------------------------------------------------------------------------------------------------------- tempo


def _librosa_tempo(path: Path) -> float:
    tempo, _ = librosa.beat.beat_track(y=mono(path, _LIBROSA_HZ), sr=_LIBROSA_HZ)
    return float(np.atleast_1d(tempo)[0])


def _essentia_tempo(method: str) -> Callable[[Path], float]:
    return lambda path: float(es.RhythmExtractor2013(method=method)(mono(path, _ESSENTIA_HZ))[0])


def _essentia_percival(path: Path) -> float:
    return float(es.PercivalBpmEstimator()(mono(path, _ESSENTIA_HZ)))


def _aubio_tempo(path: Path) -> float:
    signal = mono(path, _ESSENTIA_HZ)
    tracker = aubio.tempo("default", _AUBIO_WINDOW, _AUBIO_HOP, _ESSENTIA_HZ)
    beats = [
        tracker.get_last_s()
        for start in range(0, len(signal) - _AUBIO_HOP, _AUBIO_HOP)
        if tracker(signal[start : start + _AUBIO_HOP])
    ]
    return 60.0 / float(np.median(np.diff(beats))) if len(beats) > 1 else 0.0


TEMPO_PEERS = [
    Peer("librosa", _librosa_tempo),
    *([Peer("aubio", _aubio_tempo)] if HAS_AUBIO else []),
    *(
        [
            Peer("Essentia Percival", _essentia_percival),
            Peer("Essentia degara", _essentia_tempo("degara")),
            Peer("Essentia multifeature", _essentia_tempo("multifeature")),
        ]
        if HAS_ESSENTIA
        else []
    ),
]

# ----------------------------------------------------------------------------------------------------------------- key

_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_KRUMHANSL = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
"""Krumhansl and Kessler, 1982."""


def _librosa_key(path: Path) -> str:
    chroma = librosa.feature.chroma_cqt(y=mono(path, _LIBROSA_HZ), sr=_LIBROSA_HZ).mean(axis=1)
    scores = {
        f"{_NAMES[tonic]} {mode}": float(np.corrcoef(chroma, np.roll(profile, tonic))[0, 1])
        for mode, profile in _KRUMHANSL.items()
        for tonic in range(12)
    }
    return max(scores, key=lambda name: scores[name])


def _essentia_key(profile: str) -> Callable[[Path], str]:
    def answer(path: Path) -> str:
        tonic, mode, _ = es.KeyExtractor(profileType=profile)(mono(path, _ESSENTIA_HZ))
        return f"{tonic} {mode}"

    return answer


KEY_PEERS = [
    Peer("librosa CQT + Krumhansl", _librosa_key),
    *(
        [Peer(f"Essentia {name}", _essentia_key(name)) for name in ("edma", "bgate", "temperley2005", "tonictriad")]
        if HAS_ESSENTIA
        else []
    ),
]

# ---------------------------------------------------------------------------------------------------------- everything


def librosa_naive(path: Path) -> None:
    """Every feature asked for by itself, from the signal, as most scripts do."""
    signal = mono(path, _LIBROSA_HZ)
    for feature in ("spectral_centroid", "spectral_bandwidth", "spectral_rolloff", "spectral_contrast", "mfcc"):
        getattr(librosa.feature, feature)(y=signal, sr=_LIBROSA_HZ)
    librosa.feature.spectral_flatness(y=signal)
    librosa.feature.zero_crossing_rate(signal)
    librosa.feature.chroma_cqt(y=signal, sr=_LIBROSA_HZ)
    librosa.feature.tonnetz(y=signal, sr=_LIBROSA_HZ)
    librosa.onset.onset_detect(y=signal, sr=_LIBROSA_HZ)
    librosa.beat.beat_track(y=signal, sr=_LIBROSA_HZ)


def librosa_shared(path: Path) -> None:
    """The same features as far as they can be had from one spectrum; no tonnetz."""
    signal = mono(path, _LIBROSA_HZ)
    magnitude = np.abs(librosa.stft(signal))
    mel_db = librosa.power_to_db(librosa.feature.melspectrogram(S=magnitude**2, sr=_LIBROSA_HZ))
    for feature in ("spectral_centroid", "spectral_bandwidth", "spectral_rolloff", "spectral_contrast"):
        getattr(librosa.feature, feature)(S=magnitude, sr=_LIBROSA_HZ)
    librosa.feature.spectral_flatness(S=magnitude)
    librosa.feature.zero_crossing_rate(signal)
    librosa.feature.mfcc(S=mel_db)
    librosa.feature.chroma_stft(S=magnitude**2, sr=_LIBROSA_HZ)
    strength = librosa.onset.onset_strength(S=mel_db, sr=_LIBROSA_HZ)
    librosa.onset.onset_detect(onset_envelope=strength, sr=_LIBROSA_HZ)
    librosa.beat.beat_track(onset_envelope=strength, sr=_LIBROSA_HZ)


def essentia_extractor(path: Path) -> None:
    """Essentia's MusicExtractor, all that it gives."""
    es.MusicExtractor(lowlevelStats=["mean", "stdev"], rhythmStats=["mean"], tonalStats=["mean"])(str(path))


COST_PEERS = [
    Peer("librosa, one spectrum", librosa_shared),
    Peer("librosa, naive", librosa_naive),
    *([Peer("Essentia MusicExtractor", essentia_extractor)] if HAS_ESSENTIA else []),
]
