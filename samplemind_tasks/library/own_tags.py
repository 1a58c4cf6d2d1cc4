"""A person's own tags in a text: whoever tagged a sound "dusty" and asks for dusty means those, whatever else the word
is to the vocabulary."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from samplemind_tasks.library.likeness import Rows
from samplemind_tasks.words.ranked import Mode, Part, Ranked
from samplemind_tasks.words.understood import Understood

RAISED = 0.9
"""How much of what is missing to a whole score a tag gives, where the text says nothing else."""
LOWERED = 0.2
"""How much the others lose there."""
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def own_tags_first(
    ranked: Ranked, text: str, rows: Rows, tagged: Mapping[str, Collection[int]], heard: Collection[str]
) -> Ranked:
    """The same ranking, with the samples that bear a tag of the text before those that do not.

    A tag counts as much as its words are of the text: "dusty kick" is still about kicks.

    Parameters
    ----------
    rows : intp [rows], those that were ranked
    tagged : rows by tag; the tags that a model may give among them are `heard`, and no person's
    """
    asked, denied = _plain(text), _denied(ranked.understood)
    own = [
        tag
        for tag in list(tagged)
        if tag not in heard and (plain := _plain(tag)) and f" {plain} " in f" {asked} " and f" {plain} " not in denied
    ]
    if not own:
        return ranked
    scores, parts = ranked.scores, list(ranked.parts)
    for tag in own:
        share = len(_plain(tag).split()) / len(asked.split())
        bears = np.isin(rows, np.fromiter(list(tagged.get(tag, ())), np.intp))
        raised, lowered = scores + (1 - scores) * np.float32(RAISED * share), scores * np.float32(1 - LOWERED * share)
        scores = np.where(bears, raised, lowered).astype(np.float32)
        parts.append(Part(Mode.TAGS, tag, bears.astype(np.float32)))
    told = [*ranked.understood.beyond, *(("tag", tag, _plain(tag)) for tag in own)]
    return replace(ranked, scores=scores, parts=parts, understood=ranked.understood.with_found(told))


def _denied(understood: Understood) -> str:
    """The words of what is not wanted: "kick, not dusty" does not ask for what somebody tagged dusty."""
    sounds = [sound.words for sound in understood.sounds if not sound.wanted]
    descriptors = [denied for one in understood.descriptors if (denied := one.words.removeprefix("not ")) != one.words]
    return f" {' '.join(map(_plain, (*sounds, *descriptors, *understood.senseless)))} "


def _plain(text: str) -> str:
    return _BETWEEN_WORDS.sub(" ", text.casefold()).strip()
