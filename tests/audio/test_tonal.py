"""Key of cadences in all 24 keys, and none for drums and noise."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.sounds import cadence, drum_loop, kick, noise, sine
from samplemind_tasks.audio.partials import RATE_HZ
from samplemind_tasks.audio.tonal import KEYS, PITCH_CLASSES, Tonal, camelot, tonal
from samplemind_tasks.features import Reason

KEY_FIELDS = ("key", "key_confidence", "key_second", "key_camelot", "tuning_cents")


def heard(signal: np.ndarray) -> Tonal:
    return tonal(signal, silent=False)


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_has_its_key_in_every_key(tonic: int, mode: str) -> None:
    found = heard(cadence(tonic, minor=mode == "minor", rate_hz=RATE_HZ))
    assert found.key == f"{PITCH_CLASSES[tonic]} {mode}"
    assert found.key_second != found.key
    assert found.key_camelot == camelot(found.key)


@pytest.mark.parametrize("cents", [-40, -20, 20, 40])
def test_a_sound_that_is_out_of_tune_keeps_its_key_and_tells_by_how_much(cents: float) -> None:
    found = heard(cadence(4, minor=True, rate_hz=RATE_HZ, tuning_cents=cents))
    assert found.key == "E minor"
    assert found.tuning_cents == pytest.approx(cents, abs=3)


@pytest.mark.parametrize("gain", [0.003, 1000.0])
def test_key_does_not_depend_on_gain(gain: float) -> None:
    signal = cadence(9, minor=True, rate_hz=RATE_HZ)
    plain, changed = heard(signal), heard(signal * np.float32(gain))
    assert plain.key == changed.key == "A minor"
    assert changed.key_confidence == pytest.approx(plain.key_confidence, abs=0.01)


@pytest.mark.parametrize(
    "signal",
    [noise(3, RATE_HZ), kick(RATE_HZ), drum_loop(120, 2, RATE_HZ), noise(0.2, RATE_HZ)],
    ids=["noise", "kick", "drums", "hit"],
)
def test_drums_and_noise_have_no_key(signal: np.ndarray) -> None:
    found = heard(signal)
    assert all(getattr(found, name) is None for name in KEY_FIELDS)
    assert found.reasons == dict.fromkeys(KEY_FIELDS, Reason.ATONAL)


def test_silence_has_nothing() -> None:
    found = tonal(np.zeros(RATE_HZ, np.float32), silent=True)
    assert set(found.reasons) == {*KEY_FIELDS, "chroma", "tonnetz"}
    assert set(found.reasons.values()) == {Reason.SILENT}


def test_the_chroma_of_a_tone_is_its_pitch_class() -> None:
    chroma = heard(sine(261.63, 2, RATE_HZ)).chroma
    assert chroma is not None
    assert chroma[0].p50 == 1.0
    assert max(spread.mean for spread in chroma[1:]) < 0.1


def test_tonnetz_is_that_of_librosa() -> None:
    from samplemind_tasks.audio.chroma import tonnetz

    classes = np.random.default_rng(0).random((20, 12), dtype=np.float32)
    np.testing.assert_allclose(tonnetz(classes), librosa.feature.tonnetz(chroma=classes.T).T, atol=1e-5)


def test_the_camelot_wheel() -> None:
    wheel = {"C major": "8B", "A minor": "8A", "B major": "1B", "Ab minor": "1A", "E major": "12B", "C# minor": "12A"}
    assert {key: camelot(key) for key in wheel} == wheel
    assert len({camelot(key) for key in KEYS}) == 24


@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.sampled_from([1, 2, 3, 100, 4095, 4096, 4097, 9000, 30_000]),
    shape=st.sampled_from(["zeros", "offset", "impulse", "noise", "square", "steps", "denormal"]),
    peak=st.sampled_from([1e-30, 1e-6, 1.0, 1000.0]),
)
@settings(max_examples=150, deadline=None)
def test_any_array_gives_numbers_in_range_or_reasons(seed: int, length: int, shape: str, peak: float) -> None:
    found = heard(_odd(shape, length, np.random.default_rng(seed)) * np.float32(peak))
    for name in (*KEY_FIELDS, "chroma", "tonnetz"):
        assert (getattr(found, name) is None) == (name in found.reasons)
    if found.key is not None:
        assert found.key in KEYS
        assert 0 <= found.key_confidence <= 1
        assert -50 <= found.tuning_cents <= 50
    for spread in (*(found.chroma or ()), *(found.tonnetz or ())):
        assert np.isfinite([spread.mean, spread.deviation, spread.p10, spread.p50, spread.p90]).all()
        assert spread.deviation >= 0
        assert -1.001 <= spread.p10 <= spread.p50 <= spread.p90 <= 1.001


def _odd(shape: str, length: int, random: np.random.Generator) -> np.ndarray:
    signal = np.zeros(length, np.float32)
    if shape == "offset":
        signal[:] = 1
    elif shape == "impulse":
        signal[random.integers(length)] = 1
    elif shape == "noise":
        signal = random.standard_normal(length).astype(np.float32)
    elif shape == "square":
        signal = np.sign(np.sin(np.arange(length) * random.uniform(0.01, 3))).astype(np.float32)
    elif shape == "steps":
        signal = np.repeat(random.uniform(-1, 1, length // 50 + 1), 50)[:length].astype(np.float32)
    elif shape == "denormal":
        signal = (random.standard_normal(length) * 1e-41).astype(np.float32)
    return signal


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0], ids=["white", "pink", "brown"])
@pytest.mark.parametrize("seconds", [2, 20, 60])
def test_noise_of_any_colour_and_length_has_no_key(seconds: int, slope: float) -> None:
    spectrum = np.fft.rfft(np.random.default_rng(seconds).standard_normal(seconds * RATE_HZ))
    spectrum[1:] /= np.arange(1, len(spectrum)) ** slope
    signal = np.fft.irfft(spectrum)
    assert heard((0.5 * signal / np.abs(signal).max()).astype(np.float32)).reasons["key"] is Reason.ATONAL


def test_a_click_in_minutes_of_silence_has_no_key() -> None:
    signal = np.zeros(300 * RATE_HZ, np.float32)
    signal[-RATE_HZ : -RATE_HZ + 200] = noise(1.0, RATE_HZ)[:200]
    assert heard(signal).reasons["key"] is Reason.ATONAL
