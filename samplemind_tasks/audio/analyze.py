"""The whole analysis on one page: one decode, one shared spectrum, every analyser, one record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from samplemind_tasks.audio import ANALYSIS_VERSION
from samplemind_tasks.audio.envelope import Shape, shape
from samplemind_tasks.audio.fingerprint import fingerprint
from samplemind_tasks.audio.kind import KindGuess, is_unsure, kind, reconsidered
from samplemind_tasks.audio.listen import Heard
from samplemind_tasks.audio.pitch import A4_HZ, A4_MIDI, Pitch, pitch
from samplemind_tasks.audio.rhythm import Onsets, onsets
from samplemind_tasks.audio.rounding import rounded
from samplemind_tasks.audio.spectrum import spectrum
from samplemind_tasks.audio.tempo import HeardTempo, hear_tempo, pulse
from samplemind_tasks.audio.timbre import timbre
from samplemind_tasks.audio.tonal import Tonal, tonal
from samplemind_tasks.audio.words import words
from samplemind_tasks.features import Evidence, Features, Kind, Reason

_MOST_ONSETS = 4096


class Finding(Protocol):
    """What one analyser found: attributes named as in `Features`, and why a value is None."""

    @property
    def reasons(self) -> dict[str, Reason]:
        """Field name to why it is null."""


@dataclass(frozen=True)
class Measured:
    """What one sound gave: its features, and its waveform as int8 [bins, 2] of (lowest, highest), as bytes."""

    features: Features
    peaks: bytes
    peaks_detail: bytes


def analyze(
    heard: Heard, evidence: Sequence[Evidence] = (), tempo_range_bpm: tuple[float, float] | None = None
) -> Measured:
    """Measure one sound.

    Parameters
    ----------
    heard : finite samples of any rate, number of channels and length, as `listen` took them in
    evidence : what the file says about itself
    tempo_range_bpm : lowest and highest tempo a person expects; the tempo is told in there, if one of its octaves is

    Returns
    -------
    Measured; every number is finite, every value that does not exist is None and has its reason
    """
    silent, signal, duration_s = heard.levels.is_silent, heard.signal, heard.extent.duration_s
    begun, envelope = onsets(signal, silent=silent), shape(signal)
    guess, tones, tempo = _nature(heard, begun, envelope)
    is_one_shot = guess.kind is Kind.ONE_SHOT
    # many events have no single attack and no single note
    gesture = envelope if is_one_shot else Shape.of_many_events(envelope.amplitude)
    note = pitch(signal, envelope) if is_one_shot else Pitch.none(Reason.NOT_ONE_SHOT)
    sound = spectrum(signal)
    colour = timbre(sound, silent=silent)
    beat = pulse(tempo, begun, guess.kind, duration_s, evidence, silent=silent, tempo_range_bpm=tempo_range_bpm)
    hz = _fundamental_hz(note)
    told = {
        **_container(heard),
        "kind": guess.kind,
        "kind_confidence": guess.confidence,
        "evidence": list(evidence),
        "onset_count": begun.onset_count,
        "onset_times_s": begun.onset_times_s[:_MOST_ONSETS].tolist(),
        "fingerprint": fingerprint(sound.mel_power, silent=silent),
        "words": words(sound, colour, attack_s=gesture.attack_s, decay_s=gesture.decay_s, pitch_hz=hz),
    }
    features = _record(told, (heard.levels, colour, beat, tones, gesture, note))
    return Measured(features, heard.overview.tobytes(), heard.detail.tobytes())


def _nature(heard: Heard, begun: Onsets, envelope: Shape) -> tuple[KindGuess, Tonal, HeardTempo | None]:
    """What the sound is: its kind first, since it decides what else is looked for, then its key and its tempo.

    An unsure one-shot of many onsets is looked at again once its tempo is known.
    """
    silent, duration_s = heard.levels.is_silent, heard.extent.duration_s
    guess = kind(heard.signal, begun.onset_times_s, envelope, duration_s)
    tones = tonal(heard.signal, silent=silent, is_one_shot=guess.kind is Kind.ONE_SHOT)
    if guess.kind is Kind.ONE_SHOT and not is_unsure(guess, begun.onset_count):
        return guess, tones, None
    tempo = hear_tempo(begun, heard.extent.measured_s, drums_alone=tones.key is None)
    return reconsidered(guess, begun.onset_count, tempo, duration_s), tones, tempo


def _fundamental_hz(note: Pitch) -> float | None:
    if note.pitch_midi is None or note.pitch_cents is None:
        return None
    return float(A4_HZ * 2 ** ((note.pitch_midi - A4_MIDI + note.pitch_cents / 100) / 12))


def _container(heard: Heard) -> dict[str, object]:
    return {
        "analysis_version": ANALYSIS_VERSION,
        "container": heard.format.container,
        "codec": heard.format.codec,
        "rate_hz": heard.format.rate_hz,
        "channels": heard.format.channels,
        "bit_depth": heard.format.bit_depth,
        "duration_s": heard.extent.duration_s,
        "measured_s": heard.extent.measured_s,
        "pcm_hash": heard.pcm_hash,
        "notes": list(heard.extent.notes),
    }


def _record(told: dict[str, object], findings: Sequence[Finding]) -> Features:
    """Put what was found under the names of `Features`, rounded, with all reasons together."""
    reasons = {} if told["bit_depth"] is not None else {"bit_depth": Reason.UNKNOWN}
    if told["fingerprint"] is None:
        reasons["fingerprint"] = Reason.SILENT
    fields = dict(told)
    for finding in findings:
        reasons |= finding.reasons
        fields |= {name: value for name, value in vars(finding).items() if name in Features.model_fields}
    return Features.model_validate({name: _told(value) for name, value in fields.items()} | {"reasons": reasons})


def _told(value: object) -> object:
    """Numbers rounded; spreads are already."""
    if isinstance(value, float):
        return float(rounded(np.asarray(value)))
    if isinstance(value, list) and value and isinstance(value[0], float):
        return rounded(np.array(value)).tolist()
    return value
