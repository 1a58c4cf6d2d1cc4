"""Tempo, key, note and kind in file and folder names, as makers of sample packs write them.

A wrong number is worse than none: "128bpm", "Am_128" and "Break 90" are read; the 60 of "MPC 60", the 2 of "take 2" and
a lone "C" are not. tests/audio/test_names.py has the table of what is read and what is left alone.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from samplemind_tasks.features import Evidence
from samplemind_tasks.keynames import key_name, pitch_class, tonic_name, wheel_key

_NAME_CHARS = 255
_FOLDERS = 2
MIDDLE_C_OCTAVE = 4
"""C4 is MIDI note 60, as in acoustics; a maker whose middle C is C3 is an octave away."""
_SLOWEST_BPM, _FASTEST_BPM = 40.0, 300.0
"""Of a number beside the word bpm."""
_SLOWEST_BARE_BPM, _FASTEST_BARE_BPM = 60.0, 200.0
"""Of a number alone."""

_WORD = re.compile(r"(?:[^\s_()\[\]{},;+&=~–.-]|(?<=[0-9])\.(?=[0-9]))+")
_NUMBER = r"([0-9]{2,3}(?:\.[0-9]{1,3})?)"
_NUMBER_BPM = re.compile(rf"(?<![0-9.]){_NUMBER}[\s_-]*bpm(?![a-z])", re.IGNORECASE)
_BPM_NUMBER = re.compile(rf"(?<![a-z])(?:bpm|tempo)[\s_=:-]*{_NUMBER}(?![0-9])", re.IGNORECASE)
_BPM_RANGE = re.compile(r"(?<![0-9.])([0-9]{2,3})\s?(?:bpm)?\s?(?:-|–|to)\s?([0-9]{2,3})[\s_]?bpm", re.IGNORECASE)
_BARE = re.compile(_NUMBER)
_ATTACHED = re.compile(rf"[a-z]*(?:loop|break|beat|groove){_NUMBER}|{_NUMBER}[a-z]*(?:loop|break|beat|groove)", re.I)
_RHYTHMIC = re.compile(r"(?:loop|break|beat|groove|riff|bassline)s?(?![a-z])", re.IGNORECASE)

_KEY_WORDS = re.compile(
    r"(?<![A-Za-z#♯♭])([A-G])([#♯♭]|b(?!eat)|[\s_-]?sharp|[\s_-]?flat)?([\s_-]?)(minor|min|major|maj)(?![a-z0-9])", re.I
)
_SHORT_MINOR = re.compile(r"([A-G])([#♯b♭]?)m")
_TONIC = re.compile(r"([A-G])([#♯b♭])")
_CAMELOT = re.compile(r"(0?[1-9]|1[0-2])([AB])")
_NOTE = re.compile(r"([A-G])([#♯b♭]?)([0-8])|([a-g])([#♯])([0-8])")

_LOOP = re.compile(r"loops?(?![a-z])", re.IGNORECASE)
_NO_LOOP = re.compile(r"(?<![a-z])(?:no|non|not|un)[\s_-]?loop", re.IGNORECASE)
_ONE_SHOT = re.compile(r"(?<![a-z])one[\s_-]?shots?(?![a-z])|OneShots?(?![a-z])", re.IGNORECASE)

_COUNTED = re.compile(
    r"no|nr|num|number|vol|volume|pt|part|take|track|scene|seq|pattern|kit|bank|patch|preset|ver|version|v|cd|disc|vel"
    r"|velocity|rr|layer|zone|note|cc|midi|string|mic|mark|mk|room|studio|route|variation|var|area|level|step"
)
_MACHINE = re.compile(
    r"juno|mpc|cr|sh|tb|tr|dx|cz|dr|kr|poly|jv|jd|jx|jp|cp|sp|emt|ms|sk|rz|hr|sr|rx|pss|jupiter|prophet|moog|ob|lm|ddd"
    r"|oberheim|korg|roland|yamaha|casio|akai|linn|emu|boss|alesis|sm|eventide|lexicon|fairlight"
)
"""Words whose number is a name: Juno 106, MPC 60, CP 80, EMT 140."""
_UNIT = re.compile(r"hz|khz|k|ms|s|secs?|seconds|min|db|bits?|kbps|bars?|st|cents|cm|mm|inch|in|x|percent|%")
_PLACE = re.compile(
    r"(?<![a-z])(?:hammond|organ|kit|bank|side|pattern|part|take|var|variation|version|track|deck|plate|pads?)(?![a-z])",
    re.IGNORECASE,
)
"""Words whose "A1" or "B3" is no note."""
_DRUMS = re.compile(
    r"kick|snare|clap|perc|cymbal|crash|rim|drum|shaker|conga|bongo|cowbell|808|909|(?<![a-z])(?:hats?|hh|toms?|ride|bd|sd|sn|fx)"
    r"(?![a-z])",
    re.IGNORECASE,
)
_BEFORE_AM = re.compile(r"i|who|what|where|that", re.IGNORECASE)


@dataclass(frozen=True)
class _Found:
    about: Literal["tempo_bpm", "key", "pitch_midi", "kind"]
    value: float | str
    text: str


def evidence_in(path: str) -> Iterator[Evidence]:
    """Read a path's last part as a name and the two before it as folders; see evidence.in_name."""
    *folders, name = re.split(r"[/\\]+", path.rstrip("/\\"))[-1 - _FOLDERS :]
    stem, dot, ending = name.rpartition(".")
    if not dot or not ending.isalnum() or ending.isdecimal():
        stem = name
    for found in _in_name(stem[:_NAME_CHARS]):
        yield Evidence(source="name", about=found.about, value=found.value, text=found.text[:64])
    said = set()
    for folder in reversed(folders):
        for found in _in_folder(folder[:_NAME_CHARS]):
            if found.about not in said:
                said.add(found.about)
                yield Evidence(source="folder", about=found.about, value=found.value, text=found.text[:64])


def _in_folder(folder: str) -> Iterator[_Found]:
    """A folder is about many files: only what it says in full."""
    for found in (_spelled_tempo(folder), _spelled_key(folder), _kind(folder)):
        if found is not None:
            yield found


def _in_name(stem: str) -> Iterator[_Found]:
    words = _WORD.findall(stem)
    tempo, key = _spelled_tempo(stem), _spelled_key(stem)
    if key is None:
        key = _short_key(words, _tempo_places(words), stem, tempo)
    if tempo is None:
        tempo = _bare_tempo(words, stem, key)
    note = None if tempo or key else _note(words, stem)
    kind = _kind(stem)
    if note and kind and kind.value == "loop":
        note = kind = None  # "Strings C3 loop" is one note that can be held, or a loop: nobody can tell
    yield from (found for found in (tempo, key, note, kind) if found)


def _spelled_tempo(name: str) -> _Found | None:
    """A number with the word bpm before or behind it, when the name has only one such number."""
    for first, last in _BPM_RANGE.findall(name):
        if _SLOWEST_BPM <= int(first) < int(last):
            return None
    found = list(_NUMBER_BPM.finditer(name)) or list(_BPM_NUMBER.finditer(name))
    if len({match[1] for match in found}) != 1 or not _SLOWEST_BPM <= float(found[0][1]) <= _FASTEST_BPM:
        return None
    return _Found("tempo_bpm", float(found[0][1]), found[0][0])


def _spelled_key(name: str) -> _Found | None:
    """A key with its mode in letters: "C#min", "Bb Major"; "a minor" with a small letter is English."""
    found: dict[str, str] = {}
    for match in _KEY_WORDS.finditer(name):
        letter, accidental, gap, mode = match.groups()
        if letter.isupper() or not gap.isspace():
            tonic = pitch_class(letter, (accidental or "").lstrip(" _-"))
            found[key_name(tonic, minor=mode.lower().startswith("min"))] = match[0]
    if len(found) != 1:
        return None
    (key, text), *_ = found.items()
    return _Found("key", key, text)


def _tempo_places(words: Sequence[str]) -> list[int]:
    """Which words could be a tempo without saying so."""
    places = []
    for place, word in enumerate(words):
        if not _BARE.fullmatch(word) or not _SLOWEST_BARE_BPM <= float(word) <= _FASTEST_BARE_BPM or word[0] == "0":
            continue
        before = words[place - 1].lower() if place else ""
        after = words[place + 1].lower() if place + 1 < len(words) else ""
        named = _COUNTED.fullmatch(before) or _MACHINE.fullmatch(before) or _UNIT.fullmatch(after)
        # 24-96 is a bit depth and a sampling rate
        if not named and before not in ("16", "24"):
            places.append(place)
    return places


def _short_key(words: Sequence[str], tempos: Sequence[int], stem: str, tempo: _Found | None) -> _Found | None:
    """A key in short: "F#m", "Am" and "8A" with a sign that it is one, a tonic with its sharp or flat alone."""
    found: dict[str, str] = {}
    for place, word in enumerate(words):
        beside = place - 1 in tempos or place + 1 in tempos or tempo is not None
        if match := _SHORT_MINOR.fullmatch(word):
            if match[2] or beside or _stands_apart(words, place, stem):
                found[key_name(pitch_class(match[1], match[2]), minor=True)] = word
        elif match := _TONIC.fullmatch(word):
            found[tonic_name(pitch_class(match[1], match[2]))] = word
        elif beside and (match := _CAMELOT.fullmatch(word)):
            found[wheel_key(int(match[1]), match[2])] = word
    if len(found) != 1:
        return None
    (key, text), *_ = found.items()
    return _Found("key", key, text)


def _stands_apart(words: Sequence[str], place: int, stem: str) -> bool:
    """Whether "Am" is no English word here: set off with other signs than spaces, or the last word if it is "Em"."""
    if place and _BEFORE_AM.fullmatch(words[place - 1]):
        return False
    last = place == len(words) - 1
    return re.search(rf"[_(\[-]{words[place]}(?:[_)\]-]|$)", stem) is not None or (last and words[place] != "Am")


def _bare_tempo(words: Sequence[str], stem: str, key: _Found | None) -> _Found | None:
    """The number beside a key, or the only one in a name that has a key or a word such as loop or break."""
    places = _tempo_places(words)
    if key is not None:
        ends = {place for place, word in enumerate(words) if word in key.text}
        beside = [place for place in places if place - 1 in ends or place + 1 in ends]
        places = beside if len(beside) == 1 else places
    elif not _RHYTHMIC.search(stem):
        places = []
    if len(places) == 1:
        return _Found("tempo_bpm", float(words[places[0]]), words[places[0]])
    attached = [match for word in words if (match := _ATTACHED.fullmatch(word))] if not places else []
    number = attached[0][1] or attached[0][2] if len(attached) == 1 else "0"
    if number[0] != "0" and _SLOWEST_BARE_BPM <= float(number) <= _FASTEST_BARE_BPM:
        return _Found("tempo_bpm", float(number), attached[0][0])
    return None


def _note(words: Sequence[str], stem: str) -> _Found | None:
    """A note with its octave; "A1" without a sharp can also be a place in a kit."""
    found = [(word, match) for word in words if (match := _NOTE.fullmatch(word))]
    if len(found) != 1:
        return None
    word, match = found[0]
    letter, accidental, octave = match.groups()[:3] if match[1] else match.groups()[3:]
    if not accidental and (len(words) == 1 or _DRUMS.search(stem) or _PLACE.search(stem)):
        return None
    pitch = 60 + 12 * (int(octave) - MIDDLE_C_OCTAVE) + pitch_class(letter)
    pitch += {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(accidental, 0)
    return _Found("pitch_midi", float(pitch), word)


def _kind(name: str) -> _Found | None:
    one_shot = _ONE_SHOT.search(name)
    loop = None if _NO_LOOP.search(name) else _LOOP.search(name)
    if bool(loop) == bool(one_shot):
        return None
    return _Found("kind", "loop", loop[0]) if loop else _Found("kind", "one-shot", one_shot[0]) if one_shot else None
