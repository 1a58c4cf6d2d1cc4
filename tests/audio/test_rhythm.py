"""Tempo of loops of known tempo, and none where nothing repeats."""

import numpy as np
import pytest

from audio.sounds import RATE_HZ, audio, drum_loop, hat, kick, noise, sine
from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.schemas import Features, Kind, Reason


def features(signal: np.ndarray, rate_hz: int = RATE_HZ) -> Features:
    return analyze(audio(signal, rate_hz)).features


@pytest.mark.parametrize("bpm", [84, 96, 110, 124, 128, 140, 150])
def test_a_drum_loop_has_its_tempo(bpm: float) -> None:
    found = features(drum_loop(bpm, 4))
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.005)
    assert found.tempo_confidence is not None
    assert found.tempo_confidence > 0.5
    assert found.kind is Kind.LOOP


@pytest.mark.parametrize("bpm", [65, 174])
def test_a_slow_or_fast_loop_has_its_tempo_or_half_or_double(bpm: float) -> None:
    found = features(drum_loop(bpm, 4))
    assert any(found.tempo_bpm == pytest.approx(bpm * factor, rel=0.01) for factor in (0.5, 1, 2))


def test_the_runner_up_is_another_tempo() -> None:
    found = features(drum_loop(120, 4))
    assert found.tempo_second_bpm is not None
    assert found.tempo_bpm is not None
    assert abs(np.log2(found.tempo_second_bpm / found.tempo_bpm)) > 0.05


@pytest.mark.parametrize("rate_hz", [22_050, 48_000, 96_000])
def test_tempo_does_not_depend_on_the_rate(rate_hz: int) -> None:
    assert features(drum_loop(126, 4, rate_hz), rate_hz).tempo_bpm == pytest.approx(126, rel=0.005)


@pytest.mark.parametrize("gain", [0.003, 0.1, 3.0])
def test_tempo_does_not_depend_on_gain(gain: float) -> None:
    loop = drum_loop(118, 4)
    plain, scaled = features(loop), features(loop * np.float32(gain))
    assert scaled.tempo_bpm == pytest.approx(plain.tempo_bpm, rel=1e-3)
    assert scaled.onset_count == plain.onset_count
    assert scaled.kind is plain.kind


@pytest.mark.parametrize(
    "signal", [kick(), hat(), noise(0.3) * np.exp(-np.arange(13_230) / 2000)], ids=["kick", "hat", "hit"]
)
def test_a_one_shot_has_no_tempo(signal: np.ndarray) -> None:
    found = features(signal)
    assert found.kind is Kind.ONE_SHOT
    assert found.tempo_bpm is None
    assert found.reasons["tempo_bpm"] is Reason.ONE_SHOT
    assert found.onset_count == 1


@pytest.mark.parametrize("signal", [noise(8), sine(220, 8)], ids=["noise", "sine"])
def test_nothing_repeats_in_noise_or_a_tone(signal: np.ndarray) -> None:
    found = features(signal)
    assert found.tempo_bpm is None
    assert found.reasons["tempo_bpm"] in {Reason.NO_PULSE, Reason.ONE_SHOT}


def test_a_minute_of_music_is_a_track_with_a_tempo() -> None:
    found = features(np.tile(drum_loop(128, 4, 22_050), 9), 22_050)
    assert found.kind is Kind.TRACK
    assert found.tempo_bpm == pytest.approx(128, rel=0.002)


def test_every_hit_is_counted() -> None:
    signal = np.zeros(RATE_HZ * 4, dtype=np.float32)
    for second in (0.5, 1.0, 1.5, 2.25, 3.0):
        signal[round(second * RATE_HZ) :][: len(kick())] += kick()
    assert features(signal).onset_count == 5
