"""Tags without training: words somebody wrote down, and how well a sound fits each of them.

Radford et al., "Learning transferable visual models from natural language supervision", 2021, as CLAP does it for
sounds: every word becomes a sentence, the sentence a vector in the space of the sounds, and the softmax of the scaled
cosines the scores. Sentences that say nothing stand beside the words: what sounds like none of them leaves its share
there, so that a list of three words does not make one of the three of everything. The shares sum to at most one: of two
words for one thing each gets half.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from samplemind_tasks.schemas import Tag

Floats = NDArray[np.float32]

PROMPT = "the sound of {word}"
NONE_OF_THESE = ("a sound", "an audio recording", "the sound of something", "something else", "background noise")
MOST_TAGS = 20
"""Kept of a sound, the best first; the others have next to nothing."""


class ZeroShot:
    """A list of words, read once. Safe to share between threads."""

    def __init__(self, words: Sequence[str], read: Callable[[Sequence[str]], Floats], logit_scale: float) -> None:
        """Read the words.

        words : in the user's own spelling
        read : texts to unit vectors [n, size], of a model that has sounds in the same space
        logit_scale : the model's own factor between cosines and the softmax
        """
        self._words = tuple(words)
        self._texts = read([*(PROMPT.format(word=word) for word in words), *NONE_OF_THESE])
        self._logit_scale = logit_scale

    def tags(self, vector: Floats) -> list[Tag]:
        """The best of the words for a sound.

        Parameters
        ----------
        vector : float32 [size], length 1

        Returns
        -------
        at most `MOST_TAGS`, best first; what the scores miss to 1 is for the other words and for none of these
        """
        scores = softmax(self._logit_scale * (self._texts @ vector))[: len(self._words)]
        best = np.argsort(-scores, kind="stable")[:MOST_TAGS]
        return [Tag(name=self._words[index], score=float(scores[index])) for index in best]
