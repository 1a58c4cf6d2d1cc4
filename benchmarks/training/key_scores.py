"""Scores of known key from the music21 corpus: `python -m benchmarks.training.key_scores OUT.jsonl TRUTH.csv...`.

Needs music21. Pieces named in the truth files, in whatever edition, are left out. A tune's key is what its file says;
any other score's is told by its key signature, its last bass note and its pitch classes together.
"""

import csv
import json
import random
import re
import sys
from pathlib import Path

from music21 import chord, converter, corpus, note, stream

_PITCH_CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_MODES = {"": "major", "maj": "major", "mix": "major", "lyd": "major"} | dict.fromkeys(
    ("min", "m", "dor", "aeo", "phr"), "minor"
)
_FAMILIES = {
    "ryansMammoth": "tune", "oneills1850": "tune", "airdsAirs": "tune", "bach": "choral", "palestrina": "palestrina",
    "essenFolksong": "folk", "nottingham-dataset": "folk", "monteverdi": "madrigal",
}  # fmt: skip
_LEFT_OUT = {"trecento", "demos", "josquin", "schoenberg", "opus19", "webern", "theoryExercises"}
_MOST = {"tune": 450, "choral": 400, "palestrina": 30, "folk": 60, "madrigal": 60, "classical": 90}
_MOST_OF_A_COLLECTION = 30
_SUFFIXES = {".mxl", ".xml", ".krn", ".abc", ".musicxml"}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\.(mxl|xml|abc|krn|rntxt|musicxml)$", "", name.lower()))


def _left_out(truths: list[Path]) -> set[str]:
    """Plain names of what is tested with, and of the same chorales under their other numbers."""
    rows = [row for truth in truths for row in csv.DictReader(truth.open())]
    names = {_plain(row["source"].removeprefix("music21 ")) for row in rows if row["source"].startswith("music21 ")}
    for number, entry in corpus.chorales.ChoraleList().byRiemenschneider.items():
        if f"riemenschneider{int(number):03d}" in names:
            names.add(_plain(f"bwv{entry['bwv']}"))
    return names


def _notes(score: stream.Stream) -> list[tuple[float, float, int, int]]:
    """Start and length in quarter notes, MIDI pitch, part."""
    found = []
    for part, line in enumerate(list(getattr(score, "parts", [])) or [score]):
        for sound in line.flatten().notes:
            length = float(sound.quarterLength)
            if length > 0 and isinstance(sound, chord.Chord | note.Note):
                found += [(round(float(sound.offset), 3), round(length, 3), int(p.midi), part) for p in sound.pitches]
    return sorted(found)


def _declared_key(path: Path) -> str | None:
    """From the K: field of ABC."""
    said = re.search(r"^K:\s*([A-G])([b#]?)\s*(\w*)", path.read_text(errors="ignore"), re.MULTILINE)
    mode = _MODES.get(said.group(3).lower()[:3]) if said else None
    if said is None or mode is None:
        return None
    pitch_class = _LETTERS[said.group(1)] + {"": 0, "#": 1, "b": -1}[said.group(2)]
    return f"{_PITCH_CLASSES[pitch_class % 12]} {mode}"


def _agreed_key(score: stream.Stream, notes: list[tuple[float, float, int, int]]) -> str | None:
    """Of the two keys of the signature the one the last bass note is home to, or else the pitch classes speak for.

    Where the bass ends on neither (a mode with another signature), it and the pitch classes have to agree.
    """
    signatures = list(score.flatten().getElementsByClass("KeySignature"))
    if not signatures:
        return None
    analysed = score.analyze("key")
    heard = (analysed.tonic.pitchClass, analysed.mode)
    last_start = max(start for start, *_ in notes)
    bass = min(pitch for start, length, pitch, _ in notes if start + length >= last_start + 0.01) % 12
    major = 7 * signatures[0].sharps % 12
    written = {(major, "major"), ((major + 9) % 12, "minor")}
    ends = next((key for key in written if key[0] == bass), None)
    tonic, mode = ends or (heard if heard in written or heard[0] == bass else (None, ""))
    return None if tonic is None else f"{_PITCH_CLASSES[tonic]} {mode}"


def _scores(path: Path) -> list[stream.Stream]:
    parsed = converter.parse(path)
    if not isinstance(parsed, stream.Opus):
        return [parsed]
    return random.sample(list(parsed.scores), min(len(parsed.scores), _MOST_OF_A_COLLECTION))


def main(out: Path, truths: list[Path]) -> None:
    """Write one JSON object a line: name, family, key, notes."""
    random.seed(1)
    left_out = _left_out(truths)
    by_family: dict[str, list[Path]] = {}
    for path in map(Path, corpus.getPaths()):
        if path.suffix in _SUFFIXES and path.parent.name not in _LEFT_OUT and _plain(path.name) not in left_out:
            by_family.setdefault(_FAMILIES.get(path.parent.name, "classical"), []).append(path)
    with out.open("w") as lines:
        for family, paths in by_family.items():
            for path in random.sample(paths, min(len(paths), _MOST[family])):
                for number, score in enumerate(_scores(path)):
                    notes = _notes(score)
                    if not 16 <= len(notes) <= 6000:
                        continue
                    declared = _declared_key(path) if family == "tune" else None
                    if key := declared or _agreed_key(score, notes):
                        name = f"{path.parent.name}/{path.name}#{number}"
                        lines.write(json.dumps({"name": name, "family": family, "key": key, "notes": notes}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(truth) for truth in sys.argv[2:]])
