"""Where samples live now, copied beside them: the paths that searches by folder and name know, and that people open.

Places are the truth. When a copy arrives, or a file is gone, moved or overwritten, what the sample says follows.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from pymongo.database import Database

from samplemind_tasks.store.documents import now
from samplemind_tasks.store.mongo import UPLOAD_ROOT, Document, batches, sample_id, translating, value_by_id
from samplemind_tasks.store.places import PlaceState

KEPT_PATHS = 8
"""Places of one sample that a search by folder or name knows of."""
MOST_LOOKS = 3
"""Who writes while another worker notes a copy of the same bytes looks again; two meet often, four hardly ever."""


@dataclass
class Whereabouts:
    """Where some bytes are now."""

    paths: list[str] = field(default_factory=list)
    """Files, in order; no uploads."""
    names: set[str] = field(default_factory=set)
    """What they are called there, uploads too."""

    @property
    def kept(self) -> list[str]:
        return sorted(self.paths)[:KEPT_PATHS]

    def name(self, shown: str) -> str:
        """What the sample is called: as before, while something of that name is there."""
        return shown if shown in self.names or not self.paths else _name(self.kept[0])


def whereabouts(db: Database[Document], user_id: str, hashes: Collection[str]) -> dict[str, Whereabouts]:
    """Where a user's bytes are now, by hash."""
    wanted = {"user_id": user_id, "file_hash": {"$in": list(hashes)}}
    found: dict[str, Whereabouts] = {}
    for row in db.places.find(wanted, {"file_hash": 1, "path": 1, "root": 1, "state": 1, "removed": 1}):
        if row["state"] == PlaceState.PRESENT.value and not row.get("removed"):
            at = found.setdefault(row["file_hash"], Whereabouts())
            at.names.add(_name(row["path"]))
            if row["root"] != UPLOAD_ROOT:
                at.paths.append(row["path"])
    return found


def note_whereabouts(db: Database[Document], user_id: str, hashes: Iterable[str]) -> None:
    """Copy where some bytes are now beside their samples, and what they are called there.

    It looks again after it wrote, so that of two workers who note copies of the same bytes the last one saw both.
    """
    with translating():
        for batch in batches(sorted(set(hashes))):
            for _ in range(MOST_LOOKS):
                if not _note(db, user_id, batch):
                    break


def _note(db: Database[Document], user_id: str, hashes: list[str]) -> bool:
    """Write what has changed; False when nothing has."""
    found = whereabouts(db, user_id, hashes)
    at = {sample_id(user_id, file_hash): found.get(file_hash, Whereabouts()) for file_hash in hashes}
    shown = db.audio_files.find({"_id": {"$in": list(at)}}, {"paths": 1, "name": 1})
    fresh = {row["_id"]: (at[row["_id"]].kept, at[row["_id"]].name(row["name"])) for row in shown if _is_stale(row, at)}
    if fresh:
        change: Document = {
            "paths": value_by_id({name: paths for name, (paths, _) in fresh.items()}),
            "name": value_by_id({name: called for name, (_, called) in fresh.items()}),
            "touched": now(),
        }
        db.audio_files.update_many({"_id": {"$in": list(fresh)}}, [{"$set": change}])
    return bool(fresh)


def _is_stale(row: Document, at: dict[str, Whereabouts]) -> bool:
    there = at[row["_id"]]
    return bool(row.get("paths", []) != there.kept or row["name"] != there.name(row["name"]))


def _name(path: str) -> str:
    return path.rpartition("/")[2]
