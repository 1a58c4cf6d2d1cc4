"""A lesson: learn a user's own labels from a folder of the library whose subfolders are the labels."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from samplemind_tasks.ai.teach import MOST_SOUNDS, teach
from samplemind_tasks.categories import Category
from samplemind_tasks.errors import BadRequest
from samplemind_tasks.facets import heard
from samplemind_tasks.logs import get_log
from samplemind_tasks.store.places import LAST_KEY, Place, PlaceState, key_of
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.taught import Head, sound_number
from samplemind_tasks.words.names import sound_phrases
from samplemind_tasks.words.text import words_of_name
from samplemind_tasks.words.told import category_told
from samplemind_tasks.words.vocabulary import vocabulary

log = get_log(__name__)

LONGEST_IN = 64
"""The embedded database is slow at a longer $in."""
MOST_LABEL_CHARS = 64
BROAD = frozenset({Category.FX, Category.OTHER_PERCUSSION})
"""Sounds that have little in common: who keeps a folder of robots and one of rain means more by them than fx."""
NAMELESS = "0"
"""A file's name that tells nothing."""
SILENT, UNHEARD, UNSORTED, SURPLUS, AMBIGUOUS = "silent", "not heard yet", "in no subfolder", "too many", "in several"
"""Why a sound of the folder is not learned from."""


@dataclass
class Material:
    """What there is to learn from, and what was set aside."""

    hashes: list[str] = field(default_factory=list)
    vectors: list[npt.NDArray[np.float32]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    heard: list[str | None] = field(default_factory=list)
    """What the model calls each."""
    set_aside: Counter[str] = field(default_factory=Counter)
    """Sounds by reason."""


def learn(stores: Stores, user_id: str, root: str, folder: str) -> None:
    """Learn from the sounds below a folder, in place of what was taught before.

    Raises
    ------
    BadRequest when nothing can be learned from them; what was taught before stays.
    """
    material = _material(stores, *_labelled(stores, user_id, root, folder))
    if not material.vectors:
        raise BadRequest("no sound in a subfolder of it has been heard: sort sounds into subfolders, and add it")
    named = {label: _category_of(label) for label in set(material.labels)}
    lesson = teach(np.stack(material.vectors), material.labels, material.heard, named)
    fitted = lesson.taught
    place_of = {label: place for place, label in enumerate(fitted.labels)}
    sounds = zip(material.hashes, material.labels, strict=True)
    head = Head(
        **vars(fitted),
        categories=tuple(named[label] for label in fitted.labels),
        sorted_sounds={sound_number(name): place_of[label] for name, label in sounds if label in place_of},
    )
    told = {
        "folder": folder,
        "accuracy": round(lesson.accuracy, 3),
        "sounds": lesson.sounds,
        "left_out": lesson.left_out,
        "categories": {label: category for label, category in named.items() if category and label in lesson.sounds},
        "set_aside": dict(material.set_aside),
    }
    stores.taught.save(user_id, stores.settings.model_card.collection, head, told)
    log.info("lesson_learned", user=user_id, **told)


def _material(stores: Stores, label_of: Mapping[str, str], set_aside: Counter[str]) -> Material:
    """What the model heard in the labelled sounds."""
    card, version = stores.settings.model_card, stores.settings.hearing_version
    material = Material(set_aside=set_aside)
    hashes = sorted(label_of)
    for start in range(0, len(hashes), LONGEST_IN):
        part = hashes[start : start + LONGEST_IN]
        hearings = stores.samples.hearings(part, version)
        material.set_aside[UNHEARD] += len(part) - len(hearings)
        for file_hash, hearing in hearings.items():
            if not len(hearing.vector):
                material.set_aside[SILENT] += 1
                continue
            material.hashes.append(file_hash)
            material.vectors.append(hearing.vector)
            material.labels.append(label_of[file_hash])
            material.heard.append(heard(card, hearing.vector, hearing.tags, hearing.leaves).category)
    material.set_aside = +material.set_aside
    return material


def _labelled(stores: Stores, user_id: str, root: str, folder: str) -> tuple[dict[str, str], Counter[str]]:
    """Label by hash of the sounds below the folder, and how many have none.

    The label is the first folder on the way down. A sound that lies in several says nothing.
    """
    start = key_of(Path(root), Path(folder))
    below = f"{start}/" if start else ""
    labels: dict[str, set[str]] = {}
    set_aside: Counter[str] = Counter()
    for place in stores.places.between(user_id, root, below, below + LAST_KEY):
        if place.removed or place.state is not PlaceState.PRESENT or place.file_hash is None:
            continue
        label = _label(place, below)
        if label is None:
            set_aside[UNSORTED] += 1
        elif len(labels) >= MOST_SOUNDS and place.file_hash not in labels:
            set_aside[SURPLUS] += 1
        else:
            labels.setdefault(place.file_hash, set()).add(label)
    set_aside[AMBIGUOUS] = sum(len(of) > 1 for of in labels.values())
    return {file_hash: of.pop() for file_hash, of in labels.items() if len(of) == 1}, set_aside


def _label(place: Place, below: str) -> str | None:
    label, slash, _ = place.key.removeprefix(below).partition("/")
    text = label.encode("latin-1").decode(errors="replace").strip()[:MOST_LABEL_CHARS]
    return text if slash and text else None


def _category_of(label: str) -> str | None:
    """The category that a label names, as the name of a folder: by the category's own name, or a sure synonym of it."""
    folder = next((told for told in category_told(f"{label}/{NAMELESS}") if told.source == "folder"), None)
    if folder is None:
        return None
    category = str(folder.value)
    return None if category in BROAD and category not in _names_in(label) else category


def _names_in(label: str) -> set[str]:
    """What the vocabulary reads a label as: names of categories, and of the sounds that it puts into one."""
    known = vocabulary()
    return {name for number in sound_phrases(words_of_name(label)) for name in known.phrases[number].sounds}
