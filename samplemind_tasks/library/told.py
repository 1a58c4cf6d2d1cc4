"""What a text may meet a sample by in writing: its name and folder, and beside them what a person wrote of it."""

import re
from collections.abc import Sequence

import numpy as np

from samplemind_tasks.words.names import NameIndex
from samplemind_tasks.words.text import words_of_name
from samplemind_tasks.words.vocabulary import Floats

BEGINNING_CHARS = 3
BEGINNING_WEIGHT = 0.7
"""Trust in a word that only begins as the one asked for: as in names."""
MOST_WORDS = 400
"""Of one sample: a note's length and 64 tags."""
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}$")
"""Of a file. "Vol. 2 crash" and "Kick v1.2" are names that a person gave."""


class ToldIndex(NameIndex):
    """Names tell sounds, and so do a person's tags; the words of a note are met as they stand, and tell none.

    Written by one thread; read by others, which may miss what is just being written.
    """

    def __init__(self) -> None:
        super().__init__()
        self._rows_of: dict[str, set[int]] = {}
        self._words_of: dict[int, tuple[str, ...]] = {}

    def tell(self, row: int, name: str, folder: str, own_tags: Sequence[str], words: str) -> None:
        """Take up a row, or what is told of it now."""
        stem = _EXTENSION.sub("", name) or name
        self.put(row, f"{' '.join([*own_tags, stem])}.", folder)  # the index takes off what follows the last full stop
        kept = tuple(dict.fromkeys(words_of_name(words)[:MOST_WORDS])) if words else ()
        self._forget_words(row)
        if kept:
            self._words_of[row] = kept
            for word in kept:
                self._rows_of.setdefault(word, set()).add(row)

    def drop(self, row: int) -> None:
        """Forget a row; one that is not there is no error."""
        super().drop(row)
        self._forget_words(row)

    def words(self) -> list[str]:
        """Every word of every name, and of what was told."""
        return list(dict.fromkeys([*super().words(), *list(self._rows_of)]))

    def has_word(self, word: str, size: int) -> Floats:
        """How well what each row is called or told by has a word: 1 exactly, less for a beginning; float32 [size]."""
        scores = super().has_word(word, size)
        if len(word) >= BEGINNING_CHARS:
            for longer in [known for known in list(self._rows_of) if known.startswith(word)]:
                self._raise(scores, longer, BEGINNING_WEIGHT)
        self._raise(scores, word, 1.0)
        return scores

    def _raise(self, scores: Floats, word: str, weight: float) -> None:
        rows = np.fromiter((row for row in list(self._rows_of.get(word, ())) if row < len(scores)), np.intp)
        scores[rows] = np.maximum(scores[rows], np.float32(weight))

    def _forget_words(self, row: int) -> None:
        for word in self._words_of.pop(row, ()):
            self._rows_of[word].discard(row)
