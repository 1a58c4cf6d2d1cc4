"""Chroma: one collection per model revision and user, written in batches. The gateway reads it in search.py.

Chroma is an index, not the truth: vectors are kept in MongoDB too, and the index can be rebuilt from them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import chromadb
import httpx
import numpy as np
import numpy.typing as npt
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, NotFoundError

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.chroma import login_header
from samplemind_tasks.store.search import collection_name

__all__ = ["VectorIndex", "collection_name"]

Vectors = npt.NDArray[np.float32]

MAX_BATCH = 5_000
"""Chroma refuses more rows in one call."""


def chroma_client(settings: Settings) -> ClientAPI:
    """Chroma's own client. It connects at once: a ValueError where Chroma is away."""
    url = urlsplit(settings.chroma_url)
    return chromadb.HttpClient(
        host=url.hostname or "127.0.0.1",
        port=url.port or 8000,
        ssl=url.scheme == "https",
        headers=login_header(settings.chroma_url),
        settings=ChromaSettings(anonymized_telemetry=False),
    )


@contextmanager
def translating_chroma() -> Iterator[None]:
    """Turn a Chroma that is away into StoreUnavailable."""
    try:
        yield
    except (httpx.TransportError, ConnectionError, ValueError) as error:
        # the client raises a bare ValueError when it cannot connect
        if isinstance(error, ValueError) and "connect" not in str(error).lower():
            raise
        raise StoreUnavailable("chroma", str(error)[:200]) from error
    except NotFoundError:
        raise
    except ChromaError as error:
        raise StoreUnavailable("chroma", str(error)[:200]) from error


class VectorIndex:
    """The index as workers see it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: ClientAPI | None = None
        self._collections: dict[str, Collection] = {}

    def _connected(self) -> ClientAPI:
        if self._client is None:
            self._client = chroma_client(self._settings)
        return self._client

    def _collection(self, name: str) -> Collection:
        if name not in self._collections:
            self._collections[name] = self._connected().get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        return self._collections[name]

    def upsert(self, collection: str, sample_ids: Sequence[str], vectors: Vectors) -> None:
        """Write vectors [n, size]; writing them again changes nothing."""
        for start in range(0, len(sample_ids), MAX_BATCH):
            part = slice(start, start + MAX_BATCH)
            ids = list(sample_ids[part])
            with self._fresh(collection), translating_chroma():
                self._collection(collection).upsert(ids=ids, embeddings=vectors[part])

    def count(self, collection: str) -> int:
        """How many vectors there are; 0 where the collection is gone."""
        with self._fresh(collection), translating_chroma():
            return int(self._collection(collection).count())

    def identity(self, collection: str) -> str:
        """What tells it from one of the same name that was there before Chroma's data was lost."""
        with self._fresh(collection), translating_chroma():
            return str(self._collection(collection).id)

    def delete(self, collection: str, sample_ids: Sequence[str]) -> None:
        """Take samples out; one that is not there is no error."""
        if sample_ids:
            with self._fresh(collection), translating_chroma():
                self._collection(collection).delete(ids=list(sample_ids))

    def collections(self) -> list[str]:
        """The names of all collections."""
        with translating_chroma():
            return [collection.name for collection in self._connected().list_collections()]

    def drop(self, collection: str) -> None:
        """Delete a whole collection; one that is not there is no error."""
        with translating_chroma(), suppress(NotFoundError):
            self._connected().delete_collection(collection)
        self._collections.pop(collection, None)

    @contextmanager
    def _fresh(self, collection: str) -> Iterator[None]:
        """Forget a collection that failed: the next call looks it up again, in case Chroma was wiped."""
        try:
            yield
        except NotFoundError as error:
            self._collections.pop(collection, None)
            raise StoreUnavailable("chroma", "the collection is gone") from error
        except StoreUnavailable:
            self._collections.pop(collection, None)
            raise
