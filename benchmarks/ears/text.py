"""What a text finds: the share of right files among the first ten, by sound alone and with names.

The whole library of one-shots is ranked as the gateway ranks it (words/), from features, categories and tags as the
workers make them. Files that the ears were trained on are heard by ears that were not (ears_folds.py).
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.ears.material import OneShot
from samplemind_tasks.ai.sentences import Sentences
from samplemind_tasks.aspects import word_scores
from samplemind_tasks.facets import as_bytes, category_scores
from samplemind_tasks.features import Features, Kind
from samplemind_tasks.store.shelf import NONE, camelot_number
from samplemind_tasks.words.meaning import Related, asked_texts, phrase_texts, relate
from samplemind_tasks.words.names import NameIndex
from samplemind_tasks.words.parse import parse
from samplemind_tasks.words.ranking import rank

Floats = NDArray[np.float32]
Columns = dict[str, NDArray[np.generic]]

FIRST = 10
_KINDS = list(Kind)


def columns(features: Sequence[Features], leaves: Floats, tags: Floats, unsure_below: float) -> Columns:
    """What the shelf holds of files: features of each, leaves [files, leaves] and tags [files, tags], 0 to 1."""
    categories = category_scores(leaves)
    best = categories.argmax(axis=1)
    sure = categories.max(axis=1) >= unsure_below

    def numbers(values: Sequence[float | None]) -> Floats:
        return np.array([np.nan if value is None else value for value in values], np.float32)

    return {
        "leaf_scores": as_bytes(leaves),
        "tag_scores": as_bytes(tags),
        "word_scores": np.stack([word_scores(one) for one in features]),
        "category": np.where(sure, best, NONE).astype(np.int8),
        "by_person": np.zeros(len(features), np.bool_),
        "kind": np.array([_KINDS.index(one.kind) for one in features], np.int8),
        "key": np.array([camelot_number(one.key_camelot) for one in features], np.int8),
        "tempo_bpm": numbers([one.tempo_bpm for one in features]),
        "duration_s": numbers([one.duration_s for one in features]),
        "loudness_lufs": numbers([one.loudness_lufs for one in features]),
        "brightness_hz": numbers([one.centroid_hz.mean if one.centroid_hz else None for one in features]),
        "pitch_midi": numbers([one.pitch_midi for one in features]),
    }


def names_of(files: Sequence[OneShot]) -> NameIndex:
    """The words of every file's name and folders."""
    index = NameIndex()
    for row, file in enumerate(files):
        index.put(row, file.path.name, str(file.path.parent))
    return index


def precision(
    files: Sequence[OneShot],
    known: Columns,
    queries: Sequence[tuple[str, str]],
    *,
    tags: Sequence[str],
    sentences: Sentences,
    names: NameIndex | None,
) -> Mapping[str, float]:
    """Share of right files among the first ten (or as many as there are) of every query, 0 to 1.

    Parameters
    ----------
    queries : (query, class) of queries.csv
    names : None to go by sound alone
    """
    phrases, tag_vectors = sentences.embed(phrase_texts()), sentences.embed(list(tags))
    labels = np.array([file.label for file in files])
    rows = np.arange(len(files), dtype=np.intp)
    found = {}
    for query, label in queries:
        understood = parse(query)
        texts = asked_texts(understood)
        related = relate(texts, sentences.embed(texts), phrases, list(tags), tag_vectors) if texts else Related()
        ranked = rank(understood, known, rows, tags=tags, names=names, related=related)
        first = np.argsort(-ranked.scores, kind="stable")[:FIRST]
        told = [labels[row] == label for row in first if ranked.scores[row] >= ranked.floor]
        found[query] = sum(told) / min(FIRST, int((labels == label).sum()))
    return found
