"""What a ranking answers: scores of rows, what they are made of, and why a row is found."""

import math
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.words.understood import Understood

Floats = NDArray[np.float32]

FLOOR = 0.15
"""Where no sample reaches this, nothing matches: instruments that a library of drums lacks stay below, bar a few."""
LISTED = 0.05
"""Where something matches, less probable samples are listed after it, down to here."""
_SEEN = 0.15
"""A part of the score from this on is told as a reason."""


class Mode(StrEnum):
    """How a sample was found. Wire words."""

    CATEGORY = "category"
    WORDS = "words"
    """It was measured to be as the descriptors say."""
    TAGS = "tags"
    NAME = "name"
    FACTS = "facts"
    """Tempo, key, note, length or kind."""
    MEANING = "meaning"
    """The sentence model finds what was asked for near to what was heard."""


@dataclass(frozen=True)
class Part:
    """One thing the text asks for, and how far each row meets it: float32 [rows], 0 to 1."""

    mode: Mode
    words: str
    met: Floats


@dataclass(frozen=True)
class Ranked:
    """Scores of the rows that were asked about, float32 [rows], 0 to 1, and what they are made of."""

    scores: Floats
    parts: list[Part] = field(default_factory=list)
    understood: Understood = field(default_factory=Understood)
    """The text, with what ranking made of words that were read as nothing."""

    @property
    def nothing_matches(self) -> bool:
        return not (self.scores >= FLOOR).any()

    @property
    def floor(self) -> float:
        """A sample below this is no match; infinite where nothing matches."""
        return math.inf if self.nothing_matches else LISTED

    def why(self, place: int) -> tuple[list[str], list[str]]:
        """How the row at a place was found, and the words of the text that it meets."""
        met = sorted((part for part in self.parts if part.met[place] >= _SEEN), key=lambda part: -part.met[place])
        words = [words for words in dict.fromkeys(part.words for part in met) if words]
        whole = [one for one in words if not any(f" {one} " in f" {other} " for other in words if other != one)]
        return list(dict.fromkeys(part.mode.value for part in met)), whole
