"""What a text does not want: how much of each row is left once it is taken away."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from samplemind_tasks.categories import CATEGORY_NUMBERS
from samplemind_tasks.words.names import NameIndex
from samplemind_tasks.words.specific import is_machine
from samplemind_tasks.words.understood import Sound
from samplemind_tasks.words.vocabulary import BESIDE, LEAF_NAMES, Floats, leaves_of


class _Columns(Protocol):
    def __getitem__(self, column: str, /) -> NDArray[Any]: ...


def left_over(
    unwanted: Sequence[Sound], columns: _Columns, rows: NDArray[np.intp], names: NameIndex | None
) -> Floats | None:
    """What share of each row is probably none of some sounds.

    Nothing is left of a sound that is likeliest one of them, that a person says is one, or that is called one.

    Parameters
    ----------
    unwanted : of a category or a leaf each; of a leaf, its siblings may stay
    names : None to leave names alone

    Returns
    -------
    float32 [rows], 0 to 1; None where nothing is unwanted
    """
    of_machines = _of_machines(unwanted, columns, rows, names)
    if of_machines is not None:  # then what is called so is meant, and nothing that sounds like it
        unwanted = [sound for sound in unwanted if not is_machine(sound.words)]
    leaves = _leaves(unwanted)
    if not leaves.any():
        return of_machines
    scores = columns["leaf_scores"][rows]
    left = 1 - np.minimum(scores[:, leaves].sum(axis=1, dtype=np.float32) / np.float32(255), np.float32(1))
    is_one = leaves[scores.argmax(axis=1)] & scores.any(axis=1)
    if names is not None:
        size = len(columns["duration_s"])
        told, others = names.told_outright(leaves, size)
        is_one = told[rows] | (is_one & ~others[rows])
    said = columns["by_person"][rows]
    if said.any():
        whole = np.ones(max(CATEGORY_NUMBERS) + 1, np.bool_)
        np.logical_and.at(whole, np.array(CATEGORY_NUMBERS), leaves)
        is_one[said] = whole[columns["category"][rows[said]]]
        left[said] = 1
    left[is_one] = 0
    return np.asarray(left if of_machines is None else left * of_machines, np.float32)


def _of_machines(
    unwanted: Sequence[Sound], columns: _Columns, rows: NDArray[np.intp], names: NameIndex | None
) -> Floats | None:
    """Nothing is left of what is called after a drum machine that is not wanted; None where none is named."""
    machines = [sound.words for sound in unwanted if is_machine(sound.words)]
    if not machines or names is None:
        return None
    is_named = names.has_any(machines, len(columns["duration_s"]))[rows]
    return np.where(is_named, np.float32(0), np.float32(1)) if is_named.any() else None


def _leaves(unwanted: Sequence[Sound]) -> NDArray[np.bool_]:
    """Which leaves are not wanted."""
    leaves = np.zeros(len(LEAF_NAMES), np.bool_)
    for sound in unwanted:
        leaves |= leaves_of(sound.name) >= BESIDE
    return leaves
