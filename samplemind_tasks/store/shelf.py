"""What a search needs to know of samples, read from MongoDB as columns.

Read with the plain driver in threads: turning thousands of documents into numbers would hold up the event loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from samplemind_tasks.aspects import DESCRIPTORS
from samplemind_tasks.aspects import SIZE as ASPECTS_SIZE
from samplemind_tasks.cards import ModelCard
from samplemind_tasks.categories import LEAVES, Category
from samplemind_tasks.errors import NotFound
from samplemind_tasks.facets import FULL
from samplemind_tasks.features import Kind
from samplemind_tasks.schemas import SampleState
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.mongo import Document, connect, translating
from samplemind_tasks.store.said import said_over, shown_tags, told_words

Column = npt.NDArray[Any]
Kinds = dict[str, tuple[Any, tuple[int, ...]]]
"""Of columns: the type, and the shape of one row."""

NONE = -1
"""No kind, category or key."""
KINDS = {kind.value: number for number, kind in enumerate(Kind)}
CATEGORIES = {category.value: number for number, category in enumerate(Category)}
_FIELDS = (
    "number", "name", "paths", "state", "kind", "tempo_bpm", "key_camelot", "duration_s", "loudness_lufs",
    "centroid_hz", "pitch_midi", "pcm_hash", "tags", "user", "heard", "aspects", "word_scores", "touched",
)  # fmt: skip
_PROJECTION = dict.fromkeys(_FIELDS, 1)
_FAR = datetime(9999, 1, 1)
HASH_DIGITS = 16


@dataclass(frozen=True)
class Rows:
    """Samples as columns, one row each."""

    ids: list[str]
    names: list[str]
    paths: list[tuple[str, ...]]
    tags: list[tuple[str, ...]]
    """Shown ones: of the model above its threshold, and a person's."""
    own_tags: list[tuple[str, ...]]
    told_words: list[str]
    """What a text may meet it by besides its name: a person's note and tags, and the file's name under theirs."""
    models: list[str]
    """The model and revision that heard each; empty for none."""
    columns: dict[str, Column]
    latest: datetime | None
    """When one of them was last touched."""


def column_kinds(card: ModelCard) -> Kinds:
    """Every column's type and shape of one row."""
    return {
        "number": (np.int32, ()),
        "ready": (np.bool_, ()),
        "kind": (np.int8, ()),
        "category": (np.int8, ()),
        "by_person": (np.bool_, ()),
        "favourite": (np.bool_, ()),
        "tempo_bpm": (np.float32, ()),
        "key": (np.int8, ()),
        "duration_s": (np.float32, ()),
        "loudness_lufs": (np.float32, ()),
        "brightness_hz": (np.float32, ()),
        "pitch_midi": (np.float32, ()),
        "sound_hash": (np.uint64, ()),
        "has_timbre": (np.bool_, ()),
        "timbre": (np.int8, (card.vector_size,)),
        "leaf_scores": (np.uint8, (len(LEAVES),)),
        "word_scores": (np.uint8, (len(DESCRIPTORS),)),
        "tag_scores": (np.uint8, (len(card.tags),)),
        "aspects": (np.int8, (ASPECTS_SIZE,)),
    }


class ShelfReader:
    """Reads the samples of a user. Every call blocks: call it in a thread."""

    def __init__(self, settings: Settings) -> None:
        self.card = settings.model_card
        self._kinds = column_kinds(self.card)
        self._tag_number = {tag: number for number, tag in enumerate(self.card.tags)}
        self._db = connect(settings, timeout_s=settings.request_timeout_s)

    def newest(self, user_id: str) -> int:
        """The number of the last arrival."""
        with translating():
            counter = self._db.counters.find_one({"_id": f"samples:{user_id}"})
        return int(counter["value"]) if counter else 0

    def stretch(self, user_id: str, after: int, last: int) -> Rows:
        """The samples numbered after+1 to last."""
        return self._rows({"user_id": user_id, "number": {"$gt": after, "$lte": last}})

    def touched(self, user_id: str, since: datetime, until: datetime | None = None) -> Rows:
        """The samples that were written in a span of time; without its end, by clocks that are ahead too."""
        return self._rows({"user_id": user_id, "touched": {"$gte": since, "$lt": until or _FAR}})

    def members(self, user_id: str, collection: str) -> list[str]:
        """The samples of a user's collection, some of which may be gone.

        Raises
        ------
        NotFound : the user has no such collection.
        """
        with translating():
            row = self._db.collections.find_one({"_id": collection}, {"user_id": 1, "samples": 1})
        if row is None or row["user_id"] != user_id:
            raise NotFound(f"there is no collection {collection}")
        return list(row["samples"])

    def close(self) -> None:
        self._db.client.close()

    def _rows(self, wanted: Document) -> Rows:
        with translating():
            documents = list(self._db.audio_files.find(wanted, _PROJECTION))
        stamps = [stamp for row in documents if isinstance(stamp := row.get("touched"), datetime)]
        return Rows(
            ids=[row["_id"] for row in documents],
            names=[(row.get("user") or {}).get("name") or row["name"] for row in documents],
            paths=[tuple(row.get("paths", ())) for row in documents],
            tags=[tuple(shown_tags(row)) for row in documents],
            own_tags=[tuple((row.get("user") or {}).get("tags") or ()) for row in documents],
            told_words=[told_words(row) for row in documents],
            models=[(row.get("heard") or {}).get("by", "") for row in documents],
            columns=self._columns(documents),
            latest=max(stamps, default=None),
        )

    def _columns(self, documents: Sequence[Document]) -> dict[str, Column]:
        count = len(documents)
        columns = {name: np.zeros((count, *shape), kind) for name, (kind, shape) in self._kinds.items()}
        for number, row in enumerate(documents):
            for name, value in _values(row).items():
                columns[name][number] = value
            self._bytes(columns, number, row)
        return columns

    def _bytes(self, columns: dict[str, Column], number: int, row: Document) -> None:
        """The facets kept as bytes; those that another version of ours wrote are none.

        Categories mean the same whoever heard them, tags only within one model; vectors are told apart by the shelf.
        """
        heard = row.get("heard") or {}
        found = {name: row.get(name) for name in ("aspects", "word_scores")}
        found |= {name: heard.get(name) for name in ("timbre", "leaf_scores")}
        if heard.get("by", "").startswith(f"{self.card.name}-"):
            found["tag_scores"] = heard.get("tag_scores")
        for name, content in found.items():
            kind, (size,) = self._kinds[name]
            if content and len(content) == size:
                columns[name][number] = np.frombuffer(content, kind)
        said = row.get("user") or {}
        for tags, score in ((said.get("hidden_tags") or (), 0), (said.get("tags") or (), FULL)):
            columns["tag_scores"][number, [self._tag_number[tag] for tag in tags if tag in self._tag_number]] = score
        columns["has_timbre"][number] = len(heard.get("timbre") or b"") == self.card.vector_size


def camelot_number(code: str | None) -> int:
    """A place on the Camelot wheel as 0 to 23: minor keys even, major ones odd; NONE for no key."""
    return NONE if not code else 2 * (int(code[:-1]) - 1) + (code[-1] in "Bb")


def _values(row: Document) -> dict[str, float]:
    said, heard = row.get("user") or {}, row.get("heard") or {}
    row = row | {"category": heard.get("category")} | said_over(row)
    category = row["category"]
    return {
        "number": row["number"],
        "ready": row["state"] == SampleState.READY.value,
        "kind": KINDS.get(row["kind"], NONE),
        "category": NONE if category is None else CATEGORIES.get(category, NONE),
        "by_person": bool(said.get("category")) or heard.get("category_source") == "taught",
        "favourite": bool(said.get("favourite")),
        "tempo_bpm": _or_nan(row.get("tempo_bpm")),
        "key": camelot_number(row.get("key_camelot")),
        "duration_s": _or_nan(row.get("duration_s")),
        "loudness_lufs": _or_nan(row.get("loudness_lufs")),
        "brightness_hz": _or_nan(row.get("centroid_hz")),
        "pitch_midi": _or_nan(row.get("pitch_midi")),
        "sound_hash": int((row.get("pcm_hash") or "0")[:HASH_DIGITS], 16),
    }


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)
