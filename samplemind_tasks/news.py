"""What event streams tell besides jobs."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from samplemind_tasks.features import Strict


class Happening(StrEnum):
    """Names of events. Wire words."""

    START = "start"
    """Read what you show now; whatever changes from here on follows. Also after a gap too long to make up for."""
    JOB = "job"
    """A job has changed: the whole job."""
    DONE = "done"
    """A job has ended: the whole job. A stream of one job ends with it."""
    SAMPLES = "samples"
    """These samples were edited or deleted."""
    LIBRARY = "library"
    """More of the library has changed than is told by name."""
    AWAY = "away"
    """A store does not answer; the stream goes on when it does."""
    BACK = "back"


class SamplesNews(Strict):
    """Samples a person has changed; one that is gone answers 404."""

    ids: list[str]


class LibraryNews(Strict):
    """Running counts: what is new is the difference to the event before."""

    ready: Annotated[int, Field(ge=0)] = 0
    """Places that became searchable."""
    edits: Annotated[int, Field(ge=0)] = 0
    """Changes of many samples at once."""


class StoreNews(Strict):
    """A store that went away, or came back."""

    store: str
