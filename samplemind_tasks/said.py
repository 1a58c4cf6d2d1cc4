"""What a person says of a sample: it goes before what machines find, and nothing that they find overwrites it."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from samplemind_tasks.categories import Category
from samplemind_tasks.features import LEAST_BPM, MOST_BPM, Confidence, Flag, KeyName, Kind, Number, Strict
from samplemind_tasks.keynames import read_key

MOST_TAGS = 64
MOST_NOTE = 2000

ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$"
"""Nothing that moves a terminal's cursor."""
_LINES = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"


def _as_named(key: str) -> str:
    named = read_key(key)
    if named is None:
        raise ValueError('write "A minor", Am, "F# major" or 8A')
    return named


def _each_once(words: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(words))


OneLine = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=ONE_LINE)]
OwnTag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=ONE_LINE)]
OwnTags = Annotated[list[OwnTag], Field(max_length=MOST_TAGS), AfterValidator(_each_once)]
AnyKey = Annotated[str, Field(min_length=1, max_length=16), AfterValidator(_as_named)]
"""A key in any usual spelling; kept as "A minor"."""
Tempo = Annotated[Number, Field(gt=LEAST_BPM, lt=MOST_BPM)]


class SampleChange(Strict):
    """What a person says of a sample. A field that is not given stays as it is; null takes it back."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"category": "snare", "favourite": True}, {"tempo_bpm": 124, "key": "Am"}]}
    )

    name: OneLine | None = None
    """Shown in place of the file's name."""
    kind: Kind | None = None
    category: Category | None = None
    tempo_bpm: Tempo | None = None
    key: AnyKey | None = None
    """"A minor", Am or 8A."""
    tags: OwnTags | None = None
    """Their own tags, beside those that were heard."""
    hidden_tags: OwnTags | None = None
    """Heard tags that are wrong: they are not shown, and not found by."""
    note: Annotated[str, StringConstraints(max_length=MOST_NOTE, pattern=_LINES)] | None = None
    favourite: Flag | None = None

    @property
    def said(self) -> dict[str, object]:
        """What is given, by field; None for what is taken back. To say nothing is to take back."""
        given = self.model_dump(mode="json", exclude_unset=True)
        return {name: value or None for name, value in given.items()}


SAID_FIELDS = tuple(SampleChange.model_fields)


class Found(Strict):
    """What machines found of what a person can say: shown again when they take it back."""

    name: str
    """The file's."""
    kind: Kind
    tempo_bpm: float | None
    key: KeyName | None
    key_camelot: str | None
    category: Category | None
    category_confidence: Confidence | None
    category_source: Literal["taught", "model"] | None
    tags: list[str]
