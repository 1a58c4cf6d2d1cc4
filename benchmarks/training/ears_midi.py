"""A standard MIDI file of notes and chords, one after another, each with its own program, velocity and length."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_SOUND_OFF, _NOTE_ON, _NOTE_OFF, _CONTROL, _PROGRAM = 120, 0x90, 0x80, 0xB0, 0xC0
_TICKS_A_QUARTER, _TICKS_A_SECOND = 480, 960
"""At the 120 quarters a minute that a MIDI file has when it says nothing."""
_GAP_S = 0.3


@dataclass(frozen=True)
class Note:
    """Keys struck together: which, on which channel and program (or kit), how hard, how long, and what to wait for."""

    keys: tuple[int, ...]
    channel: int
    program: int
    velocity: int
    held_s: float
    tail_s: float

    @property
    def lasts_s(self) -> float:
        """From key down to silence."""
        return self.held_s + self.tail_s


def midi_file(notes: Sequence[Note]) -> tuple[bytes, list[float]]:
    """The file, and when each note starts, in seconds."""
    events: list[tuple[int, bytes]] = []
    starts_s: list[float] = []
    now_s = 0.1
    for note in notes:
        starts_s.append(now_s)
        begin, end = round(now_s * _TICKS_A_SECOND), round((now_s + note.held_s) * _TICKS_A_SECOND)
        silence = round((now_s + note.lasts_s) * _TICKS_A_SECOND)
        events.append((begin - 20, bytes([_PROGRAM | note.channel, note.program])))
        events += [(begin, bytes([_NOTE_ON | note.channel, key, note.velocity])) for key in note.keys]
        events += [(end, bytes([_NOTE_OFF | note.channel, key, 0])) for key in note.keys]
        events.append((silence, bytes([_CONTROL | note.channel, _SOUND_OFF, 0])))
        now_s += note.lasts_s + _GAP_S
    body, before = b"", 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        body += _variable_length(tick - before) + message
        before = tick
    body += _variable_length(_TICKS_A_QUARTER) + b"\xff\x2f\x00"
    header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, _TICKS_A_QUARTER)
    return header + struct.pack(">4sI", b"MTrk", len(body)) + body, starts_s


def _variable_length(number: int) -> bytes:
    """A number as MIDI files write it: 7 bits a byte, the highest first, all but the last marked."""
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))
