"""The whole analysis: whatever comes in, what comes out is finite, in range, or null with a reason."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from audio.sounds import RATE_HZ, audio, cadence, drum_loop, noise, sine
from samplemind_tasks.audio.analyze import analyze
from samplemind_tasks.audio.warm import warm
from samplemind_tasks.schemas import Features, Reason, Spread


def check(found: Features) -> None:
    """Every null has a reason, every reason a null, every number is finite."""
    assert {name for name in Features.model_fields if getattr(found, name) is None} == set(found.reasons)
    for name in Features.model_fields:
        for number in numbers(getattr(found, name)):
            assert np.isfinite(number), name
    for name in ("centroid_hz", "bandwidth_hz", "rolloff_hz"):
        spread = getattr(found, name)
        assert spread is None or 0 <= spread.mean <= 11_025
    assert found.flatness is None or 0 <= found.flatness.mean <= 1
    assert found.zero_crossing_rate is None or 0 <= found.zero_crossing_rate.mean <= 1
    assert found.chroma is None or (len(found.chroma) == 12 and min(found.chroma) >= 0 and max(found.chroma) == 1)


def numbers(value: object) -> list[float]:
    if isinstance(value, Spread):
        return [value.mean, value.deviation]
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
    measured = analyze(audio(samples, rate_hz))
    check(measured.features)
    assert len(measured.peaks) == 2 * min(1000, len(samples))


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
    check(analyze(audio(signal)).features)


def test_silence_is_called_silence_everywhere() -> None:
    found = analyze(audio(np.zeros((RATE_HZ, 2)))).features
    check(found)
    assert set(found.reasons.values()) == {Reason.SILENT}
    assert found.onset_count == 0


def test_a_mix_that_cancels_is_not_silent() -> None:
    left = cadence(9, minor=True)
    both, one = analyze(audio(np.stack([left, -left], axis=1))).features, analyze(audio(left)).features
    assert (both.key, both.kind, both.onset_count) == (one.key, one.kind, one.onset_count)
    assert both.centroid_hz == one.centroid_hz
    assert both.loudness_lufs is not None


def test_the_same_sound_gives_the_same_result() -> None:
    loop = np.stack([drum_loop(120, 2), drum_loop(120, 2)], axis=1)
    assert analyze(audio(loop)) == analyze(audio(loop))


def test_timbre_hardly_depends_on_the_rate_of_the_file() -> None:
    one, other = (analyze(audio(cadence(0, minor=False, rate_hz=rate), rate)).features for rate in (44_100, 96_000))
    assert one.centroid_hz is not None
    assert other.centroid_hz is not None
    assert other.centroid_hz.mean == pytest.approx(one.centroid_hz.mean, rel=0.01)


def test_notes_and_the_container_go_through() -> None:
    found = analyze(audio(noise(1), notes=("a note",))).features
    assert found.notes == ["a note"]
    assert (found.container, found.codec, found.bit_depth, found.channels) == ("WAV", "FLOAT", 32, 1)


def test_warming_up_needs_nothing_but_itself() -> None:
    warm()
