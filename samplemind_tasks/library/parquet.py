"""Parquet, written while its rows are read.

The writer is a library in Rust that pulls rows and pushes bytes, so it has a thread of its own, which waits for the
loop to read rows, and for the reader of the file to take what is written. A row group is all that is ever held.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

from samplemind_tasks.cards import ModelCard
from samplemind_tasks.exports import CellKind, ExportRow, cells, columns

CORE, WRITER = "arro3.core", "arro3.io"
"""Loaded by the first Parquet export: they are an extra of the installation."""
ROW_GROUP = 8_192
PIECE_BYTES = 256 << 10
PIECES_WAITING = 4
"""Written pieces that nobody has taken yet."""
COMPRESSION = "zstd(1)"

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="parquet")

T = TypeVar("T")


async def parquet(
    stretches: AsyncIterator[list[ExportRow]], *, features: bool, card: ModelCard | None
) -> AsyncIterator[bytes]:
    """The pieces of a Parquet file. With a model's card it has a column of its vectors, a fixed-size list each."""
    loop = asyncio.get_running_loop()
    pipe = _Pipe(loop, stretches)

    async def write() -> None:
        try:
            await loop.run_in_executor(_threads, _write, pipe, features, card)
        finally:
            await pipe.pieces.put(None)

    writing = asyncio.create_task(write())
    writing.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may be left to ask for it
    try:
        while (piece := await pipe.pieces.get()) is not None:
            yield piece
        await writing
    finally:
        pipe.leave()


class _Abandoned(Exception):
    """Nobody reads the file any more."""


class _Pipe:
    """Between the loop and the writer's thread: rows one way, bytes the other. To the writer it is a file."""

    def __init__(self, loop: asyncio.AbstractEventLoop, stretches: AsyncIterator[list[ExportRow]]) -> None:
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES_WAITING)
        self.failure: BaseException | None = None
        self._loop = loop
        self._stretches = stretches
        self._written = bytearray()
        self._abandoned = False

    def leave(self) -> None:
        """On the loop: have the writer end, also where it waits for room."""
        self._abandoned = True
        while not self.pieces.empty():
            self.pieces.get_nowait()

    def rows(self) -> Iterator[list[ExportRow]]:
        """In the thread: the rows, as the loop reads them."""
        while (rows := self._on_loop(_next(self._stretches))) is not None:
            yield rows

    def write(self, data: bytes) -> int:
        self._written += data
        if len(self._written) >= PIECE_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Give away what is written."""
        if self._written:
            self._on_loop(self.pieces.put(bytes(self._written)))
            self._written.clear()

    def seek(self, *_: int) -> int:
        """The writer asks whether there is a `seek`; it only ever appends."""
        raise OSError("a stream cannot be sought")

    def _on_loop(self, work: Coroutine[Any, Any, T]) -> T:
        if self._abandoned:
            work.close()
            raise _Abandoned
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except BaseException as error:
            self.failure = error
            raise


async def _next(stretches: AsyncIterator[list[ExportRow]]) -> list[ExportRow] | None:
    return await anext(stretches, None)


def _write(pipe: _Pipe, features: bool, card: ModelCard | None) -> None:
    core, io = import_module(CORE), import_module(WRITER)
    schema = _schema(core, features, card)
    batches = (_batch(core, schema, rows, features, card) for rows in pipe.rows())
    told = {"samplemind.model": card.collection} if card is not None else {}
    try:
        io.write_parquet(
            core.RecordBatchReader.from_batches(schema, batches), pipe, compression=COMPRESSION,
            max_row_group_size=ROW_GROUP, key_value_metadata=told,
        )  # fmt: skip
        pipe.flush()
    except Exception as error:
        raise pipe.failure or error from error


def _schema(core: Any, features: bool, card: ModelCard | None) -> Any:
    kinds = core.DataType
    words = kinds.list(core.Field("item", kinds.utf8()))
    types = {
        CellKind.TEXT: kinds.utf8(), CellKind.WORDS: words, CellKind.INTEGER: kinds.int64(),
        CellKind.NUMBER: kinds.float64(), CellKind.FLAG: kinds.bool(), CellKind.TIME: kinds.timestamp("ms", tz="UTC"),
    }  # fmt: skip
    fields = [core.Field(column.name, types[column.kind]) for column in columns(features=features)]
    if card is not None:
        fields.append(core.Field("vector", kinds.list(core.Field("item", kinds.float32()), card.vector_size)))
    return core.Schema(fields)


def _batch(core: Any, schema: Any, rows: Sequence[ExportRow], features: bool, card: ModelCard | None) -> Any:
    """A stretch of rows, turned into columns."""
    by_column = zip(*(cells(row, features=features) for row in rows), strict=True)
    arrays = [
        _array(core, schema.field(column.name).type, column.kind, values)
        for column, values in zip(columns(features=features), by_column, strict=True)
    ]
    if card is not None:
        arrays.append(_vectors(core, schema.field("vector").type, rows, card.vector_size))
    return core.RecordBatch.from_arrays(arrays, schema=schema)


def _array(core: Any, kind: Any, cell: CellKind, values: Sequence[Any]) -> Any:
    if cell is CellKind.TIME:
        millis = [None if value is None else round(value.timestamp() * 1000) for value in values]
        return core.Array(millis, core.DataType.int64()).cast(kind)
    if cell is CellKind.WORDS:
        ends = np.cumsum([0, *(len(value or ()) for value in values)], dtype=np.int32)
        words = [str(word) for value in values for word in value or ()]
        return core.list_array(core.Array.from_numpy(ends), core.Array(words, core.DataType.utf8()), type=kind)
    if cell is CellKind.TEXT:
        return core.Array([None if value is None else str(value) for value in values], kind)
    return core.Array(list(values), kind)


def _vectors(core: Any, kind: Any, rows: Sequence[ExportRow], size: int) -> Any:
    found = np.zeros((len(rows), size), np.float32)
    missing = np.array([row.vector is None for row in rows])
    for number, row in enumerate(rows):
        if row.vector is not None:
            found[number] = row.vector
    return core.fixed_size_list_array(
        core.Array.from_numpy(found.ravel()), size, type=kind, mask=core.Array.from_numpy(missing)
    )
