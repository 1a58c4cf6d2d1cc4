"""Cutting texts and file names into plain words: small letters, no accents, no plural."""

import re
import unicodedata
from functools import lru_cache

_HUMP = re.compile(r"(?<=[a-zà-ÿ])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_RUN = re.compile(r"[^\W\d_]+|\d+")
"""Letters of any script, or digits: "kick04" is two words."""
BREAK = ","
"""Stands among the words of a text where a list goes on: no phrase reaches across it."""
_SPOKEN = re.compile(rf"{_RUN.pattern}|[,;:/|+()\[\]\n]|[.!?](?=\s)")
_MINUS = re.compile(r"(?<!\S)[-–](?=[^\W\d_])")
_DASH = re.compile(r"\s[-–—]+\s")
_WITH = re.compile(r"\bw/(o\b)?", re.IGNORECASE)
_SPELLED_OUT = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "&": " and "})
_KEPT_S = frozenset({
    "keys", "strings", "claves", "castanets", "atmos", "vibes", "timbales", "maracas", "drums", "voices", "mallets",
    "violins", "tops",
})  # fmt: skip
"""Words that end with an s and mean something of their own."""


def fold(text: str) -> str:
    """Small letters; accents taken off Latin letters alone, because in other scripts they make another letter."""
    text = unicodedata.normalize("NFKC", text).lower().translate(_SPELLED_OUT)
    if text.isascii():
        return text
    return "".join(_plain(letter) for letter in text)


def words_of(text: str) -> list[str]:
    """The words of a text: "Hi-Hats" is "hi", "hat"."""
    return [singular(word) for word in _RUN.findall(fold(text).replace("'", "").replace("’", ""))]


def words_of_text(text: str) -> list[str]:
    """The words of what a person asks for, with `BREAK` between parts: "snare, -rim" is "snare", ",", "not", "rim"."""
    text = _DASH.sub(" , ", _MINUS.sub(" not ", _WITH.sub(lambda found: " without " if found[1] else " with ", text)))
    spoken = _SPOKEN.findall(fold(text).replace("'", "").replace("’", ""))
    return [singular(word) if word.isalnum() else BREAK for word in spoken]


def words_of_name(name: str) -> list[str]:
    """The words of a file or folder name, which may be written in one: "RideBell-02"."""
    return words_of(_HUMP.sub(" ", name))


@lru_cache(maxsize=65_536)
def singular(word: str) -> str:
    """An English plural's singular; anything else as it is."""
    if len(word) < 4 or not word.endswith("s") or word in _KEPT_S or word.endswith(("ss", "us", "is", "as")):
        return word
    if word.endswith("ies") and len(word) > 5:
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("shes", "ches", "xes", "sses")) else word[:-1]


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    return parts[0] if parts[0].isascii() else letter
