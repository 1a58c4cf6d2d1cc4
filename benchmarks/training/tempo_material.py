"""Render training material of known tempo: drums, bands, riffs, scores, and sounds that have no tempo.

    python -m benchmarks.training.tempo_material FOLDER --notes NOTES.json --fonts FONT.sf2 [FONT ...] --count 3000

needs pyfluidsynth and soundfile. Item `i` depends on the seed and `i` alone. Writes FOLDER/items-NNNN.npz with
`signal` (int16, 22,050 Hz), `bpm` (0: none), `beats_s`, `beats_per_bar`, `group` and `family` (pieces and patterns
that must not be divided between training and validation).
"""

import argparse
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

import fluidsynth
import numpy as np
import scipy.signal
import soundfile

from benchmarks.training import tempo_patterns as patterns
from benchmarks.training.tempo_drum_synth import SynthKit

RATE_HZ = 22_050
DRUM_CHANNEL = 9
FONT_KITS = (0, 8, 16, 24, 25, 32, 40)
MACHINE_KITS = (24, 25)
COMMON_GENRES = ("rock", "pop", "hip hop", "funk", "breakbeat", "slow rock", "slow funk", "house", "soul", "ballad")
"""Drawn twice as often as the others."""
NOTHING = (0.22, 0.16, 0.06, 0.14, 0.2, 0.18, 0.04)
GROUPS = {"drums": 0.40, "band": 0.22, "riff": 0.12, "score": 0.18, "none": 0.08}
LOOP_BARS = {1: 0.22, 2: 0.3, 4: 0.3, 8: 0.12, 3: 0.03, 6: 0.03}
CHORD_PROGRAMS = (0, 1, 2, 4, 5, 6, 7, 16, 18, 24, 25, 26, 27, 28, 48, 50, 61, 62, 63, 80, 81, 88, 89, 90)
BASS_PROGRAMS = (32, 33, 34, 35, 36, 38, 39, 43, 58)
LEAD_PROGRAMS = (11, 12, 22, 40, 46, 56, 65, 66, 68, 71, 73, 75, 79, 80, 81, 82, 104, 105, 106, 107, 108)
SCORE_PROGRAMS = (0, 1, 4, 6, 11, 16, 19, 20, 24, 40, 41, 42, 46, 48, 49, 52, 56, 57, 60, 61, 64, 68, 70, 71, 73, 74)
PAD_PROGRAMS = (48, 49, 50, 51, 52, 54, 88, 89, 90, 91, 92, 93, 94, 95)
CHORD_ROWS = (
    "9...............",
    "9.......9.......",
    "9...9...9...9...",
    "..9...9...9...9.",
    "9..9..9.........",
    "9.7.9.7.9.7.9.7.",
    "9.....9...9.....",
    "..9.....9..9....",
    "9..9..9..9..9.9.",
    "97969796",
    "....9.......9...",
    "9..9....9..9....",
)
BASS_ROWS = (
    "9.......9.......",
    "9...9...9...9...",
    "9.9.9.9.9.9.9.9.",
    "9..9....9.......",
    "9.....9.9.......",
    "..9...9...9...9.",
    "9..9..9...9.....",
    "9.5...9.5.9.....",
    "9...............",
    "99999999",
    "9..9..99....9...",
)
LEAD_ROWS = (
    "8.6.7.6.8.6.7.6.",
    "8...7...8.6.7...",
    "85758575",
    "8.....7...8.....",
    "8..7..8..7..8.7.",
    "8...4.5.7...5.4.",
    "8.......7...6...",
)
TRIPLET_ROWS = ("9.....9.....", "9..9..9..9..", "9.79.79.79.7", "976976976976", "..9..9..9..9", "9.....9..9..")
_FLUSH_SAMPLES = 4096
SCALE = (0, 2, 4, 5, 7, 9, 11)
PROGRESSIONS = (
    (0, 5, 3, 4),
    (0, 4, 5, 3),
    (0, 3, 4, 3),
    (5, 3, 0, 4),
    (1, 4, 0, 0),
    (0, 0, 3, 4),
    (0, 6, 5, 4),
    (0, 3, 0, 4),
    (0,),
    (0, 3),
)


@dataclass(frozen=True)
class Note:
    """Seconds from the start, MIDI channel, key, velocity, and length in seconds."""

    time_s: float
    channel: int
    key: int
    velocity: int
    length_s: float


@dataclass(frozen=True)
class Item:
    """One training sound; bpm 0 is none."""

    signal: np.ndarray
    bpm: float
    group: str
    family: str
    beats_s: np.ndarray = field(default_factory=lambda: np.empty(0))
    beats_per_bar: int = 0


class Fonts:
    """Plays notes with sound fonts."""

    def __init__(self, paths: list[Path]) -> None:
        self._synths = []
        for path in paths:
            synth = fluidsynth.Synth(0.5, float(RATE_HZ), 16, **{"synth.polyphony": 512, "synth.chorus.active": 0})
            self._synths.append((synth, synth.sfload(str(path))))

    def render(
        self, notes: list[Note], programs: dict[int, int], seconds: float, random: np.random.Generator
    ) -> np.ndarray:
        """Float [samples] of the notes, each channel with its program (of channel 9: its kit)."""
        synth, font = self._synths[random.integers(len(self._synths))]
        synth.system_reset()
        synth.get_samples(_FLUSH_SAMPLES)  # the voices of the last sound end only while it renders
        reverb = random.random() < 0.5
        synth.set_reverb(random.uniform(0.1, 0.8), 0.4, 0.6, random.uniform(0.1, 0.7) if reverb else 0.0)
        for channel, program in programs.items():
            synth.program_select(channel, font, 128 if channel == DRUM_CHANNEL else 0, program)
        events = sorted(
            [(note.time_s, 1, note) for note in notes] + [(note.time_s + note.length_s, 0, note) for note in notes],
            key=lambda event: event[:2],
        )
        parts, done = [], 0
        for time_s, is_start, note in events:
            upto = min(round(time_s * RATE_HZ), round(seconds * RATE_HZ))
            if upto > done:
                parts.append(synth.get_samples(upto - done).reshape(-1, 2).mean(axis=1))
                done = upto
            if is_start:
                synth.noteon(note.channel, note.key, note.velocity)
            else:
                synth.noteoff(note.channel, note.key)
        if round(seconds * RATE_HZ) > done:
            parts.append(synth.get_samples(round(seconds * RATE_HZ) - done).reshape(-1, 2).mean(axis=1))
        return np.concatenate(parts) / 32768.0


def item(index: int, fonts: Fonts, scores: list[dict], seed: int) -> Item:
    """Draw and render one sound."""
    random = np.random.default_rng([seed, index])
    group = str(random.choice(list(GROUPS), p=list(GROUPS.values())))
    if group == "none":
        made = _nothing(fonts, random)
    elif group == "score":
        made = _score(scores[random.integers(len(scores))], fonts, random)
    else:
        made = _groove(group, fonts, random)
    signal = _treated(made.signal, random)
    return Item(signal, made.bpm, group, made.family, made.beats_s, made.beats_per_bar)


# ------------------------------------------------------------------------------------------------ drums, bands, riffs


def _groove(group: str, fonts: Fonts, random: np.random.Generator) -> Item:
    name = str(random.choice([*patterns.GENRES, *COMMON_GENRES]))
    genre = patterns.GENRES[name]
    bpm = _bpm(genre, random)
    bar_s = genre.beats * 60.0 / bpm
    is_loop = random.random() < 0.5
    bars = (
        int(random.choice(list(LOOP_BARS), p=list(LOOP_BARS.values()))) if is_loop else int(np.ceil(40.0 / bar_s)) + 1
    )
    if is_loop and not 1.0 < bars * bar_s < 24.0:
        bars = max(1, min(bars, int(24.0 / bar_s)))
    is_human = not is_loop and random.random() < 0.5
    take = patterns.play(
        genre, bpm, bars, random, drift=random.uniform(0.002, 0.012) if is_human else 0.0, fills=not is_loop or bars > 3
    )
    seconds = bars * bar_s
    notes, programs = ([], {}) if group == "drums" else _accompaniment(take, genre, random)
    signal = (
        fonts.render(notes, programs, seconds + 2.0, random) if notes else np.zeros(round((seconds + 2.0) * RATE_HZ))
    )
    if group != "riff":
        drums = _drums(take.hits, seconds + 2.0, fonts, random, is_machine=genre.machine)
        signal = _leveled(signal) * 10 ** random.uniform(-1.0, 0.2) + _leveled(drums)
    beats_s = take.beat_times_s[:-1]
    if is_loop:
        return Item(_loop(signal, seconds, random), bpm, group, name, beats_s, genre.beats)
    start_s = random.choice([0.0, random.uniform(0.0, 6.0)])
    length_s = random.uniform(13.0, 34.0)
    start, stop = round(start_s * RATE_HZ), round((start_s + length_s) * RATE_HZ)
    within = (beats_s >= start_s) & (beats_s < start_s + length_s)
    if is_human:
        kept = beats_s[within]
        bpm = 60.0 * (len(kept) - 1) / (kept[-1] - kept[0])
    lead_s = random.choice([0.0, 0.0, random.uniform(0.0, 1.5)])
    signal = np.concatenate([np.zeros(round(lead_s * RATE_HZ)), signal[start:stop]])
    return Item(signal, bpm, group, name, beats_s[within] - start_s + lead_s, genre.beats)


def _bpm(genre: patterns.Genre, random: np.random.Generator) -> float:
    """Log-uniform in the genre's range, sometimes beyond; half of them whole numbers."""
    low, high = genre.bpm
    bpm = float(np.exp(random.uniform(np.log(low * 0.94), np.log(high * 1.06))))
    return float(round(bpm)) if random.random() < 0.5 else bpm


def _loop(signal: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
    """Cut to whole bars; sometimes with its own tail in its beginning, or padded as codecs do."""
    count = round(seconds * RATE_HZ)
    loop = signal[:count].copy()
    if random.random() < 0.35:
        tail = signal[count:]
        loop[: len(tail)] += tail[:count]
    if random.random() < 0.1:
        loop = np.concatenate([np.zeros(int(random.integers(0, 1200))), loop, np.zeros(int(random.integers(0, 1200)))])
    return loop


def _drums(
    hits: list[patterns.Hit], seconds: float, fonts: Fonts, random: np.random.Generator, *, is_machine: bool
) -> np.ndarray:
    if random.random() < (0.6 if is_machine else 0.3):
        return SynthKit(random, RATE_HZ).render(hits, seconds)
    kit = int(random.choice(MACHINE_KITS if is_machine else FONT_KITS))
    notes = [Note(hit.time_s, DRUM_CHANNEL, hit.drum, hit.velocity, 0.1) for hit in hits]
    return fonts.render(notes, {DRUM_CHANNEL: kit}, seconds, random)


def _accompaniment(
    take: patterns.Take, genre: patterns.Genre, random: np.random.Generator
) -> tuple[list[Note], dict[int, int]]:
    """Bass, chords and a lead over a chord progression, each with its own rhythm; at least one of them."""
    tonic, mode = int(random.integers(12)), random.choice([0, 5])
    progression = PROGRESSIONS[random.integers(len(PROGRESSIONS))]
    chord_bars = float(random.choice([0.5, 1.0, 1.0, 1.0, 2.0]))
    bar_steps = genre.beats * genre.steps
    parts = [part for part in ("bass", "chords", "lead") if random.random() < 0.6] or [
        str(random.choice(["bass", "chords"]))
    ]
    rows = {"bass": BASS_ROWS, "chords": CHORD_ROWS, "lead": LEAD_ROWS}
    programs, notes = {}, []
    human_s = random.uniform(*genre.human_s)
    for channel, part in enumerate(parts):
        choices = {"bass": BASS_PROGRAMS, "chords": CHORD_PROGRAMS, "lead": LEAD_PROGRAMS}[part]
        programs[channel] = int(random.choice(choices))
        row = str(random.choice(TRIPLET_ROWS if genre.steps == 3 else rows[part]))
        length_steps = float(random.choice([0.5, 0.9, 2.0, 4.0]))
        step_s = float(np.diff(take.beat_times_s).mean()) / genre.steps
        line = int(random.integers(0, 7))
        total = (len(take.beat_times_s) - 1) * genre.steps
        for step in range(total):
            digit = row[step % bar_steps % len(row)]
            if digit == "." or (int(digit) < 6 and random.random() > int(digit) / 9 + 0.1):
                continue
            degree = progression[int(step / (bar_steps * chord_bars)) % len(progression)] + mode
            time_s = float(np.interp(step / genre.steps, np.arange(len(take.beat_times_s)), take.beat_times_s))
            time_s = max(0.0, time_s + random.normal(0.0, human_s))
            line = int(np.clip(line + random.integers(-2, 3), -2, 9))
            for key in _keys(part, degree, line, tonic):
                velocity = int(np.clip(50 + 5 * int(digit) + random.normal(0, 6), 20, 120))
                notes.append(Note(time_s, channel, key, velocity, length_steps * step_s))
    return notes, programs


def _keys(part: str, degree: int, line: int, tonic: int) -> list[int]:
    def pitch(step: int) -> int:
        return tonic + 12 * (step // 7) + SCALE[step % 7]

    if part == "bass":
        return [28 + pitch(degree % 7) % 24]
    if part == "chords":
        return [48 + pitch(degree % 7 + third) for third in (0, 2, 4)]
    return [60 + pitch(degree % 7 + line) % 36]


# ------------------------------------------------------------------------------------------------------------- scores


def _score(score: dict, fonts: Fonts, random: np.random.Generator) -> Item:
    """A score from a drawn beat on, at a drawn tempo, with drawn instruments, half of them with drums."""
    bpm = float(round(random.uniform(58.0, 184.0))) if random.random() < 0.7 else random.uniform(58.0, 184.0)
    quarter_s = 60.0 / bpm
    length_s = random.uniform(15.0, 36.0)
    last = max(note[0] for note in score["notes"])
    first = float(random.integers(0, max(1, int(last - length_s / quarter_s)) + 1)) if random.random() < 0.5 else 0.0
    human_s = random.choice([0.0, random.uniform(0.002, 0.012)])
    one_program = int(random.choice(SCORE_PROGRAMS))
    same = random.random() < 0.6
    programs: dict[int, int] = {}
    notes = []
    for start, length, key, part in score["notes"]:
        channel = part % 8
        programs.setdefault(channel, one_program if same else int(random.choice(SCORE_PROGRAMS)))
        if start >= first:
            time_s = max(0.0, (start - first) * quarter_s + random.normal(0.0, human_s))
            notes.append(Note(time_s, channel, int(key), int(random.integers(64, 100)), length * quarter_s * 0.95))
    seconds = min(length_s, (last - first + 1) * quarter_s)
    signal = fonts.render(notes, programs, seconds, random)
    beats = int(score["meter"][0]) if score["meter"].endswith("/4") else 4
    if random.random() < 0.5:
        usable = [
            genre for genre in patterns.GENRES.values() if genre.beats == (3 if beats == 3 else 4) and genre.steps == 4
        ]
        fitting = [genre for genre in usable if 0.8 * genre.bpm[0] < bpm < 1.2 * genre.bpm[1]] or usable
        genre = fitting[random.integers(len(fitting))]
        take = patterns.play(genre, bpm, int(np.ceil(seconds / quarter_s / genre.beats)) + 1, random)
        drums = _drums(
            [hit for hit in take.hits if hit.time_s < seconds], seconds, fonts, random, is_machine=genre.machine
        )
        signal = _leveled(signal) + 10 ** random.uniform(-0.9, 0.3) * _leveled(drums)
    beats_s = np.arange(0.0, seconds, quarter_s)
    return Item(signal, bpm, "score", str(score["name"]), beats_s, beats)


# --------------------------------------------------------------------------------------------------- without a tempo


def _nothing(fonts: Fonts, random: np.random.Generator) -> Item:
    """Noise, tones, drones, pads, crackle and single events."""
    kinds = {
        "noise": _noise,
        "tone": _tone,
        "crackle": _crackle,
        "swell": _swell,
        "pad": lambda s, r: _pad(s, fonts, r),
        "hit": lambda s, r: _hit(s, fonts, r),
        "scatter": lambda s, r: _scatter(s, fonts, r),
    }
    kind = str(random.choice(list(kinds), p=NOTHING))
    return Item(kinds[kind](random.uniform(0.5, 16.0), random), 0.0, "none", f"none {kind}")


def _noise(seconds: float, random: np.random.Generator) -> np.ndarray:
    white = random.standard_normal(round(seconds * RATE_HZ))
    pole = random.choice([0.0, random.uniform(-0.9, 0.99)])
    coloured = scipy.signal.lfilter([1.0], [1.0, -pole], white)
    if random.random() < 0.3:
        coloured *= np.linspace(1.0, 0.01, len(coloured)) ** random.uniform(-1.0, 2.0)
    return np.asarray(coloured * 0.1)


def _tone(seconds: float, random: np.random.Generator) -> np.ndarray:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    base_hz = np.exp(random.uniform(np.log(40), np.log(2000)))
    signal = sum(
        random.uniform(0, 1) / k * np.sin(2 * np.pi * k * base_hz * time_s * (1 + random.normal(0, 0.001)))
        for k in range(1, 6)
    )
    return np.asarray(0.2 * signal)


def _swell(seconds: float, random: np.random.Generator) -> np.ndarray:
    """Noise whose level wanders without a period: sea, wind, traffic."""
    noise = _noise(seconds, random)
    points = random.uniform(0.05, 1.0, max(3, int(seconds * random.uniform(0.2, 3.0))))
    return noise * np.interp(np.linspace(0, len(points) - 1, len(noise)), np.arange(len(points)), points)


def _crackle(seconds: float, random: np.random.Generator) -> np.ndarray:
    signal = 0.003 * random.standard_normal(round(seconds * RATE_HZ))
    clicks = random.poisson(seconds * random.uniform(0.5, 30.0))
    signal[random.integers(0, len(signal), clicks)] += random.normal(0.0, 0.3, clicks)
    return np.asarray(scipy.signal.lfilter([1.0], [1.0, -random.uniform(0.0, 0.95)], signal))


def _pad(seconds: float, fonts: Fonts, random: np.random.Generator) -> np.ndarray:
    keys = random.integers(40, 84, int(random.integers(1, 6)))
    notes = [Note(0.0, 0, int(key), int(random.integers(50, 110)), seconds * random.uniform(0.6, 1.0)) for key in keys]
    return fonts.render(notes, {0: int(random.choice(PAD_PROGRAMS))}, seconds, random)


def _hit(seconds: float, fonts: Fonts, random: np.random.Generator) -> np.ndarray:
    """One drum or note that dies away, sometimes with a flam or an echo."""
    if random.random() < 0.5:
        drum = int(random.choice([35, 36, 37, 38, 39, 40, 42, 46, 49, 51, 54, 56, 60, 63, 69, 70, 75, 81]))
        notes, programs = [Note(0.0, DRUM_CHANNEL, drum, 110, 0.2)], {DRUM_CHANNEL: int(random.choice(FONT_KITS))}
    else:
        notes, programs = (
            [Note(0.0, 0, int(random.integers(30, 90)), 100, seconds * random.random())],
            {0: int(random.integers(0, 128))},
        )
    if random.random() < 0.3:
        notes.append(Note(random.uniform(0.01, 0.4), *list(vars(notes[0]).values())[1:]))
    return fonts.render(notes, programs, min(seconds, 5.0), random)


def _scatter(seconds: float, fonts: Fonts, random: np.random.Generator) -> np.ndarray:
    """Events at random times: footsteps, drips, a box of tools."""
    times_s = np.sort(random.uniform(0.0, seconds, 1 + random.poisson(seconds * random.uniform(0.3, 4.0))))
    drums = random.choice([37, 38, 42, 54, 56, 60, 63, 69, 70, 73, 75, 76, 77, 80], 3)
    notes = [
        Note(float(t), DRUM_CHANNEL, int(random.choice(drums)), int(random.integers(30, 120)), 0.1) for t in times_s
    ]
    return fonts.render(notes, {DRUM_CHANNEL: 0}, seconds, random)


# ---------------------------------------------------------------------------------------------------------- treatment


def _leveled(signal: np.ndarray) -> np.ndarray:
    power = float(np.mean(signal**2)) if len(signal) else 0.0
    return signal * 0.1 / np.sqrt(power) if power > 1e-12 else signal


def _treated(signal: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Filter, compress, add noise, code and scale, each of them sometimes: int16 [samples]."""
    signal = signal / (np.max(np.abs(signal)) + 1e-9)
    if random.random() < 0.15:
        order, edge = (
            ("lowpass", random.uniform(800, 6000)) if random.random() < 0.5 else ("highpass", random.uniform(80, 600))
        )
        signal = scipy.signal.sosfilt(scipy.signal.butter(2, edge, order, fs=RATE_HZ, output="sos"), signal)
    if random.random() < 0.25:
        drive = random.uniform(1.0, 8.0)
        signal = np.tanh(drive * signal)
    if random.random() < 0.2:
        signal = signal + random.standard_normal(len(signal)) * 10 ** random.uniform(-4.0, -1.7)
    peak = 10 ** random.uniform(-1.2, 0.0)
    signal = signal * (peak / (np.max(np.abs(signal)) + 1e-9))
    if random.random() < 0.12 and len(signal) > RATE_HZ:
        signal = _coded(signal, str(random.choice(["OGG", "MP3"])))
    return np.round(np.clip(signal, -1.0, 1.0) * 32767).astype(np.int16)


def _coded(signal: np.ndarray, codec: str) -> np.ndarray:
    file = io.BytesIO()
    soundfile.write(file, signal, RATE_HZ, format=codec)
    file.seek(0)
    return np.asarray(soundfile.read(file)[0])


def main() -> None:
    """Write the material."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--notes", type=Path, required=True)
    parser.add_argument("--fonts", type=Path, nargs="+", required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    scores, fonts = json.loads(arguments.notes.read_text()), Fonts(arguments.fonts)
    for index in range(arguments.first, arguments.first + arguments.count):
        made = item(index, fonts, scores, arguments.seed)
        np.savez(arguments.folder / f"items-{index:05d}.npz", **vars(made))


if __name__ == "__main__":
    main()
