"""Words that ask for more than a kind of sound: a kit, a machine, an instrument that shares its category with others.

Nothing that is heard tells a cajon of one maker from a djembe, or the hats of a TR-808 from others: names do. Where no
name of the library has such a word, it asks for nothing.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.categories import LEAVES
from samplemind_tasks.words.names import NameIndex
from samplemind_tasks.words.text import words_of
from samplemind_tasks.words.understood import Understood
from samplemind_tasks.words.vocabulary import SURE, Floats

OF_A_KIT = 0.6
"""Share of the score that is lost where a name lacks a word that is no sound's."""
OF_A_SOUND = 0.3
"""The same for a sound's own name within its category: "cajon" is a conga among others."""


def specific_words(understood: Understood) -> Iterator[tuple[str, float]]:
    """Each such word, with the share of the score that depends on it."""
    for word in understood.rest:
        if len(word) > 1:
            yield word, OF_A_KIT
    for sound in understood.sounds:
        words = words_of(sound.words)
        if not sound.wanted or len(words) != 1:
            continue
        if is_machine(sound.words):
            yield words[0], OF_A_KIT
        elif sound.weight >= SURE and words[0] not in words_of(f"{sound.name} {LEAVES.get(sound.name, '')}"):
            yield words[0], OF_A_SOUND


def met_specifically(
    understood: Understood, names: NameIndex, size: int, rows: NDArray[np.intp]
) -> tuple[list[tuple[str, Floats]], Floats]:
    """How far the names of rows have each of those words that any of them has, float32 [rows], and what is left of
    the score of each row for the ones that it lacks, float32 [rows]."""
    left = np.ones(len(rows), np.float32)
    met_words = []
    for word, share in dict(specific_words(understood)).items():
        met = names.has_word(word, size)[rows]
        if len(met) and met.max() == 1:
            met_words.append((word, met))
            left *= 1 - np.float32(share) * (1 - met)
    return met_words, left


def is_machine(words: str) -> bool:
    """Whether a word is a drum machine's: "808" says whose sound it is, and alone perhaps which."""
    return words.isdecimal()
