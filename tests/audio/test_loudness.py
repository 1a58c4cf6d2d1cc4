"""Loudness against the reference levels of EBU Tech 3341 and 3342."""

import numpy as np
import pytest

from audio.sounds import noise, sine
from samplemind_tasks.audio.loudness import loudness
from samplemind_tasks.schemas import Reason


def stereo(signal: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.stack([signal, signal], axis=1), dtype=np.float32)


def dbfs(level: float) -> float:
    return 10 ** (level / 20)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_a_stereo_sine_at_1_khz_reads_its_own_level(rate_hz: int, level: float) -> None:
    found = loudness(stereo(sine(1000, 5, rate_hz, dbfs(level))), rate_hz)
    assert found.loudness_lufs == pytest.approx(level, abs=0.1)
    assert found.loudness_range_lu == pytest.approx(0.0, abs=0.05)
    assert found.sample_peak_dbfs == pytest.approx(level, abs=0.05)
    assert found.rms_dbfs == pytest.approx(level - 3.01, abs=0.05)


def test_quiet_parts_are_gated_out() -> None:
    """EBU Tech 3341, case 3, shortened: 4 s at -36, 24 s at -23, 4 s at -36 LUFS read -23."""
    parts = [sine(1000, seconds, 48_000, dbfs(level)) for seconds, level in ((4, -36), (24, -23), (4, -36))]
    assert loudness(stereo(np.concatenate(parts)), 48_000).loudness_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(("levels", "range_lu"), [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20)])
def test_loudness_range_of_two_levels(levels: tuple[float, float], range_lu: float) -> None:
    """EBU Tech 3342, cases 1 to 3: 20 s each."""
    parts = [sine(1000, 20, 48_000, dbfs(level)) for level in levels]
    assert loudness(stereo(np.concatenate(parts)), 48_000).loudness_range_lu == pytest.approx(range_lu, abs=1.0)


def test_gain_moves_loudness_by_itself() -> None:
    signal = stereo(noise(4))
    one, other = loudness(signal, 44_100), loudness(signal * np.float32(0.5), 44_100)
    assert one.loudness_lufs is not None
    assert other.loudness_lufs == pytest.approx(one.loudness_lufs - 6.02, abs=0.01)
    assert other.loudness_range_lu == pytest.approx(one.loudness_range_lu, abs=0.01)


def test_channels_add_up_and_the_low_frequency_channel_does_not_count() -> None:
    signal = sine(1000, 2, 48_000, 0.1)
    mono = loudness(signal[:, None], 48_000).loudness_lufs
    assert mono is not None
    assert loudness(stereo(signal), 48_000).loudness_lufs == pytest.approx(mono + 3.01, abs=0.02)
    surround = np.zeros((len(signal), 6), dtype=np.float32)
    surround[:, 0] = signal
    surround[:, 3] = 0.5
    assert loudness(surround, 48_000).loudness_lufs == pytest.approx(mono, abs=0.02)


def test_silence_and_short_sounds_say_why_they_have_no_loudness() -> None:
    silent = loudness(np.zeros((44_100, 2), dtype=np.float32), 44_100)
    assert (silent.loudness_lufs, silent.sample_peak_dbfs, silent.rms_dbfs) == (None, None, None)
    assert set(silent.reasons.values()) == {Reason.SILENT}
    short = loudness(sine(1000, 0.2)[:, None], 44_100)
    assert short.loudness_lufs is not None
    assert short.reasons == {"loudness_range_lu": Reason.TOO_SHORT}
