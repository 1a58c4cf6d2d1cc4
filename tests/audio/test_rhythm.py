"""Where sounds begin."""

import numpy as np
import pytest

from audio.sounds import drum_loop, hat, kick, noise, sine
from samplemind_tasks.audio.rhythm import BAND_TOPS_HZ, onsets

RATE_HZ = 22_050


def hits(times_s: tuple[float, ...], seconds: float) -> np.ndarray:
    signal = np.zeros(round(seconds * RATE_HZ), dtype=np.float32)
    for time_s in times_s:
        start = round(time_s * RATE_HZ)
        room = min(len(kick(RATE_HZ)), len(signal) - start)
        signal[start : start + room] += kick(RATE_HZ)[:room]
    return signal


def test_every_hit_is_found_where_it_is() -> None:
    times_s = (0.5, 1.0, 1.5, 2.25, 3.0)
    found = onsets(hits(times_s, 4.0), silent=False)
    assert found.onset_count == 5
    assert found.onset_times_s == pytest.approx(times_s, abs=0.015)


@pytest.mark.parametrize(
    "signal", [kick(RATE_HZ), hat(RATE_HZ), noise(0.3, RATE_HZ) * np.exp(-np.arange(6615) / 1000).astype(np.float32)]
)
def test_a_hit_from_the_first_sample_on_is_one_onset(signal: np.ndarray) -> None:
    found = onsets(signal, silent=False)
    assert found.onset_count == 1
    assert found.onset_times_s[0] == pytest.approx(0.0, abs=0.02)


def test_silence_has_no_onsets() -> None:
    assert onsets(np.zeros(RATE_HZ, dtype=np.float32), silent=True).onset_count == 0


def test_a_steady_tone_begins_once() -> None:
    assert onsets(sine(220, 4, RATE_HZ), silent=False).onset_count <= 1


@pytest.mark.parametrize("gain", [1e-3, 0.1, 1e3])
def test_onsets_do_not_depend_on_gain(gain: float) -> None:
    plain = onsets(drum_loop(118, 2, RATE_HZ), silent=False)
    scaled = onsets(drum_loop(118, 2, RATE_HZ) * np.float32(gain), silent=False)
    assert scaled.onset_count == plain.onset_count
    assert scaled.onset_times_s == pytest.approx(plain.onset_times_s, abs=0.012)


def test_a_kick_is_low_and_a_hat_is_high() -> None:
    low = onsets(hits((0.5, 1.0), 1.5), silent=False)
    assert low.bands.shape == (len(BAND_TOPS_HZ), len(low.strength))
    silence = np.zeros(RATE_HZ // 2, dtype=np.float32)
    high = onsets(np.concatenate([silence, hat(RATE_HZ), silence]), silent=False)
    assert low.bands[0].max() > low.bands[-1].max()
    assert high.bands[-1].max() > high.bands[0].max()


@pytest.mark.parametrize("length", [1, 2, 255, 256, 511, 513, 1025])
def test_the_shortest_sounds_are_measured(length: int) -> None:
    found = onsets(noise(1, RATE_HZ)[:length], silent=False)
    assert found.onset_count == len(found.onset_times_s) <= 1
    assert np.all(np.isfinite(found.strength))
