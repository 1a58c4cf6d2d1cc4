"""Which samples of a shelf a search may find. Pure: numbers over columns."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from samplemind_tasks.aspects import DESCRIPTORS
from samplemind_tasks.errors import BadRequest
from samplemind_tasks.facets import FULL
from samplemind_tasks.library.shelf import View
from samplemind_tasks.queries import Filters, Span
from samplemind_tasks.schemas import SampleState
from samplemind_tasks.store.pages import key_pitch
from samplemind_tasks.store.shelf import CATEGORIES, KINDS, Column, camelot_number

Mask = npt.NDArray[np.bool_]

SAID = FULL // 2
"""A descriptor at or above this score holds."""
FIFTH = 7
C_MAJOR_PLACE = 8
"""C major is 8B on the Camelot wheel, and every fifth up is one further."""


def kept_rows(view: View, wanted: Filters) -> npt.NDArray[np.intp]:
    """The rows that pass.

    Raises
    ------
    BadRequest : a descriptor that nobody measures.
    """
    mask = _state(view, wanted.state) & ~view["gone"]
    mask &= _numbers(view, wanted) & _one_of(view, wanted)
    for tag in wanted.tags:
        mask &= _rows_mask(len(mask), view.shelf.tagged.get(tag, ()))
    for word in wanted.words:
        mask &= view["word_scores"][:, _descriptor(word)] >= SAID
    if wanted.name:
        part = wanted.name.casefold()
        _narrow(mask, lambda row: part in view.shelf.names[row].casefold())
    if wanted.folder:
        below = wanted.folder.rstrip("/") + "/"
        _narrow(mask, lambda row: any(path.startswith(below) for path in view.shelf.paths[row]))
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
        place = _place_of(wanted.key)
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


def compatible(place: int) -> list[int]:
    """A key's place on the wheel, its relative, and the two a fifth away."""
    return [place, place ^ 1, (place + 2) % 24, (place - 2) % 24]


def _place_of(key: str) -> int:
    """A key's place on the Camelot wheel, 0 to 23."""
    pitch = key_pitch(key.strip())
    if pitch is None:
        return camelot_number(key.strip())
    tonic, mode = pitch
    major = tonic if mode == "major" else (tonic + 3) % 12
    return 2 * ((C_MAJOR_PLACE - 1 + major * FIFTH) % 12) + (mode == "major")


def _descriptor(word: str) -> int:
    if word in DESCRIPTORS:
        return DESCRIPTORS.index(word)
    message = f"{re.sub('[^ -~]', '?', word)!r} is none of {', '.join(DESCRIPTORS)}"
    raise BadRequest(f"filters.words: {message}", detail={"fields": [{"field": "filters.words", "message": message}]})


def _rows_mask(count: int, rows: "set[int] | Sequence[int]") -> Mask:
    mask = np.zeros(count, np.bool_)
    mask[[row for row in list(rows) if row < count]] = True
    return mask


def _narrow(mask: Mask, keeps: Callable[[int], bool]) -> None:
    for row in np.flatnonzero(mask).tolist():
        if not keeps(row):
            mask[row] = False
