"""What a person says of samples, as MongoDB keeps it: under `user`, where no worker ever writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pymongo.asynchronous.database import AsyncDatabase

from samplemind_tasks.aspects import said_words
from samplemind_tasks.keynames import camelot
from samplemind_tasks.said import MOST_TAGS, SAID_FIELDS, Found
from samplemind_tasks.schemas import Sample
from samplemind_tasks.store.mongo import Document, batches, translating

_OF_CATEGORY = ("category", "category_confidence", "category_source")
_COMPUTED = {"id", "tags", *_OF_CATEGORY, "favourite", "said", "paths", "brightness_hz", "words"}
_FIELDS = [name for name in Sample.model_fields if name not in _COMPUTED]
_MADE_FROM = ("user_id", "tags", "user", "paths", "centroid_hz", "word_scores")
SHOWN = dict.fromkeys([*_FIELDS, *_MADE_FROM, *(f"heard.{name}" for name in _OF_CATEGORY)], 1)
"""Not what searches are made of, which is most of a document."""


# ------------------------------------------------------------------------------------------------ a person's word first


def heard_category(row: Document) -> Document:
    """What the model, or a head that the user taught, calls a sample."""
    heard = row.get("heard") or {}
    category = heard.get("category")
    return {
        "category": category,
        "category_confidence": heard.get("category_confidence") if category is not None else None,
        "category_source": heard.get("category_source", "model") if category is not None else None,
    }


def shown_tags(row: Document) -> list[str]:
    """The heard tags that nobody hid, then a person's own."""
    said = row.get("user") or {}
    hidden = said.get("hidden_tags") or ()
    return list(dict.fromkeys([*(tag for tag in row["tags"] if tag not in hidden), *(said.get("tags") or ())]))


def said_over(row: Document) -> Document:
    """The fields in which a person's word stands in place of what was found, with all that goes with each."""
    said = row.get("user") or {}
    over: Document = {name: said[name] for name in ("name", "kind") if said.get(name)}
    if said.get("tempo_bpm"):
        over |= {"tempo_bpm": said["tempo_bpm"], "tempo_confidence": None}
    if said.get("key"):
        over |= {"key": said["key"], "key_camelot": camelot(said["key"]), "key_confidence": None}
    if said.get("category"):
        over |= {"category": said["category"], "category_source": "person", "category_confidence": None}
    return over


def shown_sample(row: Document) -> Sample:
    """A sample as people see it: what a person said goes before what was measured and heard."""
    said = row.get("user") or {}
    found = {name: row[name] for name in _FIELDS} | heard_category(row)
    others = {
        "id": row["_id"],
        "tags": shown_tags(row),
        "favourite": bool(said.get("favourite")),
        "said": [name for name in SAID_FIELDS if said.get(name)],
        "paths": row.get("paths", []),
        "brightness_hz": row.get("centroid_hz"),
        "words": said_words(row.get("word_scores", b"")),
    }
    return Sample.model_validate(found | said_over(row) | others)


def told_words(row: Document) -> str:
    """What a text may meet a sample by besides the name it shows: a person's words, the file's own name, its copies."""
    said = row.get("user") or {}
    words = [*(said.get("tags") or ()), said.get("note"), row["name"] if said.get("name") else None]
    return " ".join(filter(None, [*words, *_copies_told(row.get("paths") or ())]))


def _copies_told(paths: Sequence[str]) -> list[str]:
    """What the copies of a file are called, and their folders; of a single file the index of names knows it."""
    told = [path.rpartition(".")[0].split("/")[-3:] for path in paths] if len(paths) > 1 else []
    return list(dict.fromkeys(part for parts in told for part in parts))


# ------------------------------------------------------------------------------------------------------- the documents


@dataclass(frozen=True)
class Told:
    """A sample as a person sees it, with what they said of it beside what was found."""

    sample: Sample
    note: str | None
    own_tags: list[str]
    hidden_tags: list[str]
    found: Found


class Said:
    """Keeps what a person says."""

    def __init__(self, db: AsyncDatabase[Document]) -> None:
        self._db = db

    async def of(self, user_id: str, sample: str) -> Told | None:
        """What a user said of a sample."""
        with translating():
            row = await self._db.audio_files.find_one({"_id": sample}, SHOWN)
        if row is None or row["user_id"] != user_id:
            return None
        said = row.get("user") or {}
        found = {name: row[name] for name in ("name", "kind", "tempo_bpm", "key", "key_camelot", "tags")}
        return Told(
            shown_sample(row),
            said.get("note"),
            said.get("tags") or [],
            said.get("hidden_tags") or [],
            Found.model_validate(found | heard_category(row)),
        )

    async def say(
        self,
        user_id: str,
        sample_ids: Sequence[str],
        said: Document,
        add_tags: Sequence[str] = (),
        remove_tags: Sequence[str] = (),
    ) -> int:
        """Keep what is said of samples; None takes a field back. Answers how many of them there are.

        Of the tags to remove, a person's own are taken away, and heard ones are hidden. No tag is in both lists, nor
        is any where `said` has tags. In as few writes as MongoDB takes: the embedded server needs 30 ms for each.
        """
        changes: Document = {
            "$set": {f"user.{name}": value for name, value in said.items() if value is not None},
            "$unset": {f"user.{name}": "" for name, value in said.items() if value is None},
        }
        take_away: Document = {"$pullAll": {"user.tags": list(remove_tags)}}
        if add_tags:
            changes["$addToSet"] = {"user.tags": {"$each": list(add_tags)}}
            changes["$pullAll"] = {"user.hidden_tags": list(add_tags)}
        elif remove_tags:
            changes |= take_away
        met = await self._change(user_id, sample_ids, {name: fields for name, fields in changes.items() if fields})
        if add_tags and remove_tags:
            await self._change(user_id, sample_ids, take_away)  # one field cannot be added to and taken from at once
        if remove_tags:
            hide: Document = {"$addToSet": {"user.hidden_tags": {"$each": list(remove_tags)}}}
            await self._change(user_id, sample_ids, hide, heard=remove_tags)
        return met

    async def without_room(
        self, user_id: str, sample_ids: Sequence[str], add: Sequence[str], remove: Sequence[str]
    ) -> list[str]:
        """Those of the samples that would have too many tags."""
        full: list[str] = []
        for batch in batches(sample_ids) if add or remove else []:
            with translating():
                rows = await self._db.audio_files.find({"_id": {"$in": batch}}, {"user_id": 1, "user": 1}).to_list()
            for row in rows:
                said = row.get("user") or {}
                sets = [
                    {*(said.get(name) or ()), *tags} - {*others}
                    for name, tags, others in (("tags", add, remove), ("hidden_tags", remove, add))
                ]
                if row["user_id"] == user_id and max(map(len, sets)) > MOST_TAGS:
                    full.append(row["_id"])
        return full

    async def _change(
        self, user_id: str, sample_ids: Sequence[str], change: Document, heard: Sequence[str] | None = None
    ) -> int:
        """One change of many samples, or of those in which one of some tags was heard. Answers how many it met."""
        change = change | {"$set": change.get("$set", {}) | {"touched": datetime.now(UTC)}}
        met = 0
        for batch in batches(sample_ids):
            wanted: Document = {"_id": {"$in": batch}, "user_id": user_id}
            if heard is not None:
                wanted["tags"] = {"$in": list(heard)}
            with translating():
                met += (await self._db.audio_files.update_many(wanted, change)).matched_count
        return met
