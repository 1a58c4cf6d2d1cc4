"""Writing the library, or a part of it, into a file: export."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.live import Live
from rich.text import Text

from samplemind_tasks.cli import show
from samplemind_tasks.cli.call import Call, command, named_path, one_of
from samplemind_tasks.cli.client import as_shown
from samplemind_tasks.cli.list_filters import with_filters
from samplemind_tasks.cli.named import CollectionOption, collection_id
from samplemind_tasks.cli.transport import Query
from samplemind_tasks.errors import SampleMindError
from samplemind_tasks.exports import ExportFormat

app = typer.Typer()

ENDINGS = {
    ".csv": ExportFormat.CSV, ".jsonl": ExportFormat.JSONL, ".ndjson": ExportFormat.JSONL,
    ".parquet": ExportFormat.PARQUET, ".pq": ExportFormat.PARQUET,
}  # fmt: skip
SHOWN_EVERY_S = 0.2
FORMATS = "csv, jsonl or parquet. Default: as the file's name says; csv without a name or ending."


@command(app)
@with_filters
def export(
    call: Call,
    wanted: Query,
    collection: CollectionOption = None,
    format_: Annotated[
        ExportFormat | None,
        typer.Option("--format", parser=one_of(ExportFormat), metavar="FORMAT", help=FORMATS),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", parser=named_path, help="Where to; stdout without it."),
    ] = None,
    features: Annotated[bool, typer.Option("--features", help="With everything that was measured.")] = False,
    vectors: Annotated[bool, typer.Option("--vectors", help="With the model's vectors; not as csv.")] = False,
) -> int:
    """Write samples with what is known of them into a file: csv, JSON lines or Parquet."""
    if call.as_json and output is None:
        if format_ not in (None, ExportFormat.JSONL):
            raise SampleMindError(f"--json prints JSON lines; {format_} goes into a file: --output", code="invalid")
        format_ = ExportFormat.JSONL
    format_ = format_ or _format_called(output)
    if collection:
        wanted["collection"] = collection_id(call, collection)
    query = {**wanted, "format": format_, "features": features, "vectors": vectors}
    if output is None or str(output) == "-":
        return _to_stdout(call, query)
    progress = _Progress(call)
    with _whole_file(output.expanduser()) as file, progress:
        for piece in call.gateway.export(query):
            file.write(piece)
            progress.add(len(piece))
    call.answer({"output": as_shown(output.absolute()), "format": format_, "size_bytes": progress.size_bytes})
    call.show(f"{as_shown(output)}: {show.size(progress.size_bytes)}")
    return 0


def _format_called(output: Path | None) -> ExportFormat:
    """The format that a file's name says; one that says none is csv, one that says another is a slip."""
    ending = output.suffix.lower() if output and (output.is_file() or not output.exists()) else ""
    if ending and ending not in ENDINGS:
        raise typer.BadParameter(f"{ending} is none of {', '.join(ENDINGS)}: rename the file, or add --format")
    return ENDINGS.get(ending, ExportFormat.CSV)


def _to_stdout(call: Call, query: Query) -> int:
    if query["format"] == ExportFormat.PARQUET and sys.stdout.isatty():
        raise SampleMindError("a terminal cannot show Parquet: name a file with --output", code="invalid")
    try:
        for piece in call.gateway.export(query):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # whoever reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that is there whole, or not at all: whatever was there stays until it can be replaced.

    What is no file, such as /dev/null or a pipe, is written to, not replaced.
    """
    path = path.resolve()
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise SampleMindError(f"{as_shown(path)}: {error.strerror}", code="unwritable") from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        part.chmod(0o666 & ~_umask())
        part.replace(path)
    except OSError as error:
        raise SampleMindError(f"{as_shown(path)}: {error.strerror}", code="unwritable") from error
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    """What a new file must not allow. It can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


class _Progress:
    """A line on a terminal that says how much has been written."""

    def __init__(self, call: Call) -> None:
        self.size_bytes = 0
        is_shown = call.err.is_terminal and not call.as_json
        self._live = Live(console=call.err, transient=True, auto_refresh=False) if is_shown else None
        self._began = self._shown = time.monotonic()

    def __enter__(self) -> None:
        if self._live:
            self._live.start()

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def add(self, size_bytes: int) -> None:
        self.size_bytes += size_bytes
        now = time.monotonic()
        if self._live and now - self._shown >= SHOWN_EVERY_S:
            pace = self.size_bytes / (now - self._began)
            self._live.update(
                Text(f"{show.size(self.size_bytes)} written · {show.size(pace)}/s", style="dim"), refresh=True
            )
            self._shown = now
