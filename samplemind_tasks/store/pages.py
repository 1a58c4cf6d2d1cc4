"""Cursors of pages, and which samples a filter keeps. Pure: no store is asked here."""

import base64
import binascii
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from pydantic import TypeAdapter

from samplemind_tasks.aspects import DESCRIPTORS
from samplemind_tasks.categories import Category
from samplemind_tasks.errors import BadRequest
from samplemind_tasks.features import Kind
from samplemind_tasks.keynames import compatible, wheel_place
from samplemind_tasks.queries import Span
from samplemind_tasks.schemas import Sample, SampleState

SPANS = ("duration_s", "loudness_lufs", "brightness_hz")
"""What a sample's numbers are narrowed by besides tempo, which has octaves."""


def encode_cursor(what: str, *position: str | int) -> str:
    """An opaque text for where a page ended."""
    return base64.urlsafe_b64encode(orjson.dumps([what, *position])).decode().rstrip("=")


def decode_cursor(what: str, cursor: str, *types: type) -> list[str | int]:
    """Where a page ended.

    Raises
    ------
    BadRequest : the text is no cursor of this kind of page.
    """
    try:
        found = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        found = None
    if isinstance(found, list) and [type(part) for part in found] == [str, *types] and found[0] == what:
        return found[1:]
    raise BadRequest(
        "this is no cursor of this list",
        detail={"fields": [{"field": "cursor", "message": "not a cursor of this list"}]},
    )


@dataclass(frozen=True)
class SampleFilter:
    """What samples to keep. None keeps all; everything given must hold."""

    kind: Kind | None = None
    key: str | None = None
    """In any usual spelling: "A minor", Am, 8A."""
    tempo_min_bpm: float | None = None
    tempo_max_bpm: float | None = None
    tags: tuple[str, ...] = ()
    name: str | None = None
    """Part of the name, in any case."""
    state: SampleState | None = None
    category: Category | None = None
    favourite: bool | None = None
    tempo_octaves: bool = False
    """Half and double the tempo count too."""
    key_compatible: bool = False
    """Keys that mix with it count too."""
    duration_s: Span | None = None
    loudness_lufs: Span | None = None
    brightness_hz: Span | None = None
    words: tuple[str, ...] = ()
    """All of these descriptors."""

    @property
    def keeps_all(self) -> bool:
        return self == SampleFilter()


def span_of(least: float | None, most: float | None) -> Span | None:
    """From one bound to the other; None where there is neither."""
    return None if least is None and most is None else Span(least=least, most=most)


def known_words(words: Sequence[str], field: str) -> tuple[str, ...]:
    """The same words.

    Raises
    ------
    BadRequest : one is no descriptor; with the field that it was given in.
    """
    for word in words:
        if word not in DESCRIPTORS:
            message = f"{re.sub('[^ -~]', '?', word)!r} is none of {', '.join(DESCRIPTORS)}"
            raise BadRequest(f"{field}: {message}", detail={"fields": [{"field": field, "message": message}]})
    return tuple(words)


AS_JSON = TypeAdapter(SampleFilter)
"""Writes a filter into a job's request, and reads it back."""


def keeps(wanted: SampleFilter, sample: Sample) -> bool:
    """Whether a sample is wanted."""
    if wanted.kind is not None and sample.kind is not wanted.kind:
        return False
    if wanted.state is not None and sample.state is not wanted.state:
        return False
    if wanted.category is not None and sample.category is not wanted.category:
        return False
    if wanted.favourite is not None and sample.favourite is not wanted.favourite:
        return False
    if wanted.name is not None and wanted.name.casefold() not in sample.name.casefold():
        return False
    if not _is_in_tempo(wanted, sample.tempo_bpm) or not _is_in_key(wanted, sample.key):
        return False
    if not all(_is_in_span(getattr(wanted, name), getattr(sample, name)) for name in SPANS):
        return False
    return all(tag in sample.tags for tag in wanted.tags) and all(word in sample.words for word in wanted.words)


def _is_in_span(span: Span | None, value: float | None) -> bool:
    """What does not exist lies in no span."""
    if span is None:
        return True
    least, most = (-math.inf if span.least is None else span.least), (math.inf if span.most is None else span.most)
    return value is not None and least <= value <= most


def _is_in_tempo(wanted: SampleFilter, tempo_bpm: float | None) -> bool:
    least, most = wanted.tempo_min_bpm, wanted.tempo_max_bpm
    if least is None and most is None:
        return True
    if tempo_bpm is None:
        return False
    times = (1.0, 0.5, 2.0) if wanted.tempo_octaves else (1.0,)
    return any((least or 0.0) <= tempo_bpm * each <= (math.inf if most is None else most) for each in times)


def _is_in_key(wanted: SampleFilter, key: str | None) -> bool:
    if wanted.key is None:
        return True
    place = wheel_place(wanted.key)
    return key is not None and wheel_place(key) in (compatible(place) if wanted.key_compatible else [place])
