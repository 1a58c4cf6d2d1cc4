"""The whole analysis on one page: one shared spectrum, every analyser, one record."""

from dataclasses import dataclass

from samplemind_tasks.audio import ANALYSIS_VERSION
from samplemind_tasks.audio.decode import Audio
from samplemind_tasks.audio.kind import kind
from samplemind_tasks.audio.loudness import Loudness, is_silent, loudness
from samplemind_tasks.audio.peaks import waveform_peaks
from samplemind_tasks.audio.rhythm import Pulse, pulse, rhythm
from samplemind_tasks.audio.spectrum import spectrum
from samplemind_tasks.audio.timbre import Timbre, timbre
from samplemind_tasks.audio.tonal import Tonal, tonal
from samplemind_tasks.schemas import Features, Reason, Spread

_DIGITS = 6
"""Significant digits kept: finer than any of it is measured."""


@dataclass(frozen=True)
class Measured:
    """What one sound gave: its features, and its waveform as int8 [bins, 2] of (lowest, highest), as bytes."""

    features: Features
    peaks: bytes


def analyze(audio: Audio) -> Measured:
    """Measure one decoded sound.

    Parameters
    ----------
    audio : finite samples of any rate, number of channels and length

    Returns
    -------
    Measured; every number is finite, every value that does not exist is None and has its reason
    """
    silent = is_silent(audio.samples)
    sound = spectrum(audio.samples, audio.rate_hz)
    heard = rhythm(sound, silent=silent)
    guess = kind(sound, heard, audio.duration_s)
    features = _record(
        audio,
        {"kind": guess.kind, "kind_confidence": guess.confidence, "onset_count": len(heard.onset_times_s)},
        loudness(audio.samples, audio.rate_hz),
        timbre(sound, silent=silent),
        pulse(heard, guess.kind, silent=silent),
        tonal(sound, silent=silent),
    )
    return Measured(features=features, peaks=waveform_peaks(audio.samples).tobytes())


def _record(audio: Audio, told: dict[str, object], *findings: Loudness | Timbre | Pulse | Tonal) -> Features:
    """Put what was found under the names of `Features`, rounded, with all reasons together."""
    reasons = {} if audio.bit_depth is not None else {"bit_depth": Reason.UNKNOWN}
    fields: dict[str, object] = {
        "analysis_version": ANALYSIS_VERSION,
        "container": audio.container,
        "codec": audio.codec,
        "rate_hz": audio.rate_hz,
        "channels": audio.samples.shape[1],
        "bit_depth": audio.bit_depth,
        "duration_s": audio.duration_s,
        "measured_s": audio.measured_s,
        "notes": list(audio.notes),
        **told,
    }
    for finding in findings:
        reasons |= finding.reasons
        fields |= {name: value for name, value in vars(finding).items() if name in Features.model_fields}
    return Features.model_validate({name: _rounded(value) for name, value in fields.items()} | {"reasons": reasons})


def _rounded(value: object) -> object:
    """Round every number to six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, Spread):
        return {"mean": _rounded(value.mean), "deviation": _rounded(value.deviation)}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
