"""A lesson: learn a user's own labels from a folder of the library whose subfolders are the labels."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from samplemind_tasks.ai.teach import MOST_SOUNDS, teach
from samplemind_tasks.errors import BadRequest
from samplemind_tasks.logs import get_log
from samplemind_tasks.store.places import LAST_KEY, Place, PlaceState, key_of
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.taught import Head

log = get_log(__name__)

LONGEST_IN = 64
"""The embedded database is slow at a longer $in."""
MOST_LABEL_CHARS = 64


def learn(stores: Stores, user_id: str, root: str, folder: str) -> None:
    """Learn from the sounds below a folder, in place of what was taught before.

    Raises
    ------
    BadRequest when nothing can be learned from them; what was taught before stays.
    """
    model, version = stores.settings.model_card.collection, stores.settings.hearing_version
    label_of = dict(_labelled(stores, user_id, root, folder))
    vectors, labels = [], []
    hashes = sorted(label_of)
    for start in range(0, len(hashes), LONGEST_IN):
        for file_hash, hearing in stores.samples.hearings(hashes[start : start + LONGEST_IN], version).items():
            if len(hearing.vector):
                vectors.append(hearing.vector)
                labels.append(label_of[file_hash])
    if not vectors:
        raise BadRequest("no sound in a subfolder of it has been heard: sort sounds into subfolders, and add it")
    lesson = teach(np.stack(vectors), labels)
    head = Head(**vars(lesson.taught))
    told = {
        "folder": folder,
        "accuracy": round(lesson.accuracy, 3),
        "sounds": lesson.sounds,
        "left_out": lesson.left_out,
    }
    stores.taught.save(user_id, model, head, told)
    log.info("lesson_learned", user=user_id, **told)


def _labelled(stores: Stores, user_id: str, root: str, folder: str) -> Iterator[tuple[str, str]]:
    """Hash and label of every sound below the folder: the label is the first folder on the way down."""
    start = key_of(Path(root), Path(folder))
    below = f"{start}/" if start else ""
    taken = 0
    for place in stores.places.between(user_id, root, below, below + LAST_KEY):
        label = _label(place, below)
        if label is not None and place.file_hash is not None and taken < MOST_SOUNDS:
            taken += 1
            yield place.file_hash, label


def _label(place: Place, below: str) -> str | None:
    if place.removed or place.state is not PlaceState.PRESENT or not place.key.startswith(below):
        return None
    label, slash, _ = place.key.removeprefix(below).partition("/")
    text = label.encode("latin-1").decode(errors="replace").strip()[:MOST_LABEL_CHARS]
    return text if slash and text else None
