"""Level, clipping, silence, stereo image, and what holds for any sound."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from audio.sounds import drum_loop, noise, sine
from samplemind_tasks.audio.levels import Levels
from samplemind_tasks.audio.meter import Meter
from samplemind_tasks.features import Reason


def levels(samples: np.ndarray, rate_hz: int = 44_100, block_frames: int | None = None) -> Levels:
    meter = Meter(rate_hz, samples.shape[1])
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    samples.setflags(write=False)
    for start in range(0, len(samples), block_frames or max(len(samples), 1)):
        meter.feed(samples[start : start + (block_frames or len(samples))])
    return meter.levels()


def sides(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.stack([left, right], axis=1)


def test_peak_rms_and_crest_of_a_sine() -> None:
    found = levels(sides(sine(1000, 2), sine(1000, 2)))
    assert found.sample_peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert found.rms_dbfs == pytest.approx(-9.03, abs=0.01)
    assert found.crest_db == pytest.approx(3.01, abs=0.01)
    assert found.true_peak_dbtp == pytest.approx(-6.02, abs=0.05)


def test_the_offset_of_one_channel_is_not_hidden_by_the_other() -> None:
    assert levels(sides(noise(1) + 0.1, noise(1) - 0.1)).dc_offset == pytest.approx(0.1, abs=0.005)
    assert levels(sides(noise(1), noise(1) - 0.2)).dc_offset == pytest.approx(-0.2, abs=0.005)


def test_only_runs_at_full_scale_are_clipped() -> None:
    """Three and four in a row count, at either end; two in a row, or three that change sides or channels, do not."""
    samples = np.zeros((50_000, 2))
    samples[100:103, 0] = 1.0
    samples[200:204, 1] = -1.3
    samples[300:302, 0] = 1.0
    samples[400:403, 0] = (1.0, -1.0, 1.0)
    samples[500:502, 0] = samples[502, 1] = 1.0
    samples[4409:4413, 1] = 1.0  # over the edge of a hop
    assert levels(samples).clipped_samples == 3 + 4 + 4
    assert levels(samples, block_frames=1).clipped_samples == 3 + 4 + 4


@pytest.mark.parametrize("gain", [1.5, 3.0, 1000.0])
def test_a_sine_driven_too_hot_is_clipped_and_the_same_below_is_not(gain: float) -> None:
    hot = np.clip(gain * sine(200, 1, peak=1.0), -1, 1)[:, None]
    expected = np.count_nonzero(np.abs(hot) >= 0.999)
    assert levels(hot).clipped_samples == pytest.approx(expected, rel=0.01)
    assert levels(0.99 * hot).clipped_samples == 0


def test_silence_at_both_ends() -> None:
    sound = np.concatenate([np.zeros(11_025), sine(1000, 1), 0.0005 * noise(0.5, peak=0.3), np.zeros(22_050)])
    for channels in (sound[:, None], sides(sound, 0 * sound), sides(0 * sound, sound)):
        found = levels(channels)
        assert found.silence_start_s == pytest.approx(0.25, abs=0.001)
        assert found.silence_end_s == pytest.approx(1.0, abs=0.001)
    quiet = levels(0.0009 * np.ones((44_100, 1)))
    assert (quiet.silence_start_s, quiet.silence_end_s) == (1.0, 1.0)
    loud = levels(np.ones((44_100, 1)))
    assert (loud.silence_start_s, loud.silence_end_s) == (0.0, 0.0)


def test_stereo_image() -> None:
    left, right = noise(2, seed=1), noise(2, seed=2)
    same, opposite, unrelated, one = (levels(sides(left, other)) for other in (left, -left, right, np.zeros_like(left)))
    assert (same.stereo_width, same.stereo_correlation) == (0.0, 1.0)
    assert (opposite.stereo_width, opposite.stereo_correlation) == (1.0, -1.0)
    assert unrelated.stereo_width == pytest.approx(0.5, abs=0.01)
    assert unrelated.stereo_correlation == pytest.approx(0.0, abs=0.02)
    assert (one.stereo_width, one.stereo_correlation) == (pytest.approx(0.5), None)
    assert one.reasons["stereo_correlation"] is Reason.SILENT
    quieter = levels(sides(left, 0.1 * left))
    assert quieter.stereo_correlation == pytest.approx(1.0, abs=1e-6)


def test_one_channel_has_no_image() -> None:
    found = levels(noise(1)[:, None])
    assert (found.stereo_width, found.stereo_correlation) == (None, None)
    assert found.reasons["stereo_width"] is found.reasons["stereo_correlation"] is Reason.MONO


@pytest.mark.parametrize(("rate_hz", "channels"), [(44_100, 2), (48_000, 1), (22_050, 2), (44_056, 6), (4_000, 32)])
def test_blocks_of_any_length_give_the_same(rate_hz: int, channels: int) -> None:
    signal = drum_loop(120, 2, rate_hz)
    samples = sides(signal, noise(len(signal) / rate_hz, rate_hz))[:, np.arange(channels) % 2] * 1.3
    whole = levels(samples, rate_hz)
    for block_frames in (65_536, 10_000, rate_hz // 10, 977, 31):
        assert levels(samples, rate_hz, block_frames) == whole


def test_a_sound_of_one_sample_and_one_of_none() -> None:
    one = levels(np.array([[0.5]]))
    assert one.sample_peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert one.true_peak_dbtp == pytest.approx(-6.02, abs=0.01)
    none = levels(np.empty((0, 2)))
    assert none.is_silent
    assert none.silence_start_s == none.silence_end_s == 0.0


def test_a_constant_is_measured_too() -> None:
    found = levels(np.full((5 * 44_100, 2), 0.5))
    assert found.dc_offset == pytest.approx(0.5)
    assert found.crest_db == pytest.approx(0.0, abs=1e-6)
    assert found.stereo_correlation == 1.0


@settings(max_examples=150, deadline=None)
@given(
    samples=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 900), st.sampled_from([1, 2, 3, 6, 32])),
        elements=st.floats(-(2.0**127), 2.0**127, width=32) | st.floats(-1, 1, width=32),
    ),
    rate_hz=st.sampled_from([4_000, 11_025, 44_100, 96_000, 768_000]),
)
def test_any_finite_sound_has_finite_levels_or_a_reason(samples: np.ndarray, rate_hz: int) -> None:
    found = levels(samples, rate_hz)
    for name, value in vars(found).items():
        if value is None:
            assert name in found.reasons
        elif name != "reasons":
            assert math.isfinite(value), name
            assert name not in found.reasons
    if not found.is_silent:
        assert found.true_peak_dbtp >= found.sample_peak_dbfs >= found.rms_dbfs - 1e-6
        assert found.crest_db >= 0
    assert found.stereo_width is None or 0 <= found.stereo_width <= 1
    assert found.stereo_correlation is None or -1 <= found.stereo_correlation <= 1
    assert 0 <= found.silence_start_s <= len(samples) / rate_hz
