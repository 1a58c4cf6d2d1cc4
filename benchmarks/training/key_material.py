"""Renders the key finder's training material.

    python -m benchmarks.training.key_material FOLDER SCORES.jsonl COUNT SEED [FAMILY]

Writes shards of int16 samples (shard_SEED.raw, mono, 22,050 Hz) and what each sound is (shard_SEED.jsonl).
"""

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.training import key_synth as synth
from benchmarks.training import key_theory as theory
from benchmarks.training.key_theory import Note, Piece, Random

_FAMILIES = (
    (0.24, "score"), (0.22, "progression"), (0.22, "riff"), (0.15, "pad"), (0.03, "note"), (0.14, "atonal"),
)  # fmt: skip
_PITCH_CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_LONGEST_S = 60.0
_LONGEST_EXCERPT_S = 34.0
_GENERATORS = {"progression": theory.progression, "riff": theory.riff, "pad": theory.pad, "note": theory.single_note}


def score_piece(random: Random, scores: list[dict]) -> tuple[Piece, str]:
    """A score, or an excerpt of it, transposed."""
    families = sorted({score["family"] for score in scores})
    weights = np.array([{"tune": 3, "choral": 3, "classical": 2, "madrigal": 2}.get(f, 1) for f in families], float)
    family = random.choice(families, p=weights / weights.sum())
    score = scores[random.choice([i for i, s in enumerate(scores) if s["family"] == family])]
    tonic, mode = score["key"].split()
    shift = int(random.integers(-6, 6))
    bpm = random.uniform(70, 150)
    last = max(start + length for start, length, _, _ in score["notes"])
    whole = random.random() < 0.6
    most = (_LONGEST_S if whole else random.uniform(8, _LONGEST_EXCERPT_S)) * bpm / 60
    from_start = whole or last <= most or random.random() < 0.6
    first = 0.0 if from_start else float(random.choice([last - most, random.uniform(0, last - most)]))
    notes = [
        Note(start - first, length, pitch + shift, 0.7, part)
        for start, length, pitch, part in score["notes"]
        if first <= start < first + most
    ]
    beats = min(most, max((n.start + n.length for n in notes), default=1.0))
    piece = Piece((_PITCH_CLASSES.index(tonic) + shift) % 12, float(mode == "minor"), beats, bpm, notes)
    return piece, score["name"]


def render(random: Random, piece: Piece, fonts: list[synth.SoundFont], *, is_score: bool) -> np.ndarray:
    """Sound of a piece by a sound font or our own synthesiser, sometimes with drums: float32 [samples]."""
    cents = float(np.clip(random.normal(0, 18), -50, 50)) if random.random() < 0.6 else 0.0
    tail_s = float(random.choice([0.0, 0.0, 0.5, 2.0]))
    longest = _LONGEST_S * piece.bpm / 60
    piece.beats = min(piece.beats, longest)
    if random.random() < (0.9 if is_score else 0.55):
        parts = max((note.part for note in piece.notes), default=0) + 1
        lead = int(random.choice(synth.MELODIC_PROGRAMS))
        programs = [
            lead if is_score and random.random() < 0.6 else int(random.choice(synth.MELODIC_PROGRAMS))
            for _ in range(min(parts, 8))
        ]
        if not is_score and parts > 1 and random.random() < 0.6:
            programs[1] = int(random.integers(32, 40))
        if random.random() < 0.12:
            piece.notes += synth.drum_notes(random, piece.beats, len(programs))
            programs.append(-1)
        sound = fonts[random.integers(len(fonts))].play(piece, programs, cents, tail_s, room=random.random() < 0.5)
    else:
        sound = synth.synthesise(random, piece, cents, tail_s)
        if random.random() < 0.15:
            drums = synth.drum_loop(random, len(sound) / synth.RATE_HZ)[: len(sound)]
            sound[: len(drums)] += random.uniform(0.1, 0.8) * np.abs(sound).max() * drums
    return sound


def atonal(random: Random, fonts: list[synth.SoundFont]) -> np.ndarray:
    """Drums and noise: strokes, loops, kits."""
    chance = random.random()
    if chance < 0.4:
        return synth.drum_sound(random)
    if chance < 0.6:
        return synth.drum_loop(random, random.uniform(1, 10))
    font = fonts[random.integers(len(fonts))]
    if chance < 0.8:
        pitch = int(random.choice([35, 36, 37, 38, 39, 40, *range(35, 82)]))
        return font.play(
            Piece(0, 0, 1.0, 60 / random.uniform(0.2, 3.0), [Note(0, 0.5, pitch, 0.9, 0)]), [-1], 0, 0.0, room=False
        )
    if chance < 0.86:
        program = int(random.choice([115, 118, 119, 121, 122, 125, 126, 127]))
        return font.play(
            Piece(0, 0, 2.0, 60, [Note(0, 1, int(random.integers(40, 80)), 0.9, 0)]), [program], 0, 0.0, room=False
        )
    beats = float(random.choice([4, 8, 16]))
    piece = Piece(0, 0, beats, random.uniform(70, 170))
    piece.notes = synth.drum_notes(random, beats, 0)
    return font.play(piece, [-1], 0, 0.0, room=random.random() < 0.5)


def main(folder: Path, scores_path: Path, count: int, seed: int, only: str | None = None) -> None:
    """Render one shard, of all families or of one."""
    random = np.random.default_rng(seed)
    scores = [json.loads(line) for line in scores_path.read_text().splitlines()]
    fonts = [synth.SoundFont(path) for path in synth.SOUND_FONTS]
    weights = np.array([weight for weight, _ in _FAMILIES])
    with (folder / f"shard_{seed}.raw").open("wb") as samples, (folder / f"shard_{seed}.jsonl").open("w") as labels:
        for _ in range(count):
            family = only or _FAMILIES[random.choice(len(_FAMILIES), p=weights / weights.sum())][1]
            name, piece = family, None
            if family == "atonal":
                sound = atonal(random, fonts)
            else:
                piece, name = (
                    score_piece(random, scores) if family == "score" else (_GENERATORS[family](random), family)
                )
                sound = render(random, piece, fonts, is_score=family == "score")
            if len(sound) < 1000 or np.abs(sound).max() < 1e-4:
                continue
            sound = synth.recorded(random, sound)
            (np.clip(sound, -1, 1) * 32_000).astype(np.int16).tofile(samples)
            labels.write(
                json.dumps(
                    {
                        "family": family,
                        "name": name,
                        "samples": len(sound),
                        "tonic": piece.tonic if piece else None,
                        "minor": piece.minor if piece else None,
                    }
                )
                + "\n"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
