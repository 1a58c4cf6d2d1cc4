"""The note of a one-shot, against notes that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplemind_tasks.audio.envelope import shape
from samplemind_tasks.audio.mono import RATE_HZ
from samplemind_tasks.audio.pitch import A4_HZ, A4_MIDI, Pitch, pitch
from samplemind_tasks.features import Reason
from tests.audio.sounds import Floats, noise, sine, times

SEMITONE_CENTS = 100


def heard(signal: Floats) -> Pitch:
    return pitch(signal, shape(signal))


def plucked(midi: float, seconds: float = 0.4, partials: int = 8, weakest: int = 1) -> Floats:
    """A string: partials that die away, the higher ones sooner; those below `weakest` are missing."""
    time_s = times(seconds, RATE_HZ)
    hz = A4_HZ * 2 ** ((midi - A4_MIDI) / 12)
    orders = [order for order in range(weakest, partials + 1) if order * hz < 0.45 * RATE_HZ]
    parts = [np.sin(2 * np.pi * order * hz * time_s) * np.exp(-time_s * (3 + order)) / order for order in orders]
    return (0.3 * np.sum(parts, axis=0)).astype(np.float32)


def cents_off(found: Pitch, midi: float) -> float:
    assert found.pitch_midi is not None
    assert found.pitch_cents is not None
    return SEMITONE_CENTS * (found.pitch_midi - midi) + found.pitch_cents


@pytest.mark.parametrize("midi", range(28, 97, 4))
def test_a_plucked_string_gives_its_note(midi: int) -> None:
    found = heard(plucked(midi))
    assert found.pitch_midi == midi
    assert found.pitch_cents == pytest.approx(0.0, abs=12)
    assert found.pitch_confidence is not None
    assert found.pitch_confidence > 0.5


@pytest.mark.parametrize("midi", [33.0, 45.0, 60.0, 81.0])
def test_a_pure_tone_gives_its_note_and_not_a_multiple(midi: float) -> None:
    assert cents_off(heard(sine(A4_HZ * 2 ** ((midi - A4_MIDI) / 12), 0.5, RATE_HZ)), midi) == pytest.approx(0, abs=12)


@pytest.mark.parametrize("cents", [-40, -20, 20, 40])
def test_a_detuned_note_tells_by_how_much(cents: int) -> None:
    found = heard(plucked(57 + cents / SEMITONE_CENTS))
    assert found.pitch_midi == 57
    assert found.pitch_cents == pytest.approx(cents, abs=6)


def test_a_bass_is_heard_though_its_fundamental_is_missing() -> None:
    assert heard(plucked(40, partials=12, weakest=3)).pitch_midi == 40


@pytest.mark.parametrize("gain", [0.001, 3.0, 100.0])
def test_loudness_does_not_change_the_note(gain: float) -> None:
    sound = plucked(52)
    assert cents_off(heard(sound * np.float32(gain)), 52) == pytest.approx(cents_off(heard(sound), 52), abs=0.5)


def test_a_constant_beneath_the_note_is_not_heard() -> None:
    assert heard(plucked(48) + np.float32(0.4)).pitch_midi == 48


def test_a_drum_machine_kick_gives_the_note_it_falls_to() -> None:
    time_s = times(0.8, RATE_HZ)
    hz = 50.0 * (1 + 5 * np.exp(-time_s / 0.015))
    kick = (np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ) * np.exp(-time_s * 5)).astype(np.float32)
    assert cents_off(heard(kick), A4_MIDI + 12 * np.log2(50.0 / A4_HZ)) == pytest.approx(0, abs=50)


@pytest.mark.parametrize("seed", range(5))
def test_noise_that_dies_away_has_no_pitch(seed: int) -> None:
    hat = noise(0.3, RATE_HZ, 0.3, seed) * np.exp(-times(0.3, RATE_HZ) * 20).astype(np.float32)
    assert heard(hat).reasons == dict.fromkeys(("pitch_midi", "pitch_cents", "pitch_confidence"), Reason.UNPITCHED)


def test_silence_and_a_click_have_reasons() -> None:
    assert set(heard(np.zeros(3000, dtype=np.float32)).reasons.values()) == {Reason.SILENT}
    assert set(heard(np.ones(20, dtype=np.float32)).reasons.values()) == {Reason.TOO_SHORT}
    assert set(Pitch.none(Reason.NOT_ONE_SHOT).reasons.values()) == {Reason.NOT_ONE_SHOT}


@given(
    st.integers(1, 9000),
    st.sampled_from([1e-40, 1e-5, 1.0, 1000.0]),
    st.sampled_from(["noise", "constant", "click", "alternating", "sine"]),
)
def test_any_signal_has_a_note_or_a_reason(samples: int, peak: float, form: str) -> None:
    signal = {
        "noise": noise(samples / RATE_HZ, RATE_HZ, 1.0),
        "constant": np.ones(samples),
        "click": np.eye(1, samples, samples // 2)[0],
        "alternating": np.resize([1.0, -1.0], samples),
        "sine": sine(100.0, samples / RATE_HZ, RATE_HZ, 1.0),
    }[form]
    found = heard((signal * peak).astype(np.float32))
    if found.pitch_midi is None:
        assert set(found.reasons) == {"pitch_midi", "pitch_cents", "pitch_confidence"}
        return
    assert found.pitch_cents is not None
    assert found.pitch_confidence is not None
    assert 0 <= found.pitch_midi <= 127
    assert -50 <= found.pitch_cents <= 50
    assert 0 <= found.pitch_confidence <= 1
