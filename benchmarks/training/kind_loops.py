"""Loops for the kind model: breaks, percussion, riffs, chords, whole arrangements, drones."""

from dataclasses import dataclass

import numpy as np

from benchmarks.training.kind_bank import (
    KITS,
    RATE_HZ,
    Bank,
    Doubles,
    Random,
    drawn,
    held_chord,
    in_a_room,
    mastered,
    noise_band,
    put,
)

LOOPS = {"drums": 0.38, "riff": 0.17, "chords": 0.1, "arrangement": 0.12, "drone": 0.12, "groove": 0.08, "air": 0.03}
_LONGEST_S = 39.0
_SCALE = (0, 2, 3, 5, 7, 8, 10)
_CHORD_PROGRAMS = (0, 4, 5, 16, 19, 24, 25, 26, 48, 49, 50, 51, 52, 61, 81, 88, 89, 90, 91, 94)
_BASS_PROGRAMS = range(32, 40)
_STYLES = {
    "four": 0.15, "break": 0.25, "sparse": 0.15, "halftime": 0.07, "trap": 0.1, "hats": 0.08, "percussion": 0.1,
    "kicks": 0.05, "toms": 0.05,
}  # fmt: skip
_KICKS, _SNARES, _HATS = (35, 36), (37, 38, 39, 40), (42, 44, 51, 54, 69, 70, 82)
_HAND_DRUMS = (54, 56, 60, 61, 62, 63, 64, 65, 66, 67, 68, 70, 75, 76, 77)
_TOMS = (41, 43, 45, 47, 48, 50)
Hits = list[tuple[int, int, float]]
"""Sixteenth, drum key and gain."""


@dataclass(frozen=True)
class Grid:
    """Sixteenths of a loop: their length, how many make a bar, and how the player treats them."""

    step_s: float
    bar_steps: int
    bars: int
    swing: float
    jitter_s: float

    @property
    def duration_s(self) -> float:
        return self.step_s * self.bar_steps * self.bars

    def start_s(self, random: Random, step: int) -> float:
        late_s = self.swing * self.step_s if step % 2 else 0.0
        return max(step * self.step_s + late_s + (random.normal(0, self.jitter_s) if step else 0.0), 0.0)


def grid(random: Random, bars: tuple[int, ...]) -> Grid:
    """A tempo, a metre and a feel."""
    bpm = float(np.clip(np.exp(random.normal(np.log(118), 0.25)), 60, 185))
    return Grid(
        step_s=15.0 / bpm,
        bar_steps=drawn(random, (16, 16, 16, 16, 12)),
        bars=drawn(random, bars),
        swing=float(random.choice([0, 0, 0, 0.1, 0.2, 0.33])),
        jitter_s=float(random.choice([0, 0.002, 0.006, 0.01])),
    )


def loop(random: Random, bank: Bank) -> tuple[Doubles, str]:
    """One loop float64 [samples] and its family."""
    family = str(random.choice(list(LOOPS), p=list(LOOPS.values())))
    if family == "arrangement":
        return mastered(random, _arrangement(random, bank)), family
    if family in ("drone", "air"):
        return mastered(random, _drone(random) if family == "drone" else _air(random)), family
    lengths = {"drums": (1, 1, 1, 2, 2, 4, 4, 8), "riff": (1, 1, 2, 2, 4, 4, 8), "chords": (2, 4, 4, 8)}
    beat = grid(random, lengths.get(family, (1, 2, 4)))
    mix = np.zeros(int(beat.duration_s * RATE_HZ))
    if family in ("drums", "groove"):
        add_drums(random, bank, beat, mix)
    if family in ("riff", "groove"):
        add_riff(random, bank, beat, mix, int(random.integers(0, 112)))
    if family == "chords":
        add_chords(random, bank, beat, mix)
    if random.random() < 0.3:
        mix = in_a_room(random, mix, rings_out=random.random() < 0.25)
    return mastered(random, mix[: int(_LONGEST_S * RATE_HZ)]), family


def add_drums(random: Random, bank: Bank, beat: Grid, mix: Doubles) -> None:
    """Repeat a drum pattern, leaving out a hit now and then."""
    kit, hits = drawn(random, KITS), _pattern(random, beat.bar_steps)
    wraps = random.random() < 0.3
    for bar in range(beat.bars):
        for step, key, gain in hits:
            if bar and random.random() < 0.06:
                continue
            start_s = beat.start_s(random, bar * beat.bar_steps + step)
            put(mix, bank.hit(kit, key), start_s, gain * random.uniform(0.85, 1.1), wraps=wraps)


def _pattern(random: Random, steps: int) -> Hits:
    """A bar of drums in one of nine styles."""
    style = str(random.choice(list(_STYLES), p=list(_STYLES.values())))
    kick, snare, hat = drawn(random, _KICKS), drawn(random, _SNARES), drawn(random, _HATS)
    backbeat: Hits = [(step, snare, 0.95) for step in range(4, steps, 8)]
    every = drawn(random, (1, 2, 2, 4))
    if style == "four":
        hits = [(step, kick, 1.0) for step in range(0, steps, 4)]
        return hits + backbeat * (random.random() < 0.8) + [(step, hat, 0.5) for step in range(2, steps, 4)]
    if style == "break":
        ghosts = [(int(step), snare, 0.3) for step in random.integers(0, steps, random.integers(0, 4))]
        ride = [(step, 42, random.uniform(0.3, 0.6)) for step in range(0, steps, every)]
        return [(0, kick, 1.0), (drawn(random, (2, 6, 7, 10)), kick, 0.8), *backbeat, *ghosts, *ride]
    if style == "sparse":
        places = random.choice(np.arange(2, steps, 2), random.integers(1, 4), replace=False)
        return [(0, kick, 1.0)] + [
            (int(p), drawn(random, (kick, snare, 45, 56)), random.uniform(0.5, 1)) for p in places
        ]
    if style == "halftime":
        return [(0, kick, 1.0), (8, snare, 1.0), (drawn(random, (3, 6, 10, 11)), kick, 0.8)]
    if style == "trap":
        rolls = [(int(step), 42, 0.4) for step in random.integers(0, steps, 4)]
        return [(0, kick, 1.0), (8, snare, 1.0), *rolls, *((step, 42, 0.5) for step in range(0, steps, 2))]
    if style == "hats":
        return [(step, hat, 1.0 if step % 4 == 0 else random.uniform(0.3, 0.9)) for step in range(0, steps, every)]
    if style == "kicks":
        return [(step, kick, 1.0) for step in range(0, steps, drawn(random, (4, 4, 8)))]
    drums = _TOMS if style == "toms" else _HAND_DRUMS
    played = [step for step in range(steps) if step == 0 or random.random() < 0.4]
    return [(step, drawn(random, drums), random.uniform(0.4, 1)) for step in played]


def add_riff(random: Random, bank: Bank, beat: Grid, mix: Doubles, program: int, gain: float = 1.0) -> None:
    """Repeat a bar of single notes, which ring on into the loop's beginning."""
    base, density = random.integers(30, 66), random.uniform(0.15, 0.8)
    every, held = drawn(random, (1, 2, 2, 4)), float(random.choice([0.4, 0.9, 1.5]))
    steps = [step for step in range(0, beat.bar_steps, every) if step == 0 or random.random() < density]
    notes = [(step, int(base + drawn(random, _SCALE) + 12 * random.integers(0, 2))) for step in steps]
    for bar in range(beat.bars):
        for step, midi in notes:
            start_s = beat.start_s(random, bar * beat.bar_steps + step)
            put(mix, bank.note(program, midi, beat.step_s * every * held), start_s, gain, wraps=True)


def add_chords(random: Random, bank: Bank, beat: Grid, mix: Doubles, gain: float = 0.7) -> None:
    """A chord a bar, half a bar or a beat: a held pad or an instrument."""
    base, program = random.integers(45, 62), drawn(random, _CHORD_PROGRAMS)
    every = drawn(random, (beat.bar_steps, beat.bar_steps, beat.bar_steps // 2, 4))
    is_pad = random.random() < 0.5
    for step in range(0, beat.bars * beat.bar_steps, every):
        root = int(base + drawn(random, _SCALE))
        notes = (root, root + drawn(random, (3, 4)), root + 7)
        start_s = beat.start_s(random, step)
        if is_pad:
            put(mix, held_chord(random, notes, every * beat.step_s), start_s, gain)
            continue
        for midi in notes:
            put(mix, bank.note(program, midi), start_s, gain, wraps=True)


def _arrangement(random: Random, bank: Bank) -> Doubles:
    """Drums, bass, chords and a lead over several bars; sometimes the last notes ring out."""
    beat = grid(random, (4, 8, 8, 16))
    mix = np.zeros(int(min(beat.duration_s, _LONGEST_S - 1) * RATE_HZ))
    add_chords(random, bank, beat, mix)
    if random.random() < 0.7:
        add_drums(random, bank, beat, mix)
    if random.random() < 0.7:
        add_riff(random, bank, beat, mix, drawn(random, _BASS_PROGRAMS))
    if random.random() < 0.5:
        add_riff(random, bank, beat, mix, int(random.integers(0, 112)), 0.7)
    return in_a_room(random, mix / np.abs(mix).max()) if random.random() < 0.4 else mix


def _drone(random: Random) -> Doubles:
    """A chord that is held to the end of the file, often moving slowly."""
    seconds = float(np.exp(random.uniform(np.log(5), np.log(30))))
    notes = random.uniform(30, 70) + random.choice([0, 3, 7, 10, 12], random.integers(1, 4), replace=False)
    signal = held_chord(random, list(notes), seconds)
    time_s = np.arange(len(signal)) / RATE_HZ
    if random.random() < 0.5:
        depth = random.uniform(0.1, 0.9)
        signal *= 1 + depth * np.sin(2 * np.pi * random.integers(1, 9) / seconds * time_s)
    if random.random() < 0.3:
        signal += noise_band(random, len(signal)) * random.uniform(0.1, 1.5)
    if random.random() < 0.3:
        fade = int(random.uniform(0.2, 2) * RATE_HZ)
        signal[:fade] *= np.linspace(0, 1, fade)
    return signal


def _air(random: Random) -> Doubles:
    """Rain, wind, tape hiss."""
    return noise_band(random, int(RATE_HZ * np.exp(random.uniform(np.log(5), np.log(30)))))
