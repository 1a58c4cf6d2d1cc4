"""The phrases of vocabulary.toml: what each means, and which of them a run of words, perhaps mistyped, holds."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.features import Kind
from samplemind_tasks.words.text import words_of

Floats = NDArray[np.float32]
LEAF_NAMES = tuple(LEAVES)
"""The order of every array over leaves."""

BESIDE = 0.9
"""Weight of a category's other leaves where one of them bears the category's own name."""
SIBLING = 0.6
"""Weight of the other leaves of the category where one leaf is meant."""
SIBLING_LOOSE = 0.15
"""The same in categories whose leaves have little in common."""
_LOOSE = frozenset({Category.OTHER_PERCUSSION, Category.FX})
SURE = 0.8
"""From this weight on, a phrase names the sound that is asked for, and guesses from other words fade."""
TYPO_WEIGHT = 0.8
"""Trust in a word that is one slip away from what was typed."""
_TYPO_CHARS = 5
"""Shorter words are too close to each other to guess."""
_VOWELS = frozenset("aeiouy")


@dataclass(frozen=True)
class Phrase:
    """One entry.

    Attributes
    ----------
    words : as `text.words_of` cuts them
    sounds : category or leaf name to weight
    leaves : float32 [leaves], what a sound of each leaf is worth to whoever asks for this; zeros where none is meant
    descriptors, kinds : what else it means
    """

    words: tuple[str, ...]
    sounds: dict[str, float] = field(default_factory=dict)
    leaves: Floats = field(default_factory=lambda: np.zeros(len(LEAF_NAMES), np.float32))
    descriptors: list[str] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(self.words)


class Vocabulary:
    """Every phrase. Made once for each process by `vocabulary()`; safe to share between threads."""

    def __init__(self, table: dict[str, dict[str, object]]) -> None:
        phrases: dict[tuple[str, ...], Phrase] = {}
        for section, name, spelled, weight in _entries(table):
            words = tuple(words_of(spelled))
            phrase = phrases.setdefault(words, Phrase(words))
            if section == "descriptors" and name not in phrase.descriptors:
                phrase.descriptors.append(name)
            elif section == "kinds":
                phrase.kinds.append(Kind(name))
            elif section == "sounds":
                phrase.sounds[name] = max(weight, phrase.sounds.get(name, 0.0))
                np.maximum(phrase.leaves, weight * leaves_of(name), out=phrase.leaves)
        self.phrases = tuple(phrases.values())
        self._number_of = {phrase.words: number for number, phrase in enumerate(self.phrases)}
        for number, phrase in enumerate(self.phrases):  # "openhat" means what "open hat" does
            self._number_of.setdefault(("".join(phrase.words),), number)
        self._longest = max(len(words) for words in self._number_of)
        small = table["small"]
        self.ignored = frozenset(word for spelled in _strings(small["ignored"]) for word in words_of(spelled))
        self.negations = frozenset(word for spelled in _strings(small["negations"]) for word in words_of(spelled))
        self.leaves = np.stack([phrase.leaves for phrase in self.phrases])
        """float32 [phrases, leaves]"""
        self._near = _slips({words[0] for words in self._number_of if len(words) == 1 and words[0].isascii()})
        self.descriptors = tuple(str(name) for name in table["descriptors"])

    def at(self, words: Sequence[str], place: int) -> tuple[int, int] | None:
        """The longest phrase that begins at a place: its number, and how many words it takes."""
        for length in range(min(self._longest, len(words) - place), 0, -1):
            number = self._number_of.get(tuple(words[place : place + length]))
            if number is not None:
                return number, length
        return None

    def near(self, word: str) -> str | None:
        """The vocabulary's word that was probably meant; None where several or none are a slip away."""
        if len(word) < _TYPO_CHARS or not word.isascii() or not word.isalpha() or len(word) > 24:
            return None
        found = set().union(*(self._near.get(key, ()) for key in _keys(word)))
        best = {other for other in found if one_slip(word, other)} or {
            other for other in found if _skeleton(word) == _skeleton(other) and abs(len(word) - len(other)) <= 1
        }
        return min(best) if len(best) == 1 else None


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary that ships with the package."""
    return Vocabulary(tomllib.loads(files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8")))


@cache
def leaves_of(name: str) -> Floats:
    """What a sound of each leaf is worth to whoever asks for a category or leaf, float32 [leaves].

    A name that is both is the category, whose leaf of the same name comes first.
    """
    wanted = np.zeros(len(LEAF_NAMES), np.float32)
    category = Category(name) if name in tuple(Category) else LEAVES[name]
    is_category, namesake = name in tuple(Category), name in LEAVES
    for place, (leaf, of) in enumerate(LEAVES.items()):
        if leaf == name:
            wanted[place] = 1.0
        elif of is category and is_category:
            wanted[place] = BESIDE if namesake else 1.0
        elif of is category:
            wanted[place] = SIBLING_LOOSE if category in _LOOSE else SIBLING
    wanted.flags.writeable = False
    return wanted


def _entries(table: dict[str, dict[str, object]]) -> Iterator[tuple[str, str, str, float]]:
    """Section, what is meant, how it is written, how surely."""
    for section in ("sounds", "descriptors", "kinds"):
        for name, spellings in table[section].items():
            for spelled in _strings(spellings):
                yield section, name, spelled, 1.0
    for spelled, meanings in table["ambiguous"].items():
        if isinstance(meanings, dict):
            for name, weight in meanings.items():
                yield "sounds", str(name), spelled, float(weight)


def _strings(spellings: object) -> list[str]:
    return [str(spelled) for spelled in spellings] if isinstance(spellings, list) else []


def _slips(words: set[str]) -> dict[str, set[str]]:
    """Long words by everything that `_keys` makes of them."""
    near: dict[str, set[str]] = {}
    for word in words:
        if len(word) >= _TYPO_CHARS:
            for key in _keys(word):
                near.setdefault(key, set()).add(word)
    return near


def _keys(word: str) -> set[str]:
    """The word, it less any one letter, and its consonants: two words a slip apart share one of them."""
    return {word, _skeleton(word), *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def _skeleton(word: str) -> str:
    """First letter and consonants: "snair" and "snare" are one."""
    return f"={word[0]}{''.join(letter for letter in word[1:] if letter not in _VOWELS)}"


def one_slip(word: str, other: str) -> bool:
    """Whether one letter is missing, too many, another, or two neighbours are exchanged; the first one is right."""
    if word[0] != other[0] or abs(len(word) - len(other)) > 1:
        return False
    if len(word) != len(other):
        short, long = sorted((word, other), key=len)
        return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))
    places = [place for place, pair in enumerate(zip(word, other, strict=True)) if pair[0] != pair[1]]
    if len(places) == 2:
        ((first, second),) = pairwise(places)
        return second == first + 1 and word[first] == other[second] and word[second] == other[first]
    return len(places) <= 1
