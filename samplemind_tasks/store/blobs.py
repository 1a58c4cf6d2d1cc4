"""Blobs: uploads, model windows and sounds to compare with, in a folder or an S3 bucket behind one interface.

Keys:  blobs/<ab>/<sha256>          an upload, stored once however often it is sent
       windows/<job id>/<chunk id>/<token>   model input between analyze and embed
       queries/<token>              a sound somebody compares the library with; deleted after the answer

An upload is spooled to a local file while it is hashed and enters the store only when it is whole, so a broken one
leaves nothing in the store, whatever the store is.
"""

import asyncio
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from samplemind_tasks.errors import NotFound, StoreUnavailable, TooLarge

PIECE_BYTES = 1 << 20
"""Uploads and downloads move in pieces of about this size: the memory one of them costs."""
TIMEOUT_S = 30.0
"""One request to a remote store, its transfer included."""
RETRY_FOR_S = 4.0
ABANDONED_S = 24 * 3600


def blob_key(file_hash: str) -> str:
    """Where an upload's bytes lie."""
    return f"blobs/{file_hash[:2]}/{file_hash}"


def query_key(token: str) -> str:
    """Where a sound to compare with lies while somebody waits for the answer."""
    return f"queries/{token}"


@dataclass(frozen=True)
class Spooled:
    """An upload that has arrived whole."""

    path: Path
    file_hash: str
    size_bytes: int


class Blobs:
    """A blob store. `file:///folder`, or `s3://bucket/prefix` with the usual AWS_* variables."""

    def __init__(self, url: str) -> None:
        self._folder = _local_folder(url)
        self._store: LocalStore | S3Store
        if self._folder is None:
            self._store = _s3(url)
        else:
            with self._translating():
                # spooling beside the blobs makes "becoming visible" one rename
                (self._folder / "incoming").mkdir(parents=True, exist_ok=True)
                self._store = LocalStore(self._folder, mkdir=True)

    # -- workers ------------------------------------------------------------------------------------------------------

    def put(self, key: str, data: bytes) -> None:
        """Store bytes; visible only when whole."""
        with self._translating():
            obstore.put(self._store, key, data)

    def get(self, key: str) -> bytes:
        """The bytes of a key."""
        with self._translating():
            return obstore.get(self._store, key).bytes().to_bytes()

    def exists(self, key: str) -> bool:
        """Whether a key is there."""
        try:
            with self._translating():
                obstore.head(self._store, key)
        except NotFound:
            return False
        return True

    def delete_prefix(self, prefix: str) -> None:
        """Delete a key and everything below it; nothing there is no error."""
        with self._translating():
            if self._folder is not None:
                _delete_below(self._folder / prefix)
            else:
                keys = [row["path"] for page in obstore.list(self._store, prefix) for row in page]
                # a listing answers what is below a prefix, not the key of that name
                obstore.delete(self._store, [*keys, prefix])

    def open_blob(self, file_hash: str) -> BinaryIO:
        """An upload as a file: the blob itself where it lies on this disk, else a temporary copy."""
        with self._translating():
            if self._folder is not None:
                return (self._folder / blob_key(file_hash)).open("rb")
            copy = cast("BinaryIO", tempfile.TemporaryFile(prefix="samplemind-"))  # noqa: SIM115 - the caller closes it
            try:
                for piece in obstore.get(self._store, blob_key(file_hash)).stream(PIECE_BYTES):
                    copy.write(piece)
                copy.seek(0)
            except BaseException:
                copy.close()
                raise
            return copy

    # -- the gateway --------------------------------------------------------------------------------------------------

    async def put_upload(self, stream: AsyncIterator[bytes], limit_bytes: int) -> tuple[str, int]:
        """Store an upload under its hash; answers hash and size. Identical bytes are stored once."""
        async with self._spooled(stream, limit_bytes) as upload:
            if not await self.exists_async(blob_key(upload.file_hash)):
                await self._enter(upload.path, blob_key(upload.file_hash))
        return upload.file_hash, upload.size_bytes

    async def put_query(self, stream: AsyncIterator[bytes], limit_bytes: int, token: str) -> int:
        """Store a sound to compare with; answers its size."""
        async with self._spooled(stream, limit_bytes) as upload:
            await self._enter(upload.path, query_key(token))
        return upload.size_bytes

    async def exists_async(self, key: str) -> bool:
        """Whether a key is there."""
        try:
            with self._translating():
                await obstore.head_async(self._store, key)
        except NotFound:
            return False
        return True

    async def delete_prefix_async(self, prefix: str) -> None:
        """Delete a key and everything below it."""
        await asyncio.to_thread(self.delete_prefix, prefix)

    async def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes start..end-1 of a blob, in pieces."""
        for first in range(start, end, PIECE_BYTES):
            with self._translating():
                last = min(first + PIECE_BYTES, end)
                piece = await obstore.get_range_async(self._store, key, start=first, end=last)
            yield piece.to_bytes()

    async def beat(self) -> None:
        """Ask whether the store answers."""
        await self.exists_async("beat")

    def tidy(self) -> None:
        """Delete what uploads left behind that a killed process was receiving a day ago or longer."""
        if self._folder is not None:
            for path in (self._folder / "incoming").iterdir():
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < time.time() - ABANDONED_S:
                        path.unlink()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Missing blobs become NotFound; a store that is away or a disk that is full becomes StoreUnavailable."""
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error) or (self._folder is not None and not self._folder.is_dir()):
                raise StoreUnavailable("blobs", "the folder or bucket is not there") from error
            raise NotFound("no such blob", code="blob_not_found") from error
        except (BaseError, OSError) as error:
            raise StoreUnavailable("blobs", str(error).split("\n")[0][:200]) from error

    @asynccontextmanager
    async def _spooled(self, stream: AsyncIterator[bytes], limit_bytes: int) -> AsyncIterator[Spooled]:
        """The stream as a local file that is gone afterwards, unless it was moved away."""
        with self._translating():
            handle, name = tempfile.mkstemp(dir=self._folder and self._folder / "incoming", prefix="samplemind-")
        path = Path(name)
        digest, size_bytes = hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as spool:
                async for piece in _pieces(stream):
                    size_bytes += len(piece)
                    if size_bytes > limit_bytes:
                        raise TooLarge(f"more than {limit_bytes:,} bytes", detail={"limit_bytes": limit_bytes})
                    with self._translating():
                        await asyncio.to_thread(_append, spool, digest, piece)
                with self._translating():
                    await asyncio.to_thread(_flush_to_disk, spool)
            yield Spooled(path, digest.hexdigest(), size_bytes)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _enter(self, path: Path, key: str) -> None:
        """Make a whole file visible under its key, at once."""
        with self._translating():
            if self._folder is not None:
                await obstore.rename_async(self._store, f"incoming/{path.name}", key)
            else:
                await obstore.put_async(self._store, key, path, max_concurrency=2)


async def _pieces(stream: AsyncIterator[bytes]) -> AsyncIterator[bytearray]:
    """The stream gathered into larger pieces, so that one hop to a thread serves many packets."""
    gathered = bytearray()
    async for packet in stream:
        gathered += packet
        if len(gathered) >= PIECE_BYTES:
            yield gathered
            gathered = bytearray()
    if gathered:
        yield gathered


def _append(spool: BinaryIO, digest: "hashlib._Hash", piece: bytearray) -> None:
    digest.update(piece)
    spool.write(piece)


def _flush_to_disk(spool: BinaryIO) -> None:
    spool.flush()
    os.fsync(spool.fileno())


def _delete_below(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        return  # never there, or somebody else deletes it at the same time


def _local_folder(url: str) -> Path | None:
    """The folder a file URL names; None for a remote store."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    if parts.scheme == "s3":
        return None
    raise ValueError(f"SAMPLEMIND_BLOB_URL must begin with file:// or s3://, not {url!r}")


def _s3(url: str) -> S3Store:
    parts = urlsplit(url)
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or ""
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=3),
            "timeout": timedelta(seconds=TIMEOUT_S),
        },
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=RETRY_FOR_S)},
    )
