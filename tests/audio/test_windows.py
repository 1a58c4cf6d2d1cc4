"""The models' windows against librosa's mel spectrogram of the whole sound."""

import librosa
import numpy as np
import pytest
from transformers import ClapFeatureExtractor

from audio.sounds import cadence, noise
from samplemind_tasks.audio.excerpts import Excerpts
from samplemind_tasks.audio.windows import plan, windows
from samplemind_tasks.cards import FrontEnd
from samplemind_tasks.model_table import front_ends

MUSICNN, AISFX, CLAP = front_ends()["musicnn"], front_ends()["aisfx"], front_ends()["clap"]
AS_CLAP = ClapFeatureExtractor(frequency_min=50, frequency_max=14_000, truncation="rand_trunc", padding="repeatpad")


def cut(signal: np.ndarray, rate_hz: int, front_end: FrontEnd) -> np.ndarray:
    """Windows of a mono signal that streams by in blocks."""
    excerpts = Excerpts([part.needed for part in plan(len(signal), rate_hz, front_end)])
    for block in np.array_split(signal.astype(np.float32), 7):
        excerpts.take(block)
    return windows(excerpts, len(signal), rate_hz, front_end)


def log_mel(signal: np.ndarray, front_end: FrontEnd) -> np.ndarray:
    """What the model was trained on: the whole sound, followed by silence where it is short."""
    if front_end.peak_normalised:
        signal = signal / np.abs(signal).max()
    shortest = (front_end.frames - 1) * front_end.hop_samples
    mel = librosa.feature.melspectrogram(
        y=np.pad(signal, (0, max(shortest - len(signal), 0))),
        sr=front_end.rate_hz,
        n_fft=front_end.fft_samples,
        hop_length=front_end.hop_samples,
        n_mels=front_end.mels,
        htk=front_end.mel_scale == "htk",
        norm=1.0 if front_end.mel_norm == "sum" else "slaney",
    )
    return np.log10(front_end.log_gain * mel.T + 1.0) / front_end.log_divisor


@pytest.mark.parametrize("front_end", [MUSICNN, AISFX], ids=lambda front_end: front_end.name)
@pytest.mark.parametrize("seconds", [0.0001, 0.05, 0.5, 2.31, 2.99, 3.0, 4.0, 7.3])
def test_windows_are_cut_from_the_spectrogram_of_librosa(seconds: float, front_end: FrontEnd) -> None:
    signal = noise(seconds, front_end.rate_hz)
    signal *= np.linspace(0.2, 1.0, len(signal), dtype=np.float32)
    found, expected = cut(signal, front_end.rate_hz, front_end), log_mel(signal, front_end)
    assert found.dtype == np.float16
    assert len(found) == max(round(len(expected) / front_end.frames), 1)
    np.testing.assert_allclose(found[0], expected[: front_end.frames], atol=4e-3)
    if len(found) > 1:
        np.testing.assert_allclose(found[-1], expected[-front_end.frames :], atol=4e-3)


@pytest.mark.parametrize("front_end", [MUSICNN, AISFX], ids=lambda front_end: front_end.name)
@pytest.mark.parametrize("rate_hz", [22_050, 44_056, 48_000, 96_000])
def test_a_file_of_another_rate_gives_the_windows_of_the_resampled_whole(rate_hz: int, front_end: FrontEnd) -> None:
    signal = np.tile(cadence(0, minor=False, rate_hz=rate_hz), 6)
    found = cut(signal, rate_hz, front_end)
    whole = librosa.resample(signal, orig_sr=rate_hz, target_sr=front_end.rate_hz, res_type="soxr_hq")
    expected = log_mel(whole, front_end)
    starts = np.linspace(0, len(expected) - front_end.frames, len(found)).round().astype(int)
    assert len(found) > 1
    for window, start in zip(found, starts, strict=True):
        difference = np.abs(window.astype(np.float32) - expected[start : start + front_end.frames])
        assert difference.mean() < 0.003
        assert np.percentile(difference, 99) < 0.05


def test_a_long_sound_gives_at_most_so_many_windows_from_start_to_end() -> None:
    signal = np.concatenate([np.zeros(16_000 * 20, dtype=np.float32), noise(10, 16_000)])
    found = cut(signal, 16_000, MUSICNN.model_copy(update={"max_windows": 4}))
    assert found.shape == (4, 187, 96)
    assert not found[0].any()
    assert found[-1].any()


def test_an_hour_needs_no_more_of_the_sound_than_its_windows() -> None:
    for front_end in (MUSICNN, AISFX):
        needed = [part.needed for part in plan(3600 * 44_100, 44_100, front_end)]
        assert sum(part.end - part.start for part in needed) < 44_100 * 4 * front_end.max_windows


def test_silence_gives_windows_of_zeros() -> None:
    assert not cut(np.zeros(44_100), 44_100, AISFX).any()


@pytest.mark.parametrize("seconds", [0.0001, 0.3, 1.7, 3.3, 4.9, 7.0, 9.999, 10.0])
def test_clap_sees_what_its_own_front_end_shows_it(seconds: float) -> None:
    """A shorter sound is repeated whole. The frames at the edges differ: there the sound is mirrored, here zero."""
    signal = noise(seconds, 48_000)
    signal *= np.linspace(0.2, 1.0, len(signal), dtype=np.float32)
    expected = AS_CLAP(signal, sampling_rate=48_000, return_tensors="np")["input_features"][0, 0]
    (window,) = cut(signal, 48_000, CLAP)
    assert window.shape == expected.shape == (1001, 64)
    assert window.dtype == np.float16
    np.testing.assert_allclose(window[2:-2], expected[2:-2], atol=0.05)


def test_clap_sees_windows_of_a_long_sound_from_start_to_end() -> None:
    signal = noise(25, 48_000)
    found = cut(signal, 48_000, CLAP)
    assert len(found) == 2
    for window, part in ((found[0], signal[:480_000]), (found[-1], signal[-480_000:])):
        expected = AS_CLAP(part, sampling_rate=48_000, return_tensors="np")["input_features"][0, 0]
        np.testing.assert_allclose(window[2:-2], expected[2:-2], atol=0.05)


def test_a_short_sound_of_another_rate_is_repeated_without_a_gap() -> None:
    """A steady tone of whole periods goes on and on; what cannot be repeated whole stays silent."""
    tone = (0.3 * np.sin(2 * np.pi * 1000 * np.arange(3 * 44_100) / 44_100)).astype(np.float32)
    (window,) = cut(tone, 44_100, CLAP)
    loudest = window.astype(np.float32).max(axis=1)
    assert np.ptp(loudest[3:897]) < 1.0, "three times three seconds without a step"
    assert (window[903:] == CLAP.silence).all()


def test_silence_is_what_a_front_end_says_it_is() -> None:
    for seconds in (0.2, 12):
        found = cut(np.zeros(round(44_100 * seconds)), 44_100, CLAP)
        assert (found == CLAP.silence).all()


def test_a_short_sound_needs_itself_alone() -> None:
    (part,) = plan(4_410, 44_100, CLAP)
    assert part.repeats == 100
    assert part.needed.end < 4_410 + 600
