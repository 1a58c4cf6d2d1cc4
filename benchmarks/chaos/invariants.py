"""What must hold after every round, looked up in the stores themselves. Each broken promise is a sentence."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
from pymongo import MongoClient
from redis import Redis

from benchmarks.chaos.interference import Meddling
from benchmarks.chaos.reference import Reference
from benchmarks.processes import leaders
from benchmarks.world import World
from samplemind_tasks.launch import read_run_file
from samplemind_tasks.queues import Queue
from samplemind_tasks.store.mongo import place_id, sample_id
from samplemind_tasks.store.places import key_of
from samplemind_tasks.store.vectors import chroma_client, collection_name

USER = "local"
ALIKE = 0.99999
Json = dict[str, Any]
Vector = npt.NDArray[np.float32]
COUNTED = ("waiting", "leased", "done", "failed", "skipped", "cancelled")


def unbalanced(job: Json) -> Iterator[str]:
    """Of one poll: every place is in exactly one state."""
    counts = job["counts"]
    if counts["found"] != sum(counts[name] for name in COUNTED):
        yield f"counts do not add up: {counts}"


class Stores:
    """The stores as they are, without our own code between."""

    def __init__(self, world: World) -> None:
        settings = world.stack.settings
        self.world, self.settings = world, settings
        self.mongo: MongoClient[Json] = MongoClient(settings.mongo_url)
        self.db = self.mongo[settings.mongo_database]
        self.collection = chroma_client(settings).get_or_create_collection(
            collection_name(settings.model_card.collection, USER), embedding_function=None
        )

    def place(self, path: Path) -> Json | None:
        """The place of a file."""
        root = next(root.absolute().resolve() for root in self.settings.roots if path.is_relative_to(root))
        return self.db.places.find_one({"_id": place_id(USER, str(root), key_of(root, path))})

    def likeness_in_index(self, name: str, vector: Vector) -> float:
        """The cosine between a vector and the one that the index holds for a sample. Asked for by likeness, because
        Chroma 1.5.9's server in Python cannot answer with the vectors themselves."""
        found = self.collection.query(query_embeddings=[vector], ids=[name], n_results=1, include=["distances"])
        distances = found["distances"]
        return 1 - distances[0][0] if distances and distances[0] else -1.0

    def close(self) -> None:
        """Let go."""
        self.mongo.close()


def broken(world: World, meddling: Meddling, reference: Reference) -> list[str]:
    """Every promise that was not kept."""
    stores = Stores(world)
    try:
        return [
            *_lost(stores, meddling),
            *_wrong(stores, meddling, reference),
            *_come_back(stores, meddling),
            *_left_over(stores, [meddling.job, *meddling.jobs]),
        ]
    finally:
        stores.close()


def _lost(stores: Stores, meddling: Meddling) -> Iterator[str]:
    """Every acknowledged file has a result."""
    touched = meddling.changed | meddling.gone
    for path in (*meddling.folder.good, *meddling.folder.bad):
        place = stores.place(path)
        if place is None:
            yield f"{path.name} is not known"
        elif path in touched:
            if place["failed"] is None and place["file_hash"] is None:
                yield f"{path.name} was changed or removed, and has no result"
        elif path in meddling.folder.bad:
            if place["failed"] is None:
                yield f"{path.name} is no sound, and no failure"
        elif place["failed"] is not None:
            yield f"{path.name} is a good file, and failed: {place['failed']}"
        elif place["file_hash"] != _sha256(path):
            yield f"{path.name} has another file's hash"


def _wrong(stores: Stores, meddling: Meddling, reference: Reference) -> Iterator[str]:
    """Ready, once, searchable, and what an undisturbed run finds."""
    untouched = [path for path in meddling.folder.good if path not in meddling.changed | meddling.gone]
    paths = {sample_id(USER, _sha256(path)): path for path in untouched}
    wanted = {name: path for name, path in paths.items() if name not in meddling.deleted | meddling.unsure}
    indexed = set(stores.collection.get(ids=list(wanted))["ids"])
    for name, path in wanted.items():
        rows = list(stores.db.audio_files.find({"user_id": USER, "file_hash": _sha256(path)}))
        if [row["_id"] for row in rows] != [name] or rows[0]["state"] != "ready":
            yield f"{path.name} should be one ready sample: {[(row['_id'], row['state']) for row in rows]}"
            continue
        if name not in indexed:
            yield f"{path.name} is ready and not in the index"
            continue
        found = reference.of(path)
        kept = {row["stage"]: row for row in stores.db.analyses.find({"file_hash": rows[0]["file_hash"]})}
        if kept["analyze"]["features"] != found.features:
            yield f"{path.name} has other features than an undisturbed run finds"
        if float(np.dot(np.frombuffer(kept["embed"]["vector"], "<f4"), found.vector)) < ALIKE:
            yield f"{path.name} has another vector in the database than an undisturbed run finds"
        if stores.likeness_in_index(name, found.vector) < ALIKE:
            yield f"{path.name} has another vector in the index than an undisturbed run finds"


def _come_back(stores: Stores, meddling: Meddling) -> Iterator[str]:
    """What was deleted stays deleted."""
    names = sorted(meddling.deleted)
    for row in stores.db.audio_files.find({"_id": {"$in": names}}):
        yield f"deleted sample {row['_id']} is back"
    for name in stores.collection.get(ids=names)["ids"] if names else ():
        yield f"deleted sample {name} is in the index"


def _left_over(stores: Stores, jobs: list[str]) -> Iterator[str]:
    """Nothing stays behind: chunks at work, windows, marks, messages, processes."""
    for job in jobs:
        for row in stores.db.chunks.find({"job": job}):
            if row["state"] not in ("done", "cancelled") or row["lease"]:
                yield f"chunk {row['_id']} is still {row['state']}"
    windows = [path for path in (stores.settings.data_dir / "blobs" / "windows").rglob("*") if path.is_file()]
    if windows:
        yield f"{len(windows)} blobs of windows are left"
    with Redis.from_url(stores.settings.redis_url) as redis:
        waiting = {queue.value: redis.llen(queue.value) for queue in Queue}
    if any(waiting.values()):
        yield f"messages wait: {waiting}"
    yield from _orphans(stores.world)


def _orphans(world: World) -> Iterator[str]:
    token = read_run_file(world.data_dir)["token"]
    family: set[int] = set()
    for leader in leaders(world.data_dir).values():
        with suppress(psutil.Error):
            family |= {leader.pid, *(child.pid for child in leader.children(recursive=True))}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            is_ours = process.pid != os.getpid() and process.environ().get("SAMPLEMIND_STACK") == token
            if is_ours and process.pid not in family and process.status() != psutil.STATUS_ZOMBIE:
                yield f"process {process.pid} belongs to nobody: {' '.join(process.cmdline())[:80]}"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
