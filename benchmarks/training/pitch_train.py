"""Trains the pitch network: python -m benchmarks.training.pitch_train OUT.npz --fonts FluidR3_GM.sf2 MuseScore.sf3

Every note of the fonts is heard as it is and once more detuned, cut, filtered or distorted; synthetic notes, kicks and
power chords of known pitch and drums and noises without one join them. Before the weights are written, programs and
synthetic sounds in four parts are each judged by a network that was trained on the other three.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from benchmarks.audio.notes import DRUM_CHANNEL, ELSEWHERE, HIGHEST_MIDI, LOWEST_MIDI, PROGRAMS, rendered
from benchmarks.training import pitch_synth
from benchmarks.training.choice_network import Choices, Network, train
from samplemind_tasks.audio.envelope import HOP_SAMPLES, shape
from samplemind_tasks.audio.mono import RATE_HZ
from samplemind_tasks.audio.pitch import hear, whole_sound
from samplemind_tasks.audio.pitch_candidates import MOST_CANDIDATES
from samplemind_tasks.audio.pitch_evidence import FEATURES

Floats = NDArray[np.float32]
Random = np.random.Generator

HIDDEN, EPOCHS, SEED = 32, 30, 0
_KEY_STEP = 3
_HELD_S = (0.25, 0.5, 1.0)
_SYNTHETIC_NOTES, _KICKS, _CHORDS, _NOISES = 8000, 500, 300, 2000
_KITS = (0, 8, 16, 24, 25, 32, 40)
_UNPITCHED_KEYS = (37, 38, 39, 40, 42, 44, 46, 49, 51, 52, 54, 55, 57, 59, 69, 70, 73, 74, 82)
"""Snares, hats, cymbals, claps and shakers of General MIDI."""
_LEFT_OUT = ELSEWHERE - {17, 18}
"""Of organs with a soft 16 foot stop, the network may learn that the player's note is the one above."""
_TOLERANCE_CENTS = 50.0
_PARTS = 4
_NONE_WEIGHT = 2.0


@dataclass(frozen=True)
class Example:
    """A sound as the network sees it; `midi` is None where it has no pitch, sounds of a `part` are judged together."""

    found_hz: NDArray[np.float64]
    evidence: Floats
    midi: float | None
    part: int
    source: str

    def is_right(self) -> NDArray[np.bool_]:
        """Which candidates are the pitch, and last, whether there is none."""
        if self.midi is None:
            return np.append(np.zeros(len(self.found_hz), dtype=bool), True)
        off_cents = 1200 * np.log2(self.found_hz / 440.0) - 100 * (self.midi - 69)
        return np.append(np.abs(off_cents) < _TOLERANCE_CENTS, False)


def examples(fonts: list[Path], random: Random) -> Iterator[Example]:
    """Everything the network learns from."""
    for font in fonts:
        for start, held_s in enumerate(_HELD_S):
            keys = range(LOWEST_MIDI + start, HIGHEST_MIDI + 1, _KEY_STEP)
            programs = [program for program in PROGRAMS if program not in _LEFT_OUT]
            velocity = int(random.choice([60, 80, 100, 120]))
            for played in rendered(font, programs[start::_KEY_STEP], keys, held_s=held_s, velocity=velocity):
                part = played.program // 4 % _PARTS
                yield _example(played.signal, played.midi, part, f"{font.stem} notes")
                yield _example(*_altered(random, played.signal, played.midi), part, f"{font.stem} altered notes")
        for played in rendered(font, _KITS, _UNPITCHED_KEYS, channel=DRUM_CHANNEL):
            yield _example(played.signal, None, played.midi % _PARTS, f"{font.stem} drums")
    for make, count in (
        (pitch_synth.note, _SYNTHETIC_NOTES),
        (pitch_synth.kick, _KICKS),
        (pitch_synth.power_chord, _CHORDS),
    ):
        for number in range(count):
            signal, midi = make(random)
            yield _example(signal, midi, number % _PARTS, f"synthetic {make.__name__}")
    for number in range(_NOISES):
        yield _example(pitch_synth.noise(random), None, number % _PARTS, "synthetic noise")


def _example(signal: NDArray[np.floating], midi: float | None, part: int, source: str) -> Example:
    signal = np.ascontiguousarray(0.9 * signal / np.abs(signal).max(), dtype=np.float32)
    loudest = int(np.argmax(shape(signal).amplitude)) * HOP_SAMPLES
    return Example(*hear(signal, loudest), midi, part, source)


def _altered(random: Random, signal: Floats, midi: float) -> tuple[NDArray[np.floating], float]:
    """Detuned by up to a semitone, and perhaps cut, filtered, made noisy or distorted."""
    cents = random.uniform(-100, 100)
    midi += cents / 100
    altered = np.interp(np.arange(0, len(signal) - 1, 2 ** (cents / 1200)), np.arange(len(signal)), signal)
    if random.random() < 0.5:
        altered = altered[: int(len(altered) * random.uniform(0.15, 0.8))]
        fade = min(len(altered), 100)
        altered[-fade:] *= np.linspace(1, 0, fade)
    filtered = random.random()
    if filtered < 0.3:
        edge_hz = min(440.0 * 2 ** ((midi - 69) / 12) * random.uniform(1.5, 20), 10_000)
        altered = scipy.signal.lfilter(*scipy.signal.butter(1, edge_hz, fs=RATE_HZ), altered)
    elif filtered < 0.45:
        altered = scipy.signal.lfilter(*scipy.signal.butter(1, random.uniform(60, 500), "high", fs=RATE_HZ), altered)
    peak = np.abs(altered).max()
    if random.random() < 0.3:
        altered = altered + random.standard_normal(len(altered)) * peak * 10 ** random.uniform(-4, -1.7)
    if random.random() < 0.15:
        altered = np.tanh(altered / peak * random.uniform(1, 6))
    return altered, midi


def choices(known: list[Example], mean: Floats, deviation: Floats) -> Choices:
    """The examples as arrays, their evidence scaled."""
    count = len(known)
    features = np.zeros((count, MOST_CANDIDATES, FEATURES), dtype=np.float32)
    exists = np.zeros((count, MOST_CANDIDATES), dtype=bool)
    right = np.zeros((count, MOST_CANDIDATES + 1), dtype=bool)
    for row, example in enumerate(known):
        found = len(example.found_hz)
        features[row, :found] = (example.evidence - mean) / deviation
        exists[row, :found] = True
        *right[row, :found], right[row, -1] = example.is_right()
    whole = np.stack([whole_sound(example.evidence) for example in known])
    weight = np.where(right[:, -1], np.float32(_NONE_WEIGHT), np.float32(1.0))
    return Choices(features, exists, whole, right, weight)


def judge(known: list[Example], every: Choices) -> None:
    """Print, for each source, how often a network that never met the program chooses rightly."""
    part = np.array([example.part for example in known])
    answered = np.zeros(len(known), dtype=bool)
    usable = every.right.any(axis=1)
    for held_out in range(_PARTS):
        network = train(every.of(usable & (part != held_out)), HIDDEN, EPOCHS, SEED)
        judged = every.of(part == held_out)
        best = network.probabilities(judged)[0].argmax(axis=1)
        answered[part == held_out] = judged.right[np.arange(len(best)), best]
    source = np.array([example.source for example in known])
    for name in sorted(set(source)):
        print(f"{name:40} {np.count_nonzero(source == name):6} {100 * answered[source == name].mean():6.1f} % right")


def save(path: Path, network: Network, mean: Floats, deviation: Floats) -> None:
    """Write the weights as audio/pitch.py reads them: the scale goes into the first layer."""
    hidden = network.hidden / deviation[:, None]
    np.savez(path, mean=mean, hidden=hidden, hidden_bias=network.hidden_bias, score=network.score, none=network.none)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--fonts", type=Path, nargs="+", required=True)
    arguments = parser.parse_args()
    known = [example for example in examples(arguments.fonts, np.random.default_rng(SEED)) if len(example.found_hz)]
    evidence = np.concatenate([example.evidence for example in known])
    mean, deviation = evidence.mean(axis=0), evidence.std(axis=0) + np.float32(1e-6)
    every = choices(known, mean, deviation)
    judge(known, every)
    save(arguments.out, train(every.of(every.right.any(axis=1)), HIDDEN, EPOCHS, SEED), mean, deviation)


if __name__ == "__main__":
    main()
