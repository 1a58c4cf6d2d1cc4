"""Words nobody wrote into the vocabulary, by what lies near them in the space of a sentence model.

Whoever holds the model makes the vectors: once those of `phrase_texts()`, of the model's tags and, if wanted, of the
words of a library's names; then those of `asked_texts` for each query. Here they only meet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.words.text import words_of
from samplemind_tasks.words.understood import Sound, Understood
from samplemind_tasks.words.vocabulary import Phrase, vocabulary

Floats = NDArray[np.float32]

NEAR, SAME = 0.6, 0.95
"""Cosines of all-MiniLM-L6-v2 between short phrases: mostly unrelated below, the same thing above; see tests/words.
Everyday words have up to 0.5 with the nearest of 500 phrases, and one in ten has more than 0.6."""
MOST_MEANINGS = 4
MOST_WEIGHT = 0.7
"""A guess is never as good as a word that is known."""
_ONE_OF_SEVERAL = 0.85
"""Trust in the meaning of one word taken out of several."""
_MOST_TEXTS = 9
_PHRASE_CHARS = 4
"""Shorter ones are abbreviations, of which the model knows nothing."""
_SAME_SOUND = 0.5


@dataclass(frozen=True)
class Meaning:
    """One thing that is meant, perhaps."""

    name: str
    weight: float
    words: str


@dataclass(frozen=True)
class Related:
    """What the words nobody understood are near to."""

    sounds: tuple[Sound, ...] = ()
    tags: tuple[Meaning, ...] = ()
    name_words: tuple[Meaning, ...] = ()


def asked_texts(understood: Understood) -> list[str]:
    """The texts whose vectors are needed for a query: what nobody understood, whole and word by word; often none."""
    if not understood.rest:
        return []
    words = [word for word in understood.rest if len(word) > 2]
    return list(dict.fromkeys([" ".join(understood.rest), *words]))[:_MOST_TEXTS]


def phrase_texts() -> list[str]:
    """The vocabulary's phrases that others may be near to, in the order `relate` expects their vectors."""
    return [phrase.text for phrase in _compared()]


def nearest_meanings(
    text_vectors: Floats, vocabulary_vectors: Floats, names: Sequence[str], texts: Sequence[str]
) -> list[Meaning]:
    """Which names lie near to any of some texts, the nearest first.

    Parameters
    ----------
    text_vectors : float32 [texts, size], length 1; the first is of the whole text
    vocabulary_vectors : float32 [names, size], length 1
    names : what each vector of the vocabulary stands for; the same name may stand several times
    texts : what the text vectors are of

    Returns
    -------
    At most `MOST_MEANINGS`, each name once, with weights over 0 and up to `MOST_WEIGHT`; none below the floor `NEAR`
    """
    if not len(text_vectors) or not len(vocabulary_vectors):
        return []
    cosines = text_vectors @ vocabulary_vectors.T
    if len(texts) > 1:
        cosines[1:] *= _ONE_OF_SEVERAL
    best_text = cosines.argmax(axis=0)
    best = cosines.max(axis=0)
    found: dict[str, Meaning] = {}
    for place in np.argsort(-best, kind="stable")[: MOST_MEANINGS * 8]:
        if best[place] < NEAR or len(found) == MOST_MEANINGS:
            break
        weight = MOST_WEIGHT * min(1.0, (float(best[place]) - NEAR) / (SAME - NEAR) + 0.25)
        found.setdefault(names[place], Meaning(names[place], round(weight, 3), texts[best_text[place]]))
    return list(found.values())


def relate(
    texts: Sequence[str],
    text_vectors: Floats,
    phrase_vectors: Floats,
    tags: Sequence[str] = (),
    tag_vectors: Floats | None = None,
    name_words: Sequence[str] = (),
    name_vectors: Floats | None = None,
) -> Related:
    """Meet the texts of `asked_texts` with phrases, tags and words of names.

    Parameters
    ----------
    text_vectors : float32 [texts, size], length 1
    phrase_vectors : the same of `phrase_texts()`
    tag_vectors, name_vectors : the same of the tags and of the names' words
    """
    phrases = _compared()
    numbers = [str(number) for number in range(len(phrases))]
    sounds: dict[str, Sound] = {}
    for meaning in nearest_meanings(text_vectors, phrase_vectors, numbers, texts):
        for name, weight in phrases[int(meaning.name)].sounds.items():
            sound = Sound(name=name, weight=round(weight * meaning.weight, 3), words=meaning.words)
            if name not in sounds or sounds[name].weight < sound.weight:
                sounds[name] = sound
    told = [place for place, tag in enumerate(tags) if not vocabulary().never_compared.intersection(words_of(tag))]
    near_tags = (
        []
        if tag_vectors is None
        else nearest_meanings(text_vectors, tag_vectors[told], [tags[place] for place in told], texts)
    )
    near_names = [] if name_vectors is None else nearest_meanings(text_vectors, name_vectors, name_words, texts)
    return Related(tuple(sounds.values()), tuple(near_tags), tuple(near_names))


def asked_tags(understood: Understood, tags: Sequence[str], related: Related) -> list[Meaning]:
    """Tags that are in the text, single words if they were read as nothing else, and those the sentence model finds."""
    unread, said = (f" {' '.join(words)} " for words in (understood.rest, understood.words))
    asked = {tag: Meaning(tag, 1.0, tag) for tag in tags if f" {tag} " in (said if " " in tag else unread)}
    for near in related.tags:
        if near.name in tags:
            asked.setdefault(near.name, near)
    return list(asked.values())


@cache
def _compared() -> tuple[Phrase, ...]:
    """English phrases for a sound, less those that hold a shorter one for it: "techno kick" would be near to techno."""
    known = vocabulary()
    return tuple(
        phrase
        for phrase in known.phrases
        if phrase.sounds
        and phrase.text.isascii()
        and len(phrase.text) >= _PHRASE_CHARS
        and not known.never_compared.intersection(phrase.words)
        and not _holds_another(phrase)
    )


def _holds_another(phrase: Phrase) -> bool:
    if len(phrase.words) == 1:
        return False
    parts = [vocabulary().at([word], 0) for word in phrase.words]
    return any(
        float((vocabulary().phrases[part[0]].leaves * phrase.leaves).max()) >= _SAME_SOUND for part in parts if part
    )
