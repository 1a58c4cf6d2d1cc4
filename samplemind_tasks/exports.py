"""A library as a file: which formats there are, which columns they have, and how a row is written. Pure."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum
from io import StringIO
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import orjson
from pydantic import Field

from samplemind_tasks.features import Features, Spread
from samplemind_tasks.schemas import Sample

if TYPE_CHECKING:  # the command line knows the formats, and loads no numpy
    import numpy as np
    import numpy.typing as npt

    Vector = npt.NDArray[np.float32]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula."""
DEFUSED = "'"
"""Put before such a text, as a spreadsheet marks a cell that is text; before one that begins so by itself too."""
BETWEEN = "; "
"""Between the words of a list in a CSV cell."""
MEASURED = "measured_"
"""Columns of what was measured begin so: `tempo_bpm` is what lists show, `measured_tempo_bpm` what analyze found."""


class ExportFormat(StrEnum):
    """What a library can be written as."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"

    @property
    def media_type(self) -> str:
        """Its Content-Type."""
        return {"csv": "text/csv; charset=utf-8; header=present", "jsonl": "application/x-ndjson"}.get(
            self, "application/vnd.apache.parquet"
        )


class ExportedSample(Sample):
    """A line of a JSON lines export. `features`, `vector` and `model` are there when they were asked for."""

    features: Features | None = None
    """As measured at the sample's analysis_version."""
    vector: Annotated[list[float], Field(min_length=1)] | None = None
    """Null for silence, and for what the model has not heard yet."""
    model: str | None = None
    """The model and revision that made the vector."""


@dataclass(frozen=True)
class ExportRow:
    """A sample on its way into a file."""

    sample: Sample
    features: Mapping[str, Any] | None = None
    """As MongoDB keeps them."""
    vector: "Vector | None" = None
    """float32 [vector_size]."""


# ------------------------------------------------------------------------------------------------------------- columns


class CellKind(StrEnum):
    """What a column holds; None is an empty cell."""

    TEXT = "text"
    WORDS = "words"
    """A list of texts."""
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "flag"
    TIME = "time"


@dataclass(frozen=True)
class Column:
    """A column of a flat file."""

    name: str
    kind: CellKind


def _kind_of(annotation: Any) -> CellKind | None:
    """What a field of this type is as a cell; None where it is not flat."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind_of(inner[0])
    if origin in (Union, UnionType):
        return _kind_of(next(each for each in inner if each is not type(None)))
    if origin is list:
        return CellKind.WORDS if _kind_of(inner[0]) is CellKind.TEXT else None
    if origin is Literal or (isinstance(annotation, type) and issubclass(annotation, str)):
        return CellKind.TEXT
    plain = {bool: CellKind.FLAG, int: CellKind.INTEGER, float: CellKind.NUMBER, datetime: CellKind.TIME}
    return plain.get(annotation)


def _columns(fields: Mapping[str, Any], before: str = "") -> Iterator[Column]:
    for name, field in fields.items():
        if Spread in (field.annotation, *get_args(field.annotation)):
            yield Column(f"{before}{name}_mean", CellKind.NUMBER)
        elif (kind := _kind_of(field.annotation)) is not None:
            yield Column(before + name, kind)


SAMPLE_COLUMNS = tuple(_columns(Sample.model_fields))
FEATURE_COLUMNS = tuple(_columns(Features.model_fields, MEASURED))
"""What was measured, as far as it is one value; of what moves over time the mean. JSON lines have all of it."""


def columns(*, features: bool) -> tuple[Column, ...]:
    """The columns of a CSV or Parquet file, but for the vector."""
    return SAMPLE_COLUMNS + (FEATURE_COLUMNS if features else ())


def cells(row: ExportRow, *, features: bool) -> list[Any]:
    """The values of a row, in the order of its columns."""
    shown = [getattr(row.sample, column.name) for column in SAMPLE_COLUMNS]
    return shown + ([_measured(row.features, column.name) for column in FEATURE_COLUMNS] if features else [])


def _measured(features: Mapping[str, Any] | None, column: str) -> Any:
    if features is None:
        return None
    name = column.removeprefix(MEASURED)
    if name in features or not name.endswith("_mean"):
        return features.get(name)
    spread = features.get(name.removesuffix("_mean"))
    return spread["mean"] if spread else None


# ---------------------------------------------------------------------------------------------------------------- CSV


def csv_head(*, features: bool) -> bytes:
    """The names of the columns."""
    return _csv([[column.name for column in columns(features=features)]])


def csv_rows(rows: Iterable[ExportRow], *, features: bool) -> bytes:
    """Rows as RFC 4180 has them, in UTF-8: numbers as they are, texts so that no spreadsheet runs them."""
    return _csv([_as_text(value) for value in cells(row, features=features)] for row in rows)


def _csv(rows: Iterable[list[Any]]) -> bytes:
    written = StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode("utf-8", errors="replace")


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        value = BETWEEN.join(map(str, value))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return DEFUSED + value if value.startswith((*FORMULA_STARTS, DEFUSED)) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


# ---------------------------------------------------------------------------------------------------------- JSON lines


def json_lines(rows: Iterable[ExportRow], *, features: bool, model: str | None) -> bytes:
    """A JSON object a line; with the model, vectors too."""
    lines = []
    for row in rows:
        told = dict(vars(row.sample))
        if features:
            told["features"] = row.features
        if model is not None:
            told |= {"vector": row.vector, "model": model if row.vector is not None else None}
        lines.append(orjson.dumps(told, default=vars, option=_JSON))
    return b"".join(lines)


_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
