"""How a sound rises and dies away, against sounds made to rise and die away."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplemind_tasks.audio.envelope import RATE_HZ, SLICES, Shape, shape
from samplemind_tasks.features import Reason
from tests.audio.sounds import Floats, noise, sine, times


def _swell(attack_s: float, half_life_s: float, frequency_hz: float, seconds: float = 2.0) -> Floats:
    """A sine that rises in a straight line and then halves its amplitude again and again."""
    time_s = times(seconds, RATE_HZ)
    loudness = np.where(time_s < attack_s, time_s / attack_s, 0.5 ** ((time_s - attack_s) / half_life_s))
    return (sine(frequency_hz, seconds, RATE_HZ) * loudness).astype(np.float32)


@pytest.mark.parametrize("frequency_hz", [45.0, 440.0, 5000.0])
@pytest.mark.parametrize("attack_s", [0.05, 0.3])
def test_the_attack_is_the_time_from_a_tenth_to_nine_tenths(attack_s: float, frequency_hz: float) -> None:
    found = shape(_swell(attack_s, 0.2, frequency_hz))
    assert found.attack_s == pytest.approx(0.8 * attack_s, rel=0.1, abs=0.005)


def test_a_sound_that_is_there_at_once_has_no_attack() -> None:
    assert shape(sine(1000.0, 0.5, RATE_HZ)).attack_s == pytest.approx(0.0, abs=0.003)


@pytest.mark.parametrize("frequency_hz", [45.0, 440.0, 5000.0])
def test_the_decay_is_the_time_to_fall_by_20_db(frequency_hz: float) -> None:
    half_life_s = 0.1
    assert shape(_swell(0.01, half_life_s, frequency_hz)).decay_s == pytest.approx(half_life_s * np.log2(10), rel=0.05)


def test_a_sound_that_does_not_die_away_is_endless() -> None:
    found = shape(sine(440.0, 1.0, RATE_HZ))
    assert found.decay_s is None
    assert found.reasons == {"decay_s": Reason.ENDLESS}


def test_the_decay_ends_after_the_last_loud_part() -> None:
    hit = _swell(0.001, 0.01, 440.0, 0.2)
    assert shape(np.concatenate([hit, 0.5 * hit])).decay_s == pytest.approx(0.2 + 0.01 * np.log2(5), abs=0.01)


def test_the_outline_follows_the_loudness() -> None:
    outline = shape(np.concatenate([noise(0.5, RATE_HZ, 0.4), noise(0.5, RATE_HZ, 0.1, seed=3)])).envelope
    assert outline is not None
    assert len(outline) == SLICES
    assert max(outline) == 1.0
    assert np.mean(outline[:16]) == pytest.approx(1.0, abs=0.1)
    assert np.mean(outline[17:]) == pytest.approx(0.25, abs=0.03)


def test_loudness_does_not_change_the_shape() -> None:
    sound = _swell(0.05, 0.1, 300.0)
    loud, soft = shape(sound), shape(sound * np.float32(0.01))
    assert soft.attack_s == pytest.approx(loud.attack_s, rel=1e-3)
    assert soft.decay_s == pytest.approx(loud.decay_s, rel=1e-3)
    assert soft.envelope == pytest.approx(loud.envelope, rel=1e-3)


def test_silence_has_no_shape() -> None:
    assert shape(np.zeros(1000, dtype=np.float32)).reasons == dict.fromkeys(
        ("attack_s", "decay_s", "envelope"), Reason.SILENT
    )


def test_many_events_have_no_single_shape() -> None:
    loop = Shape.of_many_events(shape(noise(0.1)).amplitude)
    assert loop.attack_s is loop.decay_s is loop.envelope is None
    assert set(loop.reasons.values()) == {Reason.NOT_ONE_SHOT}


@given(
    st.integers(1, 3000),
    st.sampled_from([1e-40, 1e-6, 1.0, 1000.0]),
    st.sampled_from(["noise", "constant", "click", "last"]),
)
def test_any_signal_has_a_shape_or_a_reason(samples: int, peak: float, form: str) -> None:
    signal = {
        "noise": noise(samples / RATE_HZ, RATE_HZ, 1.0),
        "constant": np.ones(samples),
        "click": np.eye(1, samples, 0)[0],
        "last": np.eye(1, samples, samples - 1)[0],
    }[form]
    found = shape((signal * peak).astype(np.float32))
    for name in ("attack_s", "decay_s", "envelope"):
        value = getattr(found, name)
        assert (value is None) == (name in found.reasons)
        assert value is None or (np.all(np.isfinite(value)) and np.min(value) >= 0)
    assert np.all(np.isfinite(found.amplitude))
    assert len(found.amplitude) >= 1
