"""The waveform as a picture."""

import numpy as np
import pytest

from audio.sounds import noise
from samplemind_tasks.audio.peaks import Peaks


def peaks(samples: np.ndarray, rate_hz: int = 44_100, block_frames: int = 65_536) -> Peaks:
    drawn = Peaks(rate_hz)
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    for start in range(0, len(samples), block_frames):
        drawn.feed(samples[start : start + block_frames])
    return drawn


def test_each_slice_shows_its_lowest_and_highest_sample_of_any_channel() -> None:
    samples = np.zeros((10_000, 2))
    samples[2505, 0] = 1.0
    samples[2507, 1] = -0.5
    found = peaks(samples).overview()
    assert found.shape == (1000, 2)
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found[250], [-64, 127])
    assert not np.delete(found, 250, axis=0).any()


def test_a_short_sound_has_one_bin_a_frame_and_a_loud_one_is_cut() -> None:
    drawn = peaks(np.array([[4.0], [-4.0], [0.5]]))
    for picture in (drawn.overview(), drawn.detail()):
        np.testing.assert_array_equal(picture, [[127, 127], [-127, -127], [64, 64]])


@pytest.mark.parametrize(
    ("seconds", "overview_bins", "detail_bins"),
    [(0.01, 441, 441), (0.05, 1000, 2205), (1, 1000, 4000), (60, 1000, 6000), (300, 1000, 16_000)],
)
def test_how_fine_the_pictures_are(seconds: float, overview_bins: int, detail_bins: int) -> None:
    drawn = peaks(np.zeros((round(44_100 * seconds), 1)))
    assert drawn.overview().shape == (overview_bins, 2)
    assert drawn.detail().shape == (detail_bins, 2)


@pytest.mark.parametrize("frames", [1, 999, 1999, 65_535, 65_536, 65_537, 131_072, 500_001, 3_000_001])
@pytest.mark.parametrize("place", [0.0, 0.37, 1.0])
def test_every_frame_lies_in_the_bin_of_its_time(frames: int, place: float) -> None:
    samples = np.zeros((frames, 1))
    frame = round(place * (frames - 1))
    samples[frame] = 1.0
    drawn = peaks(samples)
    for picture in (drawn.overview(), drawn.detail()):
        (bins,) = np.nonzero(picture[:, 1] == 127)
        assert len(bins) == 1
        assert bins[0] == pytest.approx(frame * len(picture) / frames, abs=1.0)


def test_slices_of_a_sound_of_known_length_in_double_precision() -> None:
    samples = np.stack([noise(2, peak=0.3), noise(2, peak=0.2, seed=1)], axis=1)[:80_000]
    slices = samples.reshape(1000, -1)  # cells of two frames: the bins are whole cells
    expected = np.rint(127 * np.clip(np.stack([slices.min(axis=1), slices.max(axis=1)], axis=1), -1, 1))
    np.testing.assert_array_equal(peaks(samples).overview(), expected)


def test_blocks_of_any_length_give_the_same() -> None:
    samples = np.stack([noise(9, peak=0.3), noise(9, peak=0.2, seed=1), noise(9, seed=2)], axis=1)
    whole = peaks(samples, block_frames=len(samples))
    for block_frames in (65_536, 4_999, 331):
        cut = peaks(samples, block_frames=block_frames)
        np.testing.assert_array_equal(cut.overview(), whole.overview())
        np.testing.assert_array_equal(cut.detail(), whole.detail())


def test_a_sound_of_nothing_has_no_bins() -> None:
    assert peaks(np.empty((0, 2))).overview().shape == (0, 2)
