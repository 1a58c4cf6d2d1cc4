"""The key network: what it answers turns with the music, and it knows the sounds producers name by key."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from audio.sounds import drum_loop, times
from samplemind_tasks.audio.key import KEYS, key_probabilities
from samplemind_tasks.audio.partials import RATE_HZ
from samplemind_tasks.audio.tonal import tonal

CORPUS = Path(os.environ.get("SAMPLEMIND_CORPUS", "/nowhere")) / "key"
SPELLED = {"D#": "Eb", "G#": "Ab", "A#": "Bb", "Db": "C#", "Gb": "F#"}
# Steps of a bar each: the pitches above the tonic that sound together.
PROGRESSIONS = {
    "i VI III VII": ("minor", [(0, 3, 7), (8, 12, 15), (3, 7, 10), (10, 14, 17)]),
    "i iv v i": ("minor", [(0, 3, 7), (5, 8, 12), (7, 10, 14), (0, 3, 7)]),
    "I V vi IV": ("major", [(0, 4, 7), (7, 11, 14), (9, 12, 16), (5, 9, 12)]),
    "ii V I": ("major", [(2, 5, 9, 12), (7, 11, 14, 17), (0, 4, 7, 11), (0, 4, 7, 11)]),
}
PADS = {"minor": ("minor", (0, 3, 7, 12)), "minor 9": ("minor", (0, 3, 7, 10, 14)), "major 7": ("major", (0, 4, 7, 11))}
MINOR_RIFF = (0, 0, 3, 0, 7, 5, 3, 10, 0, 0, 3, 0, 8, 7, 3, 0)


def chords(lowest: int, steps: list[tuple[int, ...]], step_s: float, overtones: int = 8) -> np.ndarray:
    """Saw-like notes, each chord as long as the other; `lowest` is the MIDI pitch of step 0."""
    time_s = times(step_s, RATE_HZ)
    fade = np.minimum(1, (step_s - time_s) / 0.02) * np.minimum(1, time_s / 0.01) * np.exp(-time_s / step_s)
    parts = []
    for step in steps:
        chord = np.zeros(len(time_s))
        for pitch in step:
            pitch_hz = 440.0 * 2 ** ((lowest + pitch - 69) / 12)
            for overtone in range(1, overtones + 1):
                chord += np.sin(2 * np.pi * overtone * pitch_hz * time_s) / overtone
        parts.append(0.1 * chord * fade)
    return np.concatenate(parts).astype(np.float32)


@pytest.mark.parametrize("name", PROGRESSIONS)
@pytest.mark.parametrize("tonic", range(12))
def test_a_progression_has_its_key_in_every_key(tonic: int, name: str) -> None:
    mode, steps = PROGRESSIONS[name]
    assert tonal(chords(48 + tonic, steps, 1.0), silent=False).key == KEYS[tonic + 12 * (mode == "minor")]


@pytest.mark.parametrize("name", PADS)
@pytest.mark.parametrize("tonic", range(12))
def test_a_pad_is_called_by_the_root_and_third_of_its_chord(tonic: int, name: str) -> None:
    mode, chord = PADS[name]
    assert tonal(chords(48 + tonic, [chord], 4.0), silent=False).key == KEYS[tonic + 12 * (mode == "minor")]


@pytest.mark.parametrize("tonic", range(12))
def test_a_bass_riff_has_its_key_in_every_key_with_and_without_drums(tonic: int) -> None:
    riff = chords(33 + tonic, [(pitch,) for pitch in MINOR_RIFF], 0.25)
    drums = drum_loop(120, 2, RATE_HZ)[: len(riff)]
    expected = KEYS[(9 + tonic) % 12 + 12]
    assert tonal(riff, silent=False).key == expected
    assert tonal(riff / np.abs(riff).max() + 0.3 * drums, silent=False).key == expected


def test_the_answer_turns_with_the_sound() -> None:
    magnitudes = np.random.default_rng(1).gamma(0.5, 1.0, (30, 5, 12)).astype(np.float32)
    plain = key_probabilities(magnitudes).reshape(2, 12)
    for semitones in range(12):
        turned = key_probabilities(np.ascontiguousarray(np.roll(magnitudes, semitones, axis=2))).reshape(2, 12)
        np.testing.assert_allclose(turned, np.roll(plain, semitones, axis=1), atol=1e-5)


def test_a_clear_key_is_told_with_more_confidence_than_a_bare_fifth() -> None:
    clear = tonal(chords(45, PROGRESSIONS["i iv v i"][1], 1.0), silent=False)
    bare = tonal(chords(45, [(0, 7, 12)], 4.0), silent=False)
    assert clear.key_confidence > 0.8 > bare.key_confidence
    assert {bare.key, bare.key_second} == {"A minor", "A major"}


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_probabilities_of_nothing_are_still_probabilities(frames: int) -> None:
    for magnitudes in (np.zeros((frames, 5, 12), np.float32), np.full((frames, 5, 12), 1e30, np.float32)):
        likely = key_probabilities(magnitudes)
        assert np.isfinite(likely).all()
        assert likely.sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.is_dir(), reason="SAMPLEMIND_CORPUS names no folder with key/")
def test_four_of_five_scores_of_the_corpus_have_their_key() -> None:
    with (CORPUS / "truth.csv").open() as table:
        rows = list(csv.DictReader(table))
    right = 0
    for row in rows:
        samples, rate_hz = soundfile.read(CORPUS / row["file"], dtype="float32", always_2d=True)
        found = tonal(soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ), silent=False)
        tonic, mode = row["key"].split()
        right += found.key == f"{SPELLED.get(tonic, tonic)} {mode}"
    assert right / len(rows) > 0.8
