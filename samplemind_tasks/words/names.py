"""An index of the words in file and folder names: which rows a word, or a sound that a name tells, is in."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.words.text import words_of_name
from samplemind_tasks.words.typos import one_slip
from samplemind_tasks.words.vocabulary import SURE, Floats, Phrase, vocabulary

FOLDER_WEIGHT = 0.7
"""A folder's name is about many files."""
PREFIX_WEIGHT = 0.7
SLIP_WEIGHT = 0.6
"""Trust in a word that only begins as the one asked for, or is one slip away."""
_PREFIX_CHARS = 3
_SLIP_CHARS = 5
_MOST_PREFIXED = 200
_NAME_CHARS = 255
_FOLDERS = 3
"""So many folders above a file are read."""
_CATEGORIES = tuple(LEAVES.values())
_LOOPS = frozenset({Category.DRUM_LOOP, Category.MELODIC_LOOP, Category.FULL_TRACK})
_LOOP_WORDS = frozenset({"loop", "song", "track", "mix"})
_LEAST_ALIKE = 0.1
_NO_ROWS = array("I")

_Postings = dict[int, "array[int]"]
_Entry = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], bool]


class NameIndex:
    """Words and phrases by row. Written by one thread; read by others, which may miss what is just being written."""

    def __init__(self) -> None:
        self._word_number: dict[str, int] = {}
        self._rows_of_word: _Postings = {}
        self._rows_of_phrase: _Postings = {}
        self._rows_of_folder_phrase: _Postings = {}
        self._telling: _Postings = {0: array("I")}
        self._source: dict[int, tuple[str, str]] = {}
        self._entries: dict[int, _Entry] = {}
        self._sorted: list[str] = []

    def put(self, row: int, name: str, folder: str = "") -> None:
        """Take up a row, or what it is called now.

        Parameters
        ----------
        row : any number from 0, as in the columns that are ranked
        name : of the file
        folder : path of its folder below the library's root; empty for none
        """
        source = (name, folder)
        if self._source.get(row) == source:
            return
        self.drop(row)
        self._source[row] = source
        words = words_of_name(name.rpartition(".")[0][:_NAME_CHARS] or name[:_NAME_CHARS])
        parts = folder.replace("\\", "/").split("/")[-_FOLDERS:]
        folder_words = [words_of_name(part[:_NAME_CHARS]) for part in parts]
        phrases = sound_phrases(words)
        known = vocabulary()
        of_folder = {
            number for part in folder_words for number in sound_phrases(part) if not is_loose(known.phrases[number])
        }
        is_telling = any(known.phrases[number].is_sure for number in phrases)
        in_one = [one for part in folder_words for one in _in_one(part)]
        every = {self._number(word) for part in [words, *folder_words, in_one] for word in part}
        entry: _Entry = (tuple(every), tuple(phrases), tuple(of_folder), is_telling)
        self._entries[row] = entry
        for postings, numbers in self._by(entry):
            for number in numbers:
                postings.setdefault(number, array("I")).append(row)

    def drop(self, row: int) -> None:
        """Forget a row; one that is not there is no error."""
        entry = self._entries.pop(row, None)
        self._source.pop(row, None)
        if entry is not None:
            for postings, numbers in self._by(entry):
                for number in numbers:
                    postings[number].remove(row)

    def words(self) -> list[str]:
        """Every word of every name."""
        return list(self._word_number)

    def has_word(self, word: str, size: int) -> Floats:
        """How well each row's name has a word: 1 exactly, less for a beginning or a slip; float32 [size]."""
        scores = np.zeros(size, np.float32)
        exact = self._word_number.get(word)
        numbers = [] if len(word) < _PREFIX_CHARS else self._prefixed(word)
        if exact is None and not numbers and len(word) >= _SLIP_CHARS:
            slips = [self._word_number[other] for other in self._beginning(word[0]) if one_slip(word, other)]
            _mark(scores, self._rows_of_word, slips, SLIP_WEIGHT)
        _mark(scores, self._rows_of_word, numbers, PREFIX_WEIGHT)
        _mark(scores, self._rows_of_word, [] if exact is None else [exact], 1.0)
        return scores

    def has_any(self, words: Iterable[str], size: int) -> NDArray[np.bool_]:
        """Which rows' names have one of these words exactly; bool [size]."""
        scores = np.zeros(size, np.float32)
        numbers = [number for word in words if (number := self._word_number.get(word)) is not None]
        _mark(scores, self._rows_of_word, numbers, 1.0)
        return scores > 0

    def tells(self, wanted: Floats, size: int) -> tuple[Floats, NDArray[np.bool_]]:
        """How well the sound that each row's name tells is one that is asked for, and which names tell another.

        Parameters
        ----------
        wanted : float32 [leaves], what a sound of each leaf is worth

        Returns
        -------
        float32 [size], 0 to 1, and bool [size]
        """
        alike = np.minimum(vocabulary().told_by_names, wanted).max(axis=1)
        scores = np.zeros(size, np.float32)
        for number in np.flatnonzero(alike >= _LEAST_ALIKE).tolist():
            _mark(scores, self._rows_of_folder_phrase, [number], FOLDER_WEIGHT * float(alike[number]))
        own = np.zeros(size, np.float32)
        for number in np.flatnonzero(alike >= _LEAST_ALIKE).tolist():
            _mark(own, self._rows_of_phrase, [number], float(alike[number]))
        telling = np.zeros(size, np.float32)
        _mark(telling, self._telling, [0], 1.0)
        others = (telling > 0) & (own < 2 * _LEAST_ALIKE)
        scores[others] = 0.0  # the file's own name goes before its folder's
        return np.maximum(scores, own), others

    def told_outright(self, leaves: NDArray[np.bool_], size: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which names, or folders of names that tell nothing, tell only some of these leaves; and which tell others."""
        sure = vocabulary().leaves >= SURE
        tells_one = sure.any(axis=1) & ~(sure & ~leaves).any(axis=1)
        own, telling, of_folder = (np.zeros(size, np.float32) for _ in range(3))
        _mark(own, self._rows_of_phrase, np.flatnonzero(tells_one).tolist(), 1.0)
        _mark(telling, self._telling, [0], 1.0)
        _mark(of_folder, self._rows_of_folder_phrase, np.flatnonzero(tells_one).tolist(), 1.0)
        told = (own > 0) | ((of_folder > 0) & (telling == 0))
        return told, (telling > 0) & (own == 0)

    def _prefixed(self, word: str) -> list[int]:
        return [self._word_number[longer] for longer in self._beginning(word)[:_MOST_PREFIXED]]

    def _beginning(self, start: str) -> list[str]:
        """Every word that begins so."""
        if len(self._sorted) != len(self._word_number):
            self._sorted = sorted(self._word_number)
        known = self._sorted
        return known[bisect_left(known, start) : bisect_left(known, f"{start}\U0010ffff")]

    def _number(self, word: str) -> int:
        return self._word_number.setdefault(word, len(self._word_number))

    def _by(self, entry: _Entry) -> list[tuple[_Postings, tuple[int, ...]]]:
        words, phrases, of_folder, is_telling = entry
        return [
            (self._rows_of_word, words),
            (self._rows_of_phrase, phrases),
            (self._rows_of_folder_phrase, of_folder),
            (self._telling, (0,) if is_telling else ()),
        ]


def _in_one(words: Sequence[str]) -> list[str]:
    """A folder's name as who asks for it writes it: "hardelectro" for "HardElectro1", beside its words."""
    spelled = [word for word in words if not word.isdecimal()]
    return list(dict.fromkeys("".join(run) for run in (words, spelled) if len(run) > 1))


def is_loose(phrase: Phrase) -> bool:
    """Whether it says little of what is in a folder called so: "Drums" holds hits, "808" the sounds of a machine."""
    category = _CATEGORIES[int(phrase.leaves.argmax())]
    is_of_hits = category in _LOOPS and not _LOOP_WORDS.intersection(phrase.words)
    return not phrase.is_sure or phrase.text.isdecimal() or is_of_hits


def sound_phrases(words: Sequence[str]) -> list[int]:
    """Numbers of the vocabulary's phrases that name a sound, each once; guesses only where nothing sure is said."""
    known, found, place = vocabulary(), list[int](), 0
    words = [known.plain(word) for word in words]
    while place < len(words):
        match = known.at(words, place)
        if match and known.phrases[match[0]].sounds and match[0] not in found:
            found.append(match[0])
        place += match[1] if match else 1
    sure = [number for number in found if known.phrases[number].is_sure]
    drums = [number for number in sure if not _is_stroke(number, sure)]
    return drums or sure or found


def _is_stroke(number: int, beside: Sequence[int]) -> bool:
    """Whether a phrase says how a drum is struck that the same name tells: "bass" beside "djembe"."""
    struck = vocabulary().strokes.get(number)
    return struck is not None and any(
        bool((vocabulary().leaves[other][struck] >= SURE).any()) for other in beside if other != number
    )


def _mark(scores: Floats, postings: _Postings, numbers: Sequence[int], weight: float) -> None:
    """Raise the rows of some postings to a weight."""
    for number in numbers:
        # a copy, because an array whose buffer is in use could not grow meanwhile
        rows = np.frombuffer(postings.get(number, _NO_ROWS)[:], np.uint32)
        rows = rows[rows < len(scores)]
        scores[rows] = np.maximum(scores[rows], np.float32(weight))
