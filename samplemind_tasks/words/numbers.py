"""Tempo, key, note, frequency and duration in a text, each taken out of it where it was read."""

import re
from dataclasses import dataclass, field
from typing import Literal

from samplemind_tasks.keynames import german_key, key_name, pitch_class, wheel_key
from samplemind_tasks.words.understood import Bounds

_NUMBER = r"(?<![\w.#])((?:(?<!\S)-)?\d{1,6}(?:[.,]\d{1,3})?)"
"""Below zero where a minus stands before it and a space before that."""
_TO = r"\s*(?:-|–|to|bis|and|\.\.)\s*"
_BETWEEN = r"(?:\b(?:between|from)\s+)?"
_BPM_RANGE = re.compile(rf"{_BETWEEN}{_NUMBER}\s*(?:bpm)?{_TO}{_NUMBER}\s*bpm\b", re.IGNORECASE)
_BPM = re.compile(
    rf"(?:\b(?:around|near|about|at)\s+|[~@]\s*)?{_NUMBER}\s*(?:bpm|beats per minute)\b|"
    rf"\b(?:bpm|tempo)\s*(?:of|=|:)?\s*{_NUMBER}",
    re.IGNORECASE,
)
_BARE_BPM = re.compile(
    rf"\b(around|at|near|about)\s+{_NUMBER}(?!\s*(?:k?hz|s\b|ms|sec|second|db|bit|%))(?![\w.])", re.IGNORECASE
)
_BPM_BOUND = re.compile(
    r"\b(under|below|less than|slower than|at most|max|over|above|more than|faster than|at least|min)\s+"
    rf"{_NUMBER}\s*bpm\b",
    re.IGNORECASE,
)
_HZ = re.compile(rf"{_NUMBER}\s*(k?)hz\b", re.IGNORECASE)
_SECOND_WORDS = r"(ms|milliseconds?|s|secs?|seconds?|sekunden?)\b"
_SECONDS_RANGE = re.compile(
    rf"{_BETWEEN}{_NUMBER}\s*(?:ms|s|secs?|seconds?|sekunden?)?{_TO}{_NUMBER}\s*{_SECOND_WORDS}", re.IGNORECASE
)
_SECONDS = re.compile(
    r"(?<!\w)(?!(?:808|909|707|606|303|101)s\b)"  # several 808s are no 808 seconds
    r"(?:\b(under|below|less than|shorter than|at most|max|over|above|more than|longer than|at least|min)\s+|[<>]\s*)?"
    rf"{_NUMBER}\s*{_SECOND_WORDS}",
    re.IGNORECASE,
)
_KEY = re.compile(
    r"(?<![\w#])([A-Ga-g])\s?(#|♯|b|♭|sharp|flat)?[\s-]?((?i:minor|major|min|maj|moll|dur))(?!\w)|(?<![\w#])([A-G])(#|♯|b|♭)?(m)(?![\w'])"
)
_GERMAN_KEY = re.compile(r"(?<![\w#])([a-h])(is|es|s)?[\s_-]?(dur|moll)(?!\w)", re.IGNORECASE)
_MODED_ANY_CASE = re.compile(r"(?<![\w#])([a-g])(#|♯)(m)?(?![\w])|(?<![\w#])([A-G])(#|♯|b|♭)(?![\w#])")
_IN = re.compile(r"\b(?:in|key|key of)\s+([A-G])(?![\w#\u266f\u266d'’])")
_MODE = re.compile(r"(?<![\w#])(?:minor|major|moll|dur)(?:\s+key)?(?!\w)", re.IGNORECASE)
_MINOR = frozenset({"m", "minor", "min", "moll", "minor key", "moll key"})
_CAMELOT = re.compile(r"(?<![\w#])(1[0-2]|[1-9])([ABab])(?!\w)")
_NOTE = re.compile(r"(?<![\w#])([A-Ga-g])(#|♯|b|♭)?(-?[0-8])(?![\w#])")
_B3 = re.compile(r"\bhammond\b", re.IGNORECASE)

ABOUT_TEMPO = 0.02
"""A tempo means so much to both sides: "around 124" and "124 bpm" find 123.7."""
ABOUT_HZ = 0.12
"""A frequency means about a whole tone to both sides."""
ABOUT_DURATION = 0.25
_SLOWEST_BPM, _FASTEST_BPM = 40.0, 300.0
_AT_MOST = frozenset({"under", "below", "less than", "shorter than", "slower than", "at most", "max", "<"})
_AT_LEAST = frozenset({"over", "above", "more than", "longer than", "faster than", "at least", "min", ">"})
_LONGEST_S = 86_400.0
_NO_TEMPO_BPM = 1_000.0
_TEMPOS_BPM = (20.0, _NO_TEMPO_BPM)
_PITCHES_HZ = (10.0, 24_000.0)
_DURATIONS_S = (1e-3, _LONGEST_S)
"""What a sound can have. A number beyond asks for nothing, and is told as not understood."""


@dataclass
class Numbers:
    """What was read, and the text that is left."""

    left: str
    tempo_bpm: Bounds | None = None
    pitch_hz: Bounds | None = None
    pitch_midi: Bounds | None = None
    duration_s: Bounds | None = None
    key: str | None = None
    tonic: int | None = None
    mode: Literal["minor", "major"] | None = None
    key_words: list[str] = field(default_factory=list)
    senseless: list[str] = field(default_factory=list)
    """Words of numbers that no sound has."""

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Find the pattern and cut it out of what is left."""
        match = pattern.search(self.left)
        if match:
            self.left = f"{self.left[: match.start()]} {self.left[match.end() :]}"
        return match

    def sensible(self, bounds: Bounds, allowed: tuple[float, float]) -> Bounds | None:
        """The bounds, if any value between them can be met."""
        if bounds.most >= allowed[0] and bounds.least <= allowed[1]:
            return bounds
        self.senseless.append(bounds.words)
        return None


def read_numbers(text: str) -> Numbers:
    """Read one of each from a text."""
    found = Numbers(text)
    tempo = _tempo(found)
    found.tempo_bpm = tempo and found.sensible(tempo, _TEMPOS_BPM)
    if match := found.take(_HZ):
        hz = _number(match[1]) * (1000.0 if match[2] else 1.0)
        found.pitch_hz = found.sensible(_about(hz, ABOUT_HZ, match[0]), _PITCHES_HZ)
    if match := found.take(_SECONDS_RANGE):
        low, high = sorted(_seconds(text, match[3]) for text in match.group(1, 2))
        found.duration_s = found.sensible(Bounds(least=low, most=high, words=match[0].strip()), _DURATIONS_S)
    elif match := found.take(_SECONDS):
        found.duration_s = found.sensible(_duration(match), _DURATIONS_S)
    _key(found)
    if not _B3.search(text) and (match := found.take(_NOTE)):
        midi = 12.0 * (int(match[3]) + 1) + _pitch_class(match[1], match[2])
        found.pitch_midi = found.sensible(Bounds(least=midi, most=midi, words=match[0]), (0.0, 127.0))
    return found


def _tempo(found: Numbers) -> Bounds | None:
    if match := found.take(_BPM_RANGE):
        low, high = sorted((_number(match[1]), _number(match[2])))
        return Bounds(least=low, most=high, words=match[0].strip())
    if match := found.take(_BPM_BOUND):
        bpm, is_most = _number(match[2]), match[1].lower() in _AT_MOST
        low, high = (0.0, bpm) if is_most else (bpm, _NO_TEMPO_BPM)
        return Bounds(least=low, most=high, words=match[0].strip())
    if match := found.take(_BPM):
        return _about(_number(match[1] or match[2]), ABOUT_TEMPO, match[0])
    match = _BARE_BPM.search(found.left)
    if match and _SLOWEST_BPM <= _number(match[2]) <= _FASTEST_BPM:
        found.take(_BARE_BPM)
        return _about(_number(match[2]), ABOUT_TEMPO, match[0])
    return None


def _duration(match: re.Match[str]) -> Bounds:
    seconds = _seconds(match[2], match[3])
    bound = (match[1] or match[0][:1]).lower()
    if bound in _AT_MOST:
        return Bounds(least=0.0, most=seconds, words=match[0])
    if bound in _AT_LEAST:
        return Bounds(least=seconds, most=_LONGEST_S, words=match[0])
    return _about(seconds, ABOUT_DURATION, match[0])


def _seconds(number: str, unit: str) -> float:
    return _number(number) / (1000.0 if unit.lower().startswith("m") else 1.0)


def _key(found: Numbers) -> None:
    """A key with its mode, a place on the Camelot wheel, or a tonic with its accidental."""
    if match := found.take(_GERMAN_KEY):
        found.key = german_key(match[1], match[2] or "", match[3])
    elif match := found.take(_KEY):
        letter, accidental, mode = match.group(1, 2, 3) if match[1] else match.group(4, 5, 6)
        found.key = key_name(_pitch_class(letter, accidental), minor=mode.lower() in _MINOR)
    elif match := found.take(_CAMELOT):
        found.key = wheel_key(int(match[1]), match[2])
    elif match := found.take(_MODED_ANY_CASE):
        letter, accidental = (match[1], match[2]) if match[1] else (match[4], match[5])
        if match[3]:
            found.key = key_name(_pitch_class(letter, accidental), minor=True)
        else:
            found.tonic = _pitch_class(letter, accidental)
    elif match := found.take(_IN):
        found.tonic = _pitch_class(match[1], None)
    elif match := found.take(_MODE):
        found.mode = "minor" if match[0].lower() in _MINOR else "major"
    if match:
        found.key_words.append(match[0].strip())


def _pitch_class(letter: str, accidental: str | None) -> int:
    return pitch_class(letter, (accidental or "").lower())


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _about(value: float, share: float, words: str) -> Bounds:
    return Bounds(least=value * (1 - share), most=value * (1 + share), words=words.strip())
