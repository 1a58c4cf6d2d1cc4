"""What is in the demo library, and writing it to a folder."""

import csv
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from samplemind_tasks.demo.instruments import RATE_HZ, Sound, bass, clap, hat, keys, kick, pad, pluck, room, snare
from samplemind_tasks.demo.music import (
    BREAK,
    HALF_TIME,
    HOUSE,
    LAZY,
    Instrument,
    Row,
    beat,
    chord_of,
    song,
    tune,
)

VERSION = 1
"""Raise it when a sound changes: a library made by another version is made again."""
STAMP = ".made_by"
"""Written last, so that a library half made is made again."""
SUBTYPES = {".wav": "PCM_24", ".flac": "PCM_16", ".ogg": "VORBIS"}
PEAK = 0.8
"""About -2 dBFS: Vorbis overshoots by up to 1 dB."""


@dataclass(frozen=True)
class Piece:
    """One file of the library and the truth about it. A one-shot has no bpm; drums and noise have no key."""

    file: str
    kind: str
    play: Instrument
    bpm: float | None = None
    key: str | None = None


def _beat(file: str, bpm: float, bars: int, rows: Sequence[Row], swing: float = 0.0) -> Piece:
    return Piece(file, "loop", partial(beat, bpm=bpm, bars=bars, rows=rows, swing=swing), bpm)


def _tune(file: str, bpm: float, key: str, degrees: Sequence[int], style: str) -> Piece:
    return Piece(file, "loop", partial(tune, bpm=bpm, key=key, degrees=degrees, style=style), bpm, key)


def _pad(file: str, key: str, octave: int, cutoff_hz: float) -> Piece:
    chord = chord_of(key, 0, octave)
    play = partial(pad, chord=[*chord, chord[0] + 12], duration_s=5.0, cutoff_hz=cutoff_hz)
    return Piece(file, "one-shot", lambda dice: room(dice, play(dice), 1.5, 0.3), key=key)


def _keys(file: str, key: str, octave: int, hardness: float) -> Piece:
    chord = chord_of(key, 0, octave)
    return Piece(file, "one-shot", partial(keys, chord=chord, duration_s=2.4, hardness=hardness), key=key)


def _drums() -> list[Piece]:
    sounds: dict[str, Instrument] = {
        "Kicks/Deep Kick.wav": partial(kick, hz=43, decay_s=0.22, drop=4, click=0.15),
        "Kicks/Tight Kick.wav": partial(kick, hz=58, decay_s=0.08, drop=6, click=0.6),
        "Kicks/Round Kick.flac": partial(kick, hz=52, decay_s=0.13, drop=3.5, click=0.1),
        "Kicks/Hard Kick.wav": partial(kick, hz=50, decay_s=0.11, drop=9, click=1.1),
        "Kicks/kick 05.ogg": partial(kick, hz=47, decay_s=0.16, drop=5, click=0.35),
        "Snares/Dry Snare.wav": partial(snare, hz=210, decay_s=0.045, snap=0.7),
        "Snares/Fat Snare.wav": partial(snare, hz=165, decay_s=0.11, snap=1.0),
        "Snares/Bright Snare.flac": partial(snare, hz=240, decay_s=0.08, snap=1.2),
        "Snares/Plate Snare.wav": lambda dice: room(dice, snare(dice, 185, 0.08, 0.9), 0.9, 0.35),
        "Claps/Short Clap.wav": partial(clap, hz=1_500, decay_s=0.05),
        "Claps/Wide Clap.wav": lambda dice: room(dice, clap(dice, 1_300, 0.09), 0.6, 0.3),
        "Claps/clap 03.ogg": partial(clap, hz=1_900, decay_s=0.07),
        "Hats/Closed Hat Dry.wav": partial(hat, edge_hz=8_000, decay_s=0.02, metal=0.6),
        "Hats/Closed Hat Thin.wav": partial(hat, edge_hz=10_000, decay_s=0.03, metal=0.3),
        "Hats/Pedal Hat.wav": partial(hat, edge_hz=6_500, decay_s=0.05, metal=0.9),
        "Hats/Open Hat.flac": partial(hat, edge_hz=7_000, decay_s=0.16, metal=0.8),
        "Hats/Open Hat Long.wav": partial(hat, edge_hz=7_600, decay_s=0.26, metal=0.6),
    }
    return [Piece(file, "one-shot", play) for file, play in sounds.items()]


def _notes() -> list[Piece]:
    """Single notes: they have a pitch, but one note is no key."""
    sounds: dict[str, Instrument] = {
        "Bass/Sub E.wav": partial(bass, midi=28, duration_s=1.6, bright_hz=90),
        "Bass/Saw Bass G.wav": partial(bass, midi=31, duration_s=1.0, bright_hz=1_800, drive=1.2),
        "Bass/Dirty Bass A.flac": partial(bass, midi=33, duration_s=1.2, bright_hz=2_600, drive=4.0),
        "Bass/bass 04.wav": partial(bass, midi=36, duration_s=0.6, bright_hz=700),
        "Plucks/Glass Pluck.wav": partial(pluck, midi=72, duration_s=1.2, bright_hz=6_000),
        "Plucks/Soft Pluck.ogg": partial(pluck, midi=64, duration_s=1.0, bright_hz=1_800),
    }
    return [Piece(file, "one-shot", play) for file, play in sounds.items()]


PIECES: tuple[Piece, ...] = (
    *_drums(),
    *_notes(),
    _pad("Pads/Warm Pad.wav", "A minor", 3, 700),
    _pad("Pads/Glow.flac", "F major", 4, 1_600),
    _pad("Pads/pad 03.wav", "D minor", 3, 1_100),
    _keys("Chords/Keys Am.wav", "A minor", 4, 1.2),
    _keys("Chords/Keys C.flac", "C major", 4, 1.8),
    _keys("Chords/chord 03.ogg", "E minor", 3, 2.4),
    _beat("Drum Loops/House 124.wav", 124, 2, HOUSE),
    _beat("Drum Loops/Lazy Beat 88.wav", 88, 2, LAZY, swing=0.3),
    _beat("Drum Loops/loop 03.wav", 100, 2, BREAK),
    _beat("Drum Loops/loop 04.flac", 128, 4, HOUSE),
    _beat("Drum Loops/Half Time 140.wav", 140, 2, HALF_TIME),
    _beat("Drum Loops/loop 06.ogg", 172, 4, BREAK),
    _tune("Melodic Loops/Evening Keys 90 Am.wav", 90, "A minor", (0, 5, 3, 4), "keys"),
    _tune("Melodic Loops/Arp 120 Fm.flac", 120, "F minor", (0, 3, 5, 4), "pluck"),
    _tune("Melodic Loops/melody 03.wav", 110, "C major", (0, 4, 5, 3), "pad"),
    _tune("Melodic Loops/melody 04.ogg", 100, "G major", (0, 3, 4, 3), "keys"),
    _tune("Melodic Loops/melody 05.wav", 126, "D minor", (0, 5, 2, 4), "pluck"),
    Piece("Tracks/Slow Light.flac", "track", partial(song, bpm=96, key="E minor"), 96, "E minor"),
)


def truth() -> str:
    """The text of truth.csv: what each file is."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["file", "kind", "bpm", "key"])
    for piece in PIECES:
        rows.writerow([piece.file, piece.kind, piece.bpm or "", piece.key or ""])
    return text.getvalue()


def make_library(folder: Path, seed: int = 7) -> bool:
    """Write every sound and truth.csv; False when that was done before.

    Raises
    ------
    OSError when the folder cannot be written.
    """
    stamp, made_by = folder / STAMP, f"samplemind demo {VERSION}, seed {seed}\n"
    if (folder / "truth.csv").exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == made_by:
        return False
    for piece in PIECES:
        path = folder / piece.file
        path.parent.mkdir(parents=True, exist_ok=True)
        dice = np.random.default_rng([seed, zlib.crc32(piece.file.encode())])
        soundfile.write(path, _mastered(piece.play(dice)), RATE_HZ, SUBTYPES[path.suffix])
    (folder / "truth.csv").write_text(truth(), encoding="utf-8")
    stamp.write_text(made_by, encoding="utf-8")
    return True


def _mastered(sound: Sound) -> Sound:
    """Bring the loudest sample to PEAK."""
    return np.asarray(sound * (PEAK / np.abs(sound).max()))
