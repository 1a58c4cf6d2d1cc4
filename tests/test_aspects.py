"""What sounds can be compared by besides timbre: known differences in, ordered similarities out."""

import numpy as np
import pytest
from audio.sounds import RATE_HZ, drum_loop, kick, noise, sine
from audio.whole import features

from samplemind_tasks.aspects import DESCRIPTORS, MISSING, SIZE, Aspect, Aspects, aspects, similarities, word_scores
from samplemind_tasks.audio.words import Word
from samplemind_tasks.features import Features

OTHERS = [aspect for aspect in Aspect if aspect is not Aspect.TIMBRE]


def plucked(pitch_hz: float, decay_s: float = 0.2) -> np.ndarray:
    time_s = np.arange(int(0.8 * RATE_HZ)) / RATE_HZ
    return np.asarray(0.5 * np.sin(2 * np.pi * pitch_hz * time_s) * np.exp(-time_s / decay_s), np.float32)


def of(sound: np.ndarray) -> Aspects:
    return aspects(features(sound))


def alike(one: np.ndarray, others: list[np.ndarray], aspect: Aspect) -> list[float]:
    return similarities(of(one), np.stack([of(other) for other in others]), aspect).tolist()


def test_a_sound_is_like_itself_in_everything() -> None:
    rows = np.stack([of(sound) for sound in (kick(), noise(0.3), plucked(440))])
    for aspect in OTHERS:
        for row in rows:
            scores = similarities(row, rows, aspect)
            assert scores.max() == pytest.approx(1.0)
            assert ((scores >= 0) & (scores <= 1)).all()


def test_pitch_is_the_note_and_an_octave_is_nearer_than_its_neighbour() -> None:
    same, octave, fifth = alike(plucked(220), [plucked(220, 0.1), plucked(440), plucked(330)], Aspect.PITCH)
    assert same > octave > fifth


def test_envelope_does_not_hear_the_note() -> None:
    same, longer = alike(plucked(220), [plucked(330), plucked(220, 3.0)], Aspect.ENVELOPE)
    assert same > 0.9
    assert longer < 0.7


def test_rhythm_takes_half_and_double_as_the_same() -> None:
    asked = features(drum_loop(120.0, 8)).model_copy(update={"tempo_bpm": 120.0})
    rows = [asked.model_copy(update={"tempo_bpm": bpm}) for bpm in (60.0, 240.0, 170.0)]
    half, double, other = similarities(aspects(asked), np.stack([aspects(row) for row in rows]), Aspect.RHYTHM)
    assert half == double == pytest.approx(1.0)
    assert other < 0.9


def test_spectrum_tells_dark_from_bright() -> None:
    near, far = alike(kick(), [kick() * np.float32(0.3), noise(0.3)], Aspect.SPECTRUM)
    assert near > 0.9
    assert far < 0.5


def test_what_one_lacks_counts_and_what_both_lack_does_not() -> None:
    drum = features(noise(0.3))
    unpitched = drum.model_copy(update={"pitch_midi": None})
    pitched = drum.model_copy(update={"pitch_midi": 60})
    both, one_sided = similarities(aspects(unpitched), np.stack([aspects(unpitched), aspects(pitched)]), Aspect.PITCH)
    assert both == pytest.approx(1.0)
    assert one_sided < both


def test_silence_has_no_numbers_and_breaks_nothing() -> None:
    silent = of(np.zeros(RATE_HZ, np.float32))
    assert silent.shape == (SIZE,)
    assert (silent == MISSING).any()
    for aspect in OTHERS:
        assert np.isfinite(similarities(silent, np.stack([silent, of(kick())]), aspect)).all()


def test_every_word_that_is_ever_said_has_its_place() -> None:
    sounds = [kick(), noise(0.3), sine(440.0, 0.5), plucked(3_000), drum_loop(120.0, 4)]
    found: list[Features] = [features(sound) for sound in sounds]
    assert {word.name for row in found for word in row.words} <= set(DESCRIPTORS)
    said = found[0].model_copy(update={"words": [Word(name="dark", score=1.0)]})
    assert word_scores(said).tolist() == [255 if name == "dark" else 0 for name in DESCRIPTORS]
