"""Chroma is an index, not the truth: written anew from the vectors that MongoDB keeps, when lost or when asked."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from samplemind_tasks.ai.taught import SURE, Taught
from samplemind_tasks.cards import ModelCard
from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.facets import Heard, heard
from samplemind_tasks.logs import get_log
from samplemind_tasks.queues import send
from samplemind_tasks.store.documents import Hearing
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.taught import Head
from samplemind_tasks.store.vectors import collection_name
from samplemind_tasks.words.told import category_told

log = get_log(__name__)

LOOK_EVERY_S = 15
LOOK_AT_HEARD_EVERY_S = 3600
"""And at once after a change of the model."""
STRETCH = 256
"""Numbers of a library written in one task."""
LONGEST_IN = 64
"""The embedded database is slow at a longer $in."""


def look_at_index(stores: Stores) -> None:
    """Begin writing an index that is empty although there are samples to find, or go on where that has stopped."""
    if not stores.marks.is_due("look-at-index", LOOK_EVERY_S):
        return
    model = stores.settings.model_card.collection
    try:
        under_way = stores.samples.rebuilds()
        for (lost, user_id), number in under_way.items():
            if stores.marks.looks_unchanged(f"reindex:{lost}:{user_id}", str(number)) > 1:
                send("control.reindex", lost, user_id)  # it stands still: its message is lost
        for user_id, last in stores.samples.users().items():
            is_known = (model, user_id) in under_way
            if not is_known and stores.vectors.count(collection_name(model, user_id)) == 0:
                _begin_if_lost(stores, model, user_id, last)
            elif not is_known and stores.marks.is_due(f"look-at-heard:{model}:{user_id}", LOOK_AT_HEARD_EVERY_S):
                _begin_if_another_heard(stores, model, user_id, last)
            _drop_overtaken(stores, model, user_id)
    except StoreUnavailable as error:
        log.warning("index_not_looked_at", reason=error.message)


def _drop_overtaken(stores: Stores, model: str, user_id: str) -> None:
    """Let go of collections of other models once ours holds as much; one that is wanted again is written anew."""
    ours = collection_name(model, user_id)
    ending = ours.removeprefix(model)
    others = [name for name in stores.vectors.collections() if name.endswith(ending) and name != ours]
    if others and (count := stores.vectors.count(ours)):
        for name in others:
            if stores.vectors.count(name) <= count:
                log.info("index_overtaken", collection=name, by=ours)
                stores.vectors.drop(name)


def _begin_if_another_heard(stores: Stores, model: str, user_id: str, last: int) -> None:
    """Begin where samples show what another model heard although this one has heard them too: it was changed back."""
    version = stores.settings.hearing_version_of(model)
    for first in range(0, last, STRETCH):
        hashes = stores.samples.heard_by_another(user_id, first, first + STRETCH, model)
        if hashes and stores.samples.hearings(hashes[:LONGEST_IN], version):
            log.info("facets_of_another_model", model=model, user=user_id)
            stores.samples.note_rebuild(model, user_id, 0)
            send("control.reindex", model, user_id)
            return


def _begin_if_lost(stores: Stores, model: str, user_id: str, last: int) -> None:
    """Begin where the model has heard samples that nobody can find."""
    for first in range(0, last, STRETCH):
        hashes = list(stores.samples.ready_between(user_id, first, first + STRETCH).values())
        if hashes and stores.samples.hearings(hashes[:LONGEST_IN], stores.settings.hearing_version_of(model)):
            log.warning("index_lost", model=model, user=user_id)
            stores.samples.note_rebuild(model, user_id, 0)
            send("control.reindex", model, user_id)
            return


def rebuild_stretch(stores: Stores, model: str, user_id: str) -> bool:
    """Write the next stretch: vectors to Chroma, facets beside the samples. True when there is more to write."""
    after = stores.samples.rebuilds().get((model, user_id))
    if after is None:
        return False
    last = stores.samples.users().get(user_id, 0)
    ready = list(stores.samples.ready_between(user_id, after, after + STRETCH).items())
    for start in range(0, len(ready), LONGEST_IN):
        _write(stores, model, user_id, dict(ready[start : start + LONGEST_IN]))
    is_whole = after + STRETCH >= last
    stores.samples.note_rebuild(model, user_id, None if is_whole else after + STRETCH)
    if is_whole:
        log.info("index_rebuilt", model=model, user=user_id)
    return not is_whole


def _write(stores: Stores, model: str, user_id: str, hashes: Mapping[str, str]) -> None:
    by_hash = stores.samples.hearings(set(hashes.values()), stores.settings.hearing_version_of(model))
    found = {sample: by_hash[file_hash] for sample, file_hash in hashes.items() if file_hash in by_hash}
    heard_ones = {sample: hearing for sample, hearing in found.items() if len(hearing.vector)}
    if heard_ones:
        vectors = np.stack([hearing.vector for hearing in heard_ones.values()])
        stores.vectors.upsert(collection_name(model, user_id), list(heard_ones), vectors)
    if found and model == stores.settings.model_card.collection:
        taught = stores.taught.get(user_id, model)
        stores.samples.ready(*ready_facets(stores.settings.model_card, found, taught))


def ready_facets(
    card: ModelCard, hearings: Mapping[str, Hearing], taught: Head | None = None
) -> tuple[dict[str, list[str]], dict[str, Heard]]:
    """Shown tags, and facets, by sample id, of what a model heard, and of what its user taught."""
    tags = {
        sample: [tag.name for tag in hearing.tags if tag.score >= card.tag_threshold]
        for sample, hearing in hearings.items()
    }
    facets = {sample: heard(card, row.vector, row.tags, row.leaves) for sample, row in hearings.items()}
    if taught is not None:
        _label(tags, facets, hearings, taught)
    return tags, facets


def _label(tags: dict[str, list[str]], facets: dict[str, Heard], hearings: Mapping[str, Hearing], head: Head) -> None:
    """A taught label that names a category goes before what the model heard; any other is a tag."""
    known = [sample for sample, hearing in hearings.items() if len(hearing.vector)]
    if not known:
        return
    taught = {category for label in head.labels if (category := _category_of(label)) is not None}
    labels = Taught(**vars(head)).label(np.stack([hearings[sample].vector for sample in known]))
    for sample, (label, score) in zip(known, labels, strict=True):
        if label is None:
            continue
        category = _category_of(label)
        if category is not None:
            heard_as, confidence = facets[sample], round(score, 3)
            is_sure = (heard_as.category_confidence or 0.0) >= SURE
            if is_sure and heard_as.category is not None and heard_as.category not in taught:
                continue  # it is something else, of which nothing was taught
            facets[sample] = replace(
                facets[sample], category=category, category_confidence=confidence, category_source="taught"
            )
        elif label not in tags[sample]:
            tags[sample].append(label)


def _category_of(label: str) -> str | None:
    """The category that a label names."""
    told = category_told(f"{label}/")
    return str(told[0].value) if told else None
