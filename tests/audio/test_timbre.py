"""Timbre over the whole of a sound, against librosa and numpy."""

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audio.sounds import cadence, drum_loop, hat, noise, sine
from samplemind_tasks.audio import RATE_HZ
from samplemind_tasks.audio.mel import mel_filterbank
from samplemind_tasks.audio.spectrum import decibels, spectrum
from samplemind_tasks.audio.timbre import flux, mfcc, spread, spreads, timbre
from samplemind_tasks.features import Reason

pytestmark = pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")

SOUNDS = {
    "drums": drum_loop(120, 1, RATE_HZ),
    "chords": cadence(2, minor=True, rate_hz=RATE_HZ),
    "noise": noise(1.0, RATE_HZ),
    "hat": hat(RATE_HZ),
    "silence then sound": np.concatenate([np.zeros(RATE_HZ, dtype=np.float32), noise(0.5, RATE_HZ)]),
}


@pytest.mark.parametrize(("scale", "htk"), [("slaney", False), ("htk", True)])
def test_the_mel_filterbank_is_that_of_librosa(scale: str, htk: bool) -> None:
    expected = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=96, htk=htk)
    np.testing.assert_allclose(mel_filterbank(16_000, 512, 96, scale).T, expected, atol=1e-7)


@pytest.mark.parametrize("signal", SOUNDS.values(), ids=SOUNDS)
def test_mfcc_and_flux_are_those_of_librosa(signal: np.ndarray) -> None:
    mel_db = decibels(spectrum(signal).mel_power)
    np.testing.assert_allclose(mfcc(mel_db).T, librosa.feature.mfcc(y=signal), rtol=1e-3, atol=5e-3)
    np.testing.assert_allclose(flux(mel_db), librosa.onset.onset_strength(y=signal, center=False), rtol=1e-3, atol=1e-3)


@given(arrays(np.float32, st.tuples(st.integers(1, 50), st.integers(1, 4)), elements=st.floats(-1e6, 1e6, width=32)))
@settings(max_examples=100, deadline=None)
def test_spreads_are_those_of_numpy(matrix: np.ndarray) -> None:
    exact = matrix.astype(np.float64)
    found = [[one.mean, one.deviation, one.p10, one.p50, one.p90] for one in spreads(matrix)]
    expected = [exact.mean(axis=0), exact.std(axis=0), *np.percentile(exact, [10, 50, 90], axis=0)]
    np.testing.assert_allclose(found, np.array(expected).T, rtol=5e-6, atol=1e-6 * np.abs(exact).max() + 1e-9)


def test_a_single_frame_has_no_deviation() -> None:
    alone = spread(np.array([3.0], dtype=np.float32))
    assert (alone.mean, alone.deviation, alone.p10, alone.p50, alone.p90) == (3.0, 0.0, 3.0, 3.0, 3.0)


def test_timbre_tells_a_tone_from_noise() -> None:
    tone, hiss = (timbre(spectrum(signal), silent=False) for signal in (sine(440, 1, RATE_HZ), noise(1, RATE_HZ)))
    assert tone.centroid_hz.p50 == pytest.approx(440, abs=2)
    assert hiss.centroid_hz.p50 == pytest.approx(RATE_HZ / 4, rel=0.05)
    assert tone.flatness.p50 < 1e-6 < 0.3 < hiss.flatness.p50 < 0.8
    assert tone.bandwidth_hz.p50 < 20 < 2000 < hiss.bandwidth_hz.p50
    assert tone.zero_crossing_rate.p50 == pytest.approx(2 * 440 / RATE_HZ, rel=0.03)
    assert max(octave.p50 for octave in tone.contrast_db) > 2 * max(octave.p50 for octave in hiss.contrast_db)
    assert (len(tone.contrast_db), len(tone.mfcc)) == (7, 20)


def test_beats_are_where_the_spectrum_rises() -> None:
    steady, beating = (
        timbre(spectrum(signal), silent=False) for signal in (noise(2, RATE_HZ), drum_loop(120, 1, RATE_HZ))
    )
    assert beating.flux.p90 > 2 * beating.flux.p50
    assert steady.flux.p90 < 2 * steady.flux.p50


def test_silence_has_no_timbre_and_says_why() -> None:
    found = timbre(spectrum(np.zeros(1000, dtype=np.float32)), silent=True)
    values = {name: value for name, value in vars(found).items() if name != "reasons"}
    assert set(values.values()) == {None}
    assert found.reasons == dict.fromkeys(values, Reason.SILENT)


@pytest.mark.parametrize("value", [0.0, 1.0, -1000.0, 1e-42, 1e30])
@pytest.mark.parametrize("samples", [1, 2, 511, 40_000])
def test_any_signal_has_a_finite_timbre(value: float, samples: int) -> None:
    found = timbre(spectrum(np.full(samples, value, dtype=np.float32)), silent=False)
    alone = (
        found.centroid_hz,
        found.bandwidth_hz,
        found.rolloff_hz,
        found.flatness,
        found.flux,
        found.zero_crossing_rate,
    )
    for one in (*alone, *found.contrast_db, *found.mfcc):
        assert np.isfinite(list(one.model_dump().values())).all()
        assert one.p10 <= one.p50 <= one.p90
