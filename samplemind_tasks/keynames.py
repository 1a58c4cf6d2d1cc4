"""The names of keys: every usual spelling to one, "A minor", and its place on the Camelot wheel."""

import re

_SPELLED = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
"""One name for each pitch class, the one the key detector uses."""
_NATURALS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"#": 1, "♯": 1, "s": 1, "b": -1, "♭": -1, "f": -1}
_FIFTH, _RELATIVE_MINOR = 7, 9
_CAMELOT_OF_C, _OPEN_KEY_OF_C = 8, 1

_WORDS = re.compile(r"\s*([A-Ga-g])\s?(#|♯|b|♭|sharp|flat)?[\s_-]*(major|maj|dur|minor|min|moll|m)?\s*", re.IGNORECASE)
_GERMAN = re.compile(r"\s*([a-h])(is|es|s)?[\s_-]*(dur|moll)\s*", re.IGNORECASE)
_GERMAN_NATURALS = {**_NATURALS, "B": 10, "H": 11}
_WHEEL = re.compile(r"\s*(0?[1-9]|1[0-2])\s*([ABabDdMm])\s*")


def pitch_class(letter: str, accidental: str = "") -> int:
    """Semitones above C, 0 to 11: a letter A to G and "#", "♯", "sharp", "b", "♭", "flat" or nothing."""
    return (_NATURALS[letter.upper()] + _ACCIDENTALS.get(accidental[:1].lower(), 0)) % 12


def key_name(tonic: int, *, minor: bool) -> str:
    """Spell a key: "A minor"; tonic in semitones above C."""
    return f"{_SPELLED[tonic % 12]} {'minor' if minor else 'major'}"


def tonic_name(tonic: int) -> str:
    """Spell a tonic of which no mode is known: "F#"."""
    return _SPELLED[tonic % 12]


def read_key(text: str) -> str | None:
    """Read what a key tag holds: "Am", "A min", "F#m", "Gb maj", "C", "H-Moll", "8A" (Camelot), "1m" (Open Key).

    A capital letter alone is a major key, as in ID3's TKEY. Anything else, chords included, is no key.
    """
    if german := _GERMAN.fullmatch(text):
        return german_key(german[1], german[2] or "", german[3])
    if wheel := _WHEEL.fullmatch(text):
        return wheel_key(int(wheel[1]), wheel[2])
    words = _WORDS.fullmatch(text)
    if words is None:
        return None
    letter, accidental, mode = words[1], words[2] or "", words[3] or ""
    if not mode and letter.islower():
        return None
    minor = mode == "m" or mode.lower() in ("min", "minor", "moll")
    return key_name(pitch_class(letter, accidental), minor=minor)


def german_key(letter: str, accidental: str, mode: str) -> str:
    """Spell a key that was told in German, where H is B and B is B flat: "Es-Dur", "fis-Moll"."""
    tonic = _GERMAN_NATURALS[letter.upper()] + (accidental.lower() == "is") - (accidental.lower() in ("es", "s"))
    return key_name(tonic, minor=mode.lower() == "moll")


def wheel_key(hour: int, side: str) -> str:
    """Read a place on a wheel of fifths: Camelot's 8A and 8B, Open Key's 1m and 1d, are A minor and C major."""
    home = _CAMELOT_OF_C if side in "ABab" else _OPEN_KEY_OF_C
    minor = side in "AaMm"
    return key_name((hour - home) * _FIFTH + (_RELATIVE_MINOR if minor else 0), minor=minor)


def tonic_of(key: str) -> int:
    """Tonic of a key, semitones above C, 0 to 11. Takes what `read_key` takes.

    Raises
    ------
    ValueError : it is no key.
    """
    tonic = _named(key).partition(" ")[0]
    return pitch_class(tonic[0], tonic[1:])


def wheel_place(key: str) -> int:
    """Place of a key on the Camelot wheel, 0 to 23: minor keys even, major ones odd. Takes what `read_key` takes.

    Raises
    ------
    ValueError : it is no key.
    """
    minor = _named(key).endswith("minor")
    fifths = (tonic_of(key) - (_RELATIVE_MINOR if minor else 0)) * _FIFTH
    return 2 * ((_CAMELOT_OF_C - 1 + fifths) % 12) + (not minor)


def _named(key: str) -> str:
    name = read_key(key)
    if name is None:
        raise ValueError(f"{key!r} is no key")
    return name


def camelot(key: str) -> str:
    """A key's name on the Camelot wheel: "8A" for A minor."""
    hour, major = divmod(wheel_place(key), 2)
    return f"{hour + 1}{'B' if major else 'A'}"


def compatible(place: int) -> list[int]:
    """A key's place on the wheel, its relative, and the two a fifth away: what mixes with it."""
    return [place, place ^ 1, (place + 2) % 24, (place - 2) % 24]
