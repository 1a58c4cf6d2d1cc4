"""Categories: how often the head is right, and whether its leaves alone answer what people type.

"Unsure" counts as wrong, and so does every category that is not the sound's own: the head is not told which classes
there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.training.ears_folds import FOLDS, fold_of
from samplemind_tasks.ai.ears import Ears, Part, Weights
from samplemind_tasks.categories import LEAVES, Category

Floats = NDArray[np.float32]

FIRST = 10
FOLDS_FILE = Path(__file__).parent / "folds.npz"
"""Made by benchmarks/training/ears_train.py."""
LEAVES_OF_QUERY = {
    "boomy bass drum": ("808 kick", "acoustic kick", "electronic kick"),
    "short tight kick": ("acoustic kick", "electronic kick"),
    "snare with wires": ("acoustic snare", "electronic snare"),
    "rimshot": ("rim",),
    "closed hi hat": ("closed hat", "pedal hat"),
    "sizzling open hat": ("open hat",),
    "big crash": ("crash", "china"),
    "ride bell": ("ride", "ride bell"),
    "floor tom": ("acoustic tom", "electronic tom"),
    "cow bell": ("cowbell",),
    "hand claps": ("clap",),
    "maracas": ("maracas", "shaker"),
    "tambourine": ("tambourine",),
    "indian hand drum": ("tabla",),
    "low synth bass note": ("synth bass", "growl bass", "sub"),
    "clean electric guitar": ("electric guitar",),
    "dark evolving atmosphere": ("ambience", "pad"),
    "full drum break": ("drum loop",),
    "small bell": ("bell", "glockenspiel"),
    "vinyl crackle or glitch": ("crackle", "scratch", "glitch"),
}
"""The queries of queries.csv by hand, as the search's own words would read them."""


def accuracy(ears: Ears, parts: Sequence[Mapping[str, Part]], truth: Sequence[Category]) -> dict[str, float]:
    """Share of sounds whose category is right, of those that got one, and of those that did not: percentages.

    Parameters
    ----------
    parts : of every sound, as `material.parts`
    truth : the category of every sound
    """
    told = [ears.category(ears.hear(one).leaves)[0] for one in parts]
    right = [answer is category for answer, category in zip(told, truth, strict=True)]
    unsure = told.count(None)
    return {
        "right": 100 * sum(right) / len(right),
        "right_of_answered": 100 * sum(right) / max(len(right) - unsure, 1),
        "unsure": 100 * unsure / len(right),
    }


def precision(leaves: Floats, labels: Sequence[str], queries: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Share of the first ten files for each query whose class is the one that counts as right.

    Parameters
    ----------
    leaves : float32 [files, leaves], in the order of categories.LEAVES
    labels : the class of every file
    queries : (query, class) of queries.csv
    """
    places = {leaf: place for place, leaf in enumerate(LEAVES)}
    found = {}
    for query, label in queries:
        wanted = leaves[:, [places[leaf] for leaf in LEAVES_OF_QUERY[query]]].sum(axis=1)
        first = np.argsort(-wanted, kind="stable")[:FIRST]
        found[query] = float(np.mean([labels[place] == label for place in first]))
    return found


def without_a_fold(shipped: Weights, path: Path = FOLDS_FILE) -> list[Ears]:
    """Ears that were not told what the named samples of one fold are, for every fold."""
    layers = ("hidden", "hidden_bias", "learned", "learned_bias", "head", "head_bias")
    with np.load(path) as file:
        return [
            Ears(replace(shipped, **{name: file[f"{name} {fold}"].astype(np.float32) for name in layers}))
            for fold in range(FOLDS)
        ]


def cross_fitted(
    ears: Ears, without: Sequence[Ears], parts: Sequence[Mapping[str, Part]], names: Sequence[str | None]
) -> Floats:
    """Leaves of every file, by ears that were not trained on it: float32 [files, leaves].

    Parameters
    ----------
    ears : the ones that ship
    without : as `without_a_fold` gives them
    names : of the sample that a file is, without its suffix; None for a file that nothing was trained on
    """
    assert len(without) == FOLDS, f"{FOLDS} folds"
    chosen = [ears if name is None else without[fold_of(name)] for name in names]
    return np.stack([one.hear(part).leaves for one, part in zip(chosen, parts, strict=True)])
