"""Music of known key, as notes: riffs, bass lines, progressions, pads and drones as producers write and name them."""

from dataclasses import dataclass, field

import numpy as np

Random = np.random.Generator

MAJOR, MINOR = 0, 1
UNSAID_MINOR = 0.65
"""Of the sounds without a third that a producer calls minor."""
_SCALES = {
    MAJOR: (
        (0.55, (0, 2, 4, 5, 7, 9, 11)),
        (0.15, (0, 2, 4, 7, 9)),
        (0.2, (0, 2, 4, 5, 7, 9, 10)),
        (0.1, (0, 2, 4, 6, 7, 9, 11)),
    ),
    MINOR: (
        (0.42, (0, 2, 3, 5, 7, 8, 10)),
        (0.13, (0, 2, 3, 5, 7, 8, 11)),
        (0.12, (0, 2, 3, 5, 7, 9, 10)),
        (0.08, (0, 1, 3, 5, 7, 8, 10)),
        (0.17, (0, 3, 5, 7, 10)),
        (0.08, (0, 3, 5, 6, 7, 10)),
    ),
}
_CHORDS = {
    "M": ((0, 4, 7), (0, 4, 7, 11), (0, 4, 7, 11, 14), (0, 4, 7, 14), (0, 4, 7, 9)),
    "m": ((0, 3, 7), (0, 3, 7, 10), (0, 3, 7, 10, 14), (0, 3, 7, 14), (0, 3, 7, 10, 17)),
    "7": ((0, 4, 7), (0, 4, 7, 10), (0, 4, 10, 14), (0, 4, 10, 14), (0, 4, 7, 10)),
    "d": ((0, 3, 6), (0, 3, 6, 10), (0, 3, 6, 10), (0, 3, 6), (0, 3, 6, 9)),
}
# Semitones from the tonic and quality of each chord: pop, trance, house, lo-fi, trap, jazz, film.
_PROGRESSIONS = {
    MINOR: (
        "0m 8M 3M 10M", "0m 8M 10M 0m", "0m 10M 8M 10M", "0m 5m 7m 0m", "0m 5m 0m 7m", "0m 5m 10M 3M", "0m 8M 5m 77",
        "0m 7m 8M 5m", "0m 3M 10M 5M", "0m 10M 8M 77", "0m 1M 0m 1M", "0m 5M 0m 5M", "0m 0m 8M 10M", "0m 8M", "0m 10M",
        "0m 5m", "8M 10M 0m 0m", "8M 10M 0m 3M", "0m 2d 77 0m", "2d 77 0m 0m", "0m 3M 5m 8M", "0m 3M 8M 77", "0m 7m",
        "0m 8M 3M 5m", "0m 0m 5m 5m", "0m 10M 5m 8M", "0m 10M 3M 8M", "5m 8M 0m 10M", "0m 77 0m 77", "0m 0m 0m 10M",
        "0m 2m 0m 2m", "0m 8m 0m 8m", "0m 3M", "8M 77 0m 0m", "8M 0m 10M 5m", "0m 5m 8M 77", "0m 1M 10m 0m",
        "0m 8M 0m 10M",
    ),
    MAJOR: (
        "0M 7M 9m 5M", "0M 5M 7M 5M", "0M 9m 5M 7M", "0M 5M", "0M 7M", "2m 77 0M 0M", "0M 9m 2m 77", "0M 4m 5M 7M",
        "5M 7M 0M 0M", "5M 0M 7M 0M", "0M 10M 5M 0M", "0M 2m", "0M 5M 9m 7M", "0M 7M 5M 5M", "0M 5M 0M 7M", "0M 10M",
        "0M 4m 9m 5M", "0M 5M 5m 0M", "0M 2M 5M 0M", "2m 5M 0M 9m", "5M 7M 4m 9m 2m 77 0M 0M", "07 57 07 77", "0M 9m",
        "9m 5M 0M 0M", "5M 5M 0M 0M",
    ),
}  # fmt: skip
_PADS = (
    (0.24, (0, 3, 7), MINOR), (0.1, (0, 3, 7, 10), MINOR), (0.07, (0, 3, 7, 10, 14), MINOR),
    (0.05, (0, 3, 7, 14), MINOR), (0.14, (0, 4, 7), MAJOR), (0.06, (0, 4, 7, 11), MAJOR),
    (0.04, (0, 4, 7, 11, 14), MAJOR), (0.03, (0, 4, 7, 9), MAJOR),
    (0.03, (0, 4, 7, 10), MAJOR), (0.02, (0, 4, 7, 14), MAJOR), (0.07, (0, 7), None), (0.05, (0,), None),
    (0.03, (0, 2, 7), None), (0.03, (0, 5, 7), None), (0.02, (0, 3, 7, 8), MINOR), (0.02, (0, 3, 7, 17), MINOR),
)  # fmt: skip


@dataclass(frozen=True)
class Note:
    """One note: when and how long in beats, which MIDI pitch, how hard (0 to 1), in which part."""

    start: float
    length: float
    pitch: int
    strength: float
    part: int


@dataclass
class Piece:
    """Notes of known key; `minor` is how likely its name says minor, `beats` where a loop is cut."""

    tonic: int
    minor: float
    beats: float
    bpm: float
    notes: list[Note] = field(default_factory=list)


def _pick(random: Random, weighted: tuple) -> tuple:
    weights = np.array([row[0] for row in weighted])
    return weighted[random.choice(len(weighted), p=weights / weights.sum())]


def _mode(random: Random) -> int:
    return MINOR if random.random() < 0.66 else MAJOR


def _near(pitch_class: int, around: float) -> int:
    """The pitch of this class nearest to a pitch."""
    return int(pitch_class + 12 * round((around - pitch_class) / 12))


# ---------------------------------------------------------------------------------------------------------------- pads


def pad(random: Random) -> Piece:
    """One chord or drone, held or restruck, named by its root and third; sometimes a second chord passes by."""
    _, chord, mode = _pick(random, _PADS)
    tonic, bpm = int(random.integers(12)), random.uniform(60, 140)
    beats = float(random.choice([0.25, 0.5, 1, 2, 4, 4, 8, 8, 8, 16]))
    piece = Piece(tonic, UNSAID_MINOR if mode is None else float(mode), beats, bpm)
    low = _near(tonic, random.uniform(36, 62))
    every = beats if random.random() < 0.6 else float(random.choice([1, 2, 4]))
    upper = [low + step + int(random.choice([0, 0, 0, 12])) for step in chord[1:]]
    if random.random() < 0.3:
        upper.append(low + 12)
    if random.random() < 0.3:
        upper.append(low - 12)
    if random.random() < 0.15:
        upper.append(low + 7 - 12 * int(random.random() < 0.5))
    away = random.random() < 0.12
    step = int(random.choice([-2, 5, -4, 3])) if away else 0
    for start in np.arange(0, beats, every):
        shift = step if away and start >= beats / 2 and start < beats * 0.75 else 0
        for index, pitch in enumerate([low, *upper]):
            lag = 0.03 * index * random.random()
            piece.notes.append(
                Note(float(start) + lag, every * random.uniform(0.8, 1.05), pitch + shift, random.uniform(0.6, 1), 0)
            )
    return piece


def single_note(random: Random) -> Piece:
    """One pitch alone, once or in a rhythm: its tonic is clear, its mode is what such names mostly say."""
    tonic, bpm = int(random.integers(12)), random.uniform(70, 160)
    pitch = _near(tonic, random.uniform(30, 84))
    if random.random() < 0.6:
        length = float(np.exp(random.uniform(np.log(0.25), np.log(8))))
        return Piece(tonic, UNSAID_MINOR, length, bpm, [Note(0, length * random.uniform(0.4, 1), pitch, 0.9, 0)])
    piece = Piece(tonic, UNSAID_MINOR, float(random.choice([4, 8])), bpm)
    for start, length in _rhythm(random, piece.beats):
        piece.notes.append(Note(start, length, pitch + int(random.choice([0, 0, 0, 12])), random.uniform(0.6, 1), 0))
    return piece


# --------------------------------------------------------------------------------------------------------------- riffs


def _rhythm(random: Random, beats: float) -> list[tuple[float, float]]:
    """Starts and lengths of a line: a one- or two-bar pattern, repeated."""
    bar = float(min(beats, random.choice([4, 4, 8])))
    step = float(random.choice([0.25, 0.5, 0.5, 1]))
    density = random.uniform(0.4, 1.0)
    starts = [s for s in np.arange(0, bar, step) if s == 0 or random.random() < density]
    gate = random.uniform(0.4, 1.05)
    pattern = [(float(s), float((e - s) * gate)) for s, e in zip(starts, [*starts[1:], bar], strict=True)]
    return [(s + o, length) for o in np.arange(0, beats, bar) for s, length in pattern if s + o < beats]


def riff(random: Random) -> Piece:
    """A single line over one scale: bass, lead, pluck, arpeggio or guitar, repeated with changes."""
    mode, tonic = _mode(random), int(random.integers(12))
    _, scale = _pick(random, _SCALES[mode])
    beats, bpm = float(random.choice([4, 8, 8, 16, 16, 32])), random.uniform(70, 175)
    piece = Piece(tonic, float(mode), beats, bpm)
    centre = float(random.choice([random.uniform(30, 48), random.uniform(45, 62), random.uniform(58, 80)]))
    home = _near(tonic, centre)
    ladder = [home + 12 * octave + step for octave in (-1, 0, 1) for step in scale]
    middle = len(scale)
    thickness = random.choice([0, 0, 0, 0, 7, 12])
    phrase: dict[float, int] = {}
    place = middle
    bar = float(random.choice([4, 8]))
    strong = {0, scale.index(7) if 7 in scale else 0, next(i for i, s in enumerate(scale) if s in (3, 4))}
    moves = _moves(random, mode, beats) if random.random() < 0.3 else [0]
    rhythm = _rhythm(random, beats)
    for count, (start, length) in enumerate(rhythm):
        within = start % bar
        if within in phrase and random.random() < 0.85:
            place = phrase[within]
        elif count == 0 or (within == 0 and random.random() < 0.5):
            place = middle if random.random() < 0.85 else middle + int(random.choice(sorted(strong)))
        else:
            place = int(
                np.clip(place + random.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3, 4]), middle - 5, middle + len(scale) + 2)
            )
            if random.random() < 0.35:
                place = min(
                    (middle + d + o for d in strong for o in (-len(scale), 0, len(scale))), key=lambda p: abs(p - place)
                )
        phrase[within] = place
        if count == len(rhythm) - 1 and random.random() < 0.3:
            place = middle
        pitch = ladder[min(max(place, 0), len(ladder) - 1)] + moves[int(start / beats * len(moves))]
        piece.notes.append(Note(start, length, pitch, random.uniform(0.6, 1), 0))
        if thickness:
            piece.notes.append(Note(start, length, pitch + int(thickness), random.uniform(0.5, 0.9), 0))
    if random.random() < 0.15:
        piece.notes.append(Note(0, beats, home - 12, 0.6, 1))
    return piece


def _moves(random: Random, mode: int, beats: float) -> list[int]:
    """A riff carried through a progression."""
    roots = [root for root, _ in progression_chords(random, mode)]
    return [root - 12 if root > 6 else root for root in roots] if beats >= 8 else [0]


# -------------------------------------------------------------------------------------------------------- progressions


def progression_chords(random: Random, mode: int) -> list[tuple[int, str]]:
    """Root in semitones from the tonic and quality of each chord."""
    text = str(random.choice(_PROGRESSIONS[mode])).split()
    return [(int(chord[:-1]), chord[-1]) for chord in text]


def progression(random: Random) -> Piece:
    """Chords in a genre's order, played held, struck, strummed or broken, with or without bass and melody."""
    mode, tonic = _mode(random), int(random.integers(12))
    chords = progression_chords(random, mode)
    each = float(random.choice([1, 2, 4, 4, 4, 8]))
    repeats = max(1, int(random.choice([4, 8, 16, 32]) / (each * len(chords))))
    repeats = min(repeats, 4)
    piece = Piece(tonic, float(mode), each * len(chords) * repeats, random.uniform(65, 175))
    richness, power = random.choice([0.0, 0.0, 0.3, 0.7, 1.0]), random.random() < 0.08
    broken = str(random.choice(["held", "held", "struck", "strum", "up", "down", "random", "offbeat"]))
    with_chords = random.random() < 0.9
    with_bass, with_melody = random.random() < 0.5 or not with_chords, random.random() < 0.3
    centre = random.uniform(50, 68)
    bass_style = str(random.choice(["hold", "eighths", "octaves", "fifth", "walk", "rhythm"]))
    _, scale = _pick(random, _SCALES[mode][:3])
    before = 0.0
    for turn in range(repeats):
        for index, (root, quality) in enumerate(chords):
            start = (turn * len(chords) + index) * each
            kind = 0 if random.random() > richness else int(random.integers(1, 5))
            shape = (0, 7) if power else _CHORDS[quality][kind]
            voiced = [
                _near((tonic + root + s) % 12, centre + random.uniform(-2, 2) + 3 * i) for i, s in enumerate(shape)
            ]
            if with_chords:
                piece.notes += _play(random, sorted(set(voiced)), start, each, broken)
            if with_bass:
                piece.notes += _bass(random, tonic + root, shape, start, each, bass_style)
            if with_melody:
                tones = [(tonic + root + s) % 12 for s in shape]
                before, line = _melody(random, tonic, scale, tones, start, each, before)
                piece.notes += line
    return piece


def _play(random: Random, pitches: list[int], start: float, length: float, how: str) -> list[Note]:
    strength = random.uniform(0.6, 0.9)
    if how == "held":
        return [Note(start, length * 0.98, p, strength, 0) for p in pitches]
    if how == "strum":
        return [Note(start + 0.04 * i, length * 0.95, p, strength, 0) for i, p in enumerate(pitches)]
    if how in ("struck", "offbeat"):
        step = float(random.choice([0.5, 1.0]))
        first = 0.5 if how == "offbeat" else 0.0
        return [Note(start + s, step * 0.6, p, strength, 0) for s in np.arange(first, length, step) for p in pitches]
    order = pitches + [p + 12 for p in pitches[:2]]
    order = order[::-1] if how == "down" else list(random.permutation(order)) if how == "random" else order
    step = float(random.choice([0.25, 0.5]))
    return [
        Note(start + float(s), step * 1.1, int(order[i % len(order)]), strength, 0)
        for i, s in enumerate(np.arange(0, length, step))
    ]


def _bass(random: Random, root: int, shape: tuple[int, ...], start: float, length: float, style: str) -> list[Note]:
    low = _near(root % 12, 38)
    if style == "hold":
        return [Note(start, length, low, 0.9, 1)]
    if style == "rhythm":
        return [Note(start + at, long * 0.9, low, 0.9, 1) for at, long in _rhythm(random, length)]
    step = 0.5 if style in ("eighths", "octaves") else 1.0
    tones = {"eighths": (0,), "octaves": (0, 12), "fifth": (0, 7), "walk": (*shape[:3], 12)}[style]
    return [
        Note(start + float(s), step * 0.9, low + tones[i % len(tones)], 0.9, 1)
        for i, s in enumerate(np.arange(0, length, step))
    ]


def _melody(
    random: Random, tonic: int, scale: tuple[int, ...], tones: list[int], start: float, length: float, before: float
) -> tuple[float, list[Note]]:
    line, pitch = [], before or random.uniform(68, 80)
    for at, long in _rhythm(random, length):
        if at % 2 == 0 or random.random() < 0.4:
            pitch = _near(int(random.choice(tones)), pitch)
        else:
            pitch = _near((tonic + int(random.choice(scale))) % 12, pitch + random.uniform(-3, 3))
        pitch = min(max(pitch, 55), 90)
        line.append(Note(start + at, long, int(pitch), random.uniform(0.7, 1), 2))
    return float(pitch), line
