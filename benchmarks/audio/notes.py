"""Single notes of every General MIDI instrument, rendered by FluidSynth, and how many of them are heard right."""

import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from benchmarks.audio.material import Missing
from benchmarks.figures import Figure
from samplemind_tasks.audio.envelope import shape
from samplemind_tasks.audio.mono import RATE_HZ
from samplemind_tasks.audio.pitch import pitch

Floats = NDArray[np.float32]

FONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
PROGRAMS = range(112)
"""The melodic ones: what follows in General MIDI are drums and effects."""
LOWEST_MIDI, HIGHEST_MIDI = 28, 96
ELSEWHERE = frozenset({14, 16, 17, 18, 31, 55, 86})
"""Patches that sound another note than the one played: tubular bells, organs with a 16 foot stop, guitar harmonics,
the orchestra hit and a lead of parallel fourths. Their notes are counted apart too."""
DRUM_CHANNEL = 9
_FONT_RATE_HZ = 44_100
_SPACING_S = 2.5
_NOTES_AT_ONCE = 200
"""A font takes seconds to load, a minute of what it plays 20 MB."""
_RELEASE_S = 0.4
_SOUND_OFF, _NOTE_ON, _NOTE_OFF, _CONTROL, _PROGRAM = 120, 0x90, 0x80, 0xB0, 0xC0
_TICKS_A_QUARTER, _TICKS_A_SECOND = 480, 960
"""At the 120 quarters a minute that a MIDI file has when it says nothing."""
_SOUNDS = 0.02
"""A patch has no sample for keys far outside its range: FluidSynth then renders nothing but a residue."""
_TOLERANCE_CENTS = 50.0


@dataclass(frozen=True)
class Played:
    """A key of a patch: float32 [samples] at 22.05 kHz, peak 0.9, and what was asked for."""

    signal: Floats
    program: int
    midi: int


def rendered(
    font: Path,
    programs: Iterable[int],
    keys: Sequence[int],
    *,
    held_s: float = 0.5,
    velocity: int = 100,
    channel: int = 0,
) -> Iterator[Played]:
    """Render the keys of every program; those a patch has no sample for are left out.

    Parameters
    ----------
    font : a sound font, .sf2 or .sf3
    programs, keys : of General MIDI
    held_s : from key down to key up
    velocity : 1 to 127
    channel : 9 for drums

    Raises
    ------
    subprocess.CalledProcessError
        where FluidSynth fails
    """
    longest_s = _SPACING_S - 0.25
    seconds = longest_s if channel == DRUM_CHANNEL else min(held_s + _RELEASE_S, longest_s)
    notes = [(program, key) for program in programs for key in keys]
    for first in range(0, len(notes), _NOTES_AT_ONCE):
        some = notes[first : first + _NOTES_AT_ONCE]
        performance = _performed(font, midi_file(some, held_s, velocity, channel))
        for place, (program, key) in enumerate(some):
            start = round(place * _SPACING_S * RATE_HZ)
            signal = performance[start : start + round(seconds * RATE_HZ)]
            peak = float(np.abs(signal).max(initial=0.0))
            if peak > 0.0 and np.std(signal) > _SOUNDS * peak:
                yield Played(np.ascontiguousarray(signal * np.float32(0.9 / peak)), program, key)


def midi_file(notes: Sequence[tuple[int, int]], held_s: float, velocity: int, channel: int) -> bytes:
    """A standard MIDI file that plays (program, key) one by one, every note silenced before the next."""
    events = []
    for place, (program, key) in enumerate(notes):
        start_s = place * _SPACING_S
        events.append((max(round(start_s * _TICKS_A_SECOND) - 1, 0), bytes([_PROGRAM | channel, program])))
        events.append((round(start_s * _TICKS_A_SECOND), bytes([_NOTE_ON | channel, key, velocity])))
        events.append((round((start_s + held_s) * _TICKS_A_SECOND), bytes([_NOTE_OFF | channel, key, 0])))
        silenced_s = start_s + _SPACING_S - 0.2
        events.append((round(silenced_s * _TICKS_A_SECOND), bytes([_CONTROL | channel, _SOUND_OFF, 0])))
    body, before = b"", 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        body += _variable_length(tick - before) + message
        before = tick
    body += _variable_length(_TICKS_A_QUARTER) + b"\xff\x2f\x00"
    header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, _TICKS_A_QUARTER)
    return header + struct.pack(">4sI", b"MTrk", len(body)) + body


def _variable_length(number: int) -> bytes:
    """A number as MIDI files write it: 7 bits a byte, the highest first, all but the last marked."""
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))


def _performed(font: Path, midi: bytes) -> Floats:
    """What FluidSynth plays, with its own reverb and chorus: float32 [samples] at 22.05 kHz."""
    fluidsynth = shutil.which("fluidsynth") or "fluidsynth"
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        score.write_bytes(midi)
        command = [fluidsynth, "-ni", "-q", "-r", str(_FONT_RATE_HZ), "-F", str(sound), str(font), str(score)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        samples, rate_hz = soundfile.read(sound, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ), dtype=np.float32)


def notes(quick: bool) -> list[Figure]:
    """The pitch of single notes."""
    found = pitch_scores(programs=PROGRAMS[::8] if quick else PROGRAMS)
    if not found["notes"]:
        raise Missing(f"{found['font']}: apt-get install fluidsynth fluid-soundfont-gm")
    right, octaves = (cast(float, found[name]) for name in ("within_50_cents", "octave_errors"))
    usual = cast("dict[str, float]", found["without_patches_that_sound_elsewhere"])
    return [
        Figure(
            "pitch",
            f"{found['notes']} notes of {found['font']}, MIDI 28 to 96: within 50 cents / octave errors"
            " (without patches that sound another note by design)",
            f"{right:.1f} % / {octaves:.1f} % ({usual['within_50_cents']:.1f} % / {usual['octave_errors']:.1f} %)",
            ">= 93 % / <= 4 %",
            right >= 93 and octaves <= 4,
            found,
        )
    ]


def pitch_scores(font: Path = FONT, programs: Sequence[int] = PROGRAMS, step: int = 5) -> dict[str, object]:
    """Render notes from MIDI 28 to 96 and hear them.

    Parameters
    ----------
    font : a General MIDI sound font
    programs : to render
    step : semitones between the keys of a program; the first key differs from program to program

    Returns
    -------
    "font", or why nothing was rendered; "notes": how many; "within_50_cents", "octave_errors", "other_errors" and
    "no_note": percentages of them; the first two again "without_patches_that_sound_elsewhere"; "worst_programs"
    """
    if shutil.which("fluidsynth") is None:
        return {"font": "fluidsynth is not installed: nothing rendered", "notes": 0}
    if not font.exists():
        return {"font": f"{font} is not installed: nothing rendered", "notes": 0}
    results: list[tuple[int, str]] = []
    for first in range(step):
        keys = range(LOWEST_MIDI + first, HIGHEST_MIDI + 1, step)
        some = [program for program in programs if program % step == first]
        results += [(played.program, _verdict(played)) for played in rendered(font, some, keys)]
    usual = [result for result in results if result[0] not in ELSEWHERE]
    return {
        "font": font.name,
        "notes": len(results),
        **_shares(results),
        "without_patches_that_sound_elsewhere": _shares(usual),
        "worst_programs": _worst(results),
    }


def _verdict(played: Played) -> str:
    found = pitch(played.signal, shape(played.signal))
    if found.pitch_midi is None or found.pitch_cents is None:
        return "no_note"
    off_cents = 100.0 * (found.pitch_midi - played.midi) + found.pitch_cents
    if abs(off_cents) < _TOLERANCE_CENTS:
        return "within_50_cents"
    return "octave_errors" if abs((off_cents + 600) % 1200 - 600) < _TOLERANCE_CENTS else "other_errors"


def _shares(results: list[tuple[int, str]]) -> dict[str, float]:
    verdicts = [verdict for _, verdict in results]
    names = ("within_50_cents", "octave_errors", "other_errors", "no_note")
    return {name: round(100.0 * verdicts.count(name) / max(len(verdicts), 1), 2) for name in names}


def _worst(results: list[tuple[int, str]], count: int = 12) -> dict[int, float]:
    """The programs with the fewest right notes, and their percentage."""
    by_program: dict[int, list[bool]] = {}
    for program, verdict in results:
        by_program.setdefault(program, []).append(verdict == "within_50_cents")
    shares = {program: round(100.0 * float(np.mean(right)), 1) for program, right in by_program.items()}
    return dict(sorted(shares.items(), key=lambda item: item[1])[:count])
