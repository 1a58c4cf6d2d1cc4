"""Timbre, mel and windows against librosa, which stands for what everybody else would compute."""

import librosa
import numpy as np
import pytest

from audio.sounds import audio, cadence, drum_loop, noise, sine
from samplemind_tasks.audio.mel import mel_filterbank
from samplemind_tasks.audio.spectrum import FFT_SAMPLES, HOP_SAMPLES, RATE_HZ, spectrum
from samplemind_tasks.audio.timbre import mfcc, spectral_shape, zero_crossing_rate
from samplemind_tasks.audio.windows import windows
from samplemind_tasks.schemas import FrontEnd

SOUNDS = {
    "drums": drum_loop(120, 1, RATE_HZ),
    "chords": cadence(2, minor=True, rate_hz=RATE_HZ),
    "noise": noise(1.0, RATE_HZ),
    "sine": sine(440, 1.0, RATE_HZ),
    "silence then sound": np.concatenate([np.zeros(RATE_HZ, dtype=np.float32), noise(0.5, RATE_HZ)]),
    "short": noise(0.02, RATE_HZ),
}


@pytest.fixture(params=SOUNDS)
def signal(request: pytest.FixtureRequest) -> np.ndarray:
    return SOUNDS[request.param]


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large")
def test_frame_by_frame_features_are_those_of_librosa(signal: np.ndarray) -> None:
    sound = spectrum(signal[:, None], RATE_HZ)
    centroid_hz, bandwidth_hz, rolloff_hz, flatness = spectral_shape(sound)
    magnitude = np.abs(librosa.stft(signal, n_fft=FFT_SAMPLES, hop_length=HOP_SAMPLES))
    np.testing.assert_allclose(np.sqrt(sound.power.T), magnitude, rtol=1e-3, atol=1e-3)
    expected = librosa.feature
    np.testing.assert_allclose(
        centroid_hz, expected.spectral_centroid(S=magnitude, sr=RATE_HZ)[0], rtol=1e-3, atol=1e-3
    )
    np.testing.assert_allclose(
        bandwidth_hz, expected.spectral_bandwidth(S=magnitude, sr=RATE_HZ)[0], rtol=1e-3, atol=1e-3
    )
    bin_hz = RATE_HZ / FFT_SAMPLES
    rolloff = expected.spectral_rolloff(S=magnitude, sr=RATE_HZ)[0]
    np.testing.assert_allclose(rolloff_hz, rolloff, atol=bin_hz * 1.01)
    np.testing.assert_allclose(flatness, expected.spectral_flatness(S=magnitude)[0], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(zero_crossing_rate(sound), expected.zero_crossing_rate(signal)[0], atol=1e-9)
    np.testing.assert_allclose(mfcc(sound).T, expected.mfcc(y=signal, sr=RATE_HZ), rtol=1e-3, atol=2e-3)


@pytest.mark.parametrize(("scale", "htk"), [("slaney", False), ("htk", True)])
def test_the_mel_filterbank_is_that_of_librosa(scale: str, htk: bool) -> None:
    expected = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=96, htk=htk)
    np.testing.assert_allclose(mel_filterbank(16_000, 512, 96, scale).T, expected, atol=1e-7)


def front_end(max_windows: int = 6) -> FrontEnd:
    return FrontEnd(
        name="musicnn",
        version=1,
        rate_hz=16_000,
        fft_samples=512,
        hop_samples=256,
        mels=96,
        mel_scale="slaney",
        frames=187,
        log_gain=10_000.0,
        max_windows=max_windows,
    )


def log_mel(signal: np.ndarray) -> np.ndarray:
    mel = librosa.feature.melspectrogram(y=signal, sr=16_000, n_fft=512, hop_length=256, n_mels=96)
    return np.log10(10_000.0 * mel.T + 1.0)


@pytest.mark.parametrize("seconds", [0.0001, 0.5, 2.99, 3.0, 4.0, 7.3])
def test_windows_are_cut_from_the_spectrogram_of_librosa(seconds: float) -> None:
    signal = noise(seconds, 16_000)
    signal *= np.linspace(0.2, 1.0, len(signal), dtype=np.float32)
    found = windows(audio(signal, 16_000), front_end())
    expected = log_mel(np.pad(signal, (0, max(186 * 256 - len(signal), 0))))
    assert found.dtype == np.float16
    assert len(found) == max(round(len(expected) / 187), 1)
    np.testing.assert_allclose(found[0], expected[:187], atol=4e-3)
    if len(found) > 1:
        np.testing.assert_allclose(found[-1], expected[-187:], atol=4e-3)


def test_a_long_sound_gives_at_most_so_many_windows_from_start_to_end() -> None:
    signal = np.concatenate([np.zeros(16_000 * 20, dtype=np.float32), noise(10, 16_000)])
    found = windows(audio(signal, 16_000), front_end(max_windows=4))
    assert found.shape == (4, 187, 96)
    assert not found[0].any()
    assert found[-1].any()


def test_windows_hardly_depend_on_the_rate_of_the_file() -> None:
    one, other = (windows(audio(cadence(0, minor=False, rate_hz=rate), rate), front_end()) for rate in (44_100, 48_000))
    assert np.abs(one.astype(np.float32) - other.astype(np.float32)).mean() < 0.02
