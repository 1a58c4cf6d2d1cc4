"""Words against what people call such sounds: made ones with a known recipe, and real drums named by their class."""

import csv
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from audio.sounds import drum_loop, hat, kick, noise, sine, times
from samplemind_tasks.audio import RATE_HZ
from samplemind_tasks.audio.envelope import shape
from samplemind_tasks.audio.spectrum import spectrum
from samplemind_tasks.audio.timbre import timbre
from samplemind_tasks.audio.words import words

CORPUS = Path(os.environ.get("SAMPLEMIND_CORPUS", "/nowhere"))
ONE_SHOTS = CORPUS / "oneshots" / "truth.csv"


def said(signal: np.ndarray, *, one_shot: bool = True, pitch_hz: float | None = None) -> dict[str, float]:
    sound, gesture = spectrum(signal), {}
    if one_shot:
        envelope = shape(signal)
        gesture = {"attack_s": envelope.attack_s, "decay_s": envelope.decay_s}
    return {word.name: word.score for word in words(sound, timbre(sound, silent=False), pitch_hz=pitch_hz, **gesture)}


def saw(pitch_hz: float, seconds: float) -> np.ndarray:
    return (0.3 * scipy.signal.sawtooth(2 * np.pi * pitch_hz * times(seconds, RATE_HZ))).astype(np.float32)


def square(pitch_hz: float, seconds: float) -> np.ndarray:
    return (0.3 * scipy.signal.square(2 * np.pi * pitch_hz * times(seconds, RATE_HZ))).astype(np.float32)


def pad() -> np.ndarray:
    """A low chord of saws behind a low-pass filter, swelling for half a second."""
    chord = sum(saw(pitch_hz, 3.0) for pitch_hz in (130.8, 164.8, 196.0))
    muffled = scipy.signal.sosfilt(scipy.signal.butter(4, 500, fs=RATE_HZ, output="sos"), chord)
    return (muffled * np.minimum(times(3.0, RATE_HZ) / 0.5, 1.0)).astype(np.float32)


def test_a_kick_is_dark_boomy_and_punchy() -> None:
    found = said(np.pad(kick(RATE_HZ), (0, RATE_HZ // 2)))
    assert {"dark", "boomy", "punchy"} <= set(found)
    assert found.keys().isdisjoint({"bright", "thin", "crisp", "harsh", "noisy", "soft", "sustained"})


def test_a_hat_is_bright_thin_crisp_noisy_and_short() -> None:
    found = said(np.pad(hat(RATE_HZ), (0, RATE_HZ // 2)))
    assert {"bright", "thin", "crisp", "noisy", "short"} <= set(found)
    assert found.keys().isdisjoint({"dark", "boomy", "deep", "warm", "tonal", "punchy", "soft", "sustained"})


def test_a_pad_is_warm_dark_tonal_soft_and_sustained() -> None:
    found = said(pad())
    assert {"warm", "dark", "tonal", "soft", "sustained"} <= set(found)
    assert found.keys().isdisjoint({"bright", "thin", "noisy", "punchy", "short"})


def test_a_band_at_three_kilohertz_is_harsh_and_one_at_one_is_nasal() -> None:
    for word, low_hz, high_hz in (("harsh", 2200, 4500), ("nasal", 800, 1800)):
        band = scipy.signal.butter(4, [low_hz, high_hz], "bandpass", fs=RATE_HZ, output="sos")
        found = said(scipy.signal.sosfilt(band, noise(1.0, RATE_HZ)).astype(np.float32))
        assert word in found
        assert len(found.keys() & {"harsh", "nasal"}) == 1


@pytest.mark.parametrize("pitch_hz", [65.4, 110.0, 261.6, 523.3])
def test_odd_harmonics_alone_are_hollow(pitch_hz: float) -> None:
    assert "hollow" in said(square(pitch_hz, 1.0), pitch_hz=pitch_hz)
    assert "hollow" not in said(saw(pitch_hz, 1.0), pitch_hz=pitch_hz)
    assert "hollow" not in said(sine(pitch_hz, 1.0, RATE_HZ), pitch_hz=pitch_hz)


def test_a_drum_loop_is_punchy_and_a_steady_one_is_not() -> None:
    assert "punchy" in said(drum_loop(120, 2, RATE_HZ), one_shot=False)
    assert "punchy" not in said(pad(), one_shot=False)
    assert said(pad(), one_shot=False).keys().isdisjoint({"soft", "short", "sustained"})


@pytest.mark.parametrize("gain", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("signal", [kick(RATE_HZ), hat(RATE_HZ), pad()], ids=["kick", "hat", "pad"])
def test_loudness_changes_no_word(signal: np.ndarray, gain: float) -> None:
    dithered = np.pad(signal, (0, RATE_HZ // 2)) + noise(len(signal) / RATE_HZ + 0.5, RATE_HZ, peak=1e-4)
    loud, other = said(dithered), said(np.float32(gain) * dithered)
    assert loud.keys() == other.keys()
    assert list(other.values()) == pytest.approx(list(loud.values()), abs=0.05)


def test_a_constant_offset_is_not_heard() -> None:
    plain = np.pad(hat(RATE_HZ), (0, RATE_HZ // 2))
    assert said(plain + np.float32(0.02), one_shot=False).keys().isdisjoint({"dark", "deep", "boomy", "warm"})


@pytest.mark.parametrize("value", [1e-42, 1e-20, 1e30])
def test_faint_and_absurd_levels_have_words_in_range(value: float) -> None:
    for signal in (np.full(5000, value, dtype=np.float32), np.float32(value) * noise(0.2, RATE_HZ).clip(-1, 1)):
        assert all(0.5 <= score <= 1.0 for score in said(signal, one_shot=False).values())


def test_the_strongest_word_comes_first_and_weak_ones_are_not_said() -> None:
    for signal in (kick(RATE_HZ), hat(RATE_HZ), pad(), drum_loop(100, 1, RATE_HZ)):
        scores = list(said(signal).values())
        assert scores == sorted(scores, reverse=True)
        assert min(scores) >= 0.5


def test_nothing_is_said_of_silence() -> None:
    sound = spectrum(np.zeros(1000, dtype=np.float32))
    assert words(sound, timbre(sound, silent=True)) == []
    assert words(sound, timbre(sound, silent=False)) == []


@given(
    arrays(np.float32, st.integers(1, 5000), elements=st.floats(-1000, 1000, width=32), fill=st.just(np.float32(0.5))),
    st.one_of(st.none(), st.floats(0, 100)),
    st.one_of(st.none(), st.floats(0, 1e4)),
    st.one_of(st.none(), st.floats(1, 2e4)),
)
@settings(max_examples=60, deadline=None)
def test_any_sound_has_scores_in_range(
    signal: np.ndarray, attack_s: float | None, decay_s: float | None, pitch_hz: float | None
) -> None:
    sound = spectrum(signal)
    for word in words(sound, timbre(sound, silent=False), attack_s=attack_s, decay_s=decay_s, pitch_hz=pitch_hz):
        assert 0.5 <= word.score <= 1.0


@pytest.fixture(scope="module")
def said_of_class() -> dict[str, list[set[str]]]:
    """Class of drum to the words of each of its sounds; of every other one, for time."""
    found = defaultdict(list)
    with ONE_SHOTS.open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["package"] == "hydrogen-drumkits"]
    for row in [row for row in rows if Path(row["path"]).is_file()][::2]:
        samples, rate_hz = soundfile.read(row["path"], dtype="float32", always_2d=True)
        signal = soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ)
        if len(signal) and np.abs(signal).max() > 1e-3:
            found[row["class"]].append(set(said(signal)))
    return dict(found)


@pytest.mark.corpus
@pytest.mark.skipif(not ONE_SHOTS.is_file(), reason="SAMPLEMIND_CORPUS names no folder with oneshots/")
@pytest.mark.parametrize(
    ("sound", "word", "least", "most"),
    [
        ("kick", "dark", 0.7, 1.0),
        ("kick", "deep", 0.6, 1.0),
        ("kick", "boomy", 0.75, 1.0),
        ("kick", "punchy", 0.6, 1.0),
        ("kick", "bright", 0.0, 0.1),
        ("kick", "thin", 0.0, 0.1),
        ("tom", "boomy", 0.6, 1.0),
        ("tom", "noisy", 0.0, 0.1),
        ("snare", "noisy", 0.4, 1.0),
        ("snare", "dark", 0.0, 0.1),
        ("clap", "noisy", 0.7, 1.0),
        ("closed-hat", "bright", 0.9, 1.0),
        ("closed-hat", "noisy", 0.8, 1.0),
        ("closed-hat", "thin", 0.6, 1.0),
        ("closed-hat", "warm", 0.0, 0.05),
        ("closed-hat", "punchy", 0.0, 0.2),
        ("open-hat", "crisp", 0.7, 1.0),
        ("crash", "thin", 0.8, 1.0),
        ("crash", "boomy", 0.0, 0.05),
    ],
)
def test_real_drums_are_called_what_people_call_them(
    said_of_class: dict[str, list[set[str]]], sound: str, word: str, least: float, most: float
) -> None:
    if len(said_of_class.get(sound, [])) < 5:
        pytest.skip(f"fewer than five sounds of class {sound} are installed")
    assert least <= np.mean([word in found for found in said_of_class[sound]]) <= most
