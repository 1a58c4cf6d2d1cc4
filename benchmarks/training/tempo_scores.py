"""Notes of public scores, from music21's corpus, as lists that a renderer can play at any tempo.

    python -m benchmarks.training.tempo_scores NOTES.json --without TRUTH.csv [TRUTH.csv ...]

needs music21. Pieces named in the truth files are left out, whatever their folder or format, because those files judge
the result.
"""

import argparse
import csv
import json
import random
import re
from pathlib import Path

from music21 import converter, corpus

FOLDERS = {
    "bach": 260,
    "monteverdi": 30,
    "haydn": 20,
    "mozart": 20,
    "beethoven": 20,
    "corelli": 10,
    "handel": 5,
    "joplin": 3,
    "schumann_robert": 4,
    "schumann_clara": 3,
    "schubert": 3,
    "weber": 3,
    "palestrina": 12,
    "trecento": 12,
    "ryansMammoth": 60,
    "airdsAirs": 1,
    "cpebach": 3,
    "verdi": 2,
    "josquin": 4,
    "luca": 2,
    "leadSheet": 10,
}
"""Pieces to take from each composer."""
LONGEST_QUARTERS = 120
METERS = {"2/4", "3/4", "4/4", "2/2", "3/2", "4/2"}


def main() -> None:
    """Write the notes of a drawn set of pieces."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notes", type=Path)
    parser.add_argument("--without", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    held_out = {stem for path in arguments.without for stem in _stems(path)}
    pieces = []
    for path in _drawn(held_out):
        try:
            piece = _notes(path)
        except Exception as error:  # noqa: BLE001 - music21 raises anything at a score it cannot read: leave that one out
            print(path.name, type(error).__name__)
            continue
        if piece is not None:
            pieces.append(piece)
    arguments.notes.write_text(json.dumps(pieces))
    print(len(pieces), "pieces")


def _stems(truth: Path) -> set[str]:
    """Names, without folder and format, of the pieces of a truth file."""
    with truth.open() as table:
        sources = [row["source"] for row in csv.DictReader(table) if row["source"].startswith("music21 ")]
    return {Path(source.removeprefix("music21 ")).stem for source in sources}


def _drawn(held_out: set[str]) -> list[Path]:
    draw = random.Random(0)
    by_folder: dict[str, list[Path]] = {}
    for path in sorted(Path(path) for path in corpus.getPaths()):
        if path.suffix == ".rntxt" or path.stem in held_out or re.sub(r"-.*", "", path.stem) in held_out:
            continue
        by_folder.setdefault(path.relative_to(path.parents[-1]).parts[-2], []).append(path)
        for folder in path.parts:
            if folder in FOLDERS and folder != path.parts[-2]:
                by_folder.setdefault(folder, []).append(path)
    return [
        path
        for folder, count in FOLDERS.items()
        for path in draw.sample(by_folder.get(folder, []), min(count, len(by_folder.get(folder, []))))
    ]


def _notes(path: Path) -> dict[str, object] | None:
    """Notes as [start in quarters, length in quarters, MIDI pitch, part]; None where a beat may be no quarter."""
    score = converter.parse(path)
    score = score.scores[0] if hasattr(score, "scores") else score
    meters = {meter.ratioString for meter in score.recurse().getElementsByClass("TimeSignature")}
    if not meters or not meters <= METERS:
        return None
    notes = []
    for part, stream in enumerate(score.parts):
        for note in stream.flatten().stripTies().notes:
            if note.duration.isGrace or note.offset > LONGEST_QUARTERS:
                continue
            for pitch in note.pitches:
                notes.append([float(note.offset), float(note.quarterLength), pitch.midi, part])
    if len(notes) < 24:
        return None
    return {"name": path.stem, "meter": sorted(meters)[0], "notes": sorted(notes)}


if __name__ == "__main__":
    main()
