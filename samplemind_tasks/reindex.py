"""Chroma is an index, not the truth: written anew from the vectors that MongoDB keeps, when lost or when asked."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from samplemind_tasks.ai.taught import Taught
from samplemind_tasks.cards import ModelCard
from samplemind_tasks.errors import StoreUnavailable
from samplemind_tasks.facets import Heard, heard
from samplemind_tasks.logs import get_log
from samplemind_tasks.queues import send
from samplemind_tasks.store.documents import Hearing, ReadySample
from samplemind_tasks.store.rebuilds import UnderWay
from samplemind_tasks.store.stores import Stores
from samplemind_tasks.store.taught import Head, sound_number
from samplemind_tasks.store.vectors import collection_name

log = get_log(__name__)

LOOK_EVERY_S = 15
LOOK_AT_HEARD_EVERY_S = 3600
"""And at once after a change of the model."""
STRETCH = 256
"""Numbers of a library written in one task."""
LONGEST_IN = 64
"""The embedded database is slow at a longer $in."""


def look_at_index(stores: Stores) -> None:
    """Begin writing an index that lacks samples since Chroma's data was lost, or go on where that has stopped."""
    if not stores.marks.is_due("look-at-index", LOOK_EVERY_S):
        return
    model = stores.settings.model_card.collection
    try:
        under_way = stores.rebuilds.under_way()
        for (lost, user_id), at in under_way.items():
            if stores.marks.looks_unchanged(f"reindex:{lost}:{user_id}", f"{at.asked} {at.written}") > 1:
                send("control.reindex", lost, user_id)  # it stands still: its message is lost
        for user_id, last in stores.samples.users().items():
            is_known = (model, user_id) in under_way
            if not is_known and _may_have_lost_some(stores, model, user_id, last):
                _begin_if_lost(stores, model, user_id, last)
            elif not is_known and stores.marks.is_due(f"look-at-heard:{model}:{user_id}", LOOK_AT_HEARD_EVERY_S):
                _begin_if_another_heard(stores, model, user_id, last)
            _drop_overtaken(stores, model, user_id)
    except StoreUnavailable as error:
        log.warning("index_not_looked_at", reason=error.message)


def _may_have_lost_some(stores: Stores, model: str, user_id: str, last: int) -> bool:
    """Whether the index is empty; or another than before, as when Chroma's data went in mid-job, and lacks some."""
    name = collection_name(model, user_id)
    if stores.vectors.count(name) == 0:
        return True
    if stores.marks.looks_unchanged(f"index:{name}", stores.vectors.identity(name)) > 1:
        return False
    heard = sum(stores.samples.heard_between(user_id, at, at + STRETCH, model) for at in range(0, last, STRETCH))
    return stores.vectors.count(name) < heard  # counted last: what becomes ready is in the index before


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
            stores.rebuilds.begin(model, user_id)
            send("control.reindex", model, user_id)
            return


def _begin_if_lost(stores: Stores, model: str, user_id: str, last: int) -> None:
    """Begin where the model has heard samples that nobody can find."""
    for first in range(0, last, STRETCH):
        ready = stores.samples.ready_between(user_id, first, first + STRETCH)
        hashes = [sample.file_hash for sample in ready.values()]
        if hashes and stores.samples.hearings(hashes[:LONGEST_IN], stores.settings.hearing_version_of(model)):
            log.warning("index_lost", model=model, user=user_id)
            stores.rebuilds.begin(model, user_id)
            send("control.reindex", model, user_id)
            return


def rebuild_stretch(stores: Stores, model: str, user_id: str) -> bool:
    """Write the next stretch: vectors to Chroma, facets beside the samples. True when there is more to write."""
    of = stores.rebuilds.under_way().get((model, user_id))
    if of is None:
        return False
    last, ending = stores.samples.users().get(user_id, 0), of.written + STRETCH
    ready = list(stores.samples.ready_between(user_id, of.written, ending).items())
    for start in range(0, len(ready), LONGEST_IN):
        _write(stores, model, user_id, of, dict(ready[start : start + LONGEST_IN]))
    if ending < last:
        stores.rebuilds.advance(model, user_id, of, ending)
        return True
    is_whole = stores.rebuilds.end(model, user_id, of)
    if is_whole:
        log.info("index_rebuilt", model=model, user=user_id)
    return not is_whole


def _write(stores: Stores, model: str, user_id: str, of: UnderWay, ready: Mapping[str, ReadySample]) -> None:
    hashes = {sample.file_hash for sample in ready.values()}
    by_hash = stores.samples.hearings(hashes, stores.settings.hearing_version_of(model))
    found = {name: by_hash[sample.file_hash] for name, sample in ready.items() if sample.file_hash in by_hash}
    heard_ones = {sample: hearing for sample, hearing in found.items() if len(hearing.vector)}
    if heard_ones:
        vectors = np.stack([hearing.vector for hearing in heard_ones.values()])
        stores.vectors.upsert(collection_name(model, user_id), list(heard_ones), vectors)
    if found and model == stores.settings.model_card.collection:
        tags, facets = ready_facets(stores.settings.model_card, found, stores.taught.get(user_id, model))
        stores.samples.ready(tags, facets)
        shown = [(name, ready[name]) for name in found]
        renamed = sum(row.category != facets[name].category for name, row in shown if not row.is_named_by_person)
        retagged = sum(set(row.tags) != set(tags[name]) for name, row in shown)
        stores.rebuilds.count(model, user_id, of, renamed, retagged)


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
    category_of = dict(zip(head.labels, head.categories, strict=True))
    fitted = Taught(head.labels, head.weights, head.bias, head.centres, head.reach, head.heard_as)
    vectors = np.stack([hearings[sample].vector for sample in known])
    labels = fitted.label(vectors, [facets[sample].category for sample in known])
    for sample, (label, score) in zip(known, labels, strict=True):
        place = head.sorted_sounds.get(sound_number(hearings[sample].file_hash))
        if place is not None:  # the person sorted this very sound
            label, score = head.labels[place], 1.0
        if label is None:
            continue
        category = category_of[label]
        if category is not None:
            facets[sample] = replace(
                facets[sample], category=category, category_confidence=round(score, 3), category_source="taught"
            )
        elif label not in tags[sample]:
            tags[sample].append(label)
