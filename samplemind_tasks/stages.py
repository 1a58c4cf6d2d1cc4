"""Asking for one stage of what is already in the library to be done again."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from samplemind_tasks.features import Strict
from samplemind_tasks.schemas import Id

MOST_NAMED = 1_000
"""Samples that a request may name one by one."""


class Redone(StrEnum):
    """Stages that can be done again."""

    ANALYZE = "analyze"
    """Measure. Vectors stay: they do not depend on what is measured."""
    EMBED = "embed"
    """Have the model listen."""
    INDEX = "index"
    """Make searchable; needs no files."""


class ReprocessRequest(Strict):
    """Which stage, and of what: of the whole library, of what lives in a folder, or of some samples."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"stage": "embed"},
                {"stage": "analyze", "which": "all", "path": "/home/ada/Samples/Drums"},
                {"stage": "index", "which": "all", "ids": ["2c26b46b68ffc68ff99b453c"]},
            ]
        }
    )

    stage: Redone
    """Stages before it stay as they are, and what follows from it follows."""
    which: Literal["missing", "all"] = "missing"
    """`missing`: what has no result of today's version. `all`: everything anew, over what is there."""
    path: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """Only what lives in this folder of the server, or is this file."""
    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_NAMED)] | None = None
    """Only these samples."""
