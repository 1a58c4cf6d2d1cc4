"""Loops and tracks: drums in patterns, lines and chords of notes, and both together, built of any hits and notes."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.training.ears_sound import RATE_HZ, Doubles, Random, Sound, hiss, peaking_at
from benchmarks.training.kind_loops import Grid, grid

Pool = Mapping[str, Sequence[Doubles]]
"""Signals by leaf."""

_KICKS = ("acoustic kick", "electronic kick", "808 kick")
_SNARES = ("acoustic snare", "electronic snare", "clap", "rim", "snap")
_HATS = ("closed hat", "closed hat", "open hat", "shaker", "ride", "tambourine")
_HANDS = (
    "conga",
    "bongo",
    "tabla",
    "timbale",
    "woodblock",
    "clave",
    "shaker",
    "cowbell",
    "agogo",
    "maracas",
    "guiro",
    "acoustic tom",
)
_LINES = ("synth lead", "synth pluck", "piano", "electric piano", "acoustic guitar", "electric guitar", "muted guitar",
          "mallet", "flute", "brass", "solo strings", "bell", "organ", "koto", "vibraphone", "saxophone", "stab",
          "harp", "clavinet", "strings", "voice")  # fmt: skip
_BASSES = ("electric bass", "synth bass", "growl bass", "upright bass", "808 bass", "sub")
_CHORDS = (
    "pad",
    "piano",
    "electric piano",
    "organ",
    "strings",
    "stab",
    "acoustic guitar",
    "electric guitar",
    "choir",
    "synth brass",
)
_SCALE = (0, 2, 3, 5, 7, 8, 10, 12)
_LONGEST_S = 40.0
_BARS = {
    "drum loop": (1, 1, 2, 2, 4, 8),
    "percussion loop": (1, 2, 2, 4),
    "melodic loop": (1, 2, 2, 4, 4, 8),
    "bass loop": (1, 2, 4),
    "full track": (4, 8, 8, 16),
}


def loop(random: Random, pool: Pool, leaf: str) -> Doubles:
    """One loop or track of the leaf asked for."""
    beat = grid(random, _BARS[leaf])
    mix = np.zeros(int(min(beat.duration_s, _LONGEST_S) * RATE_HZ))
    if leaf in ("drum loop", "full track"):
        _add(random, beat, mix, _drum_pattern(random, pool, beat.bar_steps), 1.0)
    if leaf == "percussion loop" or (leaf == "drum loop" and random.random() < 0.3):
        _add(random, beat, mix, _percussion(random, pool, beat.bar_steps), 0.8)
    if leaf in ("bass loop", "full track"):
        _add_line(random, beat, mix, pool, _BASSES, 0.8)
    if leaf == "full track" or (leaf == "melodic loop" and random.random() < 0.5):
        _add_chords(random, beat, mix, pool)
    if leaf == "melodic loop" or (leaf == "full track" and random.random() < 0.6):
        _add_line(random, beat, mix, pool, _LINES, 0.8)
    if random.random() < 0.3:
        mix = np.tanh(1.5 * peaking_at(mix))
    return peaking_at(mix) + hiss(random, mix) * random.choice([0, 0, 1e-3])


def _one(random: Random, pool: Pool, leaves: Sequence[str]) -> Doubles:
    signals = pool[leaves[int(random.integers(len(leaves)))]]
    return peaking_at(signals[int(random.integers(len(signals)))])


Hits = list[tuple[int, Doubles, float]]
"""Sixteenth, signal and gain."""


def _drum_pattern(random: Random, pool: Pool, steps: int) -> Hits:
    """Kick, snare and hats; some are missing now and then."""
    kick, snare, hat = (_one(random, pool, leaves) for leaves in (_KICKS, _SNARES, _HATS))
    hits: Hits = []
    if random.random() < 0.9:
        every = 4 if random.random() < 0.4 else steps
        places = {*range(0, steps, every), *(int(p) for p in random.integers(0, steps, int(random.integers(0, 4))))}
        hits += [(step, kick, 1.0) for step in places]
    if random.random() < 0.85:
        backbeat = range(4, steps, 8) if random.random() < 0.8 else (8,)
        ghosts = random.integers(0, steps, int(random.integers(0, 4)))
        hits += [(step, snare, 0.9) for step in backbeat] + [(int(p), snare, 0.3) for p in ghosts]
    if random.random() < 0.85 or not hits:
        every = int(random.choice([1, 2, 2, 4]))
        hits += [(step, hat, random.uniform(0.2, 0.6)) for step in range(0, steps, every)]
    return hits


def _percussion(random: Random, pool: Pool, steps: int) -> Hits:
    drums = [_one(random, pool, _HANDS) for _ in range(int(random.integers(1, 5)))]
    played = [step for step in range(steps) if step == 0 or random.random() < 0.5]
    return [(step, drums[int(random.integers(len(drums)))], random.uniform(0.3, 1)) for step in played]


def _add(random: Random, beat: Grid, mix: Doubles, hits: Hits, gain: float) -> None:
    for bar in range(beat.bars):
        for step, signal, level in hits:
            if not (bar and random.random() < 0.06):
                start_s = beat.start_s(random, bar * beat.bar_steps + step)
                _put(mix, signal, start_s, gain * level * random.uniform(0.85, 1.1))


def _put(mix: Doubles, signal: Doubles, start_s: float, gain: float) -> None:
    start = int(start_s * RATE_HZ)
    fits = min(len(signal), len(mix) - start)
    if fits > 0:
        mix[start : start + fits] += gain * signal[:fits]


def _transposed(signal: Doubles, semitones: float, seconds: float) -> Doubles:
    steps = np.arange(0, len(signal) - 1, 2 ** (semitones / 12))[: max(int(seconds * RATE_HZ), 2)]
    note = np.interp(steps, np.arange(len(signal)), signal)
    fade = min(len(note), 600)
    note[-fade:] *= np.linspace(1, 0, fade)
    return np.asarray(note)


def _add_line(random: Random, beat: Grid, mix: Doubles, pool: Pool, leaves: Sequence[str], gain: float) -> None:
    """A bar of single notes, repeated."""
    source, density, every = _one(random, pool, leaves), random.uniform(0.25, 0.9), int(random.choice([1, 2, 2, 4]))
    steps = [step for step in range(0, beat.bar_steps, every) if step == 0 or random.random() < density]
    held_s = beat.step_s * every * float(random.choice([0.6, 1.0, 2.0]))
    notes: Hits = [(step, _transposed(source, float(random.choice(_SCALE)) - 5, held_s), 1.0) for step in steps]
    _add(random, beat, mix, notes, gain)


def _add_chords(random: Random, beat: Grid, mix: Doubles, pool: Pool) -> None:
    """A chord a bar, half a bar or a beat."""
    source = _one(random, pool, _CHORDS)
    every = int(random.choice([beat.bar_steps, beat.bar_steps // 2, 4]))
    for step in range(0, beat.bars * beat.bar_steps, every):
        root = float(random.choice(_SCALE)) - 7
        for interval in (0, int(random.choice([3, 4])), 7):
            note = _transposed(source, root + interval, every * beat.step_s)
            _put(mix, note, beat.start_s(random, step), 0.4)


def loop_sound(random: Random, pool: Pool, leaf: str, number: int) -> Sound:
    """A loop as material."""
    return Sound(loop(random, pool, leaf), leaf, "loops", f"{leaf} {number}")
