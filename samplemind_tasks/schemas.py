"""The words of SampleMind as types: what is stored in MongoDB, sent over HTTP and printed by the command line.

The same names everywhere; every number carries its unit.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from samplemind_tasks.categories import Category
from samplemind_tasks.errors import FailureCode
from samplemind_tasks.features import Confidence, Features, Flag, Kind, Strict, TempoRange
from samplemind_tasks.said import Found


class Tag(Strict):
    """A word a model gave a sound, with its score from 0 to 1."""

    name: str
    score: Confidence


# --------------------------------------------------------------------------------------------- what MongoDB remembers


class JobKind(StrEnum):
    """What a job takes its places from."""

    FOLDER = "folder"
    UPLOADS = "uploads"
    RETRY = "retry"
    REPROCESS = "reprocess"
    """Samples that are there already, for one stage and what follows from it."""


LISTED_KINDS = frozenset({JobKind.FOLDER, JobKind.REPROCESS})
"""Kinds whose places are listed slice by slice, since there may be many; the others name theirs."""


class JobState(StrEnum):
    """Where a job is. A job only ever moves forward, except between running and paused."""

    QUEUED = "queued"
    """Accepted; the scan has not started."""
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    """Every place is done, failed or skipped."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    """The job as a whole could not run: the folder is gone or the disk is not mounted. See `problem`."""


TERMINAL_STATES = frozenset({JobState.DONE, JobState.CANCELLED, JobState.FAILED})


class Counts(Strict):
    """Places by what became of them. found is always the sum of the six others."""

    found: int = 0
    waiting: int = 0
    leased: int = 0
    done: int = 0
    failed: int = 0
    skipped: int = 0
    """Unchanged since an earlier job and already at the current versions."""
    cancelled: int = 0


class StageCounts(Strict):
    """How many places have passed each stage."""

    analyzed: int = 0
    embedded: int = 0
    indexed: int = 0


class Problem(Strict):
    """An error as every door shows it."""

    code: str
    message: str
    detail: dict[str, object] = Field(default_factory=dict)


class Failure(Strict):
    """One place without a result, as stored and shown."""

    place: str
    path: str
    code: FailureCode
    message: str
    retried_by: str | None = None
    """The job that took it up again."""


# ------------------------------------------------------------------------------------------------- what the API answers


class JobRequest(Strict):
    """Ask for a folder, or for uploads already stored, to be analysed."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"path": "/home/ada/Samples", "include": ["**/*.wav"], "exclude": ["**/Loops/**"]},
                {"uploads": ["9f86d081884c7d659a2feaa0"]},
            ]
        }
    )

    path: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """A folder (or one file) on the server, under an allowed root."""
    uploads: (
        Annotated[list[Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]], Field(min_length=1, max_length=1000)] | None
    ) = None
    """Ids answered by POST /v1/uploads."""
    include: Annotated[list[Annotated[str, Field(min_length=1, max_length=512)]], Field(max_length=64)] = Field(
        default_factory=list
    )
    """Globs relative to the folder; empty means everything."""
    exclude: Annotated[list[Annotated[str, Field(min_length=1, max_length=512)]], Field(max_length=64)] = Field(
        default_factory=list
    )
    rerun: Literal["missing", "everything"] = "missing"
    """`missing` skips what is unchanged and at the current versions; `everything` measures again."""
    restore: Flag = False
    """Bring back samples that were deleted from the library."""
    tempo_range_bpm: TempoRange | None = None
    """Lowest and highest tempo you expect: others are halved or doubled into it. For what this job measures."""


class Job(Strict):
    """A job as the API, the command line and the UI show it."""

    id: str
    kind: JobKind
    state: JobState
    path: str | None
    created_at: datetime
    finished_at: datetime | None
    counts: Counts
    stages: StageCounts
    failures: dict[str, int]
    """Failed places by code."""
    failed_before: int = 0
    """How many of the skipped failed in an earlier job, and have not changed since."""
    scan_done: bool
    """Whether every folder has been listed; until then `found` still grows."""
    rate_per_s: float | None
    """Places finished per second, lately."""
    eta_s: float | None
    waiting_for: str | None
    """A store or a model that is away: "chroma"."""
    problem: Problem | None
    retry_of: str | None


class SampleState(StrEnum):
    ANALYZED = "analyzed"
    """Measured; the model has not heard it yet."""
    READY = "ready"
    """Measured, heard and searchable."""


class Sample(Strict):
    """One sound of one user, as lists show it."""

    id: str
    file_hash: str
    """sha256 of the file's bytes."""
    name: str
    state: SampleState
    number: int
    """Position in the library by arrival, from 1."""
    created_at: datetime
    size_bytes: int
    duration_s: float
    kind: Kind
    tempo_bpm: float | None
    tempo_confidence: float | None
    key: str | None
    key_confidence: float | None
    key_camelot: str | None
    loudness_lufs: float | None
    brightness_hz: float | None = None
    """The spectrum's centroid."""
    words: list[str] = Field(default_factory=list)
    """What it sounds like, measured: bright, dark, punchy, ..."""
    tags: list[str]
    analysis_version: int
    category: Category | None = None
    """What a person, a head that they taught, or the model calls it; null where nobody is sure."""
    category_confidence: Confidence | None = None
    """Null where a person decided."""
    category_source: Literal["person", "taught", "model"] | None = None
    favourite: bool = False
    said: list[str] = Field(default_factory=list)
    """Fields that a person said: nothing that is measured or heard goes over them."""
    paths: list[str] = Field(default_factory=list)
    """Files that hold it now, 8 at most; none for an upload, or where the files are gone."""


class PlaceView(Strict):
    """Where a sample lives."""

    path: str | None
    """Absolute path; null for an upload."""
    upload: str | None
    size_bytes: int
    modified_at: datetime
    state: Literal["present", "missing", "offline"]


class SampleDetail(Strict):
    """A sample with everything that was measured."""

    sample: Sample
    features: Features
    tags: list[Tag]
    model: str | None
    """The model and revision the tags and the vector come from."""
    places: list[PlaceView]
    heard_as: list[Tag] = Field(default_factory=list)
    """Categories the model hears in it, the most probable first; what the file's name says is in features.evidence."""
    note: str | None = None
    """A person's own words about it."""
    own_tags: list[str] = Field(default_factory=list)
    """Tags that a person gave; `tags` are those that were heard."""
    hidden_tags: list[str] = Field(default_factory=list)
    """Heard tags that a person says are wrong."""
    found: Found | None = None
    """What machines found of what a person can say."""


class Hit(Strict):
    """A sample that was found, and why."""

    sample: Sample
    score: Confidence
    """1 is all that could be asked for."""
    mode: list[str]
    """How it was found: `sound` by being like one; else what of it the text met: `category`, `words`, `name`, ..."""
    matched: list[str]
    """Words of the text that it meets."""
    parts: dict[str, float]
    """What the score is made of: timbre (the cosine of the vectors), pitch, rhythm, envelope, spectrum, text."""


class Uploaded(Strict):
    """An upload that has arrived whole."""

    id: str
    """Names the upload in a job request."""
    file_hash: str
    size_bytes: int
    name: str
    known_sample: str | None
    """The sample these bytes already are in the library."""


Id = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]


class RetryRequest(Strict):
    """Which failures to take up again: of one code, of some places, or all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"code": "timeout"}, {}]})

    code: FailureCode | None = None
    places: (
        Annotated[list[Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]], Field(min_length=1, max_length=5000)] | None
    ) = None
    """Ids of places, as the failures list them."""


class RetryJob(Job):
    """The job that takes failures up again."""

    more: bool
    """There were more failures than one job takes: ask again for the rest."""


class JobPage(Strict):
    """Jobs, the newest first."""

    jobs: list[Job]
    next: str | None
    """Ask again with cursor=<next> for what follows; null at the end."""


class FailurePage(Strict):
    """Failures of a job."""

    failures: list[Failure]
    next: str | None


class SamplePage(Strict):
    """Samples, the newest first.

    A page may be short, even empty, while `next` still leads on: with a filter, a request looks at a bounded number.
    """

    samples: list[Sample]
    next: str | None


class Peaks(Strict):
    """A waveform to draw: the lowest and highest value of each bin, 127 being full scale."""

    bins: int
    minimum: list[int]
    maximum: list[int]


class Stats(Strict):
    """The library in numbers."""

    samples: int
    by_state: dict[str, int]
    by_kind: dict[str, int]
    duration_s: float
    size_bytes: int
    jobs_open: int
    model: str
    heard: dict[str, int] = Field(default_factory=dict)
    """Searchable sounds by the model and revision that heard them last; of two, the one that heard most serves."""
    silent: int = 0
    """Searchable by name and numbers alone: there is nothing to hear in them."""


class Part(Strict):
    """A store or a kind of worker, and how it is."""

    name: str
    ok: bool
    message: str
    advice: str
    """What to do about it; empty when all is well."""


class Readiness(Strict):
    """Whether requests can be served. Missing workers make work wait, and are told, but do not make this false."""

    ready: bool
    parts: list[Part]
