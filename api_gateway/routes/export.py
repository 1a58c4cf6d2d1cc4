"""Exports: the library, or a part of it, as a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from starlette.types import Send

from api_gateway.dependencies import FolderOrFile, InCollection, TheLibrary, User
from api_gateway.document import REFERENCE
from api_gateway.problems import declared
from api_gateway.routes.samples import sample_filter
from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.exports import BETWEEN, FEATURE_COLUMNS, SAMPLE_COLUMNS, Column, ExportFormat
from samplemind_tasks.library.export import ExportWish
from samplemind_tasks.logs import get_log
from samplemind_tasks.store.pages import SampleFilter

router = APIRouter(tags=["samples"])

log = get_log(__name__)


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(f"`{column.name}`" for column in columns)


FILES = {
    ExportFormat.CSV.media_type.partition(";")[0]: {"schema": {"type": "string"}},
    ExportFormat.JSONL.media_type: {"schema": {"$ref": REFERENCE.format(model="ExportedSample")}},
    ExportFormat.PARQUET.media_type: {"schema": {"type": "string", "format": "binary"}},
}


ABOUT = f"""Every sample the filters keep, in the order of arrival, each once, however many there are.

The file is whole when the answer ends as HTTP says it does; where a store goes away on the way, the connection breaks.

**JSON lines**: each line is an `ExportedSample`. **CSV**: UTF-8 as RFC 4180 has it. A text that begins like a formula
(`=`, `+`, `-`, `@`, tab, line break) or with an apostrophe has an apostrophe before it; numbers are never touched, a
value that does not exist is empty, lists are joined by `{BETWEEN}`. **Parquet**: the same columns with their types, and
`vector`, a fixed-size list of float32, null for silence.

Columns: {_names(SAMPLE_COLUMNS)}. With `features`, what was measured as far as it is one value, and of what moves over
time the mean: {_names(FEATURE_COLUMNS)}."""


class WholeOrBroken(StreamingResponse):
    """A stream whose failure on the way breaks the connection: the client must not take it for the end."""

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        except SampleMindError as error:
            log.warning("export_broken_off", why=error.message)  # and the server closes what was not ended


@router.get(
    "/export",
    summary="Export samples as a file",
    description=ABOUT,
    response_class=WholeOrBroken,
    responses=declared(404, 501) | {200: {"description": "The file, streamed.", "content": FILES}},
)
async def export_samples(
    library: TheLibrary,
    user: User,
    wanted: Annotated[SampleFilter, Depends(sample_filter)],
    path: FolderOrFile = None,
    collection: InCollection = None,
    format: Annotated[ExportFormat, Query(description="A table, a JSON object a line, or Parquet.")] = ExportFormat.CSV,
    features: Annotated[bool, Query(description="With what was measured.")] = False,
    vectors: Annotated[bool, Query(description="With the model's vectors; not as CSV.")] = False,
) -> WholeOrBroken:
    """Write the samples that the filters keep."""
    pieces = await library.exports.start(user, ExportWish(wanted, path, format, features, vectors, collection))
    name = f"samplemind-{datetime.now(UTC):%Y-%m-%d}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return WholeOrBroken(pieces, media_type=format.media_type, headers=headers)
