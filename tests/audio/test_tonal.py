"""Key of cadences in all 24 keys, and none for drums and noise."""

import numpy as np
import pytest

from audio.sounds import RATE_HZ, audio, cadence, drum_loop, kick, noise, sine
from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.tonal import PITCH_CLASSES, camelot
from samplemind_tasks.schemas import Features, Reason


def features(signal: np.ndarray, rate_hz: int = RATE_HZ) -> Features:
    return analyze(audio(signal, rate_hz)).features


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_has_its_key_in_every_key(tonic: int, mode: str) -> None:
    found = features(cadence(tonic, minor=mode == "minor"))
    assert found.key == f"{PITCH_CLASSES[tonic]} {mode}"
    assert found.key_second != found.key
    assert found.key_camelot == camelot(found.key)
    assert found.chroma is not None
    assert max(found.chroma) == 1.0


@pytest.mark.parametrize("cents", [-40, -20, 20, 40])
def test_a_sound_that_is_out_of_tune_keeps_its_key(cents: float) -> None:
    assert features(cadence(4, minor=True, tuning_cents=cents)).key == "E minor"


@pytest.mark.parametrize("rate_hz", [16_000, 48_000, 96_000])
def test_key_does_not_depend_on_the_rate(rate_hz: int) -> None:
    assert features(cadence(7, minor=False, rate_hz=rate_hz), rate_hz).key == "G major"


def test_key_does_not_depend_on_gain() -> None:
    plain, quiet = features(cadence(9, minor=True)), features(cadence(9, minor=True) * np.float32(0.003))
    assert plain.key == quiet.key == "A minor"
    assert quiet.key_confidence == pytest.approx(plain.key_confidence, abs=0.02)


@pytest.mark.parametrize(
    "signal", [noise(3), kick(), drum_loop(120, 2), noise(0.2)], ids=["noise", "kick", "drums", "hit"]
)
def test_drums_and_noise_have_no_key(signal: np.ndarray) -> None:
    found = features(signal)
    assert (found.key, found.key_second, found.key_camelot, found.key_confidence) == (None, None, None, None)
    assert found.reasons["key"] is Reason.ATONAL


def test_the_chroma_of_a_tone_is_its_pitch_class() -> None:
    chroma = features(sine(261.63, 2)).chroma
    assert chroma is not None
    assert chroma[0] == 1.0
    assert max(chroma[1:]) < 0.1


def test_the_camelot_wheel() -> None:
    wheel = {"C major": "8B", "A minor": "8A", "B major": "1B", "Ab minor": "1A", "E major": "12B", "C# minor": "12A"}
    assert {key: camelot(key) for key in wheel} == wheel
    keys = [f"{tonic} {mode}" for tonic in PITCH_CLASSES for mode in ("major", "minor")]
    assert len({camelot(key) for key in keys}) == 24
