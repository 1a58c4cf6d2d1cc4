"""Places: where samples live. The scan writes them, `analyze` learns their hashes, `index` marks them current."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pymongo import ASCENDING, UpdateOne
from pymongo.database import Database

from samplemind_tasks.errors import FailureCode
from samplemind_tasks.store.mongo import UPLOAD_ROOT, Document, insert_new, place_id, translating, value_by_id

LAST_KEY = "\U0010ffff"
"""Sorts behind every key."""


class PlaceState(StrEnum):
    PRESENT = "present"
    MISSING = "missing"
    """The folder was listed and the file was not there."""
    OFFLINE = "offline"
    """The folder itself was not there: a disk that is not mounted."""


@dataclass(frozen=True)
class Place:
    """A place as MongoDB holds it (fields: see the package's docstring)."""

    id: str
    user_id: str
    root: str
    key: str
    path: str
    size_bytes: int
    mtime_ns: int
    file_hash: str | None = None
    state: PlaceState = PlaceState.PRESENT
    removed: bool = False
    versions: str | None = None
    failed: FailureCode | None = None

    @classmethod
    def new(cls, user_id: str, root: str, key: str, size_bytes: int, mtime_ns: int) -> "Place":
        """A place the scan has just seen for the first time."""
        path = os.fsencode(root) + b"/" + key.encode("latin-1") if root != "/" else b"/" + key.encode("latin-1")
        return cls(
            place_id(user_id, root, key), user_id, root, key, path.decode(errors="replace"), size_bytes, mtime_ns
        )

    @classmethod
    def from_document(cls, document: Document) -> "Place":
        fields = {name: value for name, value in document.items() if name not in ("_id", "size")}
        return cls(
            **{
                **fields,
                "id": document["_id"],
                "size_bytes": document["size"],
                "state": PlaceState(document["state"]),
                "failed": FailureCode(document["failed"]) if document["failed"] else None,
            }
        )

    def to_document(self) -> Document:
        document: Document = {
            **vars(self),
            "_id": self.id,
            "size": self.size_bytes,
            "state": self.state.value,
            "failed": self.failed.value if self.failed else None,
        }
        del document["id"], document["size_bytes"]
        return document

    @property
    def is_upload(self) -> bool:
        """Whether the bytes lie in the blob store."""
        return self.root == UPLOAD_ROOT

    @property
    def location(self) -> bytes:
        """The file's path as the operating system knows it."""
        return os.path.join(os.fsencode(self.root), self.key.encode("latin-1"))  # noqa: PTH118 - pathlib refuses bytes


def key_of(root: Path, path: Path) -> str:
    """The key of a path below a root: one Latin-1 character a byte."""
    return "" if path == root else os.fsencode(path.relative_to(root)).decode("latin-1")


def lives_at(path: str) -> Callable[[Place], bool]:
    """Tells the places that are there and lie below a folder, or are that file. `path` is as places show it."""
    below = path.rstrip("/") + "/"

    def tells(place: Place) -> bool:
        is_there = place.state is PlaceState.PRESENT and not place.removed and not place.is_upload
        return is_there and (place.path == path or place.path.startswith(below))

    return tells


class Places:
    """Place documents in MongoDB."""

    def __init__(self, db: Database[Document]) -> None:
        self._places = db.places

    def between(self, user_id: str, root: str, after: str, last: str) -> list[Place]:
        """The places of a closed stretch of a root, in key order. What the scan compares a slice with."""
        stretch = {"user_id": user_id, "root": root, "key": {"$gt": after, "$lte": last}}
        with translating():
            return [Place.from_document(row) for row in self._places.find(stretch).sort("key", ASCENDING)]

    def get(self, place_ids: Sequence[str]) -> list[Place]:
        """Places by id, in the order asked for; one that is gone is left out."""
        with translating():
            found = {
                row["_id"]: Place.from_document(row) for row in self._places.find({"_id": {"$in": list(place_ids)}})
            }
        return [found[name] for name in place_ids if name in found]

    def write(self, new: Sequence[Place], changed: Sequence[Place]) -> None:
        """Add new places and take over the size and time of changed ones. Both may be repeated."""
        with translating():
            insert_new(self._places, [place.to_document() for place in new])
            if changed:
                self._places.bulk_write([_overwrite(place) for place in changed], ordered=False)

    def learned(self, hashes: dict[str, str]) -> bool:
        """Note the hash of each place, unless its sample was deleted meanwhile. True when none was."""
        if not hashes:
            return True
        living = {"_id": {"$in": list(hashes)}, "removed": False}
        with translating():
            noted = self._places.update_many(living, [{"$set": {"file_hash": value_by_id(hashes)}}])
        return noted.matched_count == len(hashes)

    def mark(self, place_ids: Sequence[str], state: PlaceState) -> None:
        """Present, missing or offline. Nothing is ever deleted."""
        self._set_many(place_ids, {"state": state.value})

    def mark_stretch(self, user_id: str, root: str, after: str, last: str, state: PlaceState) -> None:
        """Mark every place of a closed stretch of a root."""
        stretch = {"user_id": user_id, "root": root, "key": {"$gt": after, "$lte": last}}
        with translating():
            self._places.update_many(stretch, {"$set": {"state": state.value}})

    def current(self, place_ids: Sequence[str], versions: str) -> None:
        """These places are done at these versions: a rescan skips them while the file is unchanged."""
        self._set_many(place_ids, {"versions": versions, "failed": None})

    def failed(self, codes: Iterable[tuple[str, FailureCode]], versions: str | None) -> None:
        """Remember why places failed. With versions, a rescan believes it; without, it tries again."""
        places: dict[FailureCode, list[str]] = {}
        for place, code in codes:
            places.setdefault(code, []).append(place)
        for code, same in places.items():
            self._set_many(same, {"failed": code.value, "versions": versions})

    def _set_many(self, place_ids: Sequence[str], values: Document) -> None:
        with translating():
            for start in range(0, len(place_ids), 64):  # the embedded server is slow at a long $in
                part = list(place_ids[start : start + 64])
                self._places.update_many({"_id": {"$in": part}}, {"$set": values})


def _overwrite(place: Place) -> UpdateOne:
    row = place.to_document()
    del row["_id"]
    return UpdateOne({"_id": place.id}, {"$set": row})
