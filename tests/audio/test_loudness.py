"""Loudness against the reference levels of EBU Tech 3341 and 3342, and against ffmpeg's meter."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audio.sounds import cadence, drum_loop, noise, sine
from samplemind_tasks.audio.levels import Levels
from samplemind_tasks.audio.meter import Meter
from samplemind_tasks.features import Reason


def levels(samples: np.ndarray, rate_hz: int) -> Levels:
    meter = Meter(rate_hz, samples.shape[1])
    meter.feed(np.ascontiguousarray(samples, dtype=np.float32))
    return meter.levels()


def stereo(signal: np.ndarray) -> np.ndarray:
    return np.stack([signal, signal], axis=1)


def dbfs(level: float) -> float:
    return 10 ** (level / 20)


def steps(*seconds_and_level: tuple[float, float]) -> np.ndarray:
    return stereo(np.concatenate([sine(1000, seconds, 48_000, dbfs(level)) for seconds, level in seconds_and_level]))


@pytest.mark.parametrize("rate_hz", [11_025, 22_050, 44_056, 44_100, 48_000, 96_000, 192_000, 768_000])
@pytest.mark.parametrize("level", [-23.0, -33.0])
def test_a_stereo_sine_at_1_khz_reads_its_own_level(rate_hz: int, level: float) -> None:
    """EBU Tech 3341, cases 1 and 2, shortened, at any rate."""
    found = levels(stereo(sine(1000, 4, rate_hz, dbfs(level))), rate_hz)
    assert found.loudness_lufs == pytest.approx(level, abs=0.1)
    assert found.loudness_momentary_max_lufs == pytest.approx(level, abs=0.1)
    assert found.loudness_short_term_max_lufs == pytest.approx(level, abs=0.1)
    assert found.loudness_range_lu == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize(("rate_hz", "tolerance"), [(4_000, 0.7), (8_000, 0.25)])
def test_telephone_rates_are_close(rate_hz: int, tolerance: float) -> None:
    """The shelf at 1.7 kHz is squeezed below half the rate."""
    found = levels(stereo(sine(1000, 2, rate_hz, dbfs(-23))), rate_hz)
    assert found.loudness_lufs == pytest.approx(-23.0, abs=tolerance)


def test_the_head_is_a_shelf_and_rumble_does_not_count() -> None:
    """The K curve (BS.1770-4): 4 dB more for treble, half the power at 38 Hz."""
    at_1_khz, treble, rumble = (levels(stereo(sine(hz, 4, 48_000)), 48_000).loudness_lufs for hz in (1000, 10_000, 38))
    assert at_1_khz is not None and treble is not None and rumble is not None  # noqa: PT018
    assert treble - at_1_khz == pytest.approx(3.3, abs=0.1)
    assert rumble - at_1_khz == pytest.approx(-6.7, abs=0.2)


def test_quiet_parts_are_gated_out() -> None:
    """EBU Tech 3341, cases 3 and 4, shortened: both read -23 LUFS."""
    case_3 = steps((4, -36), (24, -23), (4, -36))
    case_4 = steps((4, -72), (4, -36), (24, -23), (4, -36), (4, -72))
    assert levels(case_3, 48_000).loudness_lufs == pytest.approx(-23.0, abs=0.1)
    assert levels(case_4, 48_000).loudness_lufs == pytest.approx(-23.0, abs=0.1)


def test_the_loudest_moments_are_found_wherever_they_are() -> None:
    """EBU Tech 3341, cases 12 and 9: 400 ms and 3 s at -23 LUFS among 10 dB less."""
    moment = levels(steps((2.0, -33), (0.5, -23), (2.0, -33)), 48_000)
    assert moment.loudness_momentary_max_lufs == pytest.approx(-23.0, abs=0.1)
    assert moment.loudness_short_term_max_lufs == pytest.approx(-29.3, abs=0.3)
    short_term = levels(steps((3, -33), (3.1, -23), (3, -33)), 48_000)
    assert short_term.loudness_short_term_max_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize(("quiet", "loud", "range_lu"), [(-30, -20, 10), (-20, -15, 5), (-40, -20, 20)])
def test_loudness_range_of_two_levels(quiet: float, loud: float, range_lu: float) -> None:
    """EBU Tech 3342, cases 1 to 3: 20 s each."""
    assert levels(steps((20, loud), (20, quiet)), 48_000).loudness_range_lu == pytest.approx(range_lu, abs=1.0)


def test_loudness_range_forgets_what_is_too_quiet() -> None:
    """EBU Tech 3342, case 4: what lies 20 LU below the rest does not count."""
    parts = steps((20, -50), (20, -35), (20, -20), (20, -35), (20, -50))
    assert levels(parts, 48_000).loudness_range_lu == pytest.approx(15.0, abs=1.0)


def test_gain_moves_loudness_by_itself() -> None:
    signal = stereo(noise(4))
    one, other = levels(signal, 44_100), levels(signal * 0.5, 44_100)
    assert one.loudness_lufs is not None
    assert other.loudness_lufs == pytest.approx(one.loudness_lufs - 6.02, abs=0.01)
    assert other.loudness_range_lu == pytest.approx(one.loudness_range_lu, abs=0.001)


def test_rates_agree() -> None:
    """BS.1770-4 wants the response of 48 kHz at every rate."""
    rates_hz = (16_000, 22_050, 44_100, 96_000, 192_000)
    for frequency_hz in (50, 440, 2_000):
        at_48_khz = levels(sine(frequency_hz, 2, 48_000)[:, None], 48_000).loudness_lufs
        found = [levels(sine(frequency_hz, 2, rate_hz)[:, None], rate_hz).loudness_lufs for rate_hz in rates_hz]
        assert found == pytest.approx([at_48_khz] * len(rates_hz), abs=0.05)


def test_channels_add_up_and_the_low_frequency_channel_does_not_count() -> None:
    signal = sine(1000, 2, 48_000, 0.1)
    mono = levels(signal[:, None], 48_000).loudness_lufs
    assert mono is not None
    assert levels(stereo(signal), 48_000).loudness_lufs == pytest.approx(mono + 3.01, abs=0.02)
    for channels, front, surround in ((5, 0, 3), (6, 0, 4)):
        sound = np.zeros((len(signal), channels))
        sound[:, 3 if channels == 6 else 1] = 0.5  # a constant in the low frequencies, or in front: not heard
        sound[:, front] = signal
        assert levels(sound, 48_000).loudness_lufs == pytest.approx(mono, abs=0.1)
        sound[:, front], sound[:, surround] = 0.0, signal
        assert levels(sound, 48_000).loudness_lufs == pytest.approx(mono + 1.5, abs=0.1)


def test_a_short_sound_is_as_loud_as_with_silence_after_it() -> None:
    hit = sine(1000, 0.2)[:, None]
    found = levels(hit, 44_100)
    followed = levels(np.concatenate([hit, np.zeros((44_100, 1))]), 44_100)
    assert found.loudness_lufs == pytest.approx(followed.loudness_momentary_max_lufs, abs=0.01)
    assert found.loudness_momentary_max_lufs == pytest.approx(found.loudness_lufs)
    assert found.reasons["loudness_range_lu"] is Reason.TOO_SHORT
    assert found.reasons["loudness_short_term_max_lufs"] is Reason.TOO_SHORT


def test_silence_and_what_is_below_the_gate_say_why_they_have_no_loudness() -> None:
    silent = levels(np.zeros((4 * 44_100, 2)), 44_100)
    assert silent.is_silent
    assert (silent.loudness_lufs, silent.loudness_momentary_max_lufs, silent.true_peak_dbtp) == (None, None, None)
    assert set(silent.reasons.values()) == {Reason.SILENT}
    quiet = levels(stereo(sine(1000, 4, peak=dbfs(-76))), 44_100)
    assert not quiet.is_silent
    assert quiet.loudness_momentary_max_lufs == pytest.approx(-76, abs=0.1)
    assert quiet.reasons == {"loudness_lufs": Reason.QUIET, "loudness_range_lu": Reason.QUIET}


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("sound", [drum_loop, cadence], ids=["drums", "chords"])
def test_ffmpeg_reads_the_same(tmp_path: Path, rate_hz: int, sound: object) -> None:
    parts = [drum_loop(117, 4, rate_hz)] if sound is drum_loop else [cadence(3, False, rate_hz) for _ in range(4)]
    signal = np.concatenate([*parts, 0.3 * parts[0]])
    samples = np.stack([signal, 0.7 * np.roll(signal, rate_hz // 50)], axis=1)
    samples *= 0.9 / np.abs(samples).max()
    soundfile.write(tmp_path / "sound.wav", samples, rate_hz, subtype="FLOAT")
    command = ["ffmpeg", "-nostdin", "-nostats", "-i", str(tmp_path / "sound.wav")]
    command += ["-af", "ebur128=peak=true", "-f", "null", "-"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition("Summary")[2]
    integrated, range_lu, true_peak = (
        float(re.search(rf"{name}:\s+(-?[\d.]+)", printed)[1])  # type: ignore[index]
        for name in ("I", "LRA", "Peak")
    )
    found = levels(samples, rate_hz)
    rounding = 0.05
    assert found.loudness_lufs == pytest.approx(integrated, abs=0.05 + rounding)
    assert found.loudness_range_lu == pytest.approx(range_lu, abs=0.1 + rounding)
    assert found.true_peak_dbtp == pytest.approx(true_peak, abs=0.1 + rounding)
