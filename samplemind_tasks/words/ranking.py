"""Ranking a whole library against a text that was understood: numpy over columns, no model, no store.

What a text asks for is worth a score between 0 and 1 for each sample. A sound's category, as it was heard, is the base;
a name that tells the sound joins it as independent evidence; descriptors and tags take away what does not fit. A tempo,
key, note, length or kind is a fact: samples that do not meet it are left out, unless none does.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.aspects import DESCRIPTORS
from samplemind_tasks.categories import CATEGORY_NUMBERS, LEAVES, Category
from samplemind_tasks.words.facts import Fact, facts
from samplemind_tasks.words.meaning import Related, asked_tags
from samplemind_tasks.words.names import NameIndex
from samplemind_tasks.words.perceived import beside, perceived
from samplemind_tasks.words.ranked import FLOOR, Floats, Mode, Part, Ranked
from samplemind_tasks.words.specific import is_machine, met_specifically
from samplemind_tasks.words.understood import Descriptor, Sound, Understood
from samplemind_tasks.words.unwanted import left_over
from samplemind_tasks.words.vocabulary import LEAF_NAMES, LOOSE, leaves_of, vocabulary

Rows = NDArray[np.intp]

DESCRIBED = 0.3
"""Share of the score that the descriptors can take away."""
TAGGED = 0.3
"""The same of the tags where a sound is asked for too."""
TAG_FULL = 0.4
"""A tag's probability from which on it holds: the 50 tags of musicnn are seldom surer."""
NAMED = 0.9
"""How much a name that fits is worth where nothing was heard."""
TOLD_SHARE = 0.8
"""Of a name's worth where a sound is asked for: that it tells this sound; the rest is for the very words."""
CONTRADICTED = 0.5
"""What is left of what was heard where the file's own name tells another sound."""
SAID_OTHERWISE = 0.8
"""How much a name that says a descriptor by another word is worth beside one that says the word."""
UNREAD = 0.6
"""What is left where some words of a text without a sound were read as nothing."""
OF_ONE_SORT = 0.7
"""From this share of the best score on, sounds are of the sort that is asked for."""
FACTS_ALONE = 0.9
"""What a sample is worth that meets all facts where only facts are asked for: names are told apart above it."""
OTHER_KEY = 0.8
"""The share of it that a single note of the key's tonic is worth whose overtones are rather of another."""
KEYLESS = 0.6
"""The share of it that a single hit without any tone is worth where a key is asked for."""


class Columns(Protocol):
    """Arrays over all samples, by name.

    leaf_scores, word_scores, tag_scores : uint8 [n, ...], 255 is 1; in the order of LEAVES, DESCRIPTORS and the tags
    category, by_person : int8 [n] in the order of Category, and whether a person said so
    kind, key : int8 [n], in the order of Kind; place on the Camelot wheel, minor keys even; -1 for none
    tempo_bpm, duration_s, loudness_lufs, brightness_hz, pitch_midi : float32 [n], NaN for none
    """

    def __getitem__(self, column: str, /) -> NDArray[Any]: ...


def rank(
    understood: Understood,
    columns: Columns,
    rows: Rows,
    *,
    tags: Sequence[str] = (),
    names: NameIndex | None = None,
    related: Related | None = None,
) -> Ranked:
    """Score rows of a library.

    Parameters
    ----------
    rows : intp [rows], which to score
    tags : what the columns of `tag_scores` stand for
    names : None to leave names alone
    related : what the sentence model makes of the words that were read as nothing; None where nobody asked it
    """
    related = related or Related()
    ranking = _Ranking(understood, columns, rows, tags, related)
    base = ranking.heard()
    if names is not None:
        base = ranking.with_names(base, names)
    scores = ranking.bounded(ranking.shaded(base, names))
    return Ranked(scores, ranking.parts, understood.with_found(ranking.found_beyond()))


class _Ranking:
    """One ranking on its way."""

    def __init__(
        self, understood: Understood, columns: Columns, rows: Rows, tags: Sequence[str], related: Related
    ) -> None:
        self.parts: list[Part] = []
        self._understood = understood
        self._columns = columns
        self._rows = rows
        self._facts: list[Fact] = facts(understood)
        known = [sound for sound in understood.sounds if sound.wanted]
        self._sounds: list[Sound] = known or list(related.sounds)
        self._is_guess = not known
        self._related = related
        self._wanted = _worth(self._sounds)
        self._tags = asked_tags(understood, tags, related)
        self._tag_place = {tag: place for place, tag in enumerate(tags)}
        self._described = perceived(understood.descriptors, columns, rows)

    def heard(self) -> Floats:
        """The base of the score: the sound that is asked for, else the tags, else how it is described."""
        self.parts += [Part(Mode.WORDS, words, met) for words, met in self._described]
        tagged = self._tagged()
        if self._sounds:
            base = self._by_sound()
            if self._is_guess and tagged is not None:
                return np.maximum(base, tagged)
            return _less(base, tagged, TAGGED)
        unread = UNREAD if self._understood.rest and not self._tags else 1.0
        if tagged is not None:
            return tagged
        if self._described:
            return np.asarray(np.mean([met for _, met in self._described], axis=0) * unread, np.float32)
        if self._facts:
            return self._by_facts() * np.float32(unread)
        denies = any(not sound.wanted for sound in self._understood.sounds)
        return np.full(len(self._rows), unread if denies else 0.0, np.float32)

    def _by_facts(self) -> Floats:
        """Where nothing but facts is asked for: who asks for a key means what has one, before a drum tuned to it."""
        keys = [fact for fact in self._facts if fact.column == "key"]
        if not keys:
            return np.full(len(self._rows), FACTS_ALONE, np.float32)
        tonal = self._columns["word_scores"][self._rows, DESCRIPTORS.index("tonal")] / np.float32(255)
        key = self._columns["key"][self._rows]
        worth = np.where(key >= 0, OTHER_KEY, KEYLESS + (1 - KEYLESS) * tonal)
        worth[np.isin(key, keys[0].values)] = 1
        return np.asarray(FACTS_ALONE * worth, np.float32)

    def with_names(self, base: Floats, names: NameIndex) -> Floats:
        """Join what the names say to what was heard."""
        size = len(self._columns["duration_s"])
        literal = self._literal(names, size)
        if not self._sounds:
            return np.asarray(base + (1 - base) * NAMED * literal, np.float32)
        told, others = names.tells(self._wanted, size)
        told, others = told[self._rows], others[self._rows]
        self.parts.append(Part(Mode.NAME, _told_words(self._sounds), told))
        is_of_machine = literal.any() and all(is_machine(sound.words) for sound in self._sounds)
        worth = literal if is_of_machine else TOLD_SHARE * told + (1 - TOLD_SHARE) * literal
        base = np.where(others, base * np.float32(CONTRADICTED), base)
        return np.asarray(base + (1 - base) * NAMED * worth, np.float32)

    def shaded(self, base: Floats, names: NameIndex | None) -> Floats:
        """Take away for descriptors that do not hold, and for a sound that is not wanted."""
        unwanted = [sound for sound in self._understood.sounds if not sound.wanted]
        left = left_over(unwanted, self._columns, self._rows, names)
        if left is not None:
            told = " ".join(dict.fromkeys(sound.words for sound in unwanted))
            self.parts.append(Part(Mode.CATEGORY, f"not {told}", left))
            base = base * left
        if self._described and (self._sounds or self._tags):
            base = _less(base, np.mean(self._described_or_named(names, base), axis=0), DESCRIBED)
        if names is not None:
            met, left = met_specifically(self._understood, names, len(self._columns["duration_s"]), self._rows)
            self.parts += [Part(Mode.NAME, word, so) for word, so in met]
            base = base * left
        return base

    def _described_or_named(self, names: NameIndex | None, base: Floats) -> list[Floats]:
        """How far each descriptor holds, by itself or beside others of the sort that is asked for; where a name says
        so, whoever named it heard it so."""
        alike = base >= OF_ONE_SORT * base.max(initial=0)
        met = []
        for one, (words, so) in zip(self._understood.descriptors, self._described, strict=True):
            more = beside(one, self._columns, self._rows, alike)
            met.append(so if more is None else np.maximum(so, more.astype(np.float32)))
            if more is not None:
                self.parts.append(Part(Mode.WORDS, words, met[-1]))
        if names is None:
            return met
        return [
            np.maximum(so, self._named(one, names)) if one.wanted else so
            for one, so in zip(self._understood.descriptors, met, strict=True)
        ]

    def _named(self, descriptor: Descriptor, names: NameIndex) -> Floats:
        """How far names say a descriptor: by its own word, or less by another for the same, as "lo" for low."""
        size = len(self._columns["duration_s"])
        others = names.has_any(vocabulary().words_for.get(descriptor.name, ()), size) * np.float32(SAID_OTHERWISE)
        return np.maximum(names.has_word(descriptor.name, size), others)[self._rows]

    def bounded(self, scores: Floats) -> Floats:
        """Leave out what does not meet every fact, where something good enough does; else prefer what meets more."""
        if not self._facts:
            return scores
        met = [(fact.words, fact.holds(self._columns, self._rows)) for fact in self._facts]
        self.parts += [Part(Mode.FACTS, words, holds.astype(np.float32)) for words, holds in met]
        share = np.mean([holds for _, holds in met], axis=0)
        every = share == 1
        if (scores[every] >= FLOOR).any() or not (self._sounds or self._described or self._tags):
            return np.where(every, scores, np.float32(0))
        return np.asarray(scores * (0.5 + 0.5 * share), np.float32)

    def found_beyond(self) -> list[tuple[str, str, str]]:
        """What words that were read as nothing are to some row: a tag, a sound of like meaning, a word of its name."""
        met = {(part.mode, part.words) for part in self.parts if (part.met > 0).any()}
        told = [("tag", tag.name, tag.words) for tag in self._tags if (Mode.TAGS, tag.words) in met]
        guessed = self._sounds if self._is_guess else []
        told += [("category", one.name, one.words) for one in guessed if (Mode.MEANING, one.words) in met]
        near = [("name", one.name, one.words) for one in self._related.name_words if (Mode.NAME, one.words) in met]
        return [*told, *near, *(("name", word, word) for word in self._understood.rest if (Mode.NAME, word) in met)]

    def _by_sound(self) -> Floats:
        worth = self._leaf_sum(self._wanted)
        said = self._columns["by_person"][self._rows]
        if said.any():
            best = np.zeros(len(Category), np.float32)
            np.maximum.at(best, np.array(CATEGORY_NUMBERS), self._wanted)
            worth[said] = best[self._columns["category"][self._rows[said]]]
        mode = Mode.MEANING if self._is_guess else Mode.CATEGORY
        for words in dict.fromkeys(sound.words for sound in self._sounds):
            same = [sound for sound in self._sounds if sound.words == words]
            met = worth if len(same) == len(self._sounds) else self._leaf_sum(_worth(same))
            self.parts.append(Part(mode, words, met))
        return worth

    def _leaf_sum(self, worth: Floats) -> Floats:
        """What each row is worth, by the probabilities of its leaves."""
        total = np.zeros(len(self._rows), np.float32)
        scores = self._columns["leaf_scores"]
        for leaf in np.flatnonzero(worth).tolist():
            total += scores[self._rows, leaf] * np.float32(worth[leaf] / 255)
        return np.minimum(total, np.float32(1))

    def _tagged(self) -> Floats | None:
        """How far the tags that are asked for hold, the best of them; None where none is asked for."""
        if not self._tags:
            return None
        scores = self._columns["tag_scores"]
        for tag in self._tags:
            met = scores[self._rows, self._tag_place[tag.name]] * np.float32(tag.weight / 255 / TAG_FULL)
            self.parts.append(Part(Mode.TAGS, tag.words, np.minimum(met, np.float32(tag.weight))))
        return np.asarray(np.max([part.met for part in self.parts if part.mode is Mode.TAGS], axis=0), np.float32)

    def _literal(self, names: NameIndex, size: int) -> Floats:
        """Share of the words asked for that the names have themselves."""
        words = [word for word in dict.fromkeys(self._understood.words) if len(word) > 1]
        total = np.zeros(len(self._rows), np.float32)
        for word in words:
            met = names.has_word(word, size)[self._rows]
            self.parts.append(Part(Mode.NAME, word, met))
            total += met / len(words)
        for near in self._related.name_words:
            met = names.has_word(near.name, size)[self._rows] * np.float32(near.weight)
            self.parts.append(Part(Mode.NAME, near.words, met))
            total = np.maximum(total, met)
        return total


def _told_words(sounds: Sequence[Sound]) -> str:
    """The words that a name which tells one of some sounds has met. A name that tells any effect has not met "rain"."""
    return " ".join(dict.fromkeys(sound.words for sound in sounds if LEAVES.get(sound.name) not in LOOSE))


def _worth(sounds: Sequence[Sound]) -> Floats:
    """What a sound of each leaf is worth, float32 [leaves]."""
    worth = np.zeros(len(LEAF_NAMES), np.float32)
    for sound in sounds:
        np.maximum(worth, np.float32(sound.weight) * leaves_of(sound.name), out=worth)
    return worth


def _less(base: Floats, met: NDArray[np.floating[Any]] | None, share: float) -> Floats:
    """Take away up to a share where something is not met."""
    return base if met is None else np.asarray(base * (1 - share * (1 - met)), np.float32)
