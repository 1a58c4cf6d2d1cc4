"""The order of what a search found: parts of the score by sound and by text, weighed together. Pure: numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samplemind_tasks.aspects import Aspect
from samplemind_tasks.library.likeness import Rows, Scores, Wish, aspect_scores, cosines, together
from samplemind_tasks.library.shelf import View
from samplemind_tasks.library.texts import TextScores

TEXT = "text"
JOINT_NONE, JOINT_FULL = 0.1, 0.5
"""Cosines of a text and a sound in a joint space: unrelated up to here, as good as it gets from here."""
JOINT_FLOOR = 1e-3


@dataclass(frozen=True)
class Asked:
    """What rows are ranked by: sounds, a text, both or neither."""

    wish: Wish
    text: TextScores | None
    """Of the kept rows, where the model knows no texts."""
    text_direction: Scores | None
    """The text's own vector, where the model has one space for texts and sounds."""
    text_weight: float

    @property
    def has_sounds(self) -> bool:
        return bool(self.wish.like or self.wish.unlike)

    def direction(self) -> Scores | None:
        """Where to look for neighbours; None where no vector counts."""
        if self.has_sounds and Aspect.TIMBRE in self.wish.weight_of:
            return self.wish.direction()
        return self.text_direction


@dataclass(frozen=True)
class Ranking:
    """Rows of a view, the best first, with what their scores are made of."""

    rows: Rows
    scores: Scores
    parts: dict[str, Scores]
    places: Rows
    """Where each row is among the kept ones, for which the text was scored."""


def candidates(view: View, kept: Rows, near: Rows, asked: Asked, most: int) -> Rows:
    """The neighbours, and the best by what the index knows nothing of: the text, and aspects that count as much.

    Aspects that count less than timbre put its neighbours into another order.
    """
    if len(near) == len(kept):
        return kept
    weights = asked.wish.weight_of
    least = weights.pop(Aspect.TIMBRE, 0.0)
    others = [aspect for aspect, weight in weights.items() if asked.has_sounds and weight >= least]
    scored = [aspect_scores(view, kept, asked.wish, aspect) for aspect in others]
    if asked.text is not None:
        scored.append(asked.text.scores)
    best = [kept[np.argpartition(-scores, most)[:most]] if len(kept) > most else kept for scores in scored]
    return np.unique(np.concatenate([near, *best]))


def ranking(view: View, kept: Rows, rows: Rows, asked: Asked) -> Ranking:
    """Rank some of the kept rows. By a text alone, those it does not match are left out; by nothing, newest first."""
    places = np.searchsorted(kept, rows)
    parts = _by_sound(view, rows, asked.wish) if asked.has_sounds else {}
    weights = {aspect.value: weight for aspect, weight in asked.wish.weight_of.items()}
    met = _by_text(view, rows, places, asked)
    if met is not None:
        scores, floor = met
        if parts:
            total = sum(weights.values())
            weights = {name: weight / total * (1 - asked.text_weight) for name, weight in weights.items()}
        else:
            enough = np.flatnonzero(scores >= floor)
            rows, places, scores = rows[enough], places[enough], scores[enough]
        parts[TEXT], weights[TEXT] = scores, asked.text_weight if parts else 1.0
    if not parts:
        newest = np.argsort(-view["number"][rows], kind="stable")
        return Ranking(rows[newest], np.ones(len(rows), np.float32), {}, places[newest])
    return _sorted(rows, places, parts, weights)


def _sorted(rows: Rows, places: Rows, parts: dict[str, Scores], weights: dict[str, float]) -> Ranking:
    scores = together(parts, weights)
    order: npt.NDArray[np.intp] = np.argsort(-scores, kind="stable")
    return Ranking(rows[order], scores[order], {name: part[order] for name, part in parts.items()}, places[order])


def _by_sound(view: View, rows: Rows, wish: Wish) -> dict[str, Scores]:
    direction = wish.direction()
    return {
        aspect.value: cosines(view, rows, direction)
        if aspect is Aspect.TIMBRE
        else aspect_scores(view, rows, wish, aspect)
        for aspect in wish.weight_of
    }


def _by_text(view: View, rows: Rows, places: Rows, asked: Asked) -> tuple[Scores, float] | None:
    """How well rows meet the text, and from where on that is a match; None without a text."""
    if asked.text is not None:
        return asked.text.scores[places], asked.text.floor
    if asked.text_direction is None:
        return None
    near = cosines(view, rows, asked.text_direction)
    return np.clip((near - JOINT_NONE) / (JOINT_FULL - JOINT_NONE), 0, 1), JOINT_FLOOR
