"""One-shots, loops and tracks, as a producer would call them."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

from samplemind_tasks.audio.envelope import shape
from samplemind_tasks.audio.kind import TRACK_S, KindGuess, kind
from samplemind_tasks.audio.kind_evidence import evidence
from samplemind_tasks.audio.mono import RATE_HZ
from samplemind_tasks.audio.rhythm import onsets
from samplemind_tasks.features import Kind
from tests.audio.sounds import Floats, drum_loop, hat, kick, noise, sine, times

CORPUS = Path(os.environ.get("SAMPLEMIND_CORPUS", "/nowhere"))


def guess(signal: Floats) -> KindGuess:
    signal = signal.astype(np.float32)
    found = shape(signal)
    is_silent = not found.amplitude.max() > 1e-5
    return kind(signal, onsets(signal, silent=is_silent).onset_times_s, found, len(signal) / RATE_HZ)


def dying(signal: Floats, half_life_s: float) -> Floats:
    return (signal * 0.5 ** (times(len(signal) / RATE_HZ, RATE_HZ) / half_life_s)).astype(np.float32)


def pattern(seconds: float, hits: list[tuple[float, Floats]]) -> Floats:
    """Hits at their times, in a file of this length."""
    signal = np.zeros(round(seconds * RATE_HZ), dtype=np.float32)
    for start_s, hit in hits:
        start = round(start_s * RATE_HZ)
        part = hit[: len(signal) - start]
        signal[start : start + len(part)] += part
    return signal


SNARE = dying(noise(0.2, RATE_HZ, 0.3, 5), 0.03)
ONE_SHOTS = {
    "kick": kick(RATE_HZ),
    "closed hat": hat(RATE_HZ),
    "snare with silence behind it": np.concatenate([SNARE, np.zeros(RATE_HZ, dtype=np.float32)]),
    "long cymbal": dying(noise(9.0, RATE_HZ, 0.3, 6), 0.8),
    "bell of 6 s": dying(sine(700.0, 6.0, RATE_HZ), 0.5),
    "flam": pattern(0.4, [(0.0, 0.4 * SNARE), (0.03, SNARE)]),
    "drag": pattern(0.5, [(0.0, 0.4 * SNARE), (0.05, 0.5 * SNARE), (0.1, SNARE)]),
    "clap": pattern(0.4, [(start, dying(noise(0.3, RATE_HZ, 0.3, 7), 0.03)) for start in (0.0, 0.011, 0.022, 0.033)]),
    "bass note cut off": sine(55.0, 0.7, RATE_HZ),
    "pad that dies away": dying(sine(220.0, 6.0, RATE_HZ) + sine(277.0, 6.0, RATE_HZ), 1.0),
    "impact": dying(noise(4.0, RATE_HZ, 0.5, 8) + sine(45.0, 4.0, RATE_HZ), 0.3),
}


@pytest.mark.parametrize("name", ONE_SHOTS)
def test_one_shots(name: str) -> None:
    assert guess(ONE_SHOTS[name]).kind is Kind.ONE_SHOT


def one_bar(bpm: float, hits: str) -> Floats:
    """A bar of sixteenths: k is a kick, s a snare, h a hat."""
    sounds = {"k": kick(RATE_HZ), "s": SNARE, "h": hat(RATE_HZ)}
    step_s = 15.0 / bpm
    return pattern(16 * step_s, [(step * step_s, sounds[hit]) for step, hit in enumerate(hits) if hit in sounds])


@pytest.mark.parametrize("bpm", [75.0, 120.0, 172.0])
@pytest.mark.parametrize(
    "hits",
    [
        "k.h.s.h.k.h.s.h.",
        "k...s...k...s...",
        "k.k.s..k.sk.s..s",
        "h.h.h.h.h.h.h.h.",
        "k.......s.....k.",
    ],
)
def test_a_break_of_one_bar_is_a_loop(bpm: float, hits: str) -> None:
    assert guess(one_bar(bpm, hits)).kind is Kind.LOOP


@pytest.mark.parametrize(("bpm", "bars"), [(90.0, 2), (128.0, 4), (174.0, 8)])
def test_drum_loops(bpm: float, bars: int) -> None:
    found = guess(drum_loop(bpm, bars, RATE_HZ))
    assert found.kind is Kind.LOOP
    assert found.confidence > 0.8


@pytest.mark.parametrize("seconds", [8.0, 20.0])
def test_a_drone_that_goes_on_to_its_end_is_a_loop(seconds: float) -> None:
    tremolo = (1.0 + 0.3 * np.sin(2 * np.pi * times(seconds, RATE_HZ) * 4 / seconds)).astype(np.float32)
    assert guess((sine(110.0, seconds, RATE_HZ) + sine(165.0, seconds, RATE_HZ)) * tremolo).kind is Kind.LOOP


def test_a_file_longer_than_any_loop_is_a_track() -> None:
    assert guess(drum_loop(100.0, 40, RATE_HZ)) == KindGuess(Kind.TRACK, pytest.approx(1.0, abs=0.01))


@pytest.mark.parametrize("gain", [0.01, 10.0])
@pytest.mark.parametrize("sound", [one_bar(120.0, "k.h.s.h.k.h.s.h."), ONE_SHOTS["flam"]])
def test_loudness_does_not_change_the_kind(sound: Floats, gain: float) -> None:
    loud = guess(sound * np.float32(gain))
    assert loud.kind is guess(sound).kind
    assert loud.confidence == pytest.approx(guess(sound).confidence, abs=0.05)


def test_silence_is_an_unsure_one_shot() -> None:
    assert guess(np.zeros(2000, dtype=np.float32)) == KindGuess(Kind.ONE_SHOT, 0.5)


@given(
    st.integers(1, 30_000),
    st.sampled_from([1e-40, 1e-4, 1.0, 1000.0]),
    st.sampled_from(["noise", "constant", "click", "last"]),
    st.lists(st.floats(0, 2), max_size=20).map(sorted),
)
def test_any_signal_has_a_kind(samples: int, peak: float, form: str, onset_times_s: list[float]) -> None:
    signal = {
        "noise": noise(samples / RATE_HZ, RATE_HZ, 1.0),
        "constant": np.ones(samples),
        "click": np.eye(1, samples, 0)[0],
        "last": np.eye(1, samples, samples - 1)[0],
    }[form]
    found = shape((signal * peak).astype(np.float32))
    guessed = kind(np.asarray(signal, dtype=np.float32), np.array(onset_times_s), found, samples / RATE_HZ)
    assert 0.5 <= guessed.confidence <= 1.0
    if found.amplitude.max() > 0:
        assert all(np.isfinite(value) for value in vars(evidence(found.amplitude, np.array(onset_times_s))).values())


# ------------------------------------------------------------------------------------------------------- real sounds


def _mono(path: Path) -> Floats:
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ), dtype=np.float32)


def _rows(name: str) -> list[dict[str, str]]:
    with (CORPUS / name / "truth.csv").open() as table:
        return list(csv.DictReader(table))


@pytest.mark.corpus
@pytest.mark.skipif(not (CORPUS / "tempo").is_dir(), reason="SAMPLEMIND_CORPUS names no folder with tempo/")
def test_most_real_loops_are_loops() -> None:
    names = [row["file"] for row in _rows("tempo") if float(row["seconds"]) < TRACK_S - 2][::3]
    kinds = [guess(_mono(CORPUS / "tempo" / name)).kind for name in names]
    assert kinds.count(Kind.LOOP) >= 0.95 * len(kinds)


@pytest.mark.corpus
@pytest.mark.skipif(not (CORPUS / "oneshots").is_dir(), reason="SAMPLEMIND_CORPUS names no folder with oneshots/")
def test_most_real_drums_are_one_shots() -> None:
    paths = [Path("/") / row["path"] for row in _rows("oneshots") if row["package"] == "hydrogen-drumkits"][::6]
    paths = [path for path in paths if path.exists()]
    if not paths:
        pytest.skip("hydrogen-drumkits is not installed")
    kinds = [guess(_mono(path)).kind for path in paths]
    assert kinds.count(Kind.ONE_SHOT) >= 0.97 * len(kinds)
