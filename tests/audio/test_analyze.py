"""The whole analysis: whatever comes in, what comes out is finite, in range, or null with a reason."""

import librosa
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from audio.sounds import RATE_HZ, cadence, drum_loop, kick, noise, sine
from audio.whole import features, heard
from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.warm import warm
from samplemind_tasks.features import Evidence, Features, Kind, Reason, Spread
from samplemind_tasks.model_table import front_ends

SPREADS = ("centroid_hz", "bandwidth_hz", "rolloff_hz", "flatness", "flux", "zero_crossing_rate")
LISTS = {"mfcc": 20, "chroma": 12, "tonnetz": 6, "contrast_db": 7, "envelope": 32}


def check(found: Features) -> None:
    """Every null has a reason, every reason a null, every number is finite and in its range."""
    assert {name for name in Features.model_fields if getattr(found, name) is None} == set(found.reasons)
    for name in Features.model_fields:
        for number in numbers(getattr(found, name)):
            assert np.isfinite(number), name
    for name in ("centroid_hz", "bandwidth_hz", "rolloff_hz"):
        spread = getattr(found, name)
        assert spread is None or 0 <= spread.p10 <= spread.p50 <= spread.p90 <= 11_025
    assert found.flatness is None or 0 <= found.flatness.mean <= 1
    assert found.zero_crossing_rate is None or 0 <= found.zero_crossing_rate.mean <= 1
    for name, length in LISTS.items():
        values = getattr(found, name)
        assert values is None or len(values) == length, name
    assert found.chroma is None or all(0 <= spread.mean <= 1 for spread in found.chroma)
    assert found.envelope is None or max(found.envelope) == pytest.approx(1.0)
    assert sorted(found.onset_times_s) == found.onset_times_s
    for times_s in (found.onset_times_s, found.beat_times_s or []):
        assert all(-0.05 <= time_s <= found.measured_s + 0.05 for time_s in times_s)
    Features.model_validate(found.model_dump(mode="json"))


def numbers(value: object) -> list[float]:
    if isinstance(value, Spread):
        return list(vars(value).values())
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, float) else []


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    samples=arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 5000), st.integers(1, 3)),
        elements=st.floats(-1000, 1000, width=32),
        fill=st.floats(-1, 1, width=32),
    ),
    rate_hz=st.sampled_from([4_000, 8_000, 44_100, 48_000, 768_000]),
)
def test_any_array_gives_numbers_in_range_or_null_with_a_reason(samples: np.ndarray, rate_hz: int) -> None:
    measured = analyze(heard(samples, rate_hz))
    check(measured.features)
    assert len(measured.peaks) == 2 * min(1000, len(samples))
    assert len(measured.peaks_detail) >= len(measured.peaks)


@pytest.mark.parametrize(
    "signal",
    [
        np.zeros(RATE_HZ),
        np.zeros(1),
        np.ones(RATE_HZ) * 0.5,
        np.full(RATE_HZ, 1e-40),
        np.eye(1, RATE_HZ)[0],
        np.sign(sine(100, 1)),
        noise(1, peak=300),
        noise(1, peak=1e-5),
        np.concatenate([np.zeros(RATE_HZ * 3), noise(0.01)]),
    ],
    ids=["silence", "one", "dc", "denormal", "impulse", "square", "huge", "tiny", "late"],
)
def test_odd_sounds_are_measured(signal: np.ndarray) -> None:
    check(features(signal))


def test_silence_is_called_silence_everywhere() -> None:
    found = features(np.zeros((RATE_HZ, 2)))
    check(found)
    assert set(found.reasons.values()) == {Reason.SILENT}
    assert found.onset_count == 0


def test_a_mix_that_cancels_is_not_silent() -> None:
    left = cadence(9, minor=True)
    both, one = features(np.stack([left, -left], axis=1)), features(left)
    assert (both.key, both.kind, both.onset_count) == (one.key, one.kind, one.onset_count)
    assert both.centroid_hz == one.centroid_hz
    assert both.loudness_lufs is not None


def test_the_same_sound_gives_the_same_result() -> None:
    loop = np.stack([drum_loop(120, 2), drum_loop(120, 2)], axis=1)
    assert analyze(heard(loop)) == analyze(heard(loop))


def test_timbre_hardly_depends_on_the_rate_of_the_file() -> None:
    one, other = (features(cadence(0, minor=False, rate_hz=rate), rate) for rate in (44_100, 96_000))
    assert one.centroid_hz is not None
    assert other.centroid_hz is not None
    assert other.centroid_hz.mean == pytest.approx(one.centroid_hz.mean, rel=0.01)


def test_what_does_not_exist_says_why() -> None:
    hit, loop = features(kick()), features(drum_loop(120, 2))
    check(hit)
    check(loop)
    assert (hit.kind, hit.tempo_bpm, hit.reasons["tempo_bpm"]) == (Kind.ONE_SHOT, None, Reason.ONE_SHOT)
    assert hit.attack_s is not None
    assert hit.attack_s < 0.03
    assert (loop.kind, loop.attack_s, loop.reasons["attack_s"]) == (Kind.LOOP, None, Reason.NOT_ONE_SHOT)
    assert loop.reasons["pitch_midi"] is Reason.NOT_ONE_SHOT
    assert loop.reasons["stereo_width"] is Reason.MONO


def test_what_the_file_says_decides_where_the_sound_agrees_and_is_kept_where_not() -> None:
    loop = drum_loop(120, 3)
    right = Evidence(source="tag", about="tempo_bpm", value=121.0, text="121")
    wrong = Evidence(source="name", about="tempo_bpm", value=97.0, text="97bpm")
    agreed = analyze(heard(loop), [wrong, right]).features
    assert (agreed.tempo_bpm, agreed.tempo_source) == (121.0, "tag")
    assert agreed.tempo_heard_bpm == pytest.approx(120, rel=0.005)
    alone = analyze(heard(loop), [wrong]).features
    assert alone.tempo_bpm == pytest.approx(120, rel=0.005)
    assert alone.tempo_source in ("length", "sound")
    assert alone.evidence == [wrong]


def test_a_tempo_is_told_within_the_range_asked_for() -> None:
    sound = heard(drum_loop(140, 4))
    assert analyze(sound, tempo_range_bpm=(50, 100)).features.tempo_bpm == pytest.approx(70, rel=0.005)
    assert analyze(sound, tempo_range_bpm=(160, 320)).features.tempo_bpm == pytest.approx(280, rel=0.005)


def test_everything_is_measured_whatever_the_rate_and_the_gain() -> None:
    loop = drum_loop(126, 4, 48_000) + 0.5 * np.resize(
        cadence(2, minor=True, rate_hz=48_000), 4 * 4 * 48_000 * 60 // 126
    )
    plain = features(loop, 48_000)
    for other in (features(loop * np.float32(0.01), 48_000), features(librosa_resampled(loop, 48_000, 96_000), 96_000)):
        check(other)
        assert (other.kind, other.key) == (plain.kind, plain.key)
        assert other.tempo_bpm == pytest.approx(plain.tempo_bpm, rel=2e-3)
        assert other.centroid_hz is not None
        assert plain.centroid_hz is not None
        assert other.centroid_hz.mean == pytest.approx(plain.centroid_hz.mean, rel=0.03)


def librosa_resampled(signal: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    return librosa.resample(signal, orig_sr=from_hz, target_sr=to_hz, res_type="soxr_hq")


def test_the_container_goes_through() -> None:
    found = features(np.stack([noise(1), noise(1, seed=1)], axis=1))
    assert (found.container, found.codec, found.bit_depth, found.channels) == ("WAV", "FLOAT", 32, 2)
    assert found.stereo_correlation == pytest.approx(0, abs=0.05)
    assert found.stereo_width == pytest.approx(0.5, abs=0.05)


def test_warming_up_needs_nothing_but_itself() -> None:
    warm(list(front_ends().values()))
