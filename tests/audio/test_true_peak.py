"""The level between the samples."""

import numpy as np
import pytest

from audio.sounds import sine
from samplemind_tasks.audio.true_peak import TruePeak


def true_peak(samples: np.ndarray, rate_hz: int) -> float:
    between = TruePeak(rate_hz, samples.shape[1])
    return between.finish(between.feed(samples, float(np.abs(samples).max())))


def plainly(samples: np.ndarray, oversampling: int) -> float:
    """Every value of every place between all samples, in double precision: silence, sound, silence."""
    taps = np.arange(32) - 15
    peak = float(np.abs(samples).max())
    for place in np.arange(1, oversampling) / oversampling:
        offsets = taps - place
        weights = np.sinc(offsets) * np.i0(9.0 * np.sqrt(np.maximum(1 - (offsets / 16) ** 2, 0)))
        weights /= weights.sum()
        for channel in samples.T.astype(np.float64):
            peak = max(peak, float(np.abs(np.convolve(channel, weights[::-1])).max()))
    return peak


@pytest.mark.parametrize(
    ("rate_hz", "oversampling"), [(8_000, 16), (22_050, 16), (44_100, 8), (48_000, 4), (96_000, 2)]
)
@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_skipping_what_cannot_matter_never_changes_the_answer(
    rate_hz: int, oversampling: int, channels: int, seed: int
) -> None:
    """Noise with bursts of alternating samples, which look quiet and are loud between."""
    random = np.random.default_rng(seed)
    samples = random.standard_normal((3_000, channels)) * random.uniform(0.01, 0.1, (3_000, 1))
    for start in random.integers(0, 2_900, 6):
        burst = random.uniform(0.2, 0.5) * np.sign(
            np.sin(np.arange(40) * random.uniform(1.4, 1.7) + random.uniform(0, 3))
        )
        samples[start : start + 40, random.integers(channels)] += burst
    samples = np.ascontiguousarray(samples, dtype=np.float32)
    assert true_peak(samples, rate_hz) == pytest.approx(plainly(samples, oversampling), rel=1e-5)
    assert true_peak(samples, rate_hz) > np.abs(samples).max()


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000, 88_200])
def test_a_sine_whose_samples_miss_its_crests_is_as_loud_as_it_is(rate_hz: int) -> None:
    """EBU Tech 3341, cases 15 to 18: a quarter of the rate, 45 degrees off: samples read 3 dB too low."""
    phase = np.arange(rate_hz) * np.pi / 2 + np.pi / 4
    fade = np.clip(np.minimum(np.arange(rate_hz), np.arange(rate_hz)[::-1]) / 200, 0, 1)
    samples = (0.5 * fade * np.sin(phase)).astype(np.float32)[:, None]
    assert 20 * np.log10(np.abs(samples).max()) == pytest.approx(-9.03, abs=0.01)
    assert 20 * np.log10(true_peak(samples, rate_hz)) == pytest.approx(-6.02, abs=0.1)


def test_a_low_sine_peaks_at_its_samples() -> None:
    samples = sine(100, 1)[:, None]
    assert true_peak(samples, 44_100) == pytest.approx(0.5, rel=1e-3)


def test_at_192_khz_the_samples_are_close_enough() -> None:
    samples = (np.random.default_rng(0).standard_normal((9_000, 2))).astype(np.float32)
    assert true_peak(samples, 192_000) == np.abs(samples).max()


@pytest.mark.parametrize("frames", [1, 2, 16, 31, 32, 33, 287, 288])
def test_a_sound_of_any_length_ends_in_silence(frames: int) -> None:
    samples = np.full((frames, 1), 0.5, dtype=np.float32)
    assert true_peak(samples, 48_000) == pytest.approx(plainly(samples, 4), rel=1e-5)


def test_absurd_scales_stay_finite() -> None:
    for scale in (1e-42, 1e-20, 1e3, 3e38):
        samples = np.full((100, 2), scale, dtype=np.float32)
        samples[::2] *= -1
        assert np.isfinite(true_peak(samples, 44_100))
