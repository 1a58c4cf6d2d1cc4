"""Cursors of pages, and which samples a filter keeps. Pure: no store is asked here."""

import base64
import binascii
import re
from dataclasses import dataclass

import orjson

from samplemind_tasks.categories import Category
from samplemind_tasks.errors import BadRequest
from samplemind_tasks.features import Kind
from samplemind_tasks.schemas import Sample, SampleState

_TONICS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "b": -1}
_KEY = re.compile(r"([A-G])([#b]?) (major|minor)")
_CAMELOT = re.compile(r"([1-9]|1[0-2])[ABab]")


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
    """"A minor", also by its enharmonic name, or "8A"."""
    tempo_min_bpm: float | None = None
    tempo_max_bpm: float | None = None
    tags: tuple[str, ...] = ()
    name: str | None = None
    """Part of the name, in any case."""
    state: SampleState | None = None
    category: Category | None = None
    favourite: bool | None = None

    @property
    def keeps_all(self) -> bool:
        return self == SampleFilter()


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
    if wanted.key is not None and not _is_in_key(wanted.key, sample):
        return False
    if wanted.name is not None and wanted.name.casefold() not in sample.name.casefold():
        return False
    if wanted.tempo_min_bpm is not None and (sample.tempo_bpm is None or sample.tempo_bpm < wanted.tempo_min_bpm):
        return False
    if wanted.tempo_max_bpm is not None and (sample.tempo_bpm is None or sample.tempo_bpm > wanted.tempo_max_bpm):
        return False
    return all(tag in sample.tags for tag in wanted.tags)


def is_key(text: str) -> bool:
    """Whether a text names a key: "F# minor" or "11A"."""
    return bool(_KEY.fullmatch(text) or _CAMELOT.fullmatch(text))


def _is_in_key(wanted: str, sample: Sample) -> bool:
    if _CAMELOT.fullmatch(wanted):
        return sample.key_camelot == wanted.upper()
    return sample.key is not None and key_pitch(wanted) == key_pitch(sample.key)


def key_pitch(key: str) -> tuple[int, str] | None:
    """Pitch class and mode, so that C# and Db are one key."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    tonic, accidental, mode = match.groups()
    return (_TONICS[tonic] + _ACCIDENTALS[accidental]) % 12, mode
