"""Beats lie where a listener taps, and bars begin where a drummer begins them."""

import numpy as np
import pytest

from audio.sounds import drum_loop, hat, kick, noise
from samplemind_tasks.audio.beats import Beats, track_beats
from samplemind_tasks.audio.rhythm import onsets

RATE_HZ = 22_050


def beats_of(signal: np.ndarray, bpm: float, *, is_loop: bool = True) -> Beats:
    return track_beats(onsets(signal, silent=False), bpm, len(signal) / RATE_HZ, is_loop=is_loop)


@pytest.mark.parametrize("bpm", [72, 100, 128, 174])
def test_every_beat_of_a_loop_is_found(bpm: float) -> None:
    found = beats_of(drum_loop(bpm, 4, RATE_HZ), bpm)
    assert found.beat_times_s == pytest.approx(np.arange(16) * 60 / bpm, abs=0.02)


def test_bars_begin_with_the_loop() -> None:
    found = beats_of(drum_loop(110, 4, RATE_HZ), 110)
    assert found.beats_per_bar == 4
    assert found.downbeat_times_s == pytest.approx(np.arange(4) * 4 * 60 / 110, abs=0.02)


def test_a_waltz_has_three_beats_a_bar() -> None:
    beat_s = 0.4
    signal = np.zeros(round(24 * beat_s * RATE_HZ) + RATE_HZ, dtype=np.float32)
    for beat in range(24):
        sound = hat(RATE_HZ) if beat % 3 else kick(RATE_HZ)
        start = round(beat * beat_s * RATE_HZ)
        signal[start : start + len(sound)] += sound
    found = beats_of(signal[: round(24 * beat_s * RATE_HZ)], 150)
    assert found.beats_per_bar == 3
    assert found.downbeat_times_s == pytest.approx(np.arange(8) * 3 * beat_s, abs=0.02)


def test_a_loop_that_is_whole_bars_of_four_alone_is_counted_in_four() -> None:
    # a kick on every beat fits any meter; 16 beats fit four
    beat_s, signal = 0.5, np.zeros(round(16 * 0.5 * RATE_HZ), dtype=np.float32)
    for beat in range(16):
        start = round(beat * beat_s * RATE_HZ)
        signal[start : start + len(kick(RATE_HZ))] += kick(RATE_HZ)
    assert beats_of(signal, 120).beats_per_bar == 4


def test_bars_begin_with_the_kick_where_a_take_begins_in_their_middle() -> None:
    beat_s = 60 / 120
    signal = drum_loop(120, 6, RATE_HZ)[round(beat_s * RATE_HZ) :]
    found = beats_of(signal, 120, is_loop=False)
    phase = found.downbeat_times_s[0] / beat_s
    assert round(phase) % 2 == 1


def test_beats_follow_a_drummer_who_speeds_up() -> None:
    times_s = np.concatenate([[0.0], np.cumsum(60 / np.linspace(98, 104, 31))])
    signal = np.zeros(round((times_s[-1] + 0.5) * RATE_HZ), dtype=np.float32)
    for time_s in times_s:
        start = round(time_s * RATE_HZ)
        signal[start : start + len(hat(RATE_HZ))] += hat(RATE_HZ)[: len(signal) - start]
    assert beats_of(signal, 101, is_loop=False).beat_times_s == pytest.approx(times_s, abs=0.02)


def test_there_is_a_beat_in_anything() -> None:
    for signal in (noise(2, RATE_HZ), np.zeros(300, dtype=np.float32), np.zeros(5 * RATE_HZ, dtype=np.float32)):
        found = beats_of(signal, 120)
        assert len(found.beat_times_s) >= 1
        assert np.all(np.isfinite(found.beat_times_s))
        assert np.all(np.diff(found.beat_times_s) > 0)
