"""Tempo of loops of known tempo, none where nothing repeats, and what a file says of itself beside its sound."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.sounds import drum_loop, hat, kick, noise, sine
from samplemind_tasks.audio.rhythm import onsets
from samplemind_tasks.audio.tempo import HeardTempo, Pulse, hear_tempo, pulse
from samplemind_tasks.features import Evidence, Kind, Reason

RATE_HZ = 22_050


def told(
    signal: np.ndarray, kind: Kind = Kind.LOOP, *evidence: Evidence, tempo_range_bpm: tuple[float, float] | None = None
) -> Pulse:
    found, duration_s = onsets(signal.astype(np.float32), silent=False), len(signal) / RATE_HZ
    heard = hear_tempo(found, duration_s)
    return pulse(heard, found, kind, duration_s, evidence, silent=False, tempo_range_bpm=tempo_range_bpm)


def says(source: str, value: float, about: str = "tempo_bpm") -> Evidence:
    return Evidence.model_validate({"source": source, "about": about, "value": value, "text": f"{value:g}"})


@cache
def loop(bpm: float, bars: int = 4) -> np.ndarray:
    return drum_loop(bpm, bars, RATE_HZ)


@pytest.mark.parametrize("bpm", [84, 96, 110, 124, 128, 140, 150])
def test_a_drum_loop_has_its_tempo(bpm: float) -> None:
    found = told(loop(bpm))
    assert found.tempo_bpm == pytest.approx(bpm, rel=0.0005)
    assert found.tempo_heard_bpm == pytest.approx(bpm, rel=0.005)
    assert found.tempo_confidence is not None
    assert found.tempo_confidence > 0.5
    assert found.reasons == {}


def test_a_take_that_ends_anywhere_has_its_tempo() -> None:
    found = told(loop(117, 12)[: round(20.9 * RATE_HZ)])
    assert found.tempo_source == "sound"
    assert found.tempo_bpm == pytest.approx(117, rel=0.0005)


@pytest.mark.parametrize("bpm", [65, 174])
def test_a_slow_or_fast_loop_has_its_tempo_or_half_or_double(bpm: float) -> None:
    found = told(loop(bpm))
    assert any(found.tempo_bpm == pytest.approx(bpm * octave, rel=0.01) for octave in (0.5, 1, 2))


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_loop_played_twice_or_half_as_fast_is_a_relative_of_itself(factor: float) -> None:
    plain, other = told(loop(100)), told(loop(100 * factor))
    assert plain.tempo_bpm is not None
    assert any(other.tempo_bpm == pytest.approx(plain.tempo_bpm * octave, rel=0.005) for octave in (0.5, 1, 2))


@pytest.mark.parametrize("gain", [0.003, 0.1, 3.0])
def test_tempo_does_not_depend_on_gain(gain: float) -> None:
    plain, scaled = told(loop(118)), told(loop(118) * np.float32(gain))
    assert scaled.tempo_heard_bpm == pytest.approx(plain.tempo_heard_bpm, rel=1e-3)
    assert scaled.beat_times_s == pytest.approx(plain.beat_times_s, abs=0.01)


@pytest.mark.parametrize("swing", [0.1, 0.3])
def test_swing_does_not_change_the_tempo(swing: float) -> None:
    beat_s = 60 / 104
    signal = np.zeros(round(16 * beat_s * RATE_HZ), dtype=np.float32)
    for eighth in range(32):
        for sound in [hat(RATE_HZ)] + [kick(RATE_HZ)] * (eighth % 4 == 0):
            start = round((eighth // 2 + (0.5 + swing / 2) * (eighth % 2)) * beat_s * RATE_HZ)
            room = min(len(sound), len(signal) - start)
            signal[start : start + room] += sound[:room]
    assert told(signal).tempo_bpm == pytest.approx(104, rel=0.005)


@pytest.mark.parametrize("signal", [noise(8, RATE_HZ), sine(220, 8, RATE_HZ), 0.2 * np.ones(8 * RATE_HZ)])
def test_nothing_repeats_in_noise_or_a_tone(signal: np.ndarray) -> None:
    found = told(signal)
    assert found.tempo_bpm is None
    assert found.beat_times_s is None
    assert set(found.reasons.values()) == {Reason.NO_PULSE}


def test_noise_of_any_length_has_no_tempo() -> None:
    claimed = [told(noise(1.0 + seed, RATE_HZ, seed=seed)).tempo_bpm for seed in range(30)]
    assert claimed == [None] * 30


def test_a_one_shot_has_no_tempo() -> None:
    found = told(loop(120), Kind.ONE_SHOT)
    assert found.tempo_bpm is None
    assert found.reasons["bars"] is Reason.ONE_SHOT


def test_a_track_has_no_number_of_bars() -> None:
    found = told(np.tile(loop(128), 7), Kind.TRACK)
    assert found.tempo_bpm == pytest.approx(128, rel=0.0005)
    assert found.bars is None
    assert found.reasons["bars"] is Reason.NOT_LOOP


def test_the_runner_up_is_another_tempo() -> None:
    found = told(loop(120))
    assert found.tempo_second_bpm is not None
    assert found.tempo_bpm is not None
    assert abs(np.log2(found.tempo_second_bpm / found.tempo_bpm)) > 0.05


class TestWhatTheFileSays:
    """A chunk before a tag before the name, where the sound agrees; the sound's own answer beside it."""

    def test_the_name_that_agrees_is_taken(self) -> None:
        found = told(loop(122), Kind.LOOP, says("name", 122.5))
        assert (found.tempo_bpm, found.tempo_source) == (122.5, "name")
        assert found.tempo_heard_bpm == pytest.approx(122, rel=0.005)

    def test_a_folder_counts_as_a_name(self) -> None:
        assert told(loop(122), Kind.LOOP, says("folder", 122)).tempo_source == "name"

    def test_half_the_tempo_is_a_way_of_counting(self) -> None:
        assert told(loop(140), Kind.LOOP, says("tag", 70)).tempo_bpm == 70

    def test_the_sound_overrules_what_it_contradicts(self) -> None:
        found = told(loop(122), Kind.LOOP, says("name", 99), says("tag", 174))
        assert found.tempo_bpm == pytest.approx(122, rel=0.0005)
        assert found.tempo_source == "length"

    def test_a_chunk_is_believed_before_a_tag_before_the_name(self) -> None:
        said = [says("name", 120.1), says("tag", 120.2), says("acid", 120.3)]
        assert told(loop(120), Kind.LOOP, *said).tempo_bpm == 120.3
        assert told(loop(120), Kind.LOOP, *said[:2]).tempo_bpm == 120.2

    def test_a_number_of_beats_is_a_tempo(self) -> None:
        found = told(loop(96), Kind.LOOP, says("acid", 16, "beats"))
        assert found.tempo_source == "chunk"
        assert found.tempo_bpm == pytest.approx(96, rel=1e-4)

    def test_nonsense_is_no_tempo(self) -> None:
        said = [says("acid", 0, "beats"), says("tag", 0.0), says("name", 9e9), says("basc", -5)]
        assert told(loop(96), Kind.LOOP, *said).tempo_source == "length"

    def test_what_lies_outside_the_asked_range_does_not_count(self) -> None:
        found = told(loop(140), Kind.LOOP, says("name", 140), tempo_range_bpm=(60, 100))
        assert found.tempo_bpm == pytest.approx(70, rel=0.0005)
        assert found.tempo_heard_bpm == pytest.approx(140, rel=0.005)


@pytest.mark.parametrize(("low", "high"), [(50, 100), (100, 200), (150, 299), (85, 169)])
def test_the_tempo_lies_in_the_range_that_is_asked_for(low: float, high: float) -> None:
    found = told(loop(118), tempo_range_bpm=(low, high))
    assert found.tempo_bpm is not None
    assert low <= found.tempo_bpm <= high


@pytest.mark.parametrize(("low", "high"), [(1, 10), (300, 390), (1000, 2000)])
def test_a_range_of_no_music_gives_the_nearest_octave_there_is(low: float, high: float) -> None:
    found = told(loop(118), tempo_range_bpm=(low, high))
    assert found.tempo_bpm is not None
    assert 20 < found.tempo_bpm < 400


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(1, 30_000),
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([0.0, 1e-42, 1e-9, 1.0, 1e3]),
    shape=st.sampled_from(["noise", "clicks", "dc", "ramp"]),
    kind=st.sampled_from(list(Kind)),
)
def test_any_sound_has_a_finite_tempo_or_a_reason(length: int, seed: int, scale: float, shape: str, kind: Kind) -> None:
    random = np.random.default_rng(seed)
    signal = {
        "noise": lambda: random.standard_normal(length),
        "clicks": lambda: (random.random(length) < 0.001) * 1.0,
        "dc": lambda: np.ones(length),
        "ramp": lambda: np.linspace(-1, 1, length),
    }[shape]()
    found = told((signal * scale).astype(np.float32), kind)
    for name in ("tempo_bpm", "tempo_confidence", "tempo_heard_bpm", "tempo_second_bpm", "beat_times_s", "bars"):
        value = getattr(found, name)
        assert (value is None) == (name in found.reasons), name
        assert value is None or np.all(np.isfinite(value)), name
    if found.tempo_bpm is not None:
        assert 20 < found.tempo_bpm < 400
        assert found.tempo_confidence is not None
        assert 0 <= found.tempo_confidence <= 1


def test_probabilities_are_those_of_the_candidates() -> None:
    heard = hear_tempo(onsets(loop(120), silent=False), len(loop(120)) / RATE_HZ)
    assert isinstance(heard, HeardTempo)
    assert np.all(np.diff(heard.probabilities) <= 0)
    assert 0 < heard.probabilities.sum() <= 1 + 1e-9
