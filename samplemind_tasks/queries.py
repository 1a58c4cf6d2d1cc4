"""What can be searched for, and what is answered: one query for text, sounds, filters and aspects together."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from samplemind_tasks.categories import Category
from samplemind_tasks.features import Confidence, Flag, Kind, Number, Strict, Whole
from samplemind_tasks.said import AnyKey
from samplemind_tasks.schemas import Hit, Id, Sample, SampleState

MOST_TEXT = 500
MOST_LIKES = 32
MOST_HITS = 200

SOUND_ID = r"^sound-[0-9a-f]{32}$"
Reference = Annotated[str, Field(pattern=r"^([0-9a-f]{24}|sound-[0-9a-f]{32})$")]
"""The id of a sample, or the name of a sound that was sent with an earlier query."""
Likes = Annotated[list[Reference], Field(max_length=MOST_LIKES)]
Weight = Annotated[Number, Field(ge=0, le=1)]
Text = Annotated[str, Field(min_length=1, max_length=255)]


class Span(Strict):
    """From `least` to `most`, both included; null is no bound."""

    least: Number | None = None
    most: Number | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("least is more than most")
        return self


class Filters(Strict):
    """What samples may be found. Everything given must hold; of a list that is so marked, one entry suffices."""

    kind: Annotated[list[Kind], Field(max_length=8)] = Field(default_factory=list)
    """One of these."""
    category: Annotated[list[Category], Field(max_length=64)] = Field(default_factory=list)
    """One of these."""
    tempo_bpm: Span | None = None
    tempo_octaves: Flag = False
    """Half and double the tempo count too."""
    key: AnyKey | None = None
    """"A minor", Am, a-Moll or 8A."""
    key_compatible: Flag = False
    """Keys that mix with it count too: its relative, and its neighbours on the Camelot wheel."""
    duration_s: Span | None = None
    loudness_lufs: Span | None = None
    brightness_hz: Span | None = None
    """Of the spectral centroid."""
    pitch_midi: Span | None = None
    tags: Annotated[list[Text], Field(max_length=16)] = Field(default_factory=list)
    """All of these; given by the model or by a person."""
    words: Annotated[list[Text], Field(max_length=16)] = Field(default_factory=list)
    """All of these descriptors: bright, dark, punchy, ..."""
    folder: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """Only what lives below this folder of the server."""
    name: Text | None = None
    """Part of the name, in any case."""
    favourite: Flag | None = None
    collection: Id | None = None
    """Only what is in this collection."""
    state: SampleState | None = None
    """Nothing: what is ready."""


class Weights(Strict):
    """How much each aspect counts when sounds are compared, 0 to 1."""

    timbre: Weight = 1.0
    pitch: Weight = 0.0
    rhythm: Weight = 0.0
    envelope: Weight = 0.0
    spectrum: Weight = 0.2
    """Of 567 drum one-shots the nearest of another kit is of the same kind for 78 % by timbre alone, for 81 % so."""

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("at least one aspect must count")
        return self


class SearchQuery(Strict):
    """A search: any mix of text, sounds that it should or should not be like, and filters."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": "dark ambient pad", "filters": {"duration_s": {"least": 4}}},
                {"like": ["2c26b46b68ffc68ff99b453c"], "weights": {"timbre": 1, "pitch": 0.5}, "limit": 10},
                {"like": ["2c26b46b68ffc68ff99b453c"], "filters": {"tempo_bpm": {"least": 120, "most": 126}}},
            ]
        }
    )

    text: Annotated[str, Field(max_length=MOST_TEXT)] = ""
    like: Likes = Field(default_factory=list)
    """Ids of samples, or of sounds that were sent before."""
    unlike: Likes = Field(default_factory=list)
    filters: Filters = Field(default_factory=Filters)
    weights: Weights = Field(default_factory=Weights)
    text_weight: Weight = 0.5
    """How much the text counts where sounds are given too."""
    limit: Annotated[Whole, Field(ge=1, le=MOST_HITS)] = 20

    @field_validator("unlike")
    @classmethod
    def _is_not_liked(cls, unlike: list[str], info: ValidationInfo) -> list[str]:
        if set(info.data.get("like", ())) & set(unlike):
            raise ValueError("a sound cannot be in both like and unlike")
        return unlike


class Meaning(Strict):
    """One thing a text was read as."""

    what: str
    """category, kind, key, tempo, descriptor, tag or name."""
    value: str
    words: str
    """The words it was read from."""


class SearchAnswer(Strict):
    """What was found, the best first."""

    hits: list[Hit]
    understood: list[Meaning]
    """What the text was read as."""
    rest: str = ""
    """Words of the text that were read as nothing."""
    nothing_matches: bool
    """A text was given, and no sample is like it: hits are empty rather than far-fetched."""
    searched: int
    """How many samples passed the filters."""
    model: str
    """The model and revision that compared sounds."""
    sound: str | None = None
    """Names the sound that was sent: put it into `like` within an hour to use it again."""


class LookupAnswer(Strict):
    """The samples that a text may name."""

    how: Literal["id", "path", "name"] | None
    """As what the text was read; null where it names none."""
    samples: list[Sample]
    total: int
    """How many there are, also beyond those that were asked for."""


class DuplicateMember(Strict):
    """A sample of a group of duplicates."""

    sample: Sample
    paths: list[str] = Field(default_factory=list)
    """Every file of it that is there now: byte for byte the same."""
    similarity: Confidence
    """To the group's first; 1 where the sound is exactly the same."""


class DuplicateGroup(Strict):
    """Files that hold the same sound, or nearly. Suggested for a person to look at; nothing is ever merged.

    `exact`: copies of one file are one sample with several paths; the same sound in another container is another.
    """

    how: Literal["exact", "near"]
    members: list[DuplicateMember]


class DuplicatePage(Strict):
    """Groups of duplicates. A page may be short, even empty, while `next` still leads on."""

    groups: list[DuplicateGroup]
    next: str | None


class ReindexAnswer(Strict):
    """The index is being written anew."""

    model: str
    samples: int
    """How many samples there are to write."""


class LessonRequest(Strict):
    """Where to learn from."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"path": "/home/ada/Sorted"}]})

    path: Annotated[str, Field(min_length=1, max_length=4096)]
    """A folder of the library; each of its subfolders is a label."""


class Labelling(Strict):
    """How far the library is labelled anew after a lesson was learned or forgotten, and what that changed so far."""

    under_way: bool
    written: int
    """How many of the samples are done."""
    samples: int
    changed: int
    """Samples that have another category than before; not those that a person named."""
    tagged: int
    """Samples that have other tags than before."""


class LessonAnswer(Strict):
    """What was taught, and how well it was learned."""

    folder: str
    sounds: dict[str, int]
    """How many sounds of each label were learned from."""
    left_out: dict[str, int] = Field(default_factory=dict)
    """Labels with too few sounds to learn from."""
    categories: dict[str, Category] = Field(default_factory=dict)
    """The category that a label decides; one that is not here is given as a tag."""
    set_aside: dict[str, int] = Field(default_factory=dict)
    """How many sounds of the folder were not learned from, by reason."""
    accuracy: Confidence
    """Share of the sounds whose label was right while they were held out; unsure counts as wrong."""
    model: str
    """Whose vectors it was learned on."""
    in_use: bool
    """False after a change of the model: teach again."""
    taught_at: datetime
    labelling: Labelling | None = None
    """Null where the library has not been labelled since."""
