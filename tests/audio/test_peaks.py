"""The waveform as a picture."""

import numpy as np

from samplemind_tasks.audio.peaks import waveform_peaks


def test_each_slice_shows_its_lowest_and_highest_sample_of_any_channel() -> None:
    samples = np.zeros((10_000, 2), dtype=np.float32)
    samples[2505, 0] = 1.0
    samples[2507, 1] = -0.5
    found = waveform_peaks(samples)
    assert found.shape == (1000, 2)
    assert found.dtype == np.int8
    np.testing.assert_array_equal(found[250], [-64, 127])
    assert not np.delete(found, 250, axis=0).any()


def test_a_short_sound_has_one_bin_a_frame_and_a_loud_one_is_cut() -> None:
    found = waveform_peaks(np.array([[4.0], [-4.0], [0.5]], dtype=np.float32))
    np.testing.assert_array_equal(found, [[127, 127], [-127, -127], [64, 64]])


def test_every_frame_lies_in_a_bin() -> None:
    samples = np.zeros((1999, 1), dtype=np.float32)
    samples[-1] = 1.0
    assert waveform_peaks(samples)[-1, 1] == 127
