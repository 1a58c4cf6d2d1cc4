"""Chroma is an index, not the truth: when it is lost, it is written anew from the vectors that MongoDB keeps."""

import numpy as np

from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.logs import get_log
from samplemind_tasks.pipeline import current_versions
from samplemind_tasks.queues import send
from samplemind_tasks.store.chunks import Stage
from samplemind_tasks.store.stores import Stores

log = get_log(__name__)

LOOK_EVERY_S = 15
STRETCH = 256
"""Numbers of a library written in one task."""
LONGEST_IN = 64
"""The embedded database is slow at a longer $in."""


def look_at_index(stores: Stores) -> None:
    """Begin writing an index that is empty although there are samples to find, or go on where that has stopped."""
    if not stores.marks.is_due("look-at-index", LOOK_EVERY_S):
        return
    collection = current_versions(stores.settings)[Stage.EMBED.value]
    try:
        under_way = stores.samples.rebuilds()
        for (lost, user_id), number in under_way.items():
            if stores.marks.looks_unchanged(f"reindex:{lost}:{user_id}", str(number)) > 1:
                send("control.reindex", lost, user_id)  # it stands still: its message is lost
        if not under_way and stores.vectors.count(collection) == 0:
            for user_id, last in stores.samples.users().items():
                if _has_ready(stores, user_id, last):
                    log.warning("index_lost", collection=collection, user=user_id)
                    stores.samples.note_rebuild(collection, user_id, 0)
                    send("control.reindex", collection, user_id)
    except StoreUnavailable as error:
        log.warning("index_not_looked_at", reason=error.message)


def _has_ready(stores: Stores, user_id: str, last: int) -> bool:
    return any(stores.samples.ready_between(user_id, first, first + STRETCH) for first in range(0, last, STRETCH))


def rebuild_stretch(stores: Stores, collection: str, user_id: str) -> bool:
    """Write the next stretch. True when there is more to write."""
    after = stores.samples.rebuilds().get((collection, user_id))
    if after is None:
        return False
    last = stores.samples.users().get(user_id, 0)
    ready = list(stores.samples.ready_between(user_id, after, after + STRETCH).items())
    for start in range(0, len(ready), LONGEST_IN):
        part = ready[start : start + LONGEST_IN]
        hearings = stores.samples.hearings({file_hash for _, file_hash in part}, collection)
        found = [(sample, hearings[file_hash].vector) for sample, file_hash in part if file_hash in hearings]
        if found:
            stores.vectors.upsert(collection, [name for name, _ in found], np.stack([row for _, row in found]), user_id)
    is_whole = after + STRETCH >= last
    stores.samples.note_rebuild(collection, user_id, None if is_whole else after + STRETCH)
    if is_whole:
        log.info("index_rebuilt", collection=collection, user=user_id)
    return not is_whole
