"""Searches that were asked a moment ago: their ranking is kept in the cache, for as long as the library stays as it is.

Of 60,000 samples "what sounds like this one" takes 43 ms, and 4 ms where the ranking is kept. Samples themselves are
read anew each time, so that a hit is never shown as it was, nor after it was deleted. Other reads are as quick as the
cache itself (a sample with all that is known of it 4 ms), or must show what was said an instant ago (lists).
"""

import time
from collections.abc import AsyncIterator

from pydantic import ValidationError

from samplemind_tasks.library.digest import digest
from samplemind_tasks.library.disk import Disk
from samplemind_tasks.library.samples import shown_path
from samplemind_tasks.library.search import Search
from samplemind_tasks.library.shelves import Shelves
from samplemind_tasks.library.sounds import Sounds
from samplemind_tasks.queries import SearchAnswer, SearchQuery
from samplemind_tasks.settings import Settings
from samplemind_tasks.store.catalog import Catalog
from samplemind_tasks.store.live import Cache
from samplemind_tasks.store.search import VectorSearch

KEPT_S = 20.0
"""No longer, since what a machine whose clock is behind has written does not move the mark."""
WORTH_S = 0.010
"""What took less is not kept: asking the cache is not free either."""


class KeptSearch(Search):
    """A search that remembers."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        vectors: VectorSearch,
        shelves: Shelves,
        sounds: Sounds,
        cache: Cache,
        disk: Disk,
    ) -> None:
        super().__init__(settings, catalog, vectors, shelves, sounds)
        self._cache = cache
        self._disk = disk

    async def find(self, user_id: str, query: SearchQuery, stream: AsyncIterator[bytes] | None = None) -> SearchAnswer:
        """Answer a query. A sound that is sent along is never the same one; a collection may change unseen."""
        if query.filters.folder is not None:
            query = await self._at_its_folder(query, query.filters.folder)
        if stream is not None or query.filters.collection is not None:
            return await super().find(user_id, query, stream)
        view = await self._shelves.of(user_id)
        key = f"search:{user_id}:{digest([view.model, view.mark, query.model_dump(mode='json')])}"
        kept = await self._cache.get(key)
        if kept is not None and (answer := await self._fresh(user_id, kept)) is not None:
            return answer
        began = time.perf_counter()
        answer = await super().find(user_id, query)
        if time.perf_counter() - began >= WORTH_S:
            await self._cache.put(key, answer.model_dump_json(), KEPT_S)
        return answer

    async def _at_its_folder(self, query: SearchQuery, folder: str) -> SearchQuery:
        """The same query with the folder where its links lead, as places are kept.

        Raises
        ------
        BadRequest : it is no absolute path.
        """
        resolved = shown_path(await self._disk.resolved(folder, field="filters.folder"))
        return query.model_copy(update={"filters": query.filters.model_copy(update={"folder": resolved})})

    async def _fresh(self, user_id: str, kept: str) -> SearchAnswer | None:
        """A kept answer with its samples as they are now; None where one is gone."""
        try:
            answer = SearchAnswer.model_validate_json(kept)
        except ValidationError:
            return None  # written by another version
        samples = await self._catalog.samples(user_id, [hit.sample.id for hit in answer.hits])
        if any(hit.sample.id not in samples for hit in answer.hits):
            return None
        hits = [hit.model_copy(update={"sample": samples[hit.sample.id]}) for hit in answer.hits]
        return answer.model_copy(update={"hits": hits})
