"""Connections to MongoDB, and what its errors mean to us."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, ConnectionFailure, ExecutionTimeout, PyMongoError

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.settings import Settings

Document = dict[str, Any]
"""A BSON document. Only store/ handles them; what leaves store/ is a type of schemas.py or of this package."""

BATCH = 64
"""The embedded server is slow at a longer $in."""
AT_ONCE = 500
"""Documents written at once: the embedded server's cache cannot hold many more of one write."""
_DUPLICATE_KEY = 11000
UPLOAD_ROOT = "upload:"
"""The root of places that are blobs."""


def connect(settings: Settings, *, timeout_s: float = 10.0) -> Database[Document]:
    """The database for workers. No call waits longer than timeout_s for a server."""
    client: MongoClient[Document] = MongoClient(settings.mongo_url, **_options(settings, timeout_s))
    return client[settings.mongo_database]


def connect_async(settings: Settings) -> AsyncDatabase[Document]:
    """The database for the gateway, on its event loop. No call waits longer than the request time-out."""
    client: AsyncMongoClient[Document] = AsyncMongoClient(
        settings.mongo_url, **_options(settings, settings.request_timeout_s)
    )
    return client[settings.mongo_database]


def _options(settings: Settings, timeout_s: float) -> dict[str, Any]:
    return {
        "minPoolSize": settings.mongo_pool_min,
        "maxPoolSize": settings.mongo_pool_max,
        "serverSelectionTimeoutMS": int(timeout_s * 1000),
        "connectTimeoutMS": int(timeout_s * 1000),
        "timeoutMS": int(timeout_s * 1000),
        "waitQueueTimeoutMS": int(timeout_s * 1000),
        "tz_aware": True,
        "appname": "samplemind",
    }


@contextmanager
def translating() -> Iterator[None]:
    """Turn a MongoDB that is away into StoreUnavailable; anything else is a fault of ours and passes."""
    try:
        yield
    except PyMongoError as error:
        if error.timeout or isinstance(error, ExecutionTimeout):
            raise StoreUnavailable("mongodb", "it does not answer in time; ask again in a moment") from error
        if isinstance(error, ConnectionFailure):
            raise StoreUnavailable("mongodb", "it cannot be reached; ask again in a moment") from error
        raise


def insert_new(collection: Collection[Document], documents: Sequence[Document]) -> set[str]:
    """Insert; documents that are there already stay as they are: their ids are answered."""
    there: set[str] = set()
    for start in range(0, len(documents), AT_ONCE):
        part = documents[start : start + AT_ONCE]
        try:
            collection.insert_many(part, ordered=False)
        except BulkWriteError as error:
            refused = error.details["writeErrors"]
            if any(row["code"] != _DUPLICATE_KEY for row in refused):
                raise
            there |= {str(part[row["index"]]["_id"]) for row in refused}
    return there


def value_by_id(values: Mapping[str, object]) -> Document:
    """An expression that gives each document its own value: one `update_many` in place of an update a document."""
    position = {"$indexOfArray": [{"$literal": list(values)}, "$_id"]}
    return {"$arrayElemAt": [{"$literal": list(values.values())}, position]}


def batches(ids: Sequence[str]) -> list[list[str]]:
    """Ids in parts that one query may ask for."""
    return [list(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH)]


def sample_id(user_id: str, file_hash: str) -> str:
    """The id of the sample a user's bytes make. Writing it twice is writing it once."""
    return hashlib.sha256(f"{user_id}\0{file_hash}".encode()).hexdigest()[:24]


def place_id(user_id: str, root: str, key: str) -> str:
    """The id of a place: a user's path below a root."""
    return hashlib.sha256(f"{user_id}\0{root}\0{key}".encode()).hexdigest()[:24]
