"""Uploads: bytes that arrive over HTTP and become places."""

from collections.abc import AsyncIterator

from samplemind_tasks.errors import BadRequest
from samplemind_tasks.schemas import Uploaded
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.blobs import Blobs
from samplemind_tasks.store.catalog import Catalog


class Uploads:
    """Takes uploads in."""

    def __init__(self, settings: Settings, blobs: Blobs, catalog: Catalog) -> None:
        self._limit_bytes = settings.max_upload_bytes
        self._blobs = blobs
        self._catalog = catalog

    async def add(self, user_id: str, name: str, stream: AsyncIterator[bytes]) -> Uploaded:
        """Store an upload. The same bytes again are the same upload."""
        file_hash, size_bytes = await self._blobs.put_upload(await not_empty(stream), self._limit_bytes)
        place = await self._catalog.add_upload(user_id, file_hash, size_bytes, name)
        sample = await self._catalog.sample_of(user_id, file_hash)
        return Uploaded(
            id=place.id,
            file_hash=file_hash,
            size_bytes=size_bytes,
            name=name,
            known_sample=sample.id if sample else None,
        )


async def not_empty(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same stream.

    Raises
    ------
    BadRequest : there is not one byte in it. Known before anything is stored.
    """
    async for first in stream:
        if first:
            return _with_first(first, stream)
    message = "the body is empty: send the file's bytes"
    raise BadRequest(message, detail={"fields": [{"field": "body", "message": message}]})


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
