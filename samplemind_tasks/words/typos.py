"""Which word was meant by one that nobody knows: slips of fingers and ears, but never one real word for another."""

from collections.abc import Callable, Hashable, Iterable, Set
from functools import lru_cache
from itertools import pairwise

_LEAST_CHARS = 4
"""Of what was typed; shorter words are too close to each other to guess."""
_MISSED_CHARS = 5
"""Of the longer word where a letter is missing or too many, and of both where a vowel is another."""
_CHANGED_CHARS = 6
"""Where a consonant is another: most short words that differ in one are both real."""
_TWICE_CHARS = 8
"""From here on two slips are forgiven, but not where "-ing" is what two words have in common."""
_MOST_CHARS = 24
_VOWELS = frozenset("aeiouy")


class Typos:
    """Finds the known word that an unknown one was meant to be. Safe to share between threads.

    Parameters
    ----------
    words : known ones; only those in Latin letters without accents are ever found
    meaning : equal for two words that mean the same, of which either may be taken
    real : words that are no slips, however near they are
    """

    def __init__(self, words: Iterable[str], meaning: Callable[[str], Hashable], real: Set[str]) -> None:
        self._meaning = meaning
        self._real = real
        self._by_key: dict[str, set[str]] = {}
        for word in words:
            if len(word) >= _LEAST_CHARS - 1 and word.isascii() and word.isalpha():
                for key in _keys(word):
                    self._by_key.setdefault(key, set()).add(word)

    def meant(self, word: str) -> str | None:
        """The known word that was probably meant; None where there is none, or several of unlike meaning."""
        is_word = _LEAST_CHARS <= len(word) <= _MOST_CHARS and word.isascii() and word.isalpha()
        if not is_word or word in self._real:
            return None
        near = sorted(set().union(*(self._by_key.get(key, ()) for key in _keys(word))))
        ranks = {other: rank for other in near if (rank := _unlikeliness(word, other)) is not None}
        best = [other for other, rank in ranks.items() if rank == min(ranks.values())]
        return best[0] if len({self._meaning(other) for other in best}) == 1 else None


def one_slip(word: str, other: str) -> bool:
    """Whether one letter is missing, too many, another, or two neighbours are exchanged; the first one is right."""
    return word[0] == other[0] and _distance(word, other) <= 1


def _unlikeliness(word: str, other: str) -> int | None:
    """How unlikely it is that `word` was typed for `other`: 0 is likeliest; None for no slip at all."""
    shorter, longer = sorted((len(word), len(other)))
    if word[0] != other[0] or longer - shorter > 2:
        return None
    if _single(word) == _single(other):
        return 0
    slips = _distance(word, other)
    if slips == 1:
        if shorter != longer:
            return 1 if longer >= _MISSED_CHARS else None
        if sorted(word) == sorted(other):
            return 1
        is_vowel = _skeleton(word) == _skeleton(other)
        return 2 if longer >= (_MISSED_CHARS if is_vowel else _CHANGED_CHARS) else None
    is_long = shorter >= _TWICE_CHARS + 3 * other.endswith("ing")
    if slips == 2 and (is_long or (shorter >= _MISSED_CHARS and _same_but_vowels(word, other))):
        return 3
    return None


def _same_but_vowels(word: str, other: str) -> bool:
    """Whether only a vowel sits elsewhere: "snair" for "snare"."""
    return len(word) == len(other) and _skeleton(word) == _skeleton(other)


def _keys(word: str) -> set[str]:
    """What a word and its slips have in common: itself, less any letter or two, its consonants, its letters once."""
    keys = {word, f"={_skeleton(word)}", _single(word), *_less_one(word)}
    if len(word) >= _TWICE_CHARS:
        keys.update(*(_less_one(shorter) for shorter in _less_one(word)))
    return keys


def _less_one(word: str) -> set[str]:
    return {word[:place] + word[place + 1 :] for place in range(len(word))}


def _skeleton(word: str) -> str:
    """First letter and consonants."""
    return word[0] + "".join(letter for letter in word[1:] if letter not in _VOWELS)


def _single(word: str) -> str:
    """The word without doubled letters."""
    return word[0] + "".join(letter for before, letter in pairwise(word) if letter != before)


@lru_cache(maxsize=4096)
def _distance(word: str, other: str) -> int:
    """Letters missing, too many, others, or exchanged with their neighbours: optimal string alignment distance.

    G. Navarro, A guided tour to approximate string matching, ACM Computing Surveys 33 (2001), section 2.2.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        last, before, row = before, row, [i, *[0] * len(other)]
        for j, wanted in enumerate(other, 1):
            row[j] = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and wanted == word[i - 2]:
                row[j] = min(row[j], last[j - 2] + 1)
    return row[-1]
