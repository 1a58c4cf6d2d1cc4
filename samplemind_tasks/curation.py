"""What a person makes of a library: edits of many samples, collections, and searches to come back to."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from samplemind_tasks.categories import Category
from samplemind_tasks.features import Flag, Kind, Number, Strict, Whole
from samplemind_tasks.queries import Filters, SearchQuery
from samplemind_tasks.said import AnyKey, OneLine, OwnTags, SampleChange
from samplemind_tasks.schemas import Id, SampleState

MOST_AT_ONCE = 1_000
"""Samples that one request may name."""
MOST_COLLECTIONS = 500
MOST_MEMBERS = 10_000
"""Samples of one collection: its document stays small."""
MOST_SEARCHES = 500

Ids = Annotated[list[Id], Field(max_length=MOST_AT_ONCE)]
Bpm = Annotated[Number, Field(gt=0, lt=1000)]


# ------------------------------------------------------------------------------------------------ edits of many samples


class Where(Strict):
    """Samples by the same conditions as `GET /v1/samples`. All must hold."""

    kind: Kind | None = None
    key: AnyKey | None = None
    key_compatible: Flag = False
    """Keys that mix with it count too."""
    tempo_min: Bpm | None = None
    tempo_max: Bpm | None = None
    tempo_octaves: Flag = False
    """Half and double the tempo count too."""
    tag: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=16)] = Field(default_factory=list)
    name: Annotated[str, Field(max_length=255)] | None = None
    state: SampleState | None = None
    category: Category | None = None
    favourite: Flag | None = None
    duration_min: Number | None = None
    """Seconds."""
    duration_max: Number | None = None
    loudness_min: Number | None = None
    """LUFS."""
    loudness_max: Number | None = None
    brightness_min: Number | None = None
    """Hz, of the spectral centroid."""
    brightness_max: Number | None = None
    word: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=16)] = Field(default_factory=list)
    """All of these descriptors: bright, dark, punchy, ..."""
    path: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """Only what lives in this folder, or is this file."""
    collection: Id | None = None

    @model_validator(mode="after")
    def _narrows(self) -> Self:
        """A typing error must not change a whole library."""
        conditions = self.model_dump(exclude={"key_compatible", "tempo_octaves"}).values()
        if all(value in (None, "", []) for value in conditions):
            raise ValueError("name at least one condition; state=ready is nearly everything")
        for name in ("tempo", "duration", "loudness", "brightness"):
            least, most = getattr(self, f"{name}_min"), getattr(self, f"{name}_max")
            if least is not None and most is not None and least > most:
                raise ValueError(f"{name}_min is more than {name}_max")
        return self


class SampleEdit(Strict):
    """The same change for many samples, named by their ids or by what they are."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"ids": ["2c26b46b68ffc68ff99b453c"], "change": {"category": "snare"}, "add_tags": ["dusty"]},
                {"where": {"path": "/home/ada/Samples/Vinyl"}, "add_tags": ["vinyl"]},
            ]
        }
    )

    ids: Annotated[Ids, Field(min_length=1)] | None = None
    where: Where | None = None
    change: SampleChange = Field(default_factory=SampleChange)
    """As in `PATCH /v1/samples/{sample_id}`."""
    add_tags: OwnTags = Field(default_factory=list)
    """Beside the tags that each has."""
    remove_tags: OwnTags = Field(default_factory=list)
    """A person's own are taken away; one that was heard is hidden."""
    preview: Flag = False
    """Only count what would be changed."""
    cursor: Annotated[str, Field(max_length=256)] | None = None
    """`next` of the answer before, where a filter meets more samples than one request changes."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.ids is None) == (self.where is None):
            raise ValueError("give either ids or where")
        if set(self.add_tags) & set(self.remove_tags):
            raise ValueError("a tag cannot be both added and removed")
        if (self.add_tags or self.remove_tags) and {"tags", "hidden_tags"} & self.change.model_fields_set:
            raise ValueError("give either tags or add_tags and remove_tags")
        if not (self.preview or self.change.model_fields_set or self.add_tags or self.remove_tags):
            raise ValueError("there is nothing to change")
        return self


class EditAnswer(Strict):
    """What an edit did."""

    changed: int
    """How many samples were, or would be, changed."""
    unknown: list[str]
    """Ids that no sample of the library has."""
    full: list[str]
    """Ids of samples that have no room for more tags: they were left as they are."""
    next: str | None
    """Ask again with cursor=<next> for the rest of what the filter meets; null at the end."""


# ---------------------------------------------------------------------------------------------------------- collections


class NewCollection(Strict):
    """A collection to make."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Dusty drums"}]})

    name: OneLine
    samples: Ids = Field(default_factory=list)
    """In their order."""


class CollectionChange(Strict):
    """A new name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Dustier drums"}]})

    name: OneLine


class MemberChange(Strict):
    """Samples to take in, and to take out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"add": ["2c26b46b68ffc68ff99b453c"], "at": 0}]})

    add: Ids = Field(default_factory=list)
    """In their order. What is in it already stays where it is, or moves where `at` is given."""
    remove: Ids = Field(default_factory=list)
    at: Annotated[Whole, Field(ge=0, le=MOST_MEMBERS)] | None = None
    """Position of the first that is added; nothing for the end."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not self.add and not self.remove:
            raise ValueError("name samples to add or to remove")
        if set(self.add) & set(self.remove):
            raise ValueError("a sample cannot be both added and removed")
        return self


class Collection(Strict):
    """A named set of samples in an order."""

    id: str
    name: str
    samples: int
    """How many are in it."""
    created_at: datetime
    changed_at: datetime


class CollectionList(Strict):
    """Every collection, by name."""

    collections: list[Collection]


class MemberAnswer(Strict):
    """A collection after samples were taken in or out."""

    collection: Collection
    added: int
    removed: int
    unknown: list[str]
    """Ids that no sample of the library has."""


# ------------------------------------------------------------------------------------------------------- saved searches


class LastingQuery(SearchQuery):
    """A query that can be asked again next year."""

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if any(name.startswith("sound-") for name in (*self.like, *self.unlike)):
            raise ValueError("a sound that was sent is kept for an hour: add it to the library, and name its sample")
        if not (self.text.strip() or self.like or self.unlike or self.filters != Filters()):
            raise ValueError("ask for something: a text, sounds that it should be like, or filters")
        return self


class NewSearch(Strict):
    """A search to keep."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Dark pads", "query": {"text": "dark pad"}}]})

    name: OneLine
    query: LastingQuery


class SearchChange(Strict):
    """A new name, another query, or both."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"query": {"text": "very dark pad"}}]})

    name: OneLine | None = None
    query: LastingQuery | None = None


class SavedSearch(Strict):
    """A search that was kept."""

    id: str
    name: str
    created_at: datetime
    query: SearchQuery | None
    """Null where this version does not understand it any more."""
    problem: str | None = None
    """Why not."""


class SearchList(Strict):
    """Every saved search, by name."""

    searches: list[SavedSearch]
