"""Which samples of a shelf a search may find: numbers over columns."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from samplemind_tasks.aspects import DESCRIPTORS, SAID
from samplemind_tasks.keynames import compatible, wheel_place
from samplemind_tasks.library.shelf import View
from samplemind_tasks.queries import Filters, Span
from samplemind_tasks.schemas import SampleState
from samplemind_tasks.store.pages import known_words
from samplemind_tasks.store.shelf import CATEGORIES, KINDS, Column

Mask = npt.NDArray[np.bool_]


def kept_rows(view: View, wanted: Filters) -> npt.NDArray[np.intp]:
    """The rows that pass.

    Raises
    ------
    BadRequest : a descriptor that nobody measures.
    NotFound : there is no such collection. To ask for its samples blocks.
    """
    mask = _state(view, wanted.state) & ~view["gone"]
    mask &= _numbers(view, wanted) & _one_of(view, wanted)
    for tag in wanted.tags:
        mask &= _rows_mask(len(mask), view.shelf.tagged.get(tag, ()))
    for word in known_words(wanted.words, "filters.words"):
        mask &= view["word_scores"][:, DESCRIPTORS.index(word)] >= SAID
    if wanted.collection is not None:
        row_of = view.shelf.row_of
        members = [row_of[sample] for sample in view.members(wanted.collection) if sample in row_of]
        mask &= _rows_mask(len(mask), members)
    if wanted.name:
        part = wanted.name.casefold()
        _narrow(mask, lambda row: part in view.shelf.names[row].casefold())
    if wanted.folder:
        whole = wanted.folder.rstrip("/")
        _narrow(mask, lambda row: any(f"{path}/".startswith(f"{whole}/") for path in view.shelf.paths[row]))
    return np.flatnonzero(mask)


def _state(view: View, state: SampleState | None) -> Mask:
    ready: Mask = view["ready"]
    return ~ready if state is SampleState.ANALYZED else ready


def _one_of(view: View, wanted: Filters) -> Mask:
    mask = np.ones(len(view), np.bool_)
    if wanted.kind:
        mask &= np.isin(view["kind"], [KINDS[kind] for kind in wanted.kind])
    if wanted.category:
        mask &= np.isin(view["category"], [CATEGORIES[category] for category in wanted.category])
    if wanted.favourite is not None:
        mask &= view["favourite"] == wanted.favourite
    if wanted.key is not None:
        place = wheel_place(wanted.key)
        mask &= np.isin(view["key"], compatible(place) if wanted.key_compatible else [place])
    return mask


def _numbers(view: View, wanted: Filters) -> Mask:
    mask = np.ones(len(view), np.bool_)
    if wanted.tempo_bpm is not None:
        times = (1.0, 0.5, 2.0) if wanted.tempo_octaves else (1.0,)
        mask &= np.any([_within(view["tempo_bpm"] * each, wanted.tempo_bpm) for each in times], axis=0)
    for name in ("duration_s", "loudness_lufs", "brightness_hz", "pitch_midi"):
        span: Span | None = getattr(wanted, name)
        if span is not None:
            mask &= _within(view[name], span)
    return mask


def _within(column: Column, span: Span) -> Mask:
    """What does not exist lies in no span."""
    least = -np.inf if span.least is None else span.least
    most = np.inf if span.most is None else span.most
    return np.asarray((column >= np.float32(least)) & (column <= np.float32(most)))


def _rows_mask(count: int, rows: "set[int] | Sequence[int]") -> Mask:
    mask = np.zeros(count, np.bool_)
    mask[[row for row in list(rows) if row < count]] = True
    return mask


def _narrow(mask: Mask, keeps: Callable[[int], bool]) -> None:
    for row in np.flatnonzero(mask).tolist():
        if not keeps(row):
            mask[row] = False
