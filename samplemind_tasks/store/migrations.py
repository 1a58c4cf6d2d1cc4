"""Versioned changes of the database. Each runs once, in order, however many processes start together.

A migration must be safe to run twice: a process may die between its last statement and the note that it ran.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from samplemind_tasks.store.mongo import Document, translating


def _first_indexes(db: Database[Document]) -> None:
    """The plan's indexes, and those our queries need (docs/decisions/0002-two-users-may-own-the-same-bytes.md)."""
    db.audio_files.create_indexes(
        [
            IndexModel([("user_id", ASCENDING), ("file_hash", ASCENDING)], unique=True),
            IndexModel([("user_id", ASCENDING), ("created_at", DESCENDING)]),
            IndexModel([("tags", ASCENDING)]),
            IndexModel([("user_id", ASCENDING), ("number", ASCENDING)]),
            IndexModel([("file_hash", ASCENDING)]),
        ]
    )
    db.places.create_indexes(
        [
            IndexModel([("user_id", ASCENDING), ("root", ASCENDING), ("key", ASCENDING)]),
            IndexModel([("user_id", ASCENDING), ("file_hash", ASCENDING)]),
        ]
    )
    db.analyses.create_indexes(
        [IndexModel([("file_hash", ASCENDING), ("stage", ASCENDING), ("version", ASCENDING)], unique=True)]
    )
    db.jobs.create_indexes(
        [
            IndexModel([("user_id", ASCENDING), ("created_at", DESCENDING)]),
            IndexModel([("open", ASCENDING)], sparse=True),
        ]
    )
    db.chunks.create_indexes(
        [
            IndexModel([("job", ASCENDING), ("seq", ASCENDING)]),
            IndexModel([("flight", ASCENDING)], sparse=True),
        ]
    )
    db.failures.create_indexes(
        [
            IndexModel([("job", ASCENDING), ("code", ASCENDING)]),
            IndexModel([("job", ASCENDING), ("place", ASCENDING)]),
            IndexModel([("chunk", ASCENDING)]),
        ]
    )


def _what_changed(db: Database[Document]) -> None:
    """What a search holds in memory is kept fresh by asking for what was touched since."""
    db.audio_files.create_indexes([IndexModel([("user_id", ASCENDING), ("touched", ASCENDING)])])


def _names(db: Database[Document]) -> None:
    """A user has one collection, and one saved search, of a name."""
    for documents in (db.collections, db.searches):
        documents.create_indexes([IndexModel([("user_id", ASCENDING), ("folded", ASCENDING)], unique=True)])


def _retried(db: Database[Document]) -> None:
    """Failures that were taken up again are looked up by their job."""
    db.retried.create_indexes([IndexModel([("job", ASCENDING)])])


MIGRATIONS: list[tuple[int, str, Callable[[Database[Document]], None]]] = [
    (1, "first indexes", _first_indexes),
    (2, "what changed since", _what_changed),
    (3, "names of collections and searches", _names),
    (4, "failures that were taken up again", _retried),
]


def migrate(db: Database[Document]) -> list[str]:
    """Bring the database up to date; answer the names of what ran."""
    ran = []
    with translating():
        done = {row["_id"] for row in db.migrations.find({}, {"_id": 1})}
        for number, name, change in MIGRATIONS:
            if number in done:
                continue
            change(db)
            try:
                db.migrations.insert_one({"_id": number, "name": name, "applied_at": datetime.now(UTC)})
            except DuplicateKeyError:  # another process starting at the same time was first
                continue
            ran.append(name)
    return ran
