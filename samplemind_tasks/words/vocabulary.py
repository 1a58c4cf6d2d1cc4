"""The phrases of vocabulary.toml: what each means, and which of them a run of words, perhaps mistyped, holds."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.features import Kind
from samplemind_tasks.words.languages import compared, foreign
from samplemind_tasks.words.text import words_of
from samplemind_tasks.words.typos import Typos

Floats = NDArray[np.float32]
LEAF_NAMES = tuple(LEAVES)
"""The order of every array over leaves."""

BESIDE = 0.9
"""Weight of a category's other leaves where one of them bears the category's own name."""
SIBLING = 0.6
"""Weight of the other leaves of the category where one leaf is meant."""
SIBLING_LOOSE = 0.15
"""The same in categories whose leaves have little in common."""
LOOSE = frozenset({Category.OTHER_PERCUSSION, Category.FX})
"""Such categories."""
SURE = 0.8
"""From this weight on, a phrase names the sound that is asked for, and guesses from other words fade."""
TYPO_WEIGHT = 0.8
"""Trust in a word that is a slip away from what was typed."""
_EXCLUDED = 0.5
"""Who does not want a word does not want what it may mean from this weight on."""


@dataclass(frozen=True)
class Phrase:
    """One entry.

    Attributes
    ----------
    words : as `text.words_of` cuts them
    sounds : category or leaf name to weight
    leaves : float32 [leaves], what a sound of each leaf is worth to whoever asks for this; zeros where none is meant
    descriptors, kinds : what else it means
    denied : descriptors that it says the contrary of
    excluded : categories and leaves that it takes out where it is not wanted
    """

    words: tuple[str, ...]
    sounds: dict[str, float] = field(default_factory=dict)
    leaves: Floats = field(default_factory=lambda: np.zeros(len(LEAF_NAMES), np.float32))
    descriptors: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def meaning(self) -> tuple[object, ...]:
        """Equal for two spellings of the same."""
        return (*sorted(self.sounds.items()), *self.descriptors, *self.denied, *self.kinds)

    @property
    def is_alone(self) -> bool:
        """Whether it is one word that says what a sound is or is like, rather than hints at it."""
        return len(self.words) == 1 and bool(self.is_sure or self.descriptors or self.denied)

    @property
    def is_sure(self) -> bool:
        """Whether it names one sound rather than hints at some."""
        return bool(self.leaves.max() >= SURE)


class Vocabulary:
    """Every phrase. Made once for each process by `vocabulary()`; safe to share between threads."""

    def __init__(
        self, table: dict[str, dict[str, object]], languages: dict[str, dict[str, list[str]]], real: list[str]
    ) -> None:
        self.phrases = tuple(_phrases(table).values())
        self._number_of = {phrase.words: number for number, phrase in enumerate(self.phrases)}
        for number, phrase in enumerate(self.phrases):
            for words in _other_ways(phrase, self._number_of, self.phrases):
                self._number_of.setdefault(words, number)
        self._longest = max(len(words) for words in self._number_of)
        small = table["small"]
        self.ignored = _words(small["ignored"])
        self.joiners, self.alternatives = _words(small["joiners"]), _words(small["alternatives"])
        self.denials, self.exclusions = _runs(small["denials"]), _runs(small["exclusions"])
        self.never_compared = _words(small["never_compared"])
        self.leaves = np.stack([phrase.leaves for phrase in self.phrases])
        """float32 [phrases, leaves]"""
        self.told_by_names = np.stack([_told_by_name(phrase) for phrase in self.phrases])
        """The same where a file is called so: float32 [phrases, leaves]."""
        of_denials = {word for words in self.denials | self.exclusions for word in words}
        self._known = {word for words in self._number_of for word in words} | self.ignored | self.joiners | of_denials
        self.strokes = {
            self._number_of[tuple(words_of(spelled))]: np.max(
                [leaves_of(drum) == 1 for drum in _strings(drums)], axis=0
            )
            for spelled, drums in table["strokes"].items()
        }
        """Phrases that beside one of some leaves say how it is struck; bool [leaves]."""
        self.words_for = _words_for(self.phrases)
        """Every single word for each descriptor."""
        adjectives = [phrase.text for phrase in self.phrases if phrase.is_alone and not phrase.sounds]
        self._english = {**compared(adjectives), **foreign(languages)}
        targets = set(self._english.values()).union(*(phrase.words for phrase in self.phrases if phrase.is_alone))
        self._typos = Typos(
            targets,
            lambda word: self.phrases[found[0]].meaning if (found := self.at([word], 0)) else word,
            _words(real),
        )

    def at(self, words: Sequence[str], place: int) -> tuple[int, int] | None:
        """The longest phrase that begins at a place: its number, and how many words it takes."""
        for length in range(min(self._longest, len(words) - place), 0, -1):
            number = self._number_of.get(tuple(words[place : place + length]))
            if number is not None:
                return number, length
        return None

    def plain(self, word: str) -> str:
        """The vocabulary's word for one of another language or degree; any other word as it is."""
        return word if word in self._known else self._english.get(word, word)

    def translated(self, word: str) -> str:
        """The same for a word that is known, but only as a part of phrases."""
        return self._english.get(word, word)

    def meant(self, word: str) -> str | None:
        """The vocabulary's word that a word nobody knows was probably typed for."""
        return None if word in self._known or word in self._english else self._typos.meant(word)


@cache
def vocabulary() -> Vocabulary:
    """The vocabulary that ships with the package."""
    return Vocabulary(_table("vocabulary"), _table("languages"), _table("real_words")["real"])


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
            wanted[place] = SIBLING_LOOSE if category in LOOSE else SIBLING
    wanted.flags.writeable = False
    return wanted


def _phrases(table: dict[str, dict[str, object]]) -> dict[tuple[str, ...], Phrase]:
    phrases: dict[tuple[str, ...], Phrase] = {}
    for section, name, spelled, weight in _entries(table):
        words = tuple(words_of(spelled))
        phrase = phrases.setdefault(words, Phrase(words))
        if section == "sounds":
            phrase.sounds[name] = max(weight, phrase.sounds.get(name, 0.0))
            np.maximum(phrase.leaves, weight * leaves_of(name), out=phrase.leaves)
            if weight >= _EXCLUDED:
                phrase.excluded.append(name)
        elif section == "kinds":
            phrase.kinds.append(Kind(name))
        else:
            told = {"descriptors": phrase.descriptors, "denied": phrase.denied, "excluded": phrase.excluded}[section]
            told.append(name)
    return phrases


def _entries(table: dict[str, dict[str, object]]) -> Iterator[tuple[str, str, str, float]]:
    """Section, what is meant, how it is written, how surely."""
    for section in ("sounds", "descriptors", "denied", "kinds"):
        for name, spellings in table[section].items():
            for spelled in dict.fromkeys(_strings(spellings)):
                yield section, name, spelled, 1.0
    for spelled, meanings in table["ambiguous"].items():
        if isinstance(meanings, dict):
            for name, weight in meanings.items():
                yield "sounds", str(name), spelled, float(weight)
    for spelled, names in table["excluded"].items():
        for name in _strings(names):
            yield "excluded", name, spelled, 1.0


def _told_by_name(phrase: Phrase) -> Floats:
    """Who asks for a "hit" may mean an orchestra's; a file called "Head Hit" is more likely what a hit mostly is."""
    best = float(phrase.leaves.max())
    return phrase.leaves if phrase.is_sure or not best else np.asarray(phrase.leaves**2 / best, np.float32)


def _words_for(phrases: Sequence[Phrase]) -> dict[str, tuple[str, ...]]:
    words: dict[str, list[str]] = {}
    for phrase in phrases:
        if len(phrase.words) == 1:
            for name in phrase.descriptors:
                words.setdefault(name, []).append(phrase.text)
    return {name: tuple(spelled) for name, spelled in words.items()}


def _other_ways(
    phrase: Phrase, number_of: dict[tuple[str, ...], int], phrases: Sequence[Phrase]
) -> Iterator[tuple[str, ...]]:
    """Written in one, as "openhat", and with the noun first, as in "snare acoustic"; two nouns stay two sounds."""
    yield ("".join(phrase.words),)
    if len(phrase.words) == 2:
        alone = [number_of.get((word,)) for word in phrase.words]
        if not all(number is not None and phrases[number].is_sure for number in alone):
            yield phrase.words[::-1]


def _strings(spellings: object) -> list[str]:
    return [str(spelled) for spelled in spellings] if isinstance(spellings, list) else []


def _words(spellings: object) -> frozenset[str]:
    return frozenset(word for spelled in _strings(spellings) for word in words_of(spelled))


def _runs(spellings: object) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(words_of(spelled)) for spelled in _strings(spellings))


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
