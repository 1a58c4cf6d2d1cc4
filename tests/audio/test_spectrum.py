"""The shared spectrum against librosa, frame by frame, on sounds of every kind."""

import os
import tracemalloc
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audio.sounds import cadence, drum_loop, noise, sine
from samplemind_tasks.audio import RATE_HZ
from samplemind_tasks.audio.mel import mel_filterbank, sparse
from samplemind_tasks.audio.spectrum import (
    FFT_SAMPLES,
    HOP_SAMPLES,
    Spectrum,
    mel_frames,
    power_blocks,
    spectrum,
)

CORPUS = Path(os.environ.get("SAMPLEMIND_CORPUS", "/nowhere"))
pytestmark = pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")

SOUNDS = {
    "drums": drum_loop(120, 1, RATE_HZ),
    "chords": cadence(2, minor=True, rate_hz=RATE_HZ) + noise(2.0, RATE_HZ, peak=1e-4),
    "noise": noise(1.0, RATE_HZ),
    "quiet noise": noise(1.0, RATE_HZ, peak=1e-4),
    "silence then sound": np.concatenate([np.zeros(RATE_HZ, dtype=np.float32), noise(0.5, RATE_HZ)]),
    "short": noise(0.02, RATE_HZ),
    "one sample": np.ones(1, dtype=np.float32),
    "silence": np.zeros(1000, dtype=np.float32),
    "offset": noise(0.5, RATE_HZ) + np.float32(0.5),
}
"""Tones lie over a little noise, as they do in any file of 16 bits: what rounding leaves of silence is not compared."""
FEATURES = {
    "centroid_hz": lambda signal: librosa.feature.spectral_centroid(y=signal)[0],
    "bandwidth_hz": lambda signal: librosa.feature.spectral_bandwidth(y=signal)[0],
    "rolloff_hz": lambda signal: librosa.feature.spectral_rolloff(y=signal)[0],
    "flatness": lambda signal: librosa.feature.spectral_flatness(y=signal)[0],
    "contrast_db": lambda signal: librosa.feature.spectral_contrast(y=signal).T,
    "mel_power": lambda signal: librosa.feature.melspectrogram(y=signal).T,
    "rms": lambda signal: librosa.feature.rms(y=signal)[0],
    "zero_crossing_rate": lambda signal: librosa.feature.zero_crossing_rate(signal)[0],
}
FRAMES = [name for name in vars(Spectrum)["__annotations__"] if name not in ("signal", "rate_hz", "mean_power")]


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("signal", SOUNDS.values(), ids=SOUNDS)
def test_frame_by_frame_features_are_those_of_librosa(signal: np.ndarray, feature: str) -> None:
    found, expected = getattr(spectrum(signal), feature), FEATURES[feature](signal)
    assert found.shape == expected.shape
    difference = np.abs(found - expected) / np.maximum(np.abs(expected), 1e-9)
    assert np.median(difference) < 1e-4
    assert np.quantile(difference, 0.95) < 1e-2


@pytest.mark.corpus
@pytest.mark.skipif(not (CORPUS / "tempo").is_dir(), reason="SAMPLEMIND_CORPUS names no folder with tempo/")
@pytest.mark.parametrize("feature", FEATURES)
def test_features_of_real_music_are_those_of_librosa(music: list[np.ndarray], feature: str) -> None:
    for signal in music:
        found, expected = getattr(spectrum(signal), feature), FEATURES[feature](signal)
        assert np.median(np.abs(found - expected) / np.maximum(np.abs(expected), 1e-9)) < 1e-3


@pytest.fixture(scope="module")
def music() -> list[np.ndarray]:
    """Ten seconds of every twentieth file."""
    found = []
    for path in sorted((CORPUS / "tempo").glob("*.ogg"))[::20]:
        rate_hz = soundfile.info(path).samplerate
        samples, _ = soundfile.read(path, frames=10 * rate_hz, dtype="float32", always_2d=True)
        found.append(soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ))
    return found


def test_power_is_that_of_librosa_across_blocks() -> None:
    signal = noise(5.0, RATE_HZ)
    power = np.concatenate(list(power_blocks(signal, FFT_SAMPLES, HOP_SAMPLES)))
    np.testing.assert_allclose(power.T, np.abs(librosa.stft(signal)) ** 2, rtol=1e-3, atol=1e-4)


def test_frames_that_are_not_centred_are_those_of_librosa() -> None:
    signal, filterbank = noise(1.0, RATE_HZ), mel_filterbank(RATE_HZ, 512, 96)
    found = mel_frames(signal, 512, 256, sparse(filterbank), centred=False)
    expected = librosa.feature.melspectrogram(y=signal, n_fft=512, hop_length=256, n_mels=96, center=False).T
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(mel_frames(signal, 512, 256, filterbank, centred=False), found)


@pytest.mark.parametrize("frequency_hz", [60.0, 440.0, 2000.0, 8000.0])
def test_a_pure_tone_is_narrow_in_spite_of_rounding(frequency_hz: float) -> None:
    signal = sine(frequency_hz, 1.0, RATE_HZ)
    sound, inside = spectrum(signal), slice(4, -4)
    assert np.median(sound.centroid_hz[inside]) == pytest.approx(frequency_hz, abs=2.0)
    exact_hz = np.median(FEATURES["bandwidth_hz"](signal)[inside])
    assert np.median(sound.bandwidth_hz[inside]) == pytest.approx(exact_hz, rel=0.03)


def test_loudness_changes_no_shape() -> None:
    loop = drum_loop(120, 1, RATE_HZ) + noise(2.0, RATE_HZ, peak=1e-3)
    quiet, loud = (spectrum(np.float32(gain) * loop) for gain in (0.01, 1.0))
    for name in ("centroid_hz", "bandwidth_hz", "rolloff_hz", "zero_crossing_rate"):
        np.testing.assert_allclose(getattr(quiet, name), getattr(loud, name), rtol=1e-3, atol=0.1)
    np.testing.assert_allclose(quiet.mel_power * 1e4, loud.mel_power, rtol=1e-3, atol=1e-6)


@given(
    arrays(
        np.float32,
        st.integers(1, 6000),
        elements=st.floats(-1000, 1000, width=32, allow_subnormal=True),
        fill=st.sampled_from([np.float32(0.0), np.float32(1.0), np.float32(1e-42)]),
    )
)
@settings(max_examples=60, deadline=None)
def test_any_finite_signal_gives_finite_numbers_in_range(signal: np.ndarray) -> None:
    is_sound(spectrum(signal))


@pytest.mark.parametrize("value", [0.0, 1.0, -1000.0, 1e-42, 1e-20, 1e30, np.finfo(np.float32).max])
@pytest.mark.parametrize("samples", [1, 2, 511, 512, 40_000])
def test_extreme_signals_give_finite_numbers_in_range(value: float, samples: int) -> None:
    is_sound(spectrum(np.full(samples, value, dtype=np.float32)))
    is_sound(spectrum(np.float32(value) * noise(samples / RATE_HZ, RATE_HZ, peak=0.2).clip(-1, 1)))


def is_sound(sound: Spectrum) -> None:
    for name in FRAMES:
        values = getattr(sound, name)
        assert len(values) == 1 + len(sound.signal) // HOP_SAMPLES, name
        assert np.isfinite(values).all(), name
        assert (values >= 0).all() or name == "contrast_db", name
    assert (sound.rolloff_hz <= RATE_HZ / 2).all()
    assert (sound.flatness <= 1).all()
    assert (sound.zero_crossing_rate <= 1).all()


def test_a_signal_that_may_not_be_written_to_is_measured() -> None:
    signal = noise(0.1, RATE_HZ)
    signal.setflags(write=False)
    is_sound(spectrum(signal))


def test_a_long_signal_needs_little_room() -> None:
    signal = np.resize(noise(1.0, RATE_HZ), 15 * 60 * RATE_HZ)
    spectrum(signal[:RATE_HZ])
    tracemalloc.start()
    spectrum(signal)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 30e6
