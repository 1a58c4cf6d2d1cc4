"""Beats, tunes and a song, played on the instruments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.random import Generator

from samplemind_tasks.demo.instruments import RATE_HZ, Sound, bass, clap, hat, keys, kick, pad, pluck, room, snare

Instrument = Callable[[Generator], Sound]

NOTES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}


def chord_of(key: str, degree: int, octave: int, size: int = 3) -> list[int]:
    """MIDI notes of the chord on a degree (from 0) of a key such as "F# minor"."""
    tonic, mode = key.split()
    steps = [degree + 2 * i for i in range(size)]
    return [12 * (octave + 1) + NOTES.index(tonic) + SCALES[mode][step % 7] + 12 * (step // 7) for step in steps]


def silence(bpm: float, bars: int) -> Sound:
    """Room for so many bars of four beats, in stereo."""
    return np.zeros((round(bars * 240 / bpm * RATE_HZ), 2))


def lay(loop: Sound, sound: Sound, at_s: float, gain: float) -> None:
    """Add a sound to a loop; what hangs over the end comes in again at the start, so that the loop has no seam."""
    stereo = sound if sound.ndim == 2 else np.stack([sound, sound], 1)
    start = round(at_s * RATE_HZ)
    for offset in range(0, len(stereo), len(loop)):
        part = stereo[offset : offset + len(loop)]
        places = (start + np.arange(len(part))) % len(loop)
        loop[places] += part * gain


@dataclass(frozen=True)
class Row:
    """One instrument of a beat: a step is a sixteenth; `x` is loud, `o` soft."""

    play: Instrument
    steps: str
    gain: float = 1.0


def beat(dice: Generator, bpm: float, bars: int, rows: Sequence[Row], swing: float = 0.0) -> Sound:
    """Play a one-bar beat for so many bars. Swing delays every second step by that part of a step."""
    loop, step_s = silence(bpm, bars), 15 / bpm
    for row in rows:
        sound = row.play(dice)
        for step, mark in enumerate(row.steps * bars):
            if mark in "xo":
                velocity = {"x": 1.0, "o": 0.45}[mark] * dice.uniform(0.88, 1.0)
                lay(loop, sound, (step + swing * (step % 2)) * step_s, row.gain * velocity)
    return np.tanh(loop * 0.9)


def tune(dice: Generator, bpm: float, key: str, degrees: Sequence[int], style: str) -> Sound:
    """A chord a bar over its bass note: comped on keys, as an arpeggio of plucks, or both over a pad."""
    bar_s = 240 / bpm
    loop = silence(bpm, len(degrees))
    for bar, degree in enumerate(degrees):
        chord, at_s = chord_of(key, degree, 4, 4), bar * bar_s
        for half in range(2):
            lay(loop, bass(dice, chord[0] - 24, bar_s * 0.45, 500), at_s + half * bar_s / 2, 0.2)
        if style == "pad":
            lay(loop, pad(dice, [*chord, chord[0] - 12], bar_s * 1.3, 900), at_s, 1.0)
        if style in ("keys", "pad"):
            _comp(dice, loop, chord, at_s, bar_s / 4)
        if style in ("pluck", "pad"):
            _arpeggio(dice, loop, chord, at_s, bar_s / 8)
    return loop


def _comp(dice: Generator, loop: Sound, chord: Sequence[int], at_s: float, beat_s: float) -> None:
    """Strike a chord on the beats of a bar, and once between them."""
    for place, gain, beats in ((0, 0.8, 2.4), (1, 0.45, 1.2), (1.5, 0.6, 1.2), (2, 0.5, 2.0), (3, 0.55, 1.6)):
        lay(loop, keys(dice, chord, beats * beat_s, 1.6 * gain + 0.4), at_s + place * beat_s, gain)


def _arpeggio(dice: Generator, loop: Sound, chord: Sequence[int], at_s: float, step_s: float) -> None:
    """Pluck the notes of a chord up and down for eight steps."""
    for step, note in enumerate((0, 1, 2, 3, 2, 1, 2, 1)):
        gain = (0.4 if step % 2 == 0 else 0.28) * dice.uniform(0.85, 1)
        lay(loop, pluck(dice, chord[note] + 12, 0.9, 3_500), at_s + step * step_s, gain)


KICK = partial(kick, hz=49, decay_s=0.12, drop=5, click=0.4)
SNARE = partial(snare, hz=190, decay_s=0.07, snap=0.8)
CLAP = partial(clap, hz=1_400, decay_s=0.08)
CLOSED_HAT = partial(hat, edge_hz=7_500, decay_s=0.025, metal=0.7)
OPEN_HAT = partial(hat, edge_hz=7_000, decay_s=0.14, metal=0.8)
HOUSE = (Row(KICK, "x...x...x...x..."), Row(CLAP, "....x.......x...", 0.6), Row(OPEN_HAT, "..x...x...x...x.", 0.35))
BREAK = (Row(KICK, "x.......x.x....."), Row(SNARE, "....x.......x..o", 0.7), Row(CLOSED_HAT, "x.o.x.o.x.o.x.o.", 0.4))
LAZY = (Row(KICK, "x......o..x....."), Row(SNARE, "....x.......x...", 0.7), Row(CLOSED_HAT, "x.xox.x.x.xox.xo", 0.3))
HALF_TIME = (
    Row(KICK, "x.....x..o......"),
    Row(CLAP, "........x.......", 0.7),
    Row(CLOSED_HAT, "x.x.x.xxx.x.xoxo", 0.3),
)


def song(dice: Generator, bpm: float, key: str) -> Sound:
    """A short track: chords, then the beat, then everything, then chords again and a last one that rings."""
    chords = tune(dice, bpm, key, (0, 5, 2, 6), "keys")
    lead = tune(dice, bpm, key, (0, 5, 2, 6), "pluck")
    drums = np.tile(beat(dice, bpm, 2, LAZY, 0.2), (2, 1))[: len(chords)]
    sections = [chords, chords + drums, chords + lead * 0.8 + drums, lead + chords * 0.5]
    ending = keys(dice, chord_of(key, 0, 4, 4), 4.0, 1.2) * 0.8
    return room(dice, np.concatenate([*sections, ending]), 1.2, 0.18)
