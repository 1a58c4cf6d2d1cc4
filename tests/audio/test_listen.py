"""One decode: what is taken from it does not depend on how it came, and lies in the header change nothing."""

from collections.abc import Iterator
from dataclasses import replace

import librosa
import numpy as np
import pytest

from audio.sounds import RATE_HZ, cadence, noise, sine
from audio.whole import heard
from samplemind_tasks.audio.decode import Sound
from samplemind_tasks.audio.listen import Heard, listen
from samplemind_tasks.audio.warm import Samples
from samplemind_tasks.model_table import front_ends

PAIR = [front_ends()["musicnn"], front_ends()["aisfx"]]


class Liar(Samples):
    """Samples whose header promises another length."""

    def __init__(self, samples: np.ndarray, claimed_frames: int | None) -> None:
        super().__init__(samples, RATE_HZ)
        self.format = replace(self.format, claimed_frames=claimed_frames)
        self.passes = 0

    def blocks(self) -> Iterator[np.ndarray]:
        self.passes += 1
        return super().blocks()


def listened(decoder: Samples) -> Heard:
    return listen(Sound(decoder, "a sound", 900, 900), PAIR)


def stereo(seconds: float) -> np.ndarray:
    return np.stack([noise(seconds), noise(seconds, seed=1)], axis=1)


def test_the_signal_is_the_mean_of_the_channels_at_22_khz() -> None:
    samples = stereo(5.0)
    expected = librosa.resample(samples.mean(axis=1), orig_sr=RATE_HZ, target_sr=22_050, res_type="soxr_hq")
    np.testing.assert_allclose(heard(samples).signal, expected, atol=1e-6)


@pytest.mark.parametrize("claimed_frames", [None, 0, 1000, 70 * RATE_HZ, 10**12])
def test_a_header_that_lies_about_the_length_changes_nothing(claimed_frames: int | None) -> None:
    samples = np.ascontiguousarray(stereo(60.0))
    honest, lied = listened(Samples(samples, RATE_HZ)), listened(Liar(samples, claimed_frames))
    assert lied.pcm_hash == honest.pcm_hash
    np.testing.assert_array_equal(lied.signal, honest.signal)
    for name, windows in honest.windows.items():
        np.testing.assert_array_equal(lied.windows[name], windows)


def test_an_honest_file_is_decoded_once() -> None:
    decoder = Liar(np.ascontiguousarray(stereo(60.0)), 60 * RATE_HZ)
    assert set(listened(decoder).windows) == {"musicnn", "aisfx"}
    assert decoder.passes == 1


def test_a_mix_that_cancels_is_heard_through_one_channel() -> None:
    left = cadence(9, minor=True)
    both, one = heard(np.stack([left, -left], axis=1)), heard(left)
    np.testing.assert_allclose(both.signal, one.signal, atol=1e-6)


def test_the_hash_knows_samples_rate_and_channels_and_nothing_else() -> None:
    tone = sine(440, 1.0)
    hashes = [
        heard(tone).pcm_hash,
        heard(tone, 48_000).pcm_hash,
        heard(tone * np.float32(0.999)).pcm_hash,
        heard(np.stack([tone, tone], axis=1)).pcm_hash,
    ]
    assert heard(tone.copy()).pcm_hash == hashes[0]
    assert len(set(hashes)) == 4


@pytest.mark.parametrize("frames", [1, 2, 3, 100])
def test_the_shortest_sounds_have_a_signal_and_windows(frames: int) -> None:
    found = heard(np.full(frames, 0.5), 768_000, PAIR)
    assert len(found.signal) >= 1
    assert all(len(windows) == 1 for windows in found.windows.values())


def test_only_what_may_be_measured_of_a_long_sound_is_kept() -> None:
    samples = np.zeros((20 * 4_000, 1), dtype=np.float32)
    found = listen(Sound(Samples(samples, 4_000), "a sound", 5.0, 3600), PAIR)
    assert found.extent.measured_s == 5.0
    assert found.extent.duration_s == 20.0
    assert len(found.signal) == pytest.approx(5 * 22_050, abs=2)
    assert found.extent.notes == ("only the first 5 s of 20 s were measured",)
