"""What General MIDI sound fonts play, by leaf: drums of every kit, notes and chords of every program, at 44.1 kHz."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.audio.notes import DRUM_CHANNEL
from benchmarks.training.ears_midi import Note, midi_file
from benchmarks.training.ears_sound import RATE_HZ, Doubles, Random, Sound

_NOTES_AT_ONCE = 150
_AUDIBLE = 2e-4
KITS = (*range(20), 24, 25, *range(32, 37), 40, 41, 42, 48)
"""Standard, room and power with their variations, electronic, TR-808, jazz, brush, orchestra."""
_ELECTRONIC_KITS, _BRUSH_KITS, _ORCHESTRA_KIT = (24, 25), (40, 41, 42), 48
_CHORDS = ((0,), (0,), (0,), (0, 7), (0, 12), (0, 3, 7), (0, 4, 7), (0, 4, 7, 11), (0, 3, 7, 10, 14))

DRUM_LEAVES = {
    35: "acoustic kick", 36: "acoustic kick", 37: "rim", 38: "acoustic snare", 40: "acoustic snare", 39: "clap",
    41: "acoustic tom", 43: "acoustic tom", 45: "acoustic tom", 47: "acoustic tom", 48: "acoustic tom",
    50: "acoustic tom", 42: "closed hat", 44: "pedal hat", 46: "open hat", 49: "crash", 57: "crash", 51: "ride",
    59: "ride", 52: "china", 53: "ride bell", 54: "tambourine", 55: "splash", 56: "cowbell", 58: "vibraslap",
    60: "bongo", 61: "bongo", 62: "conga", 63: "conga", 64: "conga", 65: "timbale", 66: "timbale", 67: "agogo",
    68: "agogo", 69: "cabasa", 70: "maracas", 71: "whistle", 72: "whistle", 73: "guiro", 74: "guiro", 75: "clave",
    76: "woodblock", 77: "woodblock", 78: "cuica", 79: "cuica", 80: "triangle", 81: "triangle", 82: "shaker",
    83: "sleigh bells", 84: "bell", 85: "castanets", 29: "scratch", 30: "scratch",
}  # fmt: skip
_ORCHESTRA_LEAVES = {
    27: "closed hat", 28: "pedal hat", 29: "open hat", 30: "ride", 35: "acoustic kick", 36: "acoustic kick", 37: "rim",
    38: "acoustic snare", 39: "castanets", 40: "acoustic snare", 57: "crash", 59: "crash",
    **dict.fromkeys(range(41, 54), "timpani"),
}  # fmt: skip
_PROGRAMS_OF = {
    "piano": (0, 1, 2, 3), "electric piano": (4, 5), "harpsichord": (6,), "clavinet": (7,), "glockenspiel": (8, 9, 10),
    "vibraphone": (11,), "mallet": (12, 13), "tubular bell": (14,), "organ": (16, 17, 18), "church organ": (19,),
    "accordion": (20, 21, 23), "harmonica": (22,), "acoustic guitar": (24, 25), "electric guitar": (26, 27),
    "muted guitar": (28,), "distorted guitar": (29, 30), "upright bass": (32,), "electric bass": (33, 34, 35, 36, 37),
    "synth bass": (38, 39), "solo strings": (40, 41, 42, 43, 110), "strings": (44, 48, 49, 50, 51),
    "pizzicato": (45,), "harp": (46,), "timpani": (47,), "choir": (52, 53, 54), "orchestra hit": (55,),
    "brass": (56, 57, 58, 59, 60, 61), "synth brass": (62, 63), "saxophone": (64, 65, 66, 67),
    "reed": (68, 69, 70, 71, 109, 111), "flute": (72, 73, 74, 75, 76, 77, 78, 79),
    "synth lead": (80, 81, 82, 83, 84, 85, 86, 87), "pad": (88, 89, 90, 91, 92, 93, 94, 95, 97, 99, 100),
    "ambience": (101, 102, 103), "bell": (98, 112), "sitar": (104,), "banjo": (105,), "koto": (15, 106, 107),
    "kalimba": (108,), "agogo": (113,), "steel drum": (114,), "woodblock": (115,), "taiko": (116,),
    "acoustic tom": (117,), "electronic tom": (118,), "riser": (119,), "noise": (122,),
    "soundscape": (123, 124, 125, 126), "impact": (127,),
}  # fmt: skip
PROGRAM_LEAVES = {program: leaf for leaf, programs in _PROGRAMS_OF.items() for program in programs}
_RANGES = {"bass": (26, 50), "flute": (60, 93), "glockenspiel": (60, 96), "timpani": (36, 55), "brass": (40, 79)}
_USUAL_RANGE = (38, 84)
_CHORDAL = {
    "piano", "electric piano", "organ", "accordion", "acoustic guitar", "electric guitar", "distorted guitar",
    "strings", "choir", "pad", "harpsichord", "synth brass", "brass", "harp", "clavinet", "vibraphone",
}  # fmt: skip


@dataclass(frozen=True)
class _Wanted:
    note: Note
    leaf: str
    origin: str


def font_sounds(font: Path, random: Random, drums: int, notes: int) -> Iterator[Sound]:
    """Render drum hits and notes drawn at random from a font.

    Parameters
    ----------
    font : .sf2 or .sf3
    drums : how many hits for each drum leaf
    notes : how many notes or chords for each pitched leaf
    """
    wanted = [*_hits(random, drums), *_notes(random, notes)]
    for first in range(0, len(wanted), _NOTES_AT_ONCE):
        some = wanted[first : first + _NOTES_AT_ONCE]
        is_wet = random.random() < 0.4
        for one, signal in zip(some, render(font, [one.note for one in some], is_wet), strict=True):
            if signal is not None:
                yield Sound(signal, one.leaf, font.stem, f"{font.stem} {one.origin}")


def _hits(random: Random, count: int) -> Iterator[_Wanted]:
    by_leaf: dict[str, list[tuple[int, int]]] = {}
    for kit in KITS:
        for key, leaf in (_ORCHESTRA_LEAVES if kit == _ORCHESTRA_KIT else DRUM_LEAVES).items():
            by_leaf.setdefault(_of_kit(leaf, kit), []).append((kit, key))
    for leaf, places in by_leaf.items():
        for _ in range(count):
            kit, key = places[int(random.integers(len(places)))]
            velocity = int(random.choice([127, 110, 90, 65, 45]))
            note = Note((key,), DRUM_CHANNEL, kit, velocity, 0.4, 3.2)
            yield _Wanted(note, leaf, f"kit {kit} key {key}")


def _of_kit(leaf: str, kit: int) -> str:
    """Electronic kits and brushes have leaves of their own."""
    if kit in _ELECTRONIC_KITS and leaf in ("acoustic kick", "acoustic snare", "acoustic tom"):
        return "808 kick" if kit == 25 and leaf == "acoustic kick" else leaf.replace("acoustic", "electronic")
    return "brush snare" if kit in _BRUSH_KITS and leaf == "acoustic snare" else leaf


def _notes(random: Random, count: int) -> Iterator[_Wanted]:
    for leaf, programs in _PROGRAMS_OF.items():
        low, high = next((keys for word, keys in _RANGES.items() if word in leaf), _USUAL_RANGE)
        for number in range(count):
            program = programs[number % len(programs)]
            key, held_s = int(random.integers(low, high)), float(np.exp(random.uniform(np.log(0.08), np.log(3.0))))
            if leaf in ("pad", "ambience", "riser", "soundscape", "strings", "choir"):
                held_s = float(np.exp(random.uniform(np.log(0.7), np.log(6.0))))
            chord = _CHORDS[int(random.integers(len(_CHORDS)))] if leaf in _CHORDAL else (0,)
            keys = tuple(key + step for step in chord)
            velocity = int(random.choice([120, 100, 80, 55]))
            yield _Wanted(Note(keys, 0, program, velocity, held_s, 1.2), leaf, f"program {program}")


def render(font: Path, notes: Sequence[Note], is_wet: bool) -> list[Doubles | None]:
    """Play notes one by one: each float64 [samples] without the silence behind it; None where nothing sounds."""
    fluidsynth = shutil.which("fluidsynth") or "fluidsynth"
    rooms = [] if is_wet else ["-R", "0", "-C", "0"]
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        midi, starts_s = midi_file(notes)
        score.write_bytes(midi)
        command = [fluidsynth, "-ni", "-q", *rooms, "-r", str(RATE_HZ), "-F", str(sound), str(font), str(score)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        played = soundfile.read(sound, dtype="float64", always_2d=True)[0].mean(axis=1)
    cuts = [
        played[int(start * RATE_HZ) : int((start + note.lasts_s) * RATE_HZ)]
        for start, note in zip(starts_s, notes, strict=True)
    ]
    return [_trimmed(cut) for cut in cuts]


def _trimmed(signal: Doubles) -> Doubles | None:
    loud = np.flatnonzero(np.abs(signal) > _AUDIBLE * max(float(np.abs(signal).max(initial=0.0)), 1e-3))
    if len(loud) < 100 or np.abs(signal).max() < 1e-3:
        return None
    return np.asarray(signal[max(int(loud[0]) - 30, 0) : loud[-1] + 200])
