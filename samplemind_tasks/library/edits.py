"""Edits of many samples at once: named by their ids, or by what they are."""

import time
from collections.abc import Sequence

from samplemind_tasks.curation import EditAnswer, SampleEdit, Where
from samplemind_tasks.library.samples import Samples
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.events import EventLog
from samplemind_tasks.store.pages import SampleFilter, known_words, span_of
from samplemind_tasks.store.said import Said

EDIT_S = 4.0
"""A request by a filter goes on for so long; `next` leads on from there."""
PAGE = 256


class Edits:
    """Changes what a person said of many samples."""

    def __init__(self, catalog: Catalog, said: Said, samples: Samples, event_log: EventLog) -> None:
        self._catalog = catalog
        self._said = said
        self._samples = samples
        self._events = event_log

    async def edit(self, user_id: str, asked: SampleEdit) -> EditAnswer:
        """Make an edit, or count what it would change."""
        if asked.where is not None:
            return await self._where(user_id, asked.where, asked)
        ids = list(dict.fromkeys(asked.ids or ()))
        there = await self._catalog.samples(user_id, ids)
        known = [name for name in ids if name in there]
        changed, full = await self._change(user_id, known, asked)
        if not asked.preview:
            await self._events.edited(user_id, known)
        return EditAnswer(changed=changed, unknown=[name for name in ids if name not in there], full=full, next=None)

    async def _where(self, user_id: str, where: Where, asked: SampleEdit) -> EditAnswer:
        """Each sample that the filter met when it was looked at is changed once: pages go by arrival, not by value."""
        wanted, cursor, changed = sample_filter(where), asked.cursor, 0
        full: list[str] = []
        until = time.monotonic() + EDIT_S
        while True:
            page = await self._samples.page(user_id, wanted, where.path, PAGE, cursor, where.collection)
            met, without_room = await self._change(user_id, [sample.id for sample in page.samples], asked)
            changed, cursor = changed + met, page.next
            full += without_room
            if cursor is None or time.monotonic() > until:
                if changed and not asked.preview:
                    await self._events.rearranged(user_id)
                return EditAnswer(changed=changed, unknown=[], full=full, next=cursor)

    async def _change(self, user_id: str, ids: Sequence[str], asked: SampleEdit) -> tuple[int, list[str]]:
        """How many of the samples were changed, and which have no room for the tags."""
        full = await self._said.without_room(user_id, ids, asked.add_tags, asked.remove_tags)
        roomy = [name for name in ids if name not in set(full)]
        if asked.preview:
            return len(roomy), full
        return await self._said.say(user_id, roomy, asked.change.said, asked.add_tags, asked.remove_tags), full


def sample_filter(where: Where) -> SampleFilter:
    """The same conditions as a list's filter; its path and its collection are looked up apart."""
    return SampleFilter(
        where.kind, where.key, where.tempo_min, where.tempo_max, tuple(where.tag), where.name or None, where.state,
        where.category, where.favourite, where.tempo_octaves, where.key_compatible,
        span_of(where.duration_min, where.duration_max), span_of(where.loudness_min, where.loudness_max),
        span_of(where.brightness_min, where.brightness_max), known_words(where.word, "where.word"),
    )  # fmt: skip
